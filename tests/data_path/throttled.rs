//! One actor who asks for too much is told to slow down, in the provider's own words, and nobody else is.

use crate::harness::{Gate, Sent, Setup};

#[test]
fn an_actor_that_asks_for_too_much_is_told_to_slow_down() {
    let setup =
        Setup { settings: "[limits]\nactor_requests_per_second = 1\n".to_owned(), ..Setup::default() };
    let gate = Gate::start(setup);
    let (alice, robot) = (gate.client("alice"), gate.client("robot"));
    let asked = || alice.send(&Sent::ec2("DescribeInstances"));
    let replies: Vec<_> = (0..8).map(|_| asked()).collect();
    let throttled = replies.iter().find(|reply| reply.status == 429).expect("eight at once are too many");
    assert_eq!(throttled.reason(), "actor_rate");
    assert!(throttled.text().contains("<Code>RequestLimitExceeded</Code>"), "{}", throttled.text());
    assert_eq!(robot.send(&Sent::ec2("DescribeInstances")).status, 200, "others have limits of their own");
    assert_eq!(replies.first().map(|reply| reply.status), Some(200));
    gate.finish();
}
