//! Somebody who owns one bucket and reaches for another's: paths, hosts, copies, and XML that two parsers read in two
//! ways.

use super::attempt::{Attempt, check, nowhere, passes, sent, stays};
use crate::harness::{Craft, Gate, Setup};

/// The harness's model, in which `mallory`'s team owns the buckets that begin with `free`.
fn two_owners() -> Setup {
    let more = "apiVersion: ordain/v1\nkind: Scope\nmetadata: {name: free}\nspec:\n  names: [\"arn:aws:s3:::free*\"]\n  owner: payments\n";
    let mut setup = Setup::default();
    setup.model.push(("free.yaml", more.to_owned()));
    setup
}

fn reaches(gate: &Gate) -> Vec<Attempt> {
    let mallory = gate.client("mallory");
    let s3 = |method: &str, target: &str| Craft::new(&mallory, "s3", method, target, b"");
    let delete = |target: &str| s3("DELETE", target).bytes();
    let host = |name: &str, target: &str| s3("DELETE", target).but(|c| c.host = name.to_owned()).bytes();
    let copy = |source: &str| s3("PUT", "/free/key").with("x-amz-copy-source", source).bytes();
    vec![
        passes("another's object", delete("/pay/key")),
        passes("another's bucket", delete("/pay")),
        passes("another's bucket with a slash", delete("/pay/")),
        stays("another's object by dots", delete("/free/../pay/key")),
        stays("another's object by escaped dots", delete("/free/%2e%2e/pay/key")),
        stays("another's object by half escaped dots", delete("/free/.%2E/pay/key")),
        stays("another's object by an escaped slash", delete("/free/..%2fpay%2fkey")),
        stays("another's object by a backslash", delete("/free/..%5cpay%5ckey")),
        stays("another's bucket by deep dots", delete("/free/a/b/../../../pay/key")),
        passes("a bucket of an escaped name", delete("/%70ay/key")),
        passes("a bucket with a port", delete("/pay:80/key")),
        nowhere("two slashes before the bucket", delete("//pay/key")),
        nowhere("dots before the bucket", delete("/./pay/key")),
        nowhere("a bucket that is dots", delete("/../pay/key")),
        passes("own bucket in the host, another's in the path", host("free.s3.amazonaws.com", "/pay/key")),
        passes("another's bucket in the host", host("pay.s3.amazonaws.com", "/key")),
        passes("another's bucket before our host", host("pay.localhost", "/free/key")),
        passes("a copy from another's bucket", copy("/pay/secret")),
        passes("a copy from another's bucket, escaped", copy("%2fpay%2fsecret")),
        stays("a copy from another\'s bucket, by dots", copy("/free/../pay/secret")),
        passes("a copy from another's bucket, by name", copy("arn:aws:s3:::pay/secret")),
        passes(
            "a copy from another's access point",
            copy("arn:aws:s3:us-east-1:123456789012:accesspoint/pay/object/k"),
        ),
        stays(
            "two copy sources",
            s3("PUT", "/free/key")
                .with("x-amz-copy-source", "/free/a")
                .with("x-amz-copy-source", "/pay/b")
                .bytes(),
        ),
        stays("another's object read", s3("GET", "/pay/key").bytes()),
        stays("another's bucket listed", s3("GET", "/pay?list-type=2").bytes()),
        stays("another's object asked for", s3("HEAD", "/pay/key").bytes()),
        stays(
            "another's object read, said to be a deletion",
            s3("GET", "/pay/key?x-id=DeleteObject").bytes(),
        ),
        nowhere("two subresources", s3("PUT", "/free?acl&policy").bytes()),
        nowhere("a subresource twice", s3("PUT", "/free?acl&acl").bytes()),
        nowhere("a version twice", delete("/free/key?versionId=a&versionId=b")),
        passes("a subresource with another's key", delete("/pay/key?tagging")),
    ]
}

fn documents(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let body = |body: &[u8]| {
        Craft::new(&alice, "s3", "POST", "/some-bucket?delete", body)
            .with("content-type", "application/xml")
            .bytes()
    };
    let text = |text: &str| body(text.as_bytes());
    let utf16: Vec<u8> =
        "<Delete><Object><Key>a</Key></Object></Delete>".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let deep = format!("{}{}", "<Delete>".repeat(3_000), "</Delete>".repeat(3_000));
    vec![
        nowhere("a document type", text("<!DOCTYPE Delete><Delete><Object><Key>a</Key></Object></Delete>")),
        nowhere(
            "an entity",
            text("<!DOCTYPE Delete [<!ENTITY k \"b\">]><Delete><Object><Key>&k;</Key></Object></Delete>"),
        ),
        nowhere(
            "an entity from a file",
            text(
                "<!DOCTYPE D [<!ENTITY k SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&k;</Key></Object></Delete>",
            ),
        ),
        nowhere(
            "entities without end",
            text("<!DOCTYPE D [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;&a;&a;\">]><Delete>&c;</Delete>"),
        ),
        nowhere("an entity that nobody knows", text("<Delete><Object><Key>&k;</Key></Object></Delete>")),
        nowhere("a comment in a key", text("<Delete><Object><Key>a<!-- x -->b</Key></Object></Delete>")),
        nowhere("an instruction", text("<Delete><?x y?><Object><Key>a</Key></Object></Delete>")),
        nowhere("a key twice", text("<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>")),
        nowhere("two roots", text("<Delete><Object><Key>a</Key></Object></Delete><Delete/>")),
        nowhere("text beside elements", text("<Delete>x<Object><Key>a</Key></Object></Delete>")),
        nowhere(
            "two namespaces",
            text("<Delete xmlns=\"a\"><Object xmlns=\"b\"><Key>a</Key></Object></Delete>"),
        ),
        nowhere("a prefix that is not declared", text("<s:Delete><Object><Key>a</Key></Object></s:Delete>")),
        nowhere(
            "another encoding, said",
            text("<?xml version=\"1.0\" encoding=\"utf-16\"?><Delete><Object><Key>a</Key></Object></Delete>"),
        ),
        nowhere(
            "UTF-7, said",
            text(
                "<?xml version=\"1.0\" encoding=\"utf-7\"?><Delete><Object><Key>+AGE-</Key></Object></Delete>",
            ),
        ),
        nowhere("UTF-16, not said", body(&utf16)),
        nowhere("cut short", text("<Delete><Object><Key>a</Key></Object>")),
        nowhere("depth without end", text(&deep)),
        nowhere("a character that is none", text("<Delete><Object><Key>&#0;</Key></Object></Delete>")),
    ]
}

#[test]
fn one_bucket_and_anothers() {
    check(two_owners, reaches);
}

#[test]
fn xml_that_says_two_things() {
    check(Setup::default, documents);
}

/// What is noise to the service decides nothing, and what is in one's own bucket goes on byte for byte.
#[test]
fn noise_is_noise_and_a_key_is_a_key() {
    let gate = Gate::start(two_owners());
    let mallory = gate.client("mallory");
    let targets = [
        ("DELETE", "/free/key?x-id=GetObject", "s3:DeleteObject"),
        ("DELETE", "/free/a//b", "s3:DeleteObject"),
        ("DELETE", "/free/a%2Fb", "s3:DeleteObject"),
        ("DELETE", "/free/a..b/.c", "s3:DeleteObject"),
        ("PUT", "/free/key%20with%20spaces", "s3:PutObject"),
    ];
    for (method, target, operation) in targets {
        let before = gate.recorder.arrived().len();
        let craft = Craft::new(&mallory, "s3", method, target, b"");
        assert_eq!(sent(&mallory, &craft.bytes()).unwrap().0, 200, "{method} {target}");
        let arrived = &gate.recorder.arrived()[before..];
        assert_eq!((arrived.len(), arrived[0].target.as_str()), (1, target), "byte for byte");
        {
            let decision = arrived[0].decision.clone().unwrap();
            assert_eq!(
                gate.ledger().decision(&decision).unwrap().operations(),
                [operation],
                "{method} {target}"
            );
        }
    }
    gate.finish();
}
