//! Bodies in, bytes and budgets out.

use expect_test::{Expect, expect};

use super::*;

fn request(body: &[u8]) -> Request<RequestBody> {
    Request::new(RequestBody::whole(Bytes::copy_from_slice(body)))
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(result: Result<Held, HoldError>, expected: Expect) {
    let text = match result {
        Ok(held) => {
            format!("{:?} {}", held.bytes(), held.sha256().map(|hash| hash.to_hex()).unwrap_or_default())
        }
        Err(error) => format!("{} {}: {error}", error.kind().status(), error.reason_code()),
    };
    expected.assert_eq(&text);
}

#[tokio::test]
async fn a_body_is_held_with_its_hash() {
    let budget = Budget::new(1_000, 1_000);
    let held = Held::take(request(b"abc"), Need::Whole { cap: 3 }, &budget).await;
    check(
        held,
        expect![[r#"Some(b"abc") ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"#]],
    );
    let held = Held::take(request(b""), Need::Whole { cap: 0 }, &budget).await;
    check(held, expect![[r#"Some(b"") e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"#]]);
}

#[tokio::test]
async fn a_body_over_the_cap_is_not_held() {
    let budget = Budget::new(1_000, 1_000);
    let held = Held::take(request(b"abcd"), Need::Whole { cap: 3 }, &budget).await;
    check(
        held,
        expect![
            "413 body_too_large: the body is longer than the 3 bytes that are judged whole; send less at once"
        ],
    );
    assert_eq!(budget.unproven_in_use(), 0);
}

#[tokio::test]
async fn a_body_without_room_is_not_held() {
    let budget = Budget::new(1_000, 3);
    let held = Held::take(request(b"abcd"), Need::Whole { cap: 9 }, &budget).await;
    check(
        held,
        expect![
            "503 held_bytes_exhausted: the gate holds as many request bodies as it may; try again in a moment"
        ],
    );
    assert_eq!(budget.unproven_in_use(), 0);
}

#[tokio::test]
async fn a_held_body_counts_until_it_is_sent() {
    let budget = Budget::new(10, 10);
    let mut held = Held::take(request(b"abcd"), Need::Whole { cap: 9 }, &budget).await.unwrap();
    assert_eq!((budget.proven_in_use(), budget.unproven_in_use()), (0, 4));
    held.prove(&budget).unwrap();
    assert_eq!((budget.proven_in_use(), budget.unproven_in_use()), (4, 0));
    let (_, HeldBody::Whole(whole)) = held.into_parts() else { panic!("it was held whole") };
    let mut outgoing = whole.into_outgoing();
    let frame = outgoing.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(frame, "abcd");
    assert_eq!(budget.proven_in_use(), 4, "it is still in memory");
    drop(outgoing);
    assert_eq!(budget.proven_in_use(), 0);
}

#[tokio::test]
async fn a_body_that_streams_takes_nothing() {
    let budget = Budget::new(0, 0);
    let mut held = Held::take(request(b"abcd"), Need::Head, &budget).await.unwrap();
    held.prove(&budget).unwrap();
    assert!(held.bytes().is_none() && held.sha256().is_none());
}

#[test]
fn a_body_is_paid_for_in_steps() {
    assert_eq!(paid_for(1, None), PROMISE_MAX);
    assert_eq!(paid_for(1, Some(10)), 10);
    assert_eq!(paid_for(PROMISE_MAX + 1, Some(u64::MAX)), 2 * PROMISE_MAX);
    assert_eq!(paid_for(u64::MAX, None), u64::MAX);
}
