//! Requests under a good signature that two parsers would read in two ways: names given twice or in other letters,
//! other charsets, encodings and protocols than the service's.
//!
//! In enforce none arrives, although whoever asks owns everything. Elsewhere they are forwarded and recorded as what
//! cannot be read, but for those whose service nobody can tell.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::attempt::{Attempt, check, nowhere, passes, sent, stays};
use crate::harness::{Client, Craft, Gate, Setup};

const STOP: &str = "Action=StopInstances&Version=2016-11-15";

fn form(client: &Client, body: &str) -> Vec<u8> {
    Craft::form(client, "ec2", body).bytes()
}

fn stop(client: &Client, parameters: &str) -> Vec<u8> {
    form(client, &format!("{STOP}&{parameters}"))
}

fn forms(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    vec![
        passes("the action twice", stop(&alice, "InstanceId.1=i-0a&Action=DescribeInstances")),
        passes("the same action twice", stop(&alice, "InstanceId.1=i-0a&Action=StopInstances")),
        passes("the version twice", stop(&alice, "InstanceId.1=i-0a&Version=2016-11-15")),
        passes("a dry run twice", stop(&alice, "InstanceId.1=i-0a&DryRun=true&DryRun=false")),
        passes("a list item twice", stop(&alice, "InstanceId.1=i-0a&InstanceId.1=i-0b")),
        passes("a list item with a plus", stop(&alice, "InstanceId.%2B1=i-0a")),
        passes("a list as one value", stop(&alice, "InstanceId=i-0a&InstanceId.1=i-0b")),
        passes("an escaped name beside itself", stop(&alice, "InstanceId.1=i-0a&Instance%49d.1=i-0b")),
        passes(
            "an escaped action beside itself",
            stop(&alice, "InstanceId.1=i-0a&%41ction=DescribeInstances"),
        ),
        passes(
            "an escaped action alone, twice escaped",
            form(&alice, "%2541ction=StopInstances&Version=2016-11-15"),
        ),
        passes(
            "an action in other letters beside it",
            stop(&alice, "InstanceId.1=i-0a&action=DescribeInstances"),
        ),
        passes(
            "an action with a space before it",
            form(&alice, "+Action=DescribeInstances&Version=2016-11-15"),
        ),
        passes(
            "an action with a space after it",
            form(&alice, "Action%20=DescribeInstances&Version=2016-11-15"),
        ),
        passes(
            "an action that ends in nothing",
            form(&alice, "Action=DescribeInstances%00&Version=2016-11-15"),
        ),
        passes("an action in other letters", form(&alice, "Action=describeinstances&Version=2016-11-15")),
        passes("no action", form(&alice, "Version=2016-11-15&InstanceId.1=i-0a")),
        passes("no body", form(&alice, "")),
        passes(
            "parts divided by a semicolon",
            form(&alice, "Action=DescribeInstances;Action=StopInstances&Version=2016-11-15"),
        ),
        passes("a name that is none", stop(&alice, "InstanceId.1=i-0a&=i-0b")),
        passes("a broken escape", stop(&alice, "InstanceId.1=%zz")),
        passes("bytes that are no text", stop(&alice, "InstanceId.1=%ff%fe")),
        passes("an overlong slash", stop(&alice, "InstanceId.1=%c0%af")),
    ]
}

fn types(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let typed = |value: &str| {
        let body = format!("{STOP}&InstanceId.1=i-0a");
        Craft::new(&alice, "ec2", "POST", "/", body.as_bytes()).with("content-type", value).bytes()
    };
    let utf16: Vec<u8> = STOP.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let sent = |body: &[u8]| {
        let plain = Craft::new(&alice, "ec2", "POST", "/", body);
        plain.with("content-type", "application/x-www-form-urlencoded").bytes()
    };
    vec![
        nowhere("a form in UTF-16, said", typed("application/x-www-form-urlencoded; charset=utf-16")),
        nowhere("a form in UTF-7, said", typed("application/x-www-form-urlencoded; charset=utf-7")),
        nowhere("a form in EBCDIC, said", typed("application/x-www-form-urlencoded; charset=ibm037")),
        nowhere(
            "a form in two charsets",
            typed("application/x-www-form-urlencoded; charset=utf-8; charset=utf-16"),
        ),
        passes("a form in UTF-16, not said", sent(&utf16)),
        passes("a byte order mark", sent(&[b"\xef\xbb\xbf", STOP.as_bytes()].concat())),
        passes("a form that says it is JSON", typed("application/x-amz-json-1.1")),
        passes("a form that says it has parts", typed("multipart/form-data; boundary=b")),
        passes("a form that says it is XML", typed("text/xml")),
        passes("a form that says it is CBOR", typed("application/cbor")),
    ]
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn encodings(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let change = format!("{STOP}&InstanceId.1=i-0a");
    let coded = |coding: &str, body: &[u8]| {
        Craft::new(&alice, "ec2", "POST", "/", body)
            .with("content-type", "application/x-www-form-urlencoded")
            .with("content-encoding", coding)
    };
    let packed = gzip(change.as_bytes());
    let two = [gzip(b"Action=DescribeInstances&Version=2016-11-15"), gzip(b"&Action=StopInstances")].concat();
    vec![
        stays(
            "a packed body exchanged for another",
            coded("gzip", &packed).but(|c| c.sent = Some(gzip(b"Action=RebootInstances"))).bytes(),
        ),
        passes("a coding that nobody knows", coded("br", change.as_bytes()).bytes()),
        passes("two codings", coded("gzip, gzip", &gzip(&packed)).bytes()),
        passes("two members in one packed body", coded("gzip", &two).bytes()),
        passes(
            "something after a packed body",
            coded("gzip", &[packed.as_slice(), b"&Action=StopInstances"].concat()).bytes(),
        ),
        passes("a packed body cut short", coded("gzip", &packed[..packed.len() - 9]).bytes()),
        passes("a plain body that says it is packed", coded("gzip", change.as_bytes()).bytes()),
        passes("a body that unpacks to a thousandfold", coded("gzip", &gzip(&vec![b'a'; 40 << 20])).bytes()),
        passes("deflate", coded("deflate", change.as_bytes()).bytes()),
    ]
}

fn markers(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let change = || Craft::form(&alice, "ec2", &format!("{STOP}&InstanceId.1=i-0a"));
    let at = |target: &str| change().but(|craft| craft.target = target.to_owned()).bytes();
    let dynamo = |target: &str| {
        Craft::new(&alice, "dynamodb", "POST", "/", b"{\"TableName\":\"t\"}")
            .with("content-type", "application/x-amz-json-1.0")
            .with("x-amz-target", target)
    };
    vec![
        passes("an action in the query too", at("/?Action=DescribeInstances&Version=2016-11-15")),
        passes("the same action in the query too", at("/?Action=StopInstances")),
        passes("a parameter in the query too", at("/?InstanceId.1=i-0b")),
        passes(
            "a target beside an action",
            change().with("x-amz-target", "DynamoDB_20120810.ListTables").bytes(),
        ),
        stays(
            "two targets",
            dynamo("DynamoDB_20120810.ListTables")
                .with("x-amz-target", "DynamoDB_20120810.DeleteTable")
                .bytes(),
        ),
        nowhere(
            "a target of another service",
            dynamo("AWSCognitoIdentityProviderService.AdminDeleteUser").bytes(),
        ),
        nowhere("a target without a service", dynamo("DeleteTable").bytes()),
        nowhere("a target in other letters", dynamo("dynamodb_20120810.deletetable").bytes()),
        nowhere("a target that nobody knows", dynamo("DynamoDB_20120810.ListTablesAndDeleteThem").bytes()),
        nowhere("a form signed for another service", change().but(|c| c.service = "rds".to_owned()).bytes()),
        passes(
            "a target signed for another service",
            dynamo("DynamoDB_20120810.DeleteTable").but(|c| c.service = "kms".to_owned()).bytes(),
        ),
        stays("a method override", change().with("x-http-method-override", "GET").bytes()),
        stays("another method override", change().with("x-http-method", "DELETE").bytes()),
        stays("a third method override", change().with("x-method-override", "DELETE").bytes()),
        stays(
            "another URL in a header",
            change().with("x-original-url", "/?Action=DescribeInstances").bytes(),
        ),
        stays("a rewritten URL in a header", change().with("x-rewrite-url", "/x").bytes()),
        passes("another path", at("/admin")),
    ]
}

fn json(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let body = |body: &[u8]| {
        Craft::new(&alice, "dynamodb", "POST", "/", body)
            .with("content-type", "application/x-amz-json-1.0")
            .with("x-amz-target", "DynamoDB_20120810.DeleteTable")
            .bytes()
    };
    let deep = format!("{{\"TableName\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let utf16: Vec<u8> = "{\"TableName\":\"t\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        nowhere("a key twice", body(b"{\"TableName\":\"a\",\"TableName\":\"b\"}")),
        nowhere("a key twice after unescaping", body(b"{\"TableName\":\"a\",\"Table\\u004eame\":\"b\"}")),
        nowhere("a key with a lone surrogate", body(b"{\"TableName\":\"a\",\"\\ud800\":1}")),
        nowhere("a value with a lone surrogate", body(b"{\"TableName\":\"a\\udc00\"}")),
        nowhere("two values", body(b"{\"TableName\":\"a\"}{\"TableName\":\"b\"}")),
        nowhere("a value and a bit", body(b"{\"TableName\":\"a\"}]")),
        nowhere("a comma at the end", body(b"{\"TableName\":\"a\",}")),
        nowhere("a comment", body(b"{\"TableName\":\"a\"/*,\"TableName\":\"b\"*/}")),
        nowhere("single quotes", body(b"{'TableName':'a'}")),
        nowhere("a key without quotes", body(b"{TableName:\"a\"}")),
        nowhere("a number that is none", body(b"{\"TableName\":\"a\",\"n\":NaN}")),
        nowhere("a number with a nought before it", body(b"{\"TableName\":\"a\",\"n\":01}")),
        nowhere("a line end in a string", body(b"{\"TableName\":\"a\nb\"}")),
        nowhere("a byte order mark", body(b"\xef\xbb\xbf{\"TableName\":\"a\"}")),
        nowhere("UTF-16", body(&utf16)),
        nowhere("bytes that are no text", body(b"{\"TableName\":\"\xff\"}")),
        nowhere("an overlong quote", body(b"{\"TableName\":\"a\xc0\xa2\"}")),
        nowhere("depth without end", body(deep.as_bytes())),
        nowhere("a list in place of a map", body(b"[\"TableName\",\"a\"]")),
        nowhere("cut short", body(b"{\"TableName\":\"a\"")),
    ]
}

fn text(word: &str) -> Vec<u8> {
    [&[0x60 + u8::try_from(word.len()).unwrap()], word.as_bytes()].concat()
}

fn cbor(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let body = |parts: &[&[u8]]| {
        Craft::new(
            &alice,
            "monitoring",
            "POST",
            "/service/GraniteServiceVersion20100801/operation/DeleteAlarms",
            &parts.concat(),
        )
        .with("content-type", "application/cbor")
        .with("smithy-protocol", "rpc-v2-cbor")
        .bytes()
    };
    let (name, list) = (text("AlarmNames"), [&[0x81][..], &text("a")].concat());
    let other = [&[0x81][..], &text("b")].concat();
    // The same name in two pieces.
    let pieces = [&[0x7f][..], &text("Alarm"), &text("Names"), &[0xff]].concat();
    vec![
        passes("a key twice", body(&[&[0xa2], &name, &list, &name, &other])),
        passes(
            "a key twice in a map without a length",
            body(&[&[0xbf], &name, &list, &name, &other, &[0xff]]),
        ),
        passes("a key twice, once in pieces", body(&[&[0xa2], &name, &list, &pieces, &other])),
        passes("something after the value", body(&[&[0xa1], &name, &list, &[0xa0]])),
        passes("a key of bytes", body(&[&[0xa1, 0x4a], b"AlarmNames", &list])),
        passes("a key that is a number", body(&[&[0xa1, 0x01], &list])),
        passes("an unknown tag", body(&[&[0xa1], &name, &[0xd8, 0x20], &list])),
        passes("text that is none", body(&[&[0xa1], &name, &[0x81, 0x61, 0xff]])),
        passes("a map that does not end", body(&[&[0xbf], &name, &list])),
        passes(
            "a length beyond the body",
            body(&[&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &name, &list]),
        ),
        passes("depth without end", body(&[&[0xa1], &name, &vec![0x81; 4_000], &[0x01]])),
    ]
}

#[test]
fn forms_that_say_two_things() {
    check(Setup::default, |gate| [forms(gate), types(gate), encodings(gate)].into_iter().flatten().collect());
}

#[test]
fn requests_that_name_two_operations() {
    check(Setup::default, markers);
}

#[test]
fn json_and_cbor_that_say_two_things() {
    check(Setup::default, |gate| [json(gate), cbor(gate)].into_iter().flatten().collect());
}

/// However a list is numbered, each of its items is a target: none goes along unjudged.
#[test]
fn every_item_of_a_list_is_a_target_whatever_its_number() {
    let gate = Gate::start(Setup::default());
    let alice = gate.client("alice");
    for numbers in [["1", "01"], ["2", "1"], ["0", "7"], ["1", "18446744073709551616"], ["a", "1"]] {
        let bytes = stop(&alice, &format!("InstanceId.{}=i-0a&InstanceId.{}=i-0b", numbers[0], numbers[1]));
        assert_eq!(sent(&alice, &bytes).unwrap().0, 200, "{numbers:?}");
        let decision = gate.recorder.arrived().last().unwrap().decision.clone().unwrap();
        let judged = gate.ledger().decision(&decision).unwrap().says["content"].to_string();
        for id in ["instance/i-0a", "instance/i-0b"] {
            assert!(judged.contains(id), "{numbers:?}: {id} was not judged: {judged}");
        }
    }
    gate.finish();
}
