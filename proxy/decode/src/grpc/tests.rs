//! What an API may be described by, what it says no with, and what its answers amount to.

use expect_test::{Expect, expect};
use http::HeaderMap;
use ordain_action::{Access, Denial, DenialKind, Level, ReasonCode, Role};

use super::*;
use crate::answer::AnswerHead;
use crate::setup::{ApiMethod, ApiResource, GrpcApi, RoomsConfig};

const API: &str = "syntax = \"proto3\"; package a; message M { M m = 1; map<string, M> by = 2; string name = 3; } \
                   service S { rpc One(M) returns (M); rpc Two(M) returns (M); }";

fn api(methods: Vec<ApiMethod>) -> GrpcApi {
    let file = protox::Compiler::with_file_resolver(Inline)
        .include_imports(true)
        .open_file("a.proto")
        .unwrap()
        .encode_file_descriptor_set();
    GrpcApi { upstream: "a".to_owned(), descriptors: file, methods }
}

struct Inline;

impl protox::file::FileResolver for Inline {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        protox::file::File::from_source(name, API)
    }
}

fn method(name: &str, resources: &[(&str, &str, &str)]) -> ApiMethod {
    let resources = resources.iter().map(|(kind, name, all_if)| ApiResource {
        kind: (*kind).to_owned(),
        name: (*name).to_owned(),
        all_if: all_if.split_whitespace().map(str::to_owned).collect(),
        role: Role::Target,
    });
    ApiMethod {
        name: name.to_owned(),
        access: Access::Read,
        level: Level::Control,
        resources: resources.collect(),
        secrets: Vec::new(),
        mints: false,
        also: Vec::new(),
        stream: false,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(methods: Vec<ApiMethod>, expected: Expect) {
    let made = Room::new(&RoomsConfig { grpc: vec![api(methods)], ..RoomsConfig::default() });
    expected.assert_eq(&made.map_or_else(|error| error.to_string(), |_| "is taken".to_owned()));
}

#[test]
fn what_is_said_of_methods_has_to_fit_them() {
    check(vec![method("a.S/One", &[("thing", "{m.m.name}/x", "by name")])], expect!["is taken"]);
    check(vec![method("a.S/*", &[("thing", "{of.some}", "")])], expect!["is taken"]);
    check(
        vec![method("a.S/Three", &[])],
        expect![
            "the API of the upstream `a` cannot be read: `a.S/Three` is no method of the descriptors; name one as `package.Service/Method`"
        ],
    );
    check(
        vec![method("a.S/One", &[]), method("a.S/One", &[])],
        expect![
            "the API of the upstream `a` cannot be read: something is said of one method twice; say it once"
        ],
    );
    check(
        vec![method("a.S/One", &[("thing", "{m.nam}", "")])],
        expect![
            "the API of the upstream `a` cannot be read: what is said of `a.S/One`: `m.nam` is no field of `a.M`; name one by its path in the message"
        ],
    );
    check(
        vec![method("a.S/One", &[("thing", "{name", "")])],
        expect![
            "the API of the upstream `a` cannot be read: what is said of `a.S/One`: `{name` has a `{` without a `}`"
        ],
    );
    check(
        vec![ApiMethod { secrets: vec!["m".to_owned()], ..method("a.S/One", &[("thing", "{m.name}", "")]) }],
        expect![
            "the API of the upstream `a` cannot be read: what is said of `a.S/One`: `m.name` is a secret, and a name is none; name it by another field"
        ],
    );
    check(
        vec![method("a.S/One", &[("thing", "{m}", "")])],
        expect![
            "the API of the upstream `a` cannot be read: what is said of `a.S/One`: `m` is a message, and a name is none; name it by a field of that"
        ],
    );
    check(
        vec![method("a.S/One", &[("a thing", "{name}", "")])],
        expect![
            "the API of the upstream `a` cannot be read: what is said of `a.S/One`: `a thing` is no type; use letters, digits, `-`, `_` and `.`"
        ],
    );
    check(
        vec![method("a.S/One", &[("thing", "", "")])],
        expect![
            "the API of the upstream `a` cannot be read: what is said of `a.S/One`: a resource has no name; give one such as `{name}`"
        ],
    );
    let broken = GrpcApi { descriptors: b"nonsense".to_vec(), ..api(Vec::new()) };
    let why =
        Room::new(&RoomsConfig { grpc: vec![broken], ..RoomsConfig::default() }).unwrap_err().to_string();
    assert!(
        why.starts_with("the API of the upstream `a` cannot be read: the descriptors cannot be read"),
        "{why}"
    );
}

#[test]
fn one_method_is_said_more_of_than_all() {
    let one = ApiMethod { access: Access::Delete, ..method("a.S/One", &[]) };
    let made = Api::new(api(vec![method("a.S/*", &[]), one])).unwrap();
    let access = |path: &str| made.method(path).and_then(|method| Some(method.says.as_ref()?.access));
    assert_eq!((access("/a.S/One"), access("/a.S/Two")), (Some(Access::Delete), Some(Access::Read)));
}

fn denied(speaks: bool, kind: DenialKind) -> String {
    let denial = Denial {
        kind,
        reason_code: ReasonCode::new("not_owner").unwrap(),
        text: "no: 100% is\nnot for you, é".to_owned(),
        decision: None,
    };
    let native = deny::response(speaks, &denial);
    let mut shown = format!("{}\n", native.status);
    for (name, value) in &native.headers {
        shown.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    shown + &String::from_utf8_lossy(&native.body)
}

#[test]
fn a_denial_is_a_status_that_clients_of_grpc_raise() {
    expect![[r#"
        200
        ordain-reason-code: not_owner
        content-type: application/grpc
        grpc-status: 7
        grpc-message: no: 100%25 is%0Anot for you, %C3%A9
    "#]]
    .assert_eq(&denied(true, DenialKind::Forbidden));
    expect![[r#"
        403
        ordain-reason-code: not_owner
        content-type: text/plain; charset=utf-8
        no: 100% is
        not for you, é
    "#]]
    .assert_eq(&denied(false, DenialKind::Forbidden));
    // UNAVAILABLE is what clients try again by themselves.
    for (kind, again) in [
        (DenialKind::Forbidden, false),
        (DenialKind::Unauthenticated, false),
        (DenialKind::Malformed, false),
        (DenialKind::BadGateway, false),
        (DenialKind::Unrecordable, false),
        (DenialKind::Busy, true),
    ] {
        assert_eq!(denied(true, kind).contains("grpc-status: 14"), again, "{kind:?}");
    }
}

#[test]
fn an_answer_amounts_to_what_its_status_says() {
    let with = |status: Option<&str>| {
        let mut headers = HeaderMap::new();
        if let Some(status) = status {
            headers.insert("grpc-status", status.parse().unwrap());
        }
        headers
    };
    let read = |http: u16, head: Option<&str>, trailers: Option<Option<&str>>| {
        let (head, trailers) = (with(head), trailers.map(with));
        let said = answer::read(&AnswerHead { status: http, headers: &head }, trailers.as_ref());
        (said.status, said.error_code)
    };
    let error = |name: &str| Some(name.to_owned());
    assert_eq!(read(200, None, Some(Some("0"))), (Some(200), None));
    assert_eq!(read(200, Some("7"), None), (Some(403), error("PERMISSION_DENIED")));
    assert_eq!(read(200, None, Some(Some("5"))), (Some(404), error("NOT_FOUND")));
    assert_eq!(read(200, None, Some(Some("99"))), (Some(500), error("UNKNOWN")));
    assert_eq!(read(200, None, None), (Some(502), error("NO_STATUS")));
    assert_eq!(read(503, None, None), (None, None), "a proxy's own answer is HTTP's");
}
