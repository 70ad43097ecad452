//! `covers` and webpki say the same of every name, whatever is permitted.
//!
//! What `covers` takes for covered and a client refuses would break a tunnel; the other way round, a plane would be
//! reported as missing that is not.

use ordain_certs::Authority;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::support::{authority, by_hand, webpki};

const SUBTREES: [&str; 11] = [
    "example.com",
    "b.example.com",
    "com",
    "a_b.example",
    "xn--bcher-kva.example",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "127.0.0.1",
    "2001:db8::/32",
    "::ffff:0:0/96",
    "2001:db8:0:8000::/49",
];

const LABELS: [&str; 12] =
    ["example", "com", "b", "xexample", "Example", "COM", "a_b", "evil", "1", "xn--bcher-kva", "a-", "-b"];

fn names() -> impl Strategy<Value = String> {
    let labels = (prop::collection::vec(select(&LABELS[..]), 0..4), select(vec!["", "example.com", "com"]));
    let names = (labels, select(vec!["", "", "."])).prop_map(|((mut labels, end), dot)| {
        labels.push(end);
        let name = labels.join(".");
        format!("{}{dot}", name.trim_end_matches('.'))
    });
    let v4 = (select(vec![10_u8, 127, 192]), 0..3_u8, 0..3_u8, 0..3_u8)
        .prop_map(|(a, b, c, d)| format!("{a}.{b}.{c}.{d}"));
    let v6 = (
        select(vec!["2001:db8", "2001:db9", "::ffff:a00", "0:0"]),
        select(vec!["0:8000", "0:7fff", "", "1"]),
    )
        .prop_map(|(start, end)| format!("{start}::{end}:1").replace("::ffff:a00::", "::ffff:a00:"));
    prop_oneof![4 => names, 1 => v4, 1 => v6, 1 => "[a-z0-9._:-]{0,12}"]
}

fn agree(authority: &Authority, name: &str) -> Result<(), TestCaseError> {
    // What is no name to a client is no name to it in a certificate either.
    let accepted = rustls::pki_types::ServerName::try_from(name).is_ok()
        && webpki(authority, &by_hand(authority, name), name).is_ok();
    prop_assert_eq!(
        authority.covers(name),
        accepted,
        "`{}` under {}",
        name,
        authority.certificate().constraints()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn covers_says_what_webpki_says(
        permitted in subsequence(&SUBTREES[..], 1..4),
        names in prop::collection::vec(names(), 8),
    ) {
        let authority = authority(&permitted);
        for name in names {
            agree(&authority, &name)?;
        }
    }
}

#[test]
fn the_edges_are_as_webpki_has_them() {
    let authority = authority(&["example.com", "10.0.0.0/8", "::ffff:0:0/96"]);
    let said: Vec<&str> = [
        "example.com",
        "a.example.com",
        "EXAMPLE.com",
        "example.com.",
        "xexample.com",
        "com",
        "example.com.evil",
        "10.0.0.0",
        "10.255.255.255",
        "11.0.0.0",
        "::ffff:10.0.0.1",
        "::ffff:0:1",
        "::1",
        "",
        ".",
        "example.com..",
    ]
    .into_iter()
    .inspect(|name| agree(&authority, name).unwrap())
    .filter(|name| authority.covers(name))
    .collect();
    assert_eq!(
        said,
        [
            "example.com",
            "a.example.com",
            "EXAMPLE.com",
            "example.com.",
            "10.0.0.0",
            "10.255.255.255",
            "::ffff:10.0.0.1",
            "::ffff:0:1",
        ]
    );
}
