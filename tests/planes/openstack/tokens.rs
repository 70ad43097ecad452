//! Tokens for tokens, by keystoneauth's own way of asking for one: what Keystone hands out stays in the gate.
//!
//! Leaves out other credentials that it hands out, which nobody gets.

use std::io::Write as _;
use std::net::TcpStream;

use super::Keystone;
use crate::harness::{Gate, Reply, read_reply, said};
use crate::planes::served;

/// What all tokens of this Keystone begin with.
const REAL: &str = "gAAAAA";

fn day(base: &str, token: &str) -> (String, String) {
    let output = served::script(&served::python().unwrap(), "openstack/tokens.py", &[base, token]);
    assert!(output.status.success(), "{}", said(&output));
    let all = String::from_utf8(output.stdout).unwrap();
    let (own, day): (Vec<&str>, Vec<&str>) = all.lines().partition(|line| line.starts_with('#'));
    (day.join("\n"), own.join("\n"))
}

fn ask(gate: &Gate, line: &str, headers: &str, body: &str) -> Reply {
    let mut stream = TcpStream::connect(gate.address).unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {}\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        gate.address,
        body.len()
    )
    .unwrap();
    read_reply(&mut stream, false).unwrap()
}

#[test]
fn a_day_with_a_token_for_a_token_is_the_same_through_the_gate() {
    let Some(keystone) = Keystone::start() else { return };
    let (direct, own) = day(&keystone.base(), &keystone.token);
    assert!(own.contains("[\"gAAAAAB\"]") && !own.contains("own 0"), "{own}");
    assert!(
        direct.contains("login: ('admin', 'admin', ['admin'") && direct.contains("over: 401"),
        "{direct}"
    );
    let gate = keystone.gate();
    gate.must_not_write(REAL);
    let token = gate.bearer("served", "alice", "person");
    let (through, own) = day(&format!("http://{}", gate.address), &token);
    assert_eq!(through, direct, "{}", gate.log());
    assert_eq!(own, "# tokens begin with [\"ordain.\"]\n# of Keystone's own 0");
    gate.finish();
}

#[test]
fn a_token_is_named_by_whose_it_is_and_by_nobody_else() {
    let Some(keystone) = Keystone::start() else { return };
    let gate = keystone.gate();
    gate.must_not_write(REAL);
    let tokens = "/identity/v3/auth/tokens";
    let signs_in = |token: &str| {
        format!(r#"{{"auth":{{"identity":{{"methods":["token"],"token":{{"id":"{token}"}}}}}}}}"#)
    };
    let (alice, carol) = (gate.bearer("served", "alice", "person"), gate.bearer("served", "carol", "person"));
    let made = ask(&gate, &format!("POST {tokens}"), "", &signs_in(&alice));
    assert_eq!(made.status, 201, "{}", made.text());
    let minted = made.header("x-subject-token").unwrap().to_owned();
    assert!(minted.starts_with("ordain.") && !made.text().contains(REAL), "{}", made.text());
    gate.must_not_write(&minted);
    // Nobody but her names it; what the gate itself holds is named by nobody; what is none of ours goes nowhere.
    let shows =
        |token: &str, subject: &str| format!("x-auth-token: {token}\r\nx-subject-token: {subject}\r\n");
    for (headers, reason) in [
        (shows(&carol, &minted), "foreign_token"),
        (shows(&alice, &carol), "foreign_token"),
        (shows(&alice, "gAAAAAB-somebody-has-this-one"), "foreign_token"),
        (shows(&alice, &format!("{minted}x")), "foreign_token"),
        (shows(&alice, &alice), "custody_leak"),
    ] {
        for verb in ["GET", "DELETE"] {
            let before = keystone.server.log();
            let refused = ask(&gate, &format!("{verb} {tokens}"), &headers, "");
            assert_eq!((refused.status, refused.header("ordain-reason-code")), (403, Some(reason)), "{verb}");
            assert_eq!(keystone.server.log(), before, "{verb}");
        }
    }
    let looked = ask(&gate, &format!("GET {tokens}"), &shows(&alice, &minted), "");
    assert_eq!((looked.status, looked.header("x-subject-token")), (200, Some(minted.as_str())));
    // Another's in the body, and one's own in the head; and one that nobody has.
    let head = format!("x-auth-token: {carol}\r\n");
    let refused = ask(&gate, &format!("POST {tokens}"), &head, &signs_in(&minted));
    assert_eq!((refused.status, refused.header("ordain-reason-code")), (403, Some("foreign_token")));
    let refused = ask(&gate, &format!("POST {tokens}"), "", &signs_in("ordain.TKORAAAAAAAAAAAAAAAA.x"));
    assert_eq!((refused.status, refused.header("ordain-reason-code")), (401, Some("unknown_token")));
    // Through what was handed out the gate's own is not reached.
    let head = format!("x-auth-token: {minted}\r\n");
    let refused = ask(&gate, &format!("POST {tokens}"), &head, &signs_in(&alice));
    assert_eq!((refused.status, refused.header("ordain-reason-code")), (403, Some("foreign_token")));
    // It ends with what it descends from.
    let ended = gate.run(&["key", "revoke", alice.split('.').nth(1).unwrap()]);
    assert!(ended.status.success(), "{}", said(&ended));
    let refused = ask(&gate, "GET /identity/v3/domains", &head, "");
    assert_eq!((refused.status, refused.header("ordain-reason-code")), (401, Some("key_revoked")));
    gate.finish();
}
