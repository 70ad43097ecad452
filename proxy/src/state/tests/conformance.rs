//! What every engine does, in the words of what it is for: budgets, uses, approvals, holds, sessions, marks.
//!
//! Leaves out crashes (`crash.rs`) and random orders (`reference.rs`).

use std::sync::Arc;

use ordain_action::DecisionId;

use super::engines::{Engine, HOLDER, RUN, amount, at, claims, decision, honoured, key, one_use, rebinding};
use crate::state::{Claim, Claims, Ending, Refused, Run, Store, StoreError};

/// Runs each of these on both engines.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(super::Engine::sqlite().unwrap()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                if let Some(engine) = super::Engine::postgres() {
                    super::$name(engine).await;
                }
            })*
        }
    };
}

on_both! {
    a_budget_admits_what_fits_and_forgets_what_the_window_has_passed,
    what_was_not_sent_is_given_back_and_what_may_have_happened_is_not,
    a_refusal_gives_back_only_what_had_one_effect_on_one_thing,
    a_form_before_is_taken_up_and_its_reservations_are_taken_for_what_they_may_be,
    what_counts_no_more_is_kept_for_a_day_and_forgotten_then_of_every_key,
    all_of_it_is_claimed_or_nothing,
    a_thousand_at_once_use_one_use_once,
    a_thousand_at_once_take_a_budget_to_its_limit_and_no_further,
    two_replicas_take_one_budget_to_its_limit,
    a_request_is_free_to_repeat_only_while_nothing_says_that_it_happened,
    an_unknown_outcome_blocks_the_repeat_unless_the_upstream_does_it_once,
    what_is_open_is_so_for_the_same_request_alone,
    what_rebinds_is_open_for_another_request_too,
    approvals_holds_and_sessions_are_claims_and_marks,
    what_is_kept_survives_a_start_and_a_newer_form_is_refused,
    an_engine_that_is_lost_fails_closed_and_comes_back,
}

async fn take(store: &Store, claim: Claim, now: i64) -> Result<DecisionId, Refused> {
    let decision = decision();
    let taken = store.reserve(claims(decision, vec![claim], at(now))).await.unwrap();
    taken.map(|()| decision).map_err(|refused| refused.why)
}

async fn used(store: &Store, subject: &str, now: i64) -> u64 {
    store.counted(vec![key("budget:b", subject)], at(now)).await.unwrap()[0].value
}

async fn a_budget_admits_what_fits_and_forgets_what_the_window_has_passed(engine: Engine) {
    let store = engine.open().await;
    for now in [0, 600, 1200] {
        take(&store, amount("robot", 1, 3), now).await.unwrap();
    }
    assert_eq!(take(&store, amount("robot", 1, 3), 1800).await, Err(Refused::Over));
    let of = vec![key("budget:b", "robot"), key("budget:b", "nobody"), key("budget:b", "robot")];
    let counted = store.counted(of, at(1800)).await.unwrap();
    assert_eq!(
        counted.iter().map(|counted| counted.value).collect::<Vec<_>>(),
        [3, 0, 3],
        "in the order asked for"
    );
    assert_eq!(counted[0].until, Some(at(3600)), "the first leaves an hour after it was taken");
    assert_eq!(counted[1].until, None);
    take(&store, amount("robot", 1, 3), 3600).await.unwrap();
    assert_eq!(take(&store, amount("robot", 1, 3), 3601).await, Err(Refused::Over));
    assert_eq!(take(&store, amount("alice", 4, 3), 0).await, Err(Refused::Over), "it would be over at once");
    let all = store.all("budget:b", at(3601)).await.unwrap();
    assert_eq!(
        all.iter().map(|(who, counted)| (who.as_str(), counted.value)).collect::<Vec<_>>(),
        [("robot", 3)]
    );
}

async fn what_was_not_sent_is_given_back_and_what_may_have_happened_is_not(engine: Engine) {
    let store = engine.open().await;
    let given_back = [(Ending::Released, 0), (Ending::Open, 0), (Ending::Spent, 1), (Ending::Unknown, 2)];
    for (ending, stands) in given_back {
        let keys = [key("budget:b", "robot")];
        let decision = take(&store, amount("robot", 1, 9), 0).await.unwrap();
        store.settle(decision, &keys, ending).await.unwrap();
        assert_eq!(used(&store, "robot", 1).await, stands, "after {ending:?}");
        // Whoever says it again, or otherwise, changes nothing any more.
        store.settle(decision, &keys, Ending::Released).await.unwrap();
        assert_eq!(used(&store, "robot", 1).await, stands, "after {ending:?} and another word");
    }
}

async fn a_refusal_gives_back_only_what_had_one_effect_on_one_thing(engine: Engine) {
    let store = engine.open().await;
    let both = || vec![amount("robot", 1, 9), one_use("stop", "all", 1)];
    let keys = [key("budget:b", "robot"), key("change:c", "stop")];
    let id = decision();
    let several = Claims { sole: false, ..claims(id, both(), at(0)) };
    store.reserve(several).await.unwrap().unwrap();
    // A start finds it so too: it is kept with the reservation.
    drop(store);
    let store = engine.open().await;
    store.settle(id, &keys, Ending::Open).await.unwrap();
    assert_eq!(used(&store, "robot", 1).await, 1, "part of it may have been done");
    assert_eq!(take(&store, one_use("stop", "all", 1), 1).await, Err(Refused::Unknown));
    let id = decision();
    let several = Claims { sole: false, ..claims(id, vec![amount("robot", 1, 9)], at(2)) };
    store.reserve(several).await.unwrap().unwrap();
    store.settle(id, &keys, Ending::Released).await.unwrap();
    assert_eq!(used(&store, "robot", 3).await, 1, "what was not sent has no effect at all");
}

async fn a_form_before_is_taken_up_and_its_reservations_are_taken_for_what_they_may_be(engine: Engine) {
    let store = engine.open().await;
    let taken = take(&store, amount("robot", 1, 3), 0).await.unwrap();
    drop(store);
    match &engine.server {
        Some(server) => {
            server.ask("ALTER TABLE ordain_claims DROP COLUMN sole");
            server.ask("UPDATE ordain_version SET version = 1");
        }
        None => {
            let connection = rusqlite::Connection::open(engine.folder.path().join("counted.sqlite")).unwrap();
            let before = "DROP TABLE holds; DROP TABLE answers; DROP INDEX claims_until; ALTER TABLE claims DROP COLUMN sole; PRAGMA user_version = 1";
            connection.execute_batch(before).unwrap();
        }
    }
    let store = engine.open().await;
    store.settle(taken, &[key("budget:b", "robot")], Ending::Open).await.unwrap();
    assert_eq!(used(&store, "robot", 1).await, 1);
    let taken = take(&store, amount("robot", 1, 3), 1).await.unwrap();
    store.settle(taken, &[key("budget:b", "robot")], Ending::Open).await.unwrap();
    assert_eq!(used(&store, "robot", 2).await, 1);
}

/// How many claims are kept, counted or not.
fn kept(engine: &Engine) -> i64 {
    match &engine.server {
        Some(server) => server.ask("SELECT count(*) FROM ordain_claims").trim().parse().unwrap(),
        None => {
            let connection = rusqlite::Connection::open(engine.folder.path().join("counted.sqlite")).unwrap();
            connection.query_row("SELECT count(*) FROM claims", [], |row| row.get(0)).unwrap()
        }
    }
}

async fn what_counts_no_more_is_kept_for_a_day_and_forgotten_then_of_every_key(engine: Engine) {
    let day = 24 * 3600;
    let store = engine.open().await;
    take(&store, amount("robot", 3, 3), 0).await.unwrap();
    take(&store, one_use("stop", "a", 1), 0).await.unwrap();
    // A gate whose clock is ahead counts it no more, and takes it from nobody.
    take(&store, amount("robot", 1, 3), 3600 + day - 1).await.unwrap();
    assert_eq!(kept(&engine), 3);
    assert_eq!(take(&store, amount("robot", 3, 3), 3600 + day).await, Err(Refused::Over));
    if engine.server.is_some() {
        assert_eq!(used(&store, "robot", 1).await, 4, "by a clock that is not ahead it counts");
        assert_eq!(take(&store, amount("robot", 1, 3), 1).await, Err(Refused::Over));
    } else {
        // What is in a file has one gate, and a clock of its own that is put back frees nothing and counts from there.
        assert_eq!(used(&store, "robot", 1).await, 1);
        take(&store, amount("robot", 2, 3), 1).await.unwrap();
        assert_eq!(take(&store, amount("robot", 1, 3), 3600 + day + 1).await, Err(Refused::Over));
    }
    // Another key is enough for it, and what is used stays used.
    take(&store, amount("alice", 1, 3), 9 * day).await.unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let mut at_last = 9 * day;
    while kept(&engine) != 2 {
        assert!(std::time::Instant::now() < until, "{} are kept", kept(&engine));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        at_last += 1;
    }
    assert_eq!(used(&store, "alice", at_last).await, 1);
    assert_eq!(take(&store, one_use("stop", "b", 1), at_last).await, Err(Refused::Over));
    if let Some(server) = &engine.server {
        let keys = || server.ask("SELECT count(*) FROM ordain_keys WHERE subject = 'robot'");
        while keys().trim() != "0" {
            assert!(std::time::Instant::now() < until, "the key of what is forgotten is kept");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// A gate that hangs in a transaction has the key of a budget, and the server takes it away.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_takes_a_key_from_whoever_hangs() {
    let Some(engine) = Engine::postgres() else { return };
    let store = engine.open().await;
    take(&store, amount("robot", 1, 9), 0).await.unwrap();
    let Some(server) = &engine.server else { return };
    let (mut hanging, connection) =
        tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    hanging.batch_execute(crate::state::server::SESSION).await.unwrap();
    let transaction = hanging.transaction().await.unwrap();
    transaction.execute("UPDATE ordain_keys SET taken = taken + 1", &[]).await.unwrap();
    // Longer than waiting for a lock may take, and so tried again, until the server ends the other.
    let began = std::time::Instant::now();
    take(&store, amount("robot", 1, 9), 1).await.unwrap();
    assert!(began.elapsed() > std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(used(&store, "robot", 2).await, 2);
}

async fn all_of_it_is_claimed_or_nothing(engine: Engine) {
    let store = engine.open().await;
    take(&store, amount("robot", 3, 3), 0).await.unwrap();
    let both = vec![amount("alice", 1, 3), amount("robot", 1, 3)];
    let refused = store.reserve(claims(decision(), both.clone(), at(1))).await.unwrap();
    assert_eq!(refused.map_err(|refused| refused.why), Err(Refused::Over));
    assert_eq!(used(&store, "alice", 1).await, 0);
    let id = decision();
    store.reserve(claims(id, both.clone(), at(3600))).await.unwrap().unwrap();
    assert_eq!((used(&store, "alice", 3601).await, used(&store, "robot", 3601).await), (1, 1));
    // One decision claims once, whatever goes wrong with its answer.
    assert!(store.reserve(claims(id, both, at(3601))).await.is_err());
    assert_eq!(used(&store, "alice", 3601).await, 1);
}

async fn race(stores: &[Arc<Store>], attempts: usize, claim: impl Fn(usize) -> Claim) -> usize {
    let mut tasks = Vec::new();
    for attempt in 0..attempts {
        let (store, claim) = (Arc::clone(&stores[attempt % stores.len()]), claim(attempt));
        tasks.push(tokio::spawn(async move {
            // A server that has too many at once says so, and nothing was done.
            loop {
                match store.reserve(claims(decision(), vec![claim.clone()], at(0))).await {
                    Ok(taken) => return taken.is_ok(),
                    Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
                    Err(other) => panic!("{other}"),
                }
            }
        }));
    }
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap());
    }
    won
}

async fn a_thousand_at_once_use_one_use_once(engine: Engine) {
    let stores = [engine.open().await];
    assert_eq!(race(&stores, 1000, |_| one_use("terminate", "the same", 1)).await, 1);
    assert_eq!(race(&stores, 1000, |of| one_use("approval", &of.to_string(), 1)).await, 1);
}

async fn a_thousand_at_once_take_a_budget_to_its_limit_and_no_further(engine: Engine) {
    let stores = [engine.open().await];
    assert_eq!(race(&stores, 1000, |_| amount("robot", 1, 137)).await, 137);
    assert_eq!(used(&stores[0], "robot", 1).await, 137);
    assert_eq!(race(&stores, 200, |_| amount("alice", 3, 100)).await, 33);
}

async fn two_replicas_take_one_budget_to_its_limit(engine: Engine) {
    let stores = [engine.open().await, engine.open().await];
    assert_eq!(race(&stores, 400, |_| amount("robot", 1, 50)).await, 50);
    assert_eq!(race(&stores, 400, |_| one_use("terminate", "the same", 1)).await, 1);
}

async fn a_request_is_free_to_repeat_only_while_nothing_says_that_it_happened(engine: Engine) {
    let store = engine.open().await;
    let keys = [key("change:c", "stop")];
    let stop = || one_use("stop", "stop i-1", 1);
    let first = take(&store, stop(), 0).await.unwrap();
    assert_eq!(take(&store, stop(), 1).await, Err(Refused::InFlight));
    store.settle(first, &keys, Ending::Released).await.unwrap();
    let second = take(&store, stop(), 2).await.unwrap();
    store.settle(second, &keys, Ending::Open).await.unwrap();
    let third = take(&store, stop(), 3).await.unwrap();
    // Not sent this time: it is open as it was before.
    store.settle(third, &keys, Ending::Released).await.unwrap();
    assert_eq!(take(&store, one_use("stop", "stop i-2", 1), 4).await, Err(Refused::Over));
    let fourth = take(&store, stop(), 5).await.unwrap();
    store.settle(fourth, &keys, Ending::Spent).await.unwrap();
    assert_eq!(take(&store, stop(), 6).await, Err(Refused::Over), "what was done is not done again");
    assert_eq!(take(&store, honoured(stop()), 7).await, Err(Refused::Over));
    // Of a change with two uses a repeat of what was done takes the other.
    let start = || one_use("start", "start i-1", 2);
    for _ in 0..2 {
        let done = take(&store, start(), 8).await.unwrap();
        store.settle(done, &[key("change:c", "start")], Ending::Spent).await.unwrap();
    }
    assert_eq!(take(&store, start(), 9).await, Err(Refused::Over));
}

async fn an_unknown_outcome_blocks_the_repeat_unless_the_upstream_does_it_once(engine: Engine) {
    let store = engine.open().await;
    let keys = [key("change:c", "run")];
    let run = || one_use("run", "run one", 1);
    let first = take(&store, run(), 0).await.unwrap();
    store.settle(first, &keys, Ending::Unknown).await.unwrap();
    assert_eq!(take(&store, run(), 1).await, Err(Refused::Unknown));
    let again = take(&store, honoured(run()), 2).await.unwrap();
    // What the first one did is not known any better for the second not having been sent, or refused.
    for ending in [Ending::Released, Ending::Open] {
        store.settle(again, &keys, ending).await.unwrap();
        assert_eq!(take(&store, run(), 3).await, Err(Refused::Unknown));
    }
    let again = take(&store, honoured(run()), 4).await.unwrap();
    store.settle(first, &keys, Ending::Released).await.unwrap();
    store.settle(again, &keys, Ending::Spent).await.unwrap();
    assert_eq!(take(&store, honoured(run()), 5).await, Err(Refused::Over));
}

async fn what_is_open_is_so_for_the_same_request_alone(engine: Engine) {
    let store = engine.open().await;
    let keys = [key("change:c", "delete")];
    let first = take(&store, one_use("delete", "a", 2), 0).await.unwrap();
    store.settle(first, &keys, Ending::Open).await.unwrap();
    take(&store, one_use("delete", "b", 2), 1).await.unwrap();
    assert_eq!(take(&store, one_use("delete", "c", 2), 2).await, Err(Refused::Over));
    take(&store, one_use("delete", "a", 2), 3).await.unwrap();
}

async fn what_rebinds_is_open_for_another_request_too(engine: Engine) {
    let store = engine.open().await;
    let keys = [key("change:c", "run")];
    let run = |request: &str| rebinding(one_use("run", request, 1));
    let refused = take(&store, run("in zone a"), 0).await.unwrap();
    store.settle(refused, &keys, Ending::Open).await.unwrap();
    // Corrected it is another request: what had no effect has used nothing up.
    let corrected = take(&store, run("in zone b"), 1).await.unwrap();
    assert_eq!(take(&store, run("in zone a"), 2).await, Err(Refused::Over), "the one use is in hand");
    assert_eq!(take(&store, run("in zone b"), 2).await, Err(Refused::InFlight));
    store.settle(corrected, &keys, Ending::Open).await.unwrap();
    let third = take(&store, run("in zone a"), 3).await.unwrap();
    store.settle(third, &keys, Ending::Spent).await.unwrap();
    for request in ["in zone a", "in zone b"] {
        assert_eq!(take(&store, run(request), 4).await, Err(Refused::Over), "{request}");
    }
    // What may have happened is no other request's.
    let keys = [key("change:c", "stop")];
    let unknown = take(&store, rebinding(one_use("stop", "a", 1)), 5).await.unwrap();
    store.settle(unknown, &keys, Ending::Unknown).await.unwrap();
    assert_eq!(take(&store, rebinding(one_use("stop", "b", 1)), 6).await, Err(Refused::Over));
}

async fn approvals_holds_and_sessions_are_claims_and_marks(engine: Engine) {
    let store = engine.open().await;
    // Two of three have to approve: each can once, and the third finds that enough have.
    let approve = |who: &str| one_use("hold-1/approvals", who, 2);
    let alice = take(&store, approve("alice"), 0).await.unwrap();
    store.settle(alice, &[key("change:c", "hold-1/approvals")], Ending::Spent).await.unwrap();
    take(&store, approve("dora"), 1).await.unwrap();
    assert_eq!(take(&store, approve("paul"), 2).await, Err(Refused::Over));
    // Whoever releases a hold does so once: stages only rise.
    let hold = || key("hold", "1");
    let store = Arc::new(store);
    let mut releasing = Vec::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        releasing.push(tokio::spawn(async move {
            loop {
                match store.raise(hold(), 2).await {
                    Ok(before) => return before.is_none_or(|before| before < 2),
                    Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
                    Err(other) => panic!("{other}"),
                }
            }
        }));
    }
    let mut first = 0;
    for task in releasing {
        first += usize::from(task.await.unwrap());
    }
    assert_eq!(first, 1);
    // A high-water mark does not fall, and a session that was ended stays so.
    assert_eq!(store.raise(hold(), 1).await.unwrap(), Some(2));
    assert_eq!(store.mark(hold()).await.unwrap(), Some(2));
    assert_eq!(store.mark(key("session", "s-1")).await.unwrap(), None);
}

async fn what_is_kept_survives_a_start_and_a_newer_form_is_refused(engine: Engine) {
    let store = engine.open().await;
    take(&store, amount("robot", 2, 3), 0).await.unwrap();
    let left = take(&store, one_use("stop", "a", 1), 0).await.unwrap();
    store.settle(left, &[], Ending::Spent).await.unwrap();
    let open = take(&store, one_use("stop", "a", 2), 0).await.unwrap();
    drop(store);
    let store = engine.open().await;
    assert_eq!(used(&store, "robot", 1).await, 2);
    let left = store.unsettled(HOLDER, Run([2; 16])).await.unwrap();
    assert_eq!(left.len(), 2, "of the budget and of the use that is not settled");
    assert!(left.contains(&open));
    assert!(store.unsettled(HOLDER, RUN).await.unwrap().is_empty(), "its own are under way");
    let other = ordain_action::Digest([8; 32]);
    assert!(store.unsettled(other, Run([2; 16])).await.unwrap().is_empty(), "others' are theirs to settle");
    drop(store);
    match &engine.server {
        Some(server) => drop(server.ask("UPDATE ordain_version SET version = 99")),
        None => {
            let connection = rusqlite::Connection::open(engine.folder.path().join("counted.sqlite")).unwrap();
            connection.pragma_update(None, "user_version", 99).unwrap();
        }
    }
    let refused = engine.kept.open().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the counted state has the form 99, which a newer version wrote, and this one knows 3; run that version"
    );
}

async fn an_engine_that_is_lost_fails_closed_and_comes_back(engine: Engine) {
    let store = engine.open().await;
    let taken = take(&store, amount("robot", 1, 3), 0).await.unwrap();
    match &engine.server {
        Some(server) => {
            server.stop();
            let lost = store.reserve(claims(decision(), vec![amount("robot", 1, 3)], at(1))).await;
            assert!(lost.is_err(), "{lost:?}");
            assert!(store.counted(vec![key("budget:b", "robot")], at(1)).await.is_err());
            assert!(store.settle(taken, &[key("budget:b", "robot")], Ending::Released).await.is_err());
            assert!(engine.kept.open().await.is_err());
            server.begin();
            tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        }
        None => {
            // Another process that keeps the file stands for a disk that does not answer.
            let connection = rusqlite::Connection::open(engine.folder.path().join("counted.sqlite")).unwrap();
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            let lost = store.reserve(claims(decision(), vec![amount("robot", 1, 3)], at(1))).await;
            assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
            connection.execute_batch("ROLLBACK").unwrap();
        }
    }
    assert_eq!(used(&store, "robot", 1).await, 1, "what failed took nothing");
    store.settle(taken, &[key("budget:b", "robot")], Ending::Released).await.unwrap();
    assert_eq!(used(&store, "robot", 1).await, 0);
}
