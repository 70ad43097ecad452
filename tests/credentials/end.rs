//! What happens when the real credential ends or is replaced while the gate serves.
//!
//! Leaves out where credentials come from (`sources`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;

/// A gate whose container hands out a credential of a few seconds first, and then others of an hour.
fn short_lived() -> (Gate, Recorder, Home) {
    let home = Home::new("");
    let asked = Arc::new(AtomicUsize::new(0));
    // A credential is not used in its last 15 seconds.
    let first = now() + SignedDuration::from_secs(20);
    let agent = stub(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Body(200, in_json("ASIAFIRST", first)),
        _ => Answer::Body(200, in_json("ASIASECOND", in_an_hour())),
    });
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}/credentials", agent.address))];
    let gate = Gate::start(setup("\"default\"", &home, &variables));
    std::thread::sleep(Duration::from_secs(6));
    (gate, agent, home)
}

#[test]
fn a_credential_that_ends_is_fetched_once_for_many_requests() {
    let (gate, agent, _home) = short_lived();
    let client = gate.client("alice");
    let replies: Vec<u16> = std::thread::scope(|scope| {
        let sent: Vec<_> =
            (0..20).map(|_| scope.spawn(|| client.send(&Sent::ec2("DescribeInstances")).status)).collect();
        sent.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|status| *status == 200), "{replies:?}");
    assert!(gate.recorder.arrived().iter().all(|one| one.signed_with() == "ASIASECOND"));
    assert_eq!(agent.arrived().len(), 2, "one fetch for twenty requests");
    assert_eq!(gate.recorder.own_questions().len(), 2, "and one question whose it is");
    gate.finish();
}

#[test]
fn a_credential_replaced_by_one_of_another_account_is_not_used() {
    let (gate, _agent, _home) = short_lived();
    gate.recorder.is_foreign("ASIASECOND");
    for sent in [Sent::ec2("DescribeInstances"), crate::harness::a_change(1)] {
        let reply = gate.client("alice").send(&sent);
        assert_eq!((reply.status, reply.reason()), (502, "no_credential"), "{}", reply.text());
    }
    assert!(gate.recorder.arrived().is_empty());
    gate.finish();
}
