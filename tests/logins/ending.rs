//! What ends a session, whether anybody uses it meanwhile or not.

use std::thread;
use std::time::Duration;

use super::*;
use crate::harness::eventually;

fn is_in(gate: &Gate, token: &str) -> bool {
    match ask(gate, "GET /v1/me", token, "").status {
        200 => true,
        401 => false,
        other => panic!("status {other}"),
    }
}

#[test]
fn a_session_ends_with_what_was_logged_in_with() {
    let gate = gate();
    let names = ["alice", "bob", "carol"];
    let shown = names.map(|name| account(&gate, name, &["viewer"]));
    let [disabled, reset, removed] =
        [0, 1, 2].map(|index| log_in(&gate, names[index], &shown[index].code(0)));
    assert!(is_in(&gate, &disabled) && is_in(&gate, &reset) && is_in(&gate, &removed));

    assert!(gate.run(&["account", "disable", "alice"]).status.success());
    // Put in force again before anybody asks: what was ended stays so.
    assert!(gate.run(&["account", "enable", "alice"]).status.success());
    assert!(!is_in(&gate, &disabled));
    let again = log_in(&gate, "alice", &shown[0].code(1));
    assert!(gate.run(&["account", "disable", "alice"]).status.success());
    assert!(!is_in(&gate, &again));

    let another = "another horse battery staple\n";
    let made = gate.run_given(another, &[], &["-o", "json", "account", "reset", "bob"]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(!is_in(&gate, &reset));
    let old = try_from(&gate, Ipv4Addr::LOCALHOST, "bob", PASSWORD, &shown[1].code(1));
    assert_eq!(old.status, 401, "the old password and authenticator");
    let new = authenticator(&gate, &made.stdout);
    assert_eq!(try_from(&gate, Ipv4Addr::LOCALHOST, "bob", another.trim(), &new.code(1)).status, 200);

    assert!(gate.run(&["account", "remove", "carol"]).status.success());
    assert!(!is_in(&gate, &removed));
    let none = gate.run(&["account", "remove", "carol"]);
    assert!(said(&none).contains("there is no account `carol`"), "{}", said(&none));
    gate.finish();
}

#[test]
fn a_person_who_is_revoked_or_gone_from_the_model_is_logged_in_no_more() {
    let gate = gate();
    let (alice, bob) = (account(&gate, "alice", &["viewer"]), account(&gate, "bob", &["viewer"]));
    let (revoked, gone) = (log_in(&gate, "alice", &alice.code(0)), log_in(&gate, "bob", &bob.code(0)));
    assert!(gate.run(&["actor", "revoke", "alice"]).status.success());
    assert!(!is_in(&gate, &revoked));
    assert_eq!(try_from(&gate, Ipv4Addr::LOCALHOST, "alice", PASSWORD, &alice.code(1)).status, 401);

    let file = gate.folder.path().join("model/model.yaml");
    let model = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, model.replace("metadata: {name: bob}", "metadata: {name: robert}")).unwrap();
    gate.hang_up();
    eventually("the model without bob is in force", || !is_in(&gate, &gone));
    assert_eq!(try_from(&gate, Ipv4Addr::LOCALHOST, "bob", PASSWORD, &bob.code(1)).status, 401);
    gate.finish();
}

#[test]
fn a_session_that_nobody_used_meanwhile_is_over_all_the_same() {
    let gate = gate();
    let shown = account(&gate, "mallory", &["viewer"]);
    let session = log_in(&gate, "mallory", &shown.code(0));
    assert!(gate.run(&["actor", "revoke", "mallory"]).status.success());
    // Sessions are looked at once a second.
    thread::sleep(Duration::from_millis(2500));
    assert!(gate.run(&["actor", "allow", "mallory"]).status.success());
    assert!(!is_in(&gate, &session));
    log_in(&gate, "mallory", &shown.code(1));
    gate.finish();
}

#[test]
fn while_the_accounts_cannot_be_read_nobody_is_logged_in_and_nobody_out() {
    let gate = gate();
    let shown = account(&gate, "alice", &["viewer"]);
    let session = log_in(&gate, "alice", &shown.code(0));
    let file = gate.folder.path().join("state/accounts.json");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, "{").unwrap();
    assert!(!is_in(&gate, &session));
    let reply = try_from(&gate, Ipv4Addr::LOCALHOST, "alice", PASSWORD, &shown.code(1));
    assert_eq!(reply.status, 503, "{}", reply.text());
    let status = ask(&gate, "GET /v1/status", &operator(&gate), "").text();
    assert!(status.contains("accounts: ") && status.contains("restore it from a copy"), "{status}");
    std::fs::write(&file, good).unwrap();
    assert!(is_in(&gate, &session));
    gate.finish();
}
