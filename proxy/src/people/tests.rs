//! What of logging in needs no gate: a step of time is taken once, by whomever.

use std::sync::Arc;

use ordain_action::Digest;

use super::CODES;
use crate::state::{Kept, State};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_show_a_code_one_is_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::start(Kept::within(folder.path()), folder.path().join("ledger"), Digest::of(b""));
    let state = Arc::new(state.await.unwrap());
    for step in [7, 8] {
        let tried = (0..50).map(|_| {
            let state = Arc::clone(&state);
            tokio::spawn(async move { state.is_first_to_reach(CODES, "alice", step).await })
        });
        let mut first = 0;
        for tried in tried.collect::<Vec<_>>() {
            first += usize::from(tried.await.unwrap().unwrap());
        }
        assert_eq!(first, 1, "step {step}");
    }
    let said = |subject: &'static str, step| state.is_first_to_reach(CODES, subject, step);
    assert_eq!((said("alice", 8).await, said("alice", 7).await), (Some(false), Some(false)));
    assert_eq!((said("bob", 7).await, said("alice", 9).await), (Some(true), Some(true)));
}
