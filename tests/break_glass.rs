//! `ordain break-glass` as somebody uses it at night: a freeze lifted, what was in its way done, ended, and looked at.
//!
//! Leaves out whose it may be and what it lifts (`rules/tests/judge/glass.rs`).

use crate::harness::{Gate, Sent, Setup, eventually, said};

const FREEZE: &str = "apiVersion: ordain/v1
kind: Freeze
metadata: {name: year-end}
spec: {from: 2020-12-20T00:00:00Z, until: 2999-01-02T00:00:00Z, why: nobody is there, owner: platform}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: olivia}
spec: {memberOf: [platform]}
";

fn stop(gate: &Gate, actor: &str) -> (u16, String) {
    let reply = gate.client(actor).send(&Sent::ec2("StopInstances&InstanceId.1=i-0123456789abcdef0"));
    (reply.status, reply.reason().to_owned())
}

#[test]
fn a_freeze_is_lifted_by_a_person_for_a_while_and_looked_at() {
    let mut setup = Setup::default();
    setup.model.push(("freeze.yaml", FREEZE.to_owned()));
    let gate = Gate::start(setup);
    assert_eq!(stop(&gate, "alice"), (403, "frozen".to_owned()));
    let open = |more: &[&str]| {
        let words = ["break-glass", "open", "incident-7", "--as", "alice", "--owner", "platform"];
        gate.run(
            &[&words[..], &["--why", "customers cannot pay", "--account", "123456789012"], more].concat(),
        )
    };
    let long = open(&["--for", "5h"]);
    assert!(said(&long).contains("lasts more than 4 h"), "{}", said(&long));
    assert_eq!(stop(&gate, "alice"), (403, "frozen".to_owned()));
    let opened = open(&["--for", "1h"]);
    assert!(opened.status.success(), "{}", said(&opened));
    eventually("the freeze is lifted", || stop(&gate, "alice").0 == 200);
    assert_eq!(stop(&gate, "robot"), (403, "frozen".to_owned()));
    let twice = open(&["--for", "1h"]);
    assert!(said(&twice).contains("already"), "{}", said(&twice));
    let listed = said(&gate.run(&["break-glass", "list"]));
    assert!(listed.contains("incident-7") && listed.contains("nobody yet"), "{listed}");
    let excepted = said(&gate.run(&["exception", "list"]));
    assert!(!excepted.contains("incident-7"), "{excepted}");
    // It is the first thing that is told and counted of what it let through.
    let metrics = gate.admin_page("/metrics").1;
    assert!(metrics.contains("reason_code=\"break_glass\""), "{metrics}");
    let due = gate.run(&["model", "lint"]);
    assert!(said(&due).contains("nobody has looked at what was done"), "{}", said(&due));
    let closed = gate.run(&["break-glass", "close", "incident-7"]);
    assert!(closed.status.success(), "{}", said(&closed));
    eventually("it is frozen again", || stop(&gate, "alice").0 == 403);
    let own = gate.run(&["break-glass", "review", "incident-7", "--as", "alice", "--found", "all well"]);
    assert!(said(&own).contains("have another person look at it"), "{}", said(&own));
    let review = ["break-glass", "review", "incident-7", "--as", "olivia", "--found", "a host was stopped"];
    let reviewed = gate.run(&review);
    assert!(reviewed.status.success(), "{}", said(&reviewed));
    let again = gate.run(&review);
    assert!(said(&again).contains("`olivia` has looked at"), "{}", said(&again));
    let told: Vec<String> = gate
        .ledger()
        .refresh()
        .iter()
        .map(|entry| entry.text("summary").to_owned())
        .filter(|summary| summary.contains("incident-7"))
        .collect();
    assert!(told.iter().any(|one| one.contains("`alice` breaks the glass")), "{told:?}");
    assert!(told.iter().any(|one| one.contains("`olivia` looked at break-glass")), "{told:?}");
    gate.finish();
}
