//! What an API may be described by, and what it says no with.

use expect_test::{Expect, expect};
use ordain_action::{Access, Denial, DenialKind, ReasonCode, Upstream};

use super::*;
use crate::answer::AnswerHead;
use crate::described::method;
use crate::room::Room as _;
use crate::setup::{ApiMethod, OpenApi};
use crate::{Needs, WayIn};

const TWO: &str = "openapi: 3.0.0\npaths:\n  /a/{x}:\n    get: {operationId: getA}\n    delete: {operationId: dropA}\n  \
                   /b:\n    post:\n      operationId: makeB\n      requestBody: {content: {application/json: {schema: \
                   {type: object, properties: {name: {type: string}, secret: {type: string}, in: {type: object, \
                   properties: {id: {type: string}}}}}}}}\n";

fn made(api: OpenApi) -> Result<Api, String> {
    Api::new(api)
}

fn said(document: &str, methods: Vec<ApiMethod>) -> OpenApi {
    OpenApi { document: document.as_bytes().to_vec(), methods, ..OpenApi::default() }
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(api: OpenApi, expected: Expect) {
    expected.assert_eq(&made(api).map_or_else(|why| why, |_| "is taken".to_owned()));
}

#[test]
fn what_is_said_of_operations_has_to_fit_them() {
    let one = |method: ApiMethod| said(TWO, vec![method]);
    check(one(method("dropA", Access::Delete, &[("a", "{x}")])), expect!["is taken"]);
    check(one(method("DELETE /a/{x}", Access::Delete, &[])), expect!["is taken"]);
    check(one(method("makeB", Access::Create, &[("b", "{in.id}/{name}")])), expect!["is taken"]);
    check(
        one(method("dropB", Access::Delete, &[])),
        expect![
            "`dropB` is no operation of the description; name one by its `operationId` or as `METHOD /path`"
        ],
    );
    check(
        said(TWO, vec![method("dropA", Access::Delete, &[]), method("DELETE /a/{x}", Access::Delete, &[])]),
        expect!["something is said of one method twice; say it once"],
    );
    check(
        one(method("dropA", Access::Read, &[])),
        expect![
            "what is said of `dropA`: it is a `DELETE`, which changes something; say what, or take it out"
        ],
    );
    check(
        one(ApiMethod { mints: true, ..method("getA", Access::Read, &[]) }),
        expect![
            "what is said of `getA`: it hands out a credential, and is no `read` then; say `secret_read`, or take `mints` out"
        ],
    );
    check(
        one(method("dropA", Access::Delete, &[("a", "{y}")])),
        expect![
            "what is said of `dropA`: `y` is no field of `dropA`; name a label, `?parameter`, `@header` or member"
        ],
    );
    check(
        one(method("makeB", Access::Create, &[("b", "{nam}")])),
        expect![
            "what is said of `makeB`: `nam` is no field of `makeB`; name a label, `?parameter`, `@header` or member"
        ],
    );
    check(
        one(method("makeB", Access::Create, &[("b", "{?name}")])),
        expect![
            "what is said of `makeB`: `?name` is no parameter of `makeB`; name one as the description has it"
        ],
    );
    check(
        one(method("makeB", Access::Create, &[("b", "{secret}")])),
        expect![
            "what is said of `makeB`: `secret` is a secret, and a name is none; name it by another field"
        ],
    );
    check(
        one(method("makeB", Access::Create, &[("b", "{in}")])),
        expect!["what is said of `makeB`: `in` is a message, and a name is none; name it by a field of that"],
    );
}

#[test]
fn a_description_has_to_tell_its_operations_apart() {
    check(
        said("openapi: 3.0.0\npaths: {'/a/{x}': {get: {}}, '/a/{y}': {get: {}}}", Vec::new()),
        expect!["`GET /a/{x}` and `GET /a/{y}` are for the same paths; take one of them out"],
    );
    check(
        said("openapi: 3.0.0\npaths: {'/a/{x}': {get: {}}, '/a/{y}': {post: {}}}", Vec::new()),
        expect!["is taken"],
    );
    check(
        said("openapi: 3.0.0\nservers: [{url: /}, {url: '{x}/v1'}]\npaths: {/a: {get: {}}}", Vec::new()),
        expect![
            "`{x}/v1` does not say under which path the API is served; say so with `bases = [\"/path\"]` in the file of methods"
        ],
    );
    check(
        said(
            "openapi: 3.0.0\npaths: {/a: {get: {operationId: x}, put: {operationId: x}}}",
            vec![method("x", Access::Update, &[])],
        ),
        expect!["`x` is the name of `GET /a` and of `PUT /a`; name one of them so"],
    );
    check(
        said("openapi: 3.0.0\npaths: {}", Vec::new()),
        expect!["the description has no operation; give one that has"],
    );
    check(said("openapi: 3.0.0", Vec::new()), expect!["the description has no `paths`; give one that has"]);
    check(
        OpenApi { greedy: vec!["/c/{x+}".to_owned()], ..said(TWO, Vec::new()) },
        expect!["`greedy` has `/c/{x+}`, and the description has no such path; write it as there"],
    );
    check(
        said("openapi: 3.0.0\npaths: {/a: {get: {servers: [{url: /v2}]}}}", Vec::new()),
        expect![[
            r#"the path `/a` has servers of its own; say under which paths all of the API is served, with `bases = ["/path"]` in the file of methods"#
        ]],
    );
    check(
        said(
            "openapi: 3.0.0\npaths: {'/a/{x}': {get: {parameters: [{name: x, in: path, style: matrix}]}}}",
            Vec::new(),
        ),
        expect!["`GET /a/{x}`: the label `x` is of the style `matrix`, which is not read; use `simple`"],
    );
    check(
        said("openapi: 3.0.0\npaths: {/a: {$ref: 'a.yaml'}}", Vec::new()),
        expect!["`a.yaml` is in another file; put all of the description into one"],
    );
}

fn denied(target: &str, method: &str) -> String {
    let room = Room::new(&RoomsConfig { openapi: vec![garage::api()], ..RoomsConfig::default() }).unwrap();
    let headers = http::HeaderMap::new();
    let head = Head {
        method,
        target,
        authority: "gate",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: Some(Plane::Openapi),
        upstream: Some("garage"),
    };
    let denial = Denial {
        kind: DenialKind::Forbidden,
        reason_code: ReasonCode::new("not_owner").unwrap(),
        text: "bob may not".to_owned(),
        decision: None,
    };
    let native = room.claim(&head).unwrap().deny(&denial);
    let media = native.headers["content-type"].to_str().unwrap();
    format!("{} {media} {}", native.status, String::from_utf8(native.body).unwrap())
}

#[test]
fn a_denial_is_the_error_that_the_operation_has() {
    expect![[r#"403 application/json {"type":"about:blank","title":"Forbidden","status":403,"detail":"bob may not","message":"bob may not"}"#]].assert_eq(&denied("/api/v1/cars/red", "DELETE"));
    expect![[r#"403 application/problem+json {"type":"about:blank","title":"Forbidden","status":403,"detail":"bob may not"}"#]].assert_eq(&denied("/api/v1/cars/red", "GET"));
    // What is no operation is told as most of the API is.
    expect![[r#"403 application/json {"type":"about:blank","title":"Forbidden","status":403,"detail":"bob may not","message":"bob may not"}"#]].assert_eq(&denied("/api/v1/trucks", "GET"));
    let within = "swagger: '2.0'\npaths: {/a: {get: {responses: {default: {schema: {properties: {error: {properties: \
                  {code: {type: integer}, message: {type: string}}}}}}}}}}";
    let api = made(said(within, Vec::new())).unwrap();
    let denial = Denial {
        kind: DenialKind::Malformed,
        reason_code: ReasonCode::new("bad").unwrap(),
        text: "no".to_owned(),
        decision: None,
    };
    let body = deny::response(&api.refuses, &denial).body;
    expect![[r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"no","error":{"code":400,"message":"no"}}"#]].assert_eq(&String::from_utf8(body).unwrap());
}

#[test]
fn what_is_not_read_does_not_go_where_a_credential_comes_back() {
    let room = Room::new(&RoomsConfig { openapi: vec![garage::api()], ..RoomsConfig::default() }).unwrap();
    let upstream = |name: &str| Upstream {
        name: name.into(),
        plane: Plane::Openapi,
        account: name.into(),
        partition: "".into(),
    };
    let unread = |target: &str, name: &str| {
        let headers = http::HeaderMap::new();
        let head = Head {
            method: "POST",
            target,
            authority: "gate",
            headers: &headers,
            way_in: WayIn::Reverse,
            plane: Some(Plane::Openapi),
            upstream: Some("garage"),
        };
        let claim = room.claim(&head).unwrap();
        assert!(matches!(claim.needs(), Needs::Held { .. }));
        claim.destination_unread(&upstream(name), &head).map_err(|why| why.reason_code).map(|to| to.service)
    };
    assert_eq!(unread("/api/v1/login", "garage"), Err("custody_leak"));
    assert_eq!(unread("/api/v1/cars", "garage"), Ok("cars".to_owned()));
    assert_eq!(unread("/api/v1/cars", "other"), Err("other_api"));
}

#[test]
fn what_nothing_is_said_of_is_told_at_start() {
    let room = Room::new(&RoomsConfig { openapi: vec![garage::api()], ..RoomsConfig::default() }).unwrap();
    expect!["of 1 operations of `garage` nothing is said: each is taken for a change to all of it; say what they do in its file of methods"].assert_eq(&room.notes().join("\n"));
}

#[test]
fn what_was_made_is_told_by_its_answer() {
    let room = Room::new(&RoomsConfig { openapi: vec![garage::api()], ..RoomsConfig::default() }).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    let head = Head {
        method: "POST",
        target: "/api/v1/cars",
        authority: "gate",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: Some(Plane::Openapi),
        upstream: None,
    };
    let claim = room.claim(&head).unwrap();
    let upstream =
        Upstream { name: "garage".into(), plane: Plane::Openapi, account: "g".into(), partition: "".into() };
    let call = claim.decode(&upstream, &head, b"{}", None).unwrap();
    let created = |status: u16, body: &[u8]| {
        let headers = http::HeaderMap::new();
        let made = claim.read_created(&call, &AnswerHead { status, headers: &headers }, body);
        made.into_iter().map(|made| format!("{} {}", made.kind, made.identifier)).collect::<String>()
    };
    assert_eq!(created(201, b"{\"Id\":\"7f\"}"), "g:car 7f");
    assert_eq!(created(409, b"{\"Id\":\"7f\"}"), "");
}

mod properties {
    use std::collections::BTreeSet;

    use ordain_action::Call;
    use proptest::prelude::*;

    use super::*;

    /// A path of a description: literals, and labels that are told apart by where they stand.
    fn template() -> impl Strategy<Value = String> {
        prop::collection::vec(prop_oneof![3 => "[abc]", 2 => Just("{}".to_owned())], 1..5).prop_map(|parts| {
            let named = parts.iter().enumerate().map(|(at, part)| part.replace("{}", &format!("{{x{at}}}")));
            named.fold(String::new(), |path, part| path + "/" + &part)
        })
    }

    fn call(api: OpenApi, method: &str, target: &str) -> Result<Call, &'static str> {
        let room =
            Room::new(&RoomsConfig { openapi: vec![api], ..RoomsConfig::default() }).map_err(|_| "setup")?;
        let headers = http::HeaderMap::new();
        let head = Head {
            method,
            target,
            authority: "gate",
            headers: &headers,
            way_in: WayIn::Reverse,
            plane: Some(Plane::Openapi),
            upstream: None,
        };
        let upstream =
            Upstream { name: "".into(), plane: Plane::Openapi, account: "x".into(), partition: "".into() };
        let claim = room.claim(&head).map_err(|why| why.reason_code)?;
        claim.decode(&upstream, &head, b"", None).map_err(|why| why.reason_code)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Another matcher of templates, of a server that takes what it matches, finds the same operation and labels.
        #[test]
        fn a_path_is_for_the_operation_that_another_matcher_finds(
            templates in prop::collection::btree_set(template(), 1..8),
            path in prop::collection::vec("[abcd]", 1..5),
            base in prop_oneof![Just(""), Just("/v1")],
        ) {
            let mut router = matchit::Router::new();
            let all: Vec<&String> = templates.iter().collect();
            let distinct = all.iter().enumerate().all(|(at, path)| router.insert(format!("{base}{path}"), at).is_ok());
            let paths: serde_json::Map<String, serde_json::Value> = all
                .iter()
                .enumerate()
                .map(|(at, path)| ((*path).clone(), serde_json::json!({ "get": { "operationId": format!("get_{at}") } })))
                .collect();
            let server = serde_json::json!([{ "url": format!("https://api.example{base}") }]);
            let document = serde_json::json!({ "openapi": "3.1.0", "servers": server, "paths": paths }).to_string();
            let target = format!("{base}/{}", path.join("/"));
            let read = call(said(&document, Vec::new()), "GET", &target);
            // The other one tells more templates apart than it may: two that are equal are refused by both.
            if !distinct {
                return Ok(());
            }
            let expected = router.at(&target).ok();
            match (read, expected) {
                (Ok(call), Some(found)) => {
                    let effect = &call.effects[0];
                    prop_assert_eq!(&*effect.operation, &format!("get_{}", found.value));
                    let ours: BTreeSet<(String, String)> = effect
                        .parameters
                        .iter()
                        .map(|leaf| (leaf.path.to_owned(), format!("{:?}", leaf.value)))
                        .collect();
                    let theirs: BTreeSet<(String, String)> =
                        found.params.iter().map(|(name, value)| (format!("/{name}"), format!("Text({value:?})"))).collect();
                    prop_assert_eq!(ours, theirs);
                }
                (Err("unknown_operation"), None) | (Err("ambiguous_operation"), Some(_)) => {}
                (read, expected) => prop_assert!(false, "{target}: {read:?}, {expected:?}"),
            }
        }

        #[test]
        fn no_request_panics_or_is_a_read_by_another_method(
            method in prop_oneof![Just("GET"), Just("HEAD"), Just("POST"), Just("PUT"), Just("PATCH"), Just("DELETE"), Just("OPTIONS"), Just("TRACE")],
            target in prop_oneof!["[ -~]{0,32}", "/api/v1/(cars|files|domains|boxes|reports)(/[a-zM%./;{}2F]{0,8}){0,3}([?][a-z%=&+\\[\\]]{0,16})?"],
            media in prop_oneof![Just(""), Just("application/json"), Just("application/merge-patch+json"), Just("application/x-www-form-urlencoded"), Just("image/png")],
            body in prop_oneof![prop::collection::vec(any::<u8>(), 0..32), "[{]\"(name|owner|NAME|_method|/car)\":.{0,12}".prop_map(String::into_bytes)],
        ) {
            static ROOM: std::sync::LazyLock<Room> = std::sync::LazyLock::new(|| {
                Room::new(&RoomsConfig { openapi: vec![garage::api()], ..RoomsConfig::default() }).unwrap()
            });
            let mut headers = http::HeaderMap::new();
            if !media.is_empty() {
                headers.insert("content-type", media.parse().unwrap());
            }
            let head = Head {
                method,
                target: &target,
                authority: "gate",
                headers: &headers,
                way_in: WayIn::Reverse,
                plane: Some(Plane::Openapi),
                upstream: None,
            };
            let upstream =
                Upstream { name: "garage".into(), plane: Plane::Openapi, account: "g".into(), partition: "".into() };
            let claim = room_claim(&ROOM, &head);
            if let Ok(call) = claim.decode(&upstream, &head, &body, None) {
                let reads = call.effects.iter().all(|effect| effect.access == Access::Read);
                let searches = call.effects.iter().any(|effect| &*effect.operation == "searchCars");
                prop_assert!(!reads || searches || method == "GET", "{method} {target}");
                prop_assert!(call.effects.iter().all(|effect| !effect.resources.is_empty()));
            }
        }
    }

    fn room_claim<'r>(room: &'r Room, head: &Head<'_>) -> Arc<dyn Claimed + 'r> {
        room.claim(head).unwrap()
    }
}
