//! What kubectl really sends in protobuf gives the same leaves as its JSON, and nothing damaged is read or panics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ordain_action::Scalar;
use proptest::prelude::*;

use super::protobuf::{MAGIC, read};
use crate::form::{Fields, json};

/// A case: the command, the body, the JSON.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let blocks = include_str!("cases/kubectl.captured").split("\n\n").skip(1);
    blocks
        .map(|block| {
            let lines: Vec<_> = block.lines().collect();
            (lines[0], STANDARD.decode(lines[1]).unwrap(), lines[2])
        })
        .collect()
}

fn leaves(fields: &Fields) -> Vec<(String, String)> {
    let mut leaves: Vec<_> =
        fields.iter().map(|(path, value)| (path.to_owned(), format!("{value:?}"))).collect();
    leaves.sort();
    leaves
}

#[test]
fn both_forms_of_what_kubectl_sends_give_the_same_leaves() {
    let cases = cases();
    assert!(cases.len() >= 25, "{}", cases.len());
    for (command, body, text) in cases {
        let (mut sent, mut written) = (Fields::new(), Fields::new());
        assert_eq!(read(&body, &mut sent).unwrap(), None, "{command}");
        json::read(text.as_bytes(), &mut written).unwrap();
        let (sent, written) = (leaves(&sent), leaves(&written));
        for leaf in &written {
            // What JSON says is nothing may be absent, and `{}` may be members that say nothing.
            let within = format!("{}.", leaf.0);
            let told = leaf.1 == "Empty" && sent.iter().any(|(path, _)| path.starts_with(&within));
            let found = sent.contains(leaf) || told || leaf.1 == "Null";
            assert!(found, "{command}: {leaf:?} is missing in {sent:#?}");
        }
        for leaf in &sent {
            let nothing = matches!(&*leaf.1, "Number(\"0\")" | "Bool(false)" | "Empty");
            assert!(written.contains(leaf) || nothing, "{command}: {leaf:?} is in protobuf alone");
        }
    }
}

fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

fn whole(at: u64, value: u64) -> Vec<u8> {
    [number(at << 3), number(value)].concat()
}

fn part(at: u64, bytes: &[u8]) -> Vec<u8> {
    [number(at << 3 | 2), number(bytes.len() as u64), bytes.to_vec()].concat()
}

fn object(version: &str, kind: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let said = [part(1, version.as_bytes()), part(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), part(1, &said), part(2, &parts.concat()), part(3, b""), part(4, b"")].concat()
}

/// The leaves after version and kind; a `+` where some of the object is not known.
fn show(body: &[u8]) -> String {
    let mut fields = Fields::new();
    match read(body, &mut fields) {
        Ok(why) => {
            let leaves: String =
                fields.iter().skip(2).map(|(path, value)| format!("{path}={value:?} ")).collect();
            leaves + if why.is_some() { "+" } else { "" }
        }
        Err(why) => format!("{}: {}", why.reason_code, why.text),
    }
}

#[test]
fn what_json_writes_in_its_own_way_is_written_so() {
    let meta = |parts: &[Vec<u8>]| part(1, &parts.concat());
    let time = [whole(1, 1), whole(2, 0)].concat();
    let check = |version: &str, kind: &str, parts: &[Vec<u8>], expected: &str| {
        assert_eq!(show(&object(version, kind, parts)), expected);
    };
    check(
        "v1",
        "Pod",
        &[meta(&[part(8, &time)])],
        "metadata.creationTimestamp=Text(\"1970-01-01T00:00:01Z\") ",
    );
    check(
        "coordination.k8s.io/v1",
        "Lease",
        &[part(2, &part(3, &[whole(1, 1), whole(2, 1500)].concat()))],
        "spec.acquireTime=Text(\"1970-01-01T00:00:01.000001Z\") ",
    );
    let port = |target: &[u8]| [part(2, &part(1, &part(4, target)))];
    check(
        "v1",
        "Service",
        &port(&[whole(1, 0), whole(2, 80), part(3, b"")].concat()),
        "spec.ports.1.targetPort=Number(\"80\") ",
    );
    check(
        "v1",
        "Service",
        &port(&[whole(1, 1), part(3, b"web")].concat()),
        "spec.ports.1.targetPort=Text(\"web\") ",
    );
    check("v1", "Service", &[part(2, &part(1, &whole(5, 0)))], "spec.ports.1=Empty ");
    check("apps/v1", "Deployment", &[part(2, &whole(1, 0))], "spec.replicas=Number(\"0\") ");
    let entry = [part(1, b"cpu"), part(2, &part(1, b"100m"))].concat();
    check("v1", "ResourceQuota", &[part(2, &part(1, &entry))], "spec.hard.cpu=Text(\"100m\") ");
    check("v1", "Secret", &[part(2, &part(1, b"a.b"))], "data.a\\.b=Text(\"\") ");
    let managed = |raw: &[u8]| meta(&[part(17, &part(7, &part(1, raw)))]);
    check("v1", "Pod", &[managed(b"{\"f:spec\":{}}")], "metadata.managedFields.1.fieldsV1.f:spec=Empty ");
    check("v1", "Pod", &[managed(b"{}")], "metadata.managedFields.1.fieldsV1=Empty ");
    let user = part(4, &[part(1, b"k"), part(2, &part(1, b"v"))].concat());
    check(
        "authentication.k8s.io/v1",
        "TokenReview",
        &[part(3, &part(2, &user))],
        "status.user.extra.k.1=Text(\"v\") ",
    );
    // The handler of a probe stands among the probe's own members.
    let probe = part(10, &part(1, &part(2, &part(1, b"/"))));
    check(
        "v1",
        "Pod",
        &[part(2, &part(2, &probe))],
        "spec.containers.1.livenessProbe.httpGet.path=Text(\"/\") ",
    );
    check(
        "apps/v1",
        "DeleteOptions",
        &[whole(1, 0), part(5, b"All")],
        "gracePeriodSeconds=Number(\"0\") dryRun.1=Text(\"All\") ",
    );
    check("networking.k8s.io/v1", "NetworkPolicy", &[part(2, &part(2, b""))], "spec.ingress.1=Empty ");
    let (minus_one, least) = (u64::MAX, (-(1_i64 << 31)).cast_unsigned());
    check("scheduling.k8s.io/v1", "PriorityClass", &[whole(2, minus_one)], "value=Number(\"-1\") ");
    check("scheduling.k8s.io/v1", "PriorityClass", &[whole(2, least)], "value=Number(\"-2147483648\") ");
}

#[test]
fn a_schema_may_be_something_else() {
    let schema = |parts: Vec<u8>| {
        let version = part(7, &[part(1, b"v1"), part(4, &part(1, &parts))].concat());
        let body = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", &[part(2, &version)]);
        show(&body).replace("spec.versions.1.", "").replace("schema.openAPIV3Schema.", "")
    };
    assert_eq!(schema(part(8, &part(1, b"1"))), "name=Text(\"v1\") default=Number(\"1\") ");
    let at = |name: &str| {
        let table = include_str!("../../../catalog/kubernetes/messages.txt");
        let block = table
            .split("\n\n")
            .find(|block| block.starts_with("apiextensions.v1.JsonSchemaProps\n"))
            .unwrap();
        let line = block.lines().find(|line| line.contains(&format!(" {name} "))).unwrap();
        line.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let text = part(at("type"), b"string");
    assert_eq!(schema(part(at("items"), &part(1, &text))), "name=Text(\"v1\") items.type=Text(\"string\") ");
    assert_eq!(
        schema(part(at("items"), &part(2, &text))),
        "name=Text(\"v1\") items.1.type=Text(\"string\") "
    );
    let both = [part(1, &text), part(2, &text)].concat();
    assert!(schema(part(at("items"), &both)).contains("a schema is a list too"));
    assert_eq!(
        schema(part(at("additionalProperties"), &whole(1, 1))),
        "name=Text(\"v1\") additionalProperties=Bool(true) "
    );
    let entry = [part(1, b"a"), part(2, &part(2, b"b"))].concat();
    assert_eq!(schema(part(at("dependencies"), &entry)), "name=Text(\"v1\") dependencies.a.1=Text(\"b\") ");
    let deep = (0..40).fold(text, |inner, _| part(at("not"), &inner));
    assert!(!schema(deep.clone()).starts_with("nested"));
    let deeper = (0..40).fold(deep, |inner, _| part(at("not"), &inner));
    assert!(schema(deeper).starts_with("nested_too_deep"));
}

#[test]
fn what_is_not_known_is_said_and_what_does_not_fit_is_refused() {
    assert_eq!(show(&object("v1", "Pod", &[part(2, &part(500, b"x"))])), "spec=Empty +");
    assert_eq!(show(&object("v1", "ConfigMap", &[part(77, b"x")])), "+");
    assert!(show(&object("example.com/v1", "Pod", &[])).ends_with('+'));
    let deployment = |parts: &[Vec<u8>]| object("apps/v1", "Deployment", &[part(2, &parts.concat())]);
    let target = |value: &[u8]| object("v1", "Service", &[part(2, &part(1, &part(4, value)))]);
    let key = part(2, &[part(1, b"k"), part(2, b"v")].concat());
    let nine = object("v1", "Pod", &[part(1, &part(8, &whole(1, 1 << 62)))]);
    for body in [
        deployment(&[whole(1, 1), whole(1, 2)]),
        object("apps/v1", "Deployment", &[part(2, b""), part(2, b"")]),
        deployment(&[part(1, b"1")]),
        deployment(&[whole(1, 1 << 31)]),
        deployment(&[whole(7, 2)]),
        deployment(&[whole(2, 1)]),
        deployment(&[[number(1 << 3 | 5), vec![0; 4]].concat()]),
        deployment(&[[number(1 << 3 | 1), vec![0; 8]].concat()]),
        target(&[whole(1, 1), whole(2, 80), part(3, b"web")].concat()),
        target(&[whole(1, 0), part(3, b"web")].concat()),
        target(&whole(1, 2)),
        object("v1", "ConfigMap", &[key.clone(), key]),
        object("v1", "ConfigMap", &[part(2, &part(1, b"\xff"))]),
        object("v1", "ConfigMap", &[vec![0x12, 0x05, b'x']]),
        nine,
        object("v1", "Pod", &[part(1, &part(17, &part(7, &part(1, b"{"))))]),
    ] {
        let said = show(&body);
        assert!(said.starts_with("bad_protobuf: ") || said.starts_with("bad_json: "), "{body:x?}: {said}");
    }
}

proptest! {
    #[test]
    fn what_is_damaged_does_not_panic_and_is_never_taken_for_more(
        case in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cuts in any::<bool>(),
    ) {
        let cases = cases();
        let mut body = case.get(&cases).1.clone();
        let at = at.index(body.len());
        if cuts {
            // What is cut between two fields of the envelope is an object that says less, and nothing else.
            let mut whole = Fields::new();
            read(&body, &mut whole).unwrap();
            let whole = leaves(&whole);
            body.truncate(at);
            let mut fields = Fields::new();
            if read(&body, &mut fields).is_ok() {
                prop_assert!(leaves(&fields).iter().all(|leaf| whole.contains(leaf)));
            }
        } else {
            body[at] = byte;
            let mut fields = Fields::new();
            if read(&body, &mut fields).is_ok() {
                let paths: Vec<_> = fields.iter().map(|(path, _)| path.to_owned()).collect();
                let mut once = paths.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(once.len(), paths.len(), "no place is said twice: {:?}", paths);
            }
        }
    }

    #[test]
    fn no_bytes_of_a_known_kind_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for (version, kind) in [("v1", "Pod"), ("apps/v1", "Deployment"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition")] {
            let mut fields = Fields::new();
            if read(&object(version, kind, std::slice::from_ref(&bytes)), &mut fields).is_ok() {
                prop_assert!(fields.iter().all(|(_, value)| !matches!(value, Scalar::Token(_))));
            }
        }
    }
}
