//! What every room must keep, by its own cases: text files of requests and of what is read from them.
//!
//! A case is a name, a request, and what it reads as. `UPDATE_EXPECT=1` writes what is read into the files; the
//! difference is for a person to judge. Leaves out sweeps over whole catalogues, which live with the outside tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::{ExpectFile, expect_file};
use ordain_action::{Completeness, Effect, Plane, Reading, Scalar, Upstream};

use crate::form::fields::clip;
use crate::form::query;
use crate::grpc::shop;
use crate::setup::VaultMount;
use crate::{Front, Head, Needs, Rooms, RoomsConfig, WayIn, card};

struct Case {
    name: String,
    request: String,
}

/// `== name`, a request, `-- reads`, what is read; a `#` line before a name is a comment and stays.
fn parse(text: &str) -> (String, Vec<Case>) {
    let (preface, rest) = text.split_once("== ").unwrap_or((text, ""));
    let cases = rest
        .split("\n== ")
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let (name, rest) = part.split_once('\n').unwrap();
            let request = rest.split("-- reads").next().unwrap();
            Case { name: name.to_owned(), request: request.trim_end().to_owned() }
        })
        .collect();
    (preface.to_owned(), cases)
}

struct Parsed {
    method: String,
    target: String,
    host: String,
    headers: http::HeaderMap,
    body: Vec<u8>,
    /// The cluster that the place it came to belongs to; none for the other plane.
    cluster: Option<String>,
    /// The API that the place it came to belongs to.
    api: Option<String>,
    /// The plane that the place it came to belongs to, and its account, for any other plane.
    place: Option<(Plane, String)>,
}

impl Parsed {
    fn head(&self) -> Head<'_> {
        let mut head = Head {
            method: &self.method,
            target: &self.target,
            authority: &self.host,
            headers: &self.headers,
            way_in: WayIn::Reverse,
            plane: match (&self.cluster, &self.api) {
                (Some(_), _) => Some(Plane::Kubernetes),
                (None, Some(_)) => Some(Plane::Grpc),
                (None, None) => self.place.as_ref().map(|(plane, _)| *plane),
            },
            upstream: self.api.as_deref().or_else(|| self.described()),
        };
        head.way_in = Rooms::way_in(head.host());
        head
    }

    /// The upstream of which configuration says more, and which is called what its account is.
    fn described(&self) -> Option<&str> {
        self.place
            .as_ref()
            .filter(|(plane, _)| matches!(plane, Plane::Openapi | Plane::Mcp | Plane::Vault))
            .map(|(_, api)| api.as_str())
    }

    fn upstream(&self) -> Upstream {
        let at = |name: &str, plane: Plane, account: &str| Upstream {
            name: name.into(),
            plane,
            account: account.into(),
            partition: "".into(),
        };
        match (&self.cluster, &self.api) {
            (Some(cluster), _) => at("default", Plane::Kubernetes, cluster),
            (None, Some(api)) => at(api, Plane::Grpc, api),
            (None, None) => match &self.place {
                Some((plane, account)) => at(self.described().unwrap_or("default"), *plane, account),
                None => upstream(),
            },
        }
    }
}

/// A request as the files write it: `sign: REGION/SERVICE` stands for a signature, `cluster: NAME` for a place where
/// that cluster is served, `api: NAME` for one where that API is, `base64:` begins a binary body and `proto TYPE` one
/// message of gRPC in the text format of Protocol Buffers, `form` a form in lines. `plane: WORD ACCOUNT` stands for a place of any other plane.
fn request(text: &str) -> Parsed {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let mut headers = http::HeaderMap::new();
    let (mut cluster, mut api, mut place) = (None, None, None);
    for line in lines {
        if let Some(name) = line.strip_prefix("api: ") {
            api = Some(name.to_owned());
            continue;
        }
        if let Some((plane, account)) = line.strip_prefix("plane: ").and_then(|rest| rest.split_once(' ')) {
            place = Some((Plane::parse(plane).unwrap(), account.to_owned()));
            continue;
        }
        if let Some(name) = line.strip_prefix("cluster: ") {
            cluster = Some(name.to_owned());
            continue;
        }
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"));
        let (name, value) = match name {
            "sign" => (
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKID/20260101/{value}/aws4_request, SignedHeaders=host, Signature=0"
                ),
            ),
            name => (name, value.to_owned()),
        };
        headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let host = headers.get("host").map_or("gate.internal:8080", |host| host.to_str().unwrap()).to_owned();
    let body = match body.split_once([':', ' ', '\n']).unwrap_or_default() {
        ("base64", text) => STANDARD.decode(text.trim()).unwrap(),
        ("proto", text) => shop::framed(text),
        ("form", text) => query::from_lines(text).into_bytes(),
        _ => body.as_bytes().to_vec(),
    };
    Parsed { method: method.to_owned(), target: target.to_owned(), host, headers, body, cluster, api, place }
}

fn rooms() -> Rooms {
    let own_hosts = vec!["gate.internal".to_owned()];
    let mount = |path: &str, kind: &str| VaultMount {
        upstream: "mounted".to_owned(),
        path: path.to_owned(),
        kind: kind.to_owned(),
    };
    Rooms::new(RoomsConfig {
        vault: vec![mount("secret", "kv-v2"), mount("transit", "transit")],
        own_hosts,
        grpc: vec![shop::api()],
        openapi: vec![crate::openapi::garage::api()],
        mcp: vec![crate::mcp::desk::server()],
        ..RoomsConfig::default()
    })
    .unwrap()
}

fn upstream() -> Upstream {
    Upstream {
        name: "default".into(),
        plane: Plane::Aws,
        account: "123456789012".into(),
        partition: "aws".into(),
    }
}

fn show(rooms: &Rooms, parsed: &Parsed) -> String {
    let head = parsed.head();
    let claim = match rooms.claim(&head) {
        Ok(claim) => claim,
        Err(why) => return format!("unclaimed {}: {}\n", why.reason_code, why.text),
    };
    let mut shown = String::new();
    let needs = match claim.needs() {
        Needs::Nothing => "nothing",
        Needs::Held { .. } => "body",
        Needs::Payload => "payload",
        Needs::Stream => "stream",
    };
    match claim.decode(&parsed.upstream(), &head, &parsed.body, Some("0badhash")) {
        Reading::Undecodable { why, .. } => {
            writeln!(shown, "undecodable {}: {}", why.reason_code, why.text).unwrap()
        }
        Reading::Call(call) => {
            let to = match claim.destination(&parsed.upstream(), &call) {
                Ok(to) if to.host.is_empty() => to.service,
                Ok(to) => format!("{} as {}/{}", to.host, to.signing_region, to.signing_name),
                Err(why) => format!("nowhere: {}", why.reason_code),
            };
            writeln!(shown, "needs {needs}, goes to {to}").unwrap();
            for effect in &call.effects {
                show_effect(effect, &mut shown);
            }
            for new in &call.answer.creates {
                writeln!(shown, "creates {} {} at {}", new.kind, new.member, new.path.join(".")).unwrap();
            }
            if call.answer.upgrades {
                writeln!(shown, "a stream").unwrap();
            }
            if call.answer.streams {
                writeln!(shown, "a conversation").unwrap();
            }
            if let Some(own) = call.answer.own {
                writeln!(shown, "own token {own:?}").unwrap();
                assert_eq!(call.answer.mints, Some(ordain_action::Minted::Unrewritable), "{shown}");
            }
            if let Some(minted) = call.answer.mints {
                writeln!(shown, "mints {minted:?}").unwrap();
                // What hands one out is held until it is rewritten, which a read is not.
                assert!(call.is_change() || minted == ordain_action::Minted::Unrewritable, "{shown}");
            }
        }
    }
    match claim.front(&parsed.upstream(), &head, &parsed.body) {
        Some(Front::Open) => shown.push_str("shown to anybody\n"),
        Some(Front::SignIn { .. }) => shown.push_str("signs in\n"),
        Some(Front::SignOut { .. }) => shown.push_str("signs out\n"),
        None => {}
    }
    shown
}

fn show_effect(effect: &Effect, shown: &mut String) {
    let access = effect.access.as_str();
    let level = effect.level.as_str();
    writeln!(shown, "{access} {level} {}:{} ({})", effect.service, effect.operation, effect.iam_action)
        .unwrap();
    for resource in &effect.resources {
        let pattern = if resource.pattern { " pattern" } else { "" };
        let identifiers: Vec<String> = resource
            .identifiers
            .iter()
            .map(|identifier| format!("{}={}", identifier.name, identifier.value))
            .collect();
        let name = if resource.name.is_empty() { "?" } else { &resource.name };
        writeln!(
            shown,
            "  {} {} {name} {}{pattern} {}",
            resource.role.as_str(),
            resource.kind,
            resource.basis.as_str(),
            identifiers.join(" ")
        )
        .unwrap();
    }
    for leaf in effect.parameters.iter() {
        let value = match leaf.value {
            Scalar::Text(text) => format!("`{}`", clip(text)),
            Scalar::Number(text) => text.to_owned(),
            Scalar::Bool(truth) => truth.to_string(),
            Scalar::Null => "null".to_owned(),
            Scalar::Empty => "empty".to_owned(),
            Scalar::Token(token) => clip(token),
        };
        let idempotency = if leaf.idempotency { " (idempotency)" } else { "" };
        writeln!(shown, "  . {} = {value}{idempotency}", leaf.path).unwrap();
    }
    match effect.parameters.completeness() {
        Completeness::Complete => {}
        Completeness::Partial(why) => writeln!(shown, "  partial: {why}").unwrap(),
        Completeness::Opaque(why) => writeln!(shown, "  opaque: {why}").unwrap(),
    }
}

/// Reads every case of a file and compares the file with what is read.
fn check(rooms: &Rooms, text: &str, expected: &ExpectFile) {
    let (preface, cases) = parse(text);
    assert!(!cases.is_empty());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a case's name is given twice");
    let mut shown = preface;
    for case in &cases {
        let reads = show(rooms, &request(&case.request));
        let space = if case.request.contains("\n\n") { "\n" } else { "\n\n" };
        write!(shown, "== {}\n{}{space}-- reads\n{reads}\n", case.name, case.request).unwrap();
    }
    expected.assert_eq(&shown);
}

/// The files of cases of all rooms: those that stand in the folder `cases` of each.
fn files() -> Vec<PathBuf> {
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let cases = |room: &Path| fs::read_dir(room.join("cases")).ok();
    let mut all: Vec<PathBuf> = fs::read_dir(rooms)
        .unwrap()
        .filter_map(|room| cases(&room.unwrap().path()))
        .flatten()
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn every_case_reads_as_written() {
    let rooms = rooms();
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        check(&rooms, &text, &expect_file![file]);
    }
}

/// What is not written down, nobody can set up: how it is configured, what is read, how things are named.
#[test]
fn every_room_has_a_page() {
    for about in rooms().about() {
        for part in ["## Configuration", "## What is read", "## Names", "## Refused"] {
            assert!(about.page.contains(part), "{}: {part}", about.plane);
        }
        assert!(about.page.contains(&format!("plane = \"{}\"", about.plane)), "{}", about.plane);
    }
}

/// A room without cases is one of which nothing is shown.
#[test]
fn every_room_has_cases() {
    for plane in Plane::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(plane.as_str()).join("cases");
        let own = |file: &PathBuf| file.parent() == Some(&folder);
        assert!(files().iter().any(own), "{plane}");
    }
}

fn all_cases() -> Vec<Case> {
    files().iter().flat_map(|file| parse(&fs::read_to_string(file).unwrap()).1).collect()
}

/// An effect never has zero resources, and a change never lacks a target or a parent.
#[test]
fn every_effect_names_what_it_touches() {
    let rooms = rooms();
    for case in all_cases() {
        let parsed = request(&case.request);
        let head = parsed.head();
        let Ok(claim) = rooms.claim(&head) else { continue };
        let Reading::Call(call) = claim.decode(&parsed.upstream(), &head, &parsed.body, None) else {
            continue;
        };
        assert_eq!(call.plane, claim.plane(), "{}", case.name);
        assert!(!call.effects.is_empty(), "{}", case.name);
        for effect in &call.effects {
            assert!(!effect.resources.is_empty(), "{}", case.name);
            for resource in &effect.resources {
                assert!(!resource.name.contains(['{', '}']), "{}: {}", case.name, resource.name);
            }
        }
    }
}

/// What is cut short, doubled or renamed is never read as less than it was.
#[test]
fn a_damaged_request_is_never_a_read_when_the_whole_one_is_a_change() {
    let rooms = rooms();
    let mut changed = 0;
    for case in all_cases() {
        let whole = request(&case.request);
        if !is_change(&rooms, &whole) {
            continue;
        }
        changed += 1;
        let mut doubled = request(&case.request);
        if let Some(scope) = doubled.headers.get("authorization").cloned() {
            doubled.headers.append("authorization", scope);
            assert!(!is_read(&rooms, &doubled), "doubled authorization: {}", case.name);
        }
        for header in ["x-http-method-override", "x-original-url", "x-rewrite-url"] {
            let mut rewritten = request(&case.request);
            rewritten.headers.insert(header, "GET".parse().unwrap());
            assert!(!is_read(&rooms, &rewritten), "{header}: {}", case.name);
        }
        let mut encoded = request(&case.request);
        encoded.headers.insert("content-encoding", "br".parse().unwrap());
        assert!(!is_read(&rooms, &encoded), "content-encoding: {}", case.name);
    }
    assert!(changed > 20, "only {changed} cases are changes");
}

fn reading(rooms: &Rooms, parsed: &Parsed) -> Option<ordain_action::Call> {
    let head = parsed.head();
    let claim = rooms.claim(&head).ok()?;
    match claim.decode(&parsed.upstream(), &head, &parsed.body, None) {
        Reading::Call(call) => Some(call),
        Reading::Undecodable { .. } => None,
    }
}

fn is_change(rooms: &Rooms, parsed: &Parsed) -> bool {
    reading(rooms, parsed).is_some_and(|call| call.is_change())
}

fn is_read(rooms: &Rooms, parsed: &Parsed) -> bool {
    reading(rooms, parsed).is_some_and(|call| !call.is_change())
}

/// A path that is written in another way, or said to come from somebody else, is never a read of a cluster.
/// Nobody is asked for a credential there, and the gate sends none.
#[test]
fn what_is_shown_to_anybody_is_a_read_in_rooms_whose_clients_sign_in() {
    let rooms = rooms();
    let mut planes = BTreeSet::new();
    for case in all_cases() {
        let parsed = request(&case.request);
        let head = parsed.head();
        let Ok(claim) = rooms.claim(&head) else { continue };
        let Some(front) = claim.front(&parsed.upstream(), &head, &parsed.body) else { continue };
        assert!(card(claim.plane()).signs_in, "{}", case.name);
        planes.insert(claim.plane());
        if front == Front::Open {
            assert!(is_read(&rooms, &parsed), "{}", case.name);
        }
    }
    let signs_in = |plane: &&Plane| card(**plane).signs_in;
    assert_eq!(planes, Plane::ALL.iter().filter(signs_in).copied().collect());
}

#[test]
fn a_path_in_another_spelling_is_never_a_read() {
    let rooms = rooms();
    let mut compared = 0;
    for case in all_cases() {
        let whole = request(&case.request);
        let proxied = whole.target.contains("/proxy");
        if whole.cluster.is_none() || proxied || reading(&rooms, &whole).is_none() {
            continue;
        }
        compared += 1;
        let (path, query) = whole.target.split_once('?').unwrap_or((&whole.target, ""));
        let last = path.rsplit('/').next().unwrap();
        let others = [
            path.replacen("/api", "//api", 1),
            path.replacen("/api", "/./api", 1),
            path.replacen("/api", "/x/../api", 1),
            path.replacen("/api", "/API", 1),
            path.replacen("/api", "/%61pi", 1),
            path.replacen("/v1/", "/v1//", 1),
            format!("{path}/../{last}"),
            format!("{path}//"),
            format!("{path};x=y"),
            format!("{path}%2f"),
            format!("{path}%00"),
        ];
        for other in others.iter().filter(|other| *other != path) {
            let changed = Parsed { target: format!("{other}?{query}"), ..request(&case.request) };
            assert!(!is_read(&rooms, &changed), "{}: {other}", case.name);
        }
        for header in ["x-remote-user", "x-remote-group", "x-remote-extra-scopes"] {
            let mut spoken = request(&case.request);
            spoken.headers.insert(header, "admin".parse().unwrap());
            assert!(reading(&rooms, &spoken).is_none(), "{}: {header}", case.name);
        }
    }
    assert!(compared > 60, "only {compared} cases were compared");
}

/// More parameters than are judged at once: data that names no target in them goes on in part, nothing else does.
#[test]
fn what_is_too_long_to_read_is_never_read_as_less() {
    let rooms = rooms();
    let metrics: Vec<String> = (0..5_000).map(|at| format!("{{\"MetricName\":\"m{at}\"}}")).collect();
    let long = |scope: &str, target: &str, body: String| {
        request(&format!(
            "POST /\nsign: eu-west-1/{scope}\ncontent-type: application/x-amz-json-1.0\nx-amz-target: {target}\n\n{body}"
        ))
    };
    let data = long(
        "monitoring",
        "GraniteServiceVersion20100801.PutMetricData",
        format!("{{\"Namespace\":\"n\",\"MetricData\":[{}]}}", metrics.join(",")),
    );
    assert!(show(&rooms, &data).ends_with("partial: there are more parameters than are kept\n"));
    let tables: Vec<String> =
        (0..5_000).map(|at| format!("\"t{at}\":[{{\"DeleteRequest\":{{\"Key\":{{}}}}}}]")).collect();
    let batch = long(
        "dynamodb",
        "DynamoDB_20120810.BatchWriteItem",
        format!("{{\"RequestItems\":{{{}}}}}", tables.join(",")),
    );
    assert!(show(&rooms, &batch).starts_with("undecodable too_many_parameters"));
}

/// Many effects of one request hold together little more than the request does.
#[test]
fn a_batch_is_not_held_once_for_each_of_its_effects() {
    let rooms = rooms();
    let batch = |beside: usize| {
        let statements: Vec<String> = (0..200)
            .map(|at| {
                format!(
                    "{{\"Statement\":\"DELETE FROM t{at} WHERE id=1\",\"Parameters\":[{{\"S\":\"{}\"}}]}}",
                    "x".repeat(10_000)
                )
            })
            .collect();
        request(&format!(
            "POST /\nsign: eu-west-1/dynamodb\ncontent-type: application/x-amz-json-1.0\nx-amz-target: DynamoDB_20120810.BatchExecuteStatement\n\n{{\"Statements\":[{}],\"X\":\"{}\"}}",
            statements.join(","),
            "x".repeat(beside)
        ))
    };
    let call = reading(&rooms, &batch(10)).unwrap();
    assert_eq!(call.effects.len(), 200);
    let leaves: usize = call.effects.iter().map(|effect| effect.parameters.iter().count()).sum();
    assert_eq!(leaves, 200 * 3);
    assert!(show(&rooms, &batch(5_000)).starts_with("undecodable unread_batch"));
    let tables = |beside: usize| {
        let tables: Vec<String> =
            (0..100).map(|at| format!("\"t{at}\":[{{\"DeleteRequest\":{{\"Key\":{{}}}}}}]")).collect();
        request(&format!(
            "POST /\nsign: eu-west-1/dynamodb\ncontent-type: application/x-amz-json-1.0\nx-amz-target: DynamoDB_20120810.BatchWriteItem\n\n{{\"RequestItems\":{{{}}},\"X\":\"{}\"}}",
            tables.join(","),
            "x".repeat(beside)
        ))
    };
    assert_eq!(reading(&rooms, &tables(10)).unwrap().effects.len(), 100);
    assert!(show(&rooms, &tables(5_000)).starts_with("undecodable unread_batch"));
}

/// New operations come by text, without a release, and never loosen what is built in.
#[test]
fn an_overlay_adds_operations() {
    let with = |overlay: &str| {
        Rooms::new(RoomsConfig { aws_overlay: Some(overlay.to_owned()), ..RoomsConfig::default() })
    };
    let parsed = request(
        "POST /\nsign: eu-west-1/ec2\ncontent-type: application/x-www-form-urlencoded\n\n\
         Action=FrobnicateInstances&Version=2016-11-15&InstanceId.1=i-0a",
    );
    assert!(show(&rooms(), &parsed).starts_with("undecodable unknown_operation"));
    let overlay = "service ec2\n\nop FrobnicateInstances delete control ec2:FrobnicateInstances\n\
                   in InstanceIds!=InstanceId:l\n";
    let shown = show(&with(overlay).unwrap(), &parsed);
    assert!(shown.contains("delete control ec2:FrobnicateInstances (ec2:FrobnicateInstances)"), "{shown}");
    let loosened = "service ec2\n\nop TerminateInstances read control ec2:TerminateInstances\n";
    let why = with(loosened).unwrap_err().to_string();
    assert!(why.contains("TerminateInstances"), "{why}");
}

/// What takes no `SigV4` and comes to our own host is told by its path: the list of such services is whole.
#[test]
fn every_service_with_unsigned_rest_operations_is_asked() {
    let missing = Rooms::unsigned_services_not_asked();
    assert!(missing.is_empty(), "{missing:?}");
}

mod again;
mod answers;
mod heads;
mod large;
mod properties;
mod sizes;

/// The vendor's longest lists are read; a longer one ends before anything is asked about each of its items.
#[test]
fn a_list_of_targets_has_an_end() {
    let read = |count: usize| {
        let ids: String = (0..count).map(|number| format!("&InstanceId.{number}=i-{number:017x}")).collect();
        let parsed = request(&format!(
            "POST /\nsign: eu-west-1/ec2\ncontent-type: application/x-www-form-urlencoded\n\n\
             Action=TerminateInstances&Version=2016-11-15{ids}"
        ));
        let head = Head {
            method: &parsed.method,
            target: &parsed.target,
            authority: &parsed.host,
            headers: &parsed.headers,
            way_in: WayIn::Reverse,
            plane: None,
            upstream: None,
        };
        let reading = rooms().claim(&head).unwrap().decode(&upstream(), &head, &parsed.body, None);
        match reading {
            Reading::Call(call) => {
                call.effects.iter().map(|effect| effect.resources.len().to_string()).collect::<String>()
            }
            Reading::Undecodable { why, .. } => why.reason_code.to_string(),
        }
    };
    assert_eq!(read(1_000), "1000");
    assert_eq!(read(1_025), "too_many_resources");
    assert_eq!(read(5_000), "too_many_parameters");
}
