//! Holds, as both engines keep them: joined, answered once each, closed, and forgotten.
//!
//! Leaves out who may answer (`ordain_rules`) and the gate around it (`tests/holds/`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::Digest;
use ordain_rules::{Proof, Use};
use uuid::Uuid;

use super::engines::{Engine, at, claims, decision, one_use};
use crate::state::{Answer, Carried, Claim, Closed, Ending, Given, Hold, Opened, Opening, Refused, Store};

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
    the_same_request_joins_what_it_waits_under,
    another_question_of_the_request_stands_in_its_place,
    what_was_carried_out_is_not_joined,
    everybody_answers_once_and_a_no_closes_it,
    what_is_over_is_not_answered,
    what_became_of_what_was_approved_is_known,
    one_actor_has_so_many_open,
    a_thousand_at_once_open_one,
    a_hundred_answers_at_once_are_one_each,
    what_is_kept_survives_a_start_and_is_forgotten_after_a_month,
}

fn opening(request: &str, question: &str, now: i64) -> Opening {
    Opening {
        id: Uuid::now_v7(),
        request: Digest::of(request.as_bytes()),
        question: Digest::of(question.as_bytes()),
        text: Arc::from(question),
        actor: Arc::from("robot"),
        now: at(now),
        until: at(now + 3600),
        over: None,
        most: 3,
    }
}

async fn open(store: &Store, opening: Opening) -> Hold {
    match store.open_hold(opening).await.unwrap() {
        Opened::New(hold) => hold,
        other => panic!("{other:?}"),
    }
}

async fn joined(store: &Store, opening: Opening) -> Hold {
    match store.open_hold(opening).await.unwrap() {
        Opened::Joined(hold) => hold,
        other => panic!("{other:?}"),
    }
}

fn answer(by: &str, approves: bool, now: i64) -> Answer {
    let proof = if approves { Proof::Signed(Arc::from("sig")) } else { Proof::Login(Arc::from("code")) };
    let why = if approves { "" } else { "not now" };
    Answer { by: Arc::from(by), approves, at: at(now), proof, why: Arc::from(why) }
}

async fn the_same_request_joins_what_it_waits_under(engine: Engine) {
    let store = engine.open().await;
    let request = Digest::of(b"stop");
    assert_eq!(store.hold_of(request, at(0)).await.unwrap(), None);
    let first = open(&store, opening("stop", "stop it", 0)).await;
    assert_eq!(joined(&store, opening("stop", "stop it", 60)).await, first);
    assert_eq!(store.hold_of(request, at(3599)).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.hold(first.id).await.unwrap().as_ref(), Some(&first));
    // Its time is over at the time it says.
    assert_eq!(store.hold_of(request, at(3600)).await.unwrap(), None);
    let anew = open(&store, opening("stop", "stop it", 3600)).await;
    assert_ne!(anew.id, first.id);
}

async fn another_question_of_the_request_stands_in_its_place(engine: Engine) {
    let store = engine.open().await;
    let first = open(&store, opening("stop", "stop it, which reaches 3", 0)).await;
    store.answer_hold(first.id, answer("omar", true, 1), at(1), false).await.unwrap();
    let second = open(&store, opening("stop", "stop it, which reaches 9", 2)).await;
    assert!(second.answers.is_empty(), "what was said of another question is not said of this one");
    let first = store.hold(first.id).await.unwrap().unwrap();
    assert_eq!(first.closed, Some(Closed::Superseded));
    assert_eq!(store.hold_of(second.request, at(3)).await.unwrap().unwrap().id, second.id);
}

async fn what_was_carried_out_is_not_joined(engine: Engine) {
    let store = engine.open().await;
    let first = open(&store, opening("stop", "stop it", 0)).await;
    let used = one_use("stop", "stop", 1);
    store.reserve(claims(decision(), vec![used], at(1))).await.unwrap().unwrap();
    let over = || Opening { over: Some(first.id), ..opening("stop", "stop it", 2) };
    let second = open(&store, over()).await;
    // Whoever finds out later that it was carried out joins the one that was opened then.
    assert_eq!(joined(&store, over()).await.id, second.id);
    assert_eq!(store.hold(first.id).await.unwrap().unwrap().closed, Some(Closed::Superseded));
}

async fn everybody_answers_once_and_a_no_closes_it(engine: Engine) {
    let store = engine.open().await;
    let hold = open(&store, opening("stop", "stop it", 0)).await;
    let said = store.answer_hold(hold.id, answer("omar", true, 1), at(1), false).await.unwrap();
    let Given::Kept(said) = said else { panic!("{said:?}") };
    assert_eq!(said.answers, [answer("omar", true, 1)]);
    let twice = store.answer_hold(hold.id, answer("omar", true, 2), at(2), false).await.unwrap();
    assert!(matches!(twice, Given::Twice(_)), "{twice:?}");
    let said = store.answer_hold(hold.id, answer("dan", true, 3), at(3), false).await.unwrap();
    let Given::Kept(said) = said else { panic!("{said:?}") };
    assert_eq!((said.answers.len(), said.closed), (2, None));
    // Whoever said yes may say no: that is what they say then.
    let no = store.answer_hold(hold.id, answer("omar", false, 4), at(4), false).await.unwrap();
    let Given::Kept(no) = no else { panic!("{no:?}") };
    assert_eq!(no.closed, Some(Closed::Denied));
    assert_eq!(no.answers, [answer("dan", true, 3), answer("omar", false, 4)]);
    assert_eq!(store.hold(hold.id).await.unwrap().unwrap(), no);
    // What was denied is found, so that whoever asks again is told; and is joined by the same question.
    assert_eq!(store.hold_of(hold.request, at(5)).await.unwrap().unwrap(), no);
    assert_eq!(joined(&store, opening("stop", "stop it", 5)).await, no);
    let late = store.answer_hold(hold.id, answer("eve", true, 6), at(6), false).await.unwrap();
    assert!(matches!(late, Given::Over(Some(_))), "{late:?}");
}

/// What was carried out takes no place of its actor's, and what became of it is known.
async fn what_became_of_what_was_approved_is_known(engine: Engine) {
    let store = engine.open().await;
    let hold = open(&store, opening("stop", "stop it", 0)).await;
    let key = hold.granted(std::time::Duration::from_secs(60)).key();
    let carried = || async { store.carried(hold.id).await.unwrap() };
    assert_eq!((carried().await, store.holds_waiting(at(1)).await.unwrap()), (None, 1));
    let used = |request: &str| {
        Claim::Use(Use {
            key: key.clone(),
            request: Digest::of(request.as_bytes()),
            uses: 1,
            honoured: false,
            rebinds: false,
            kept: Some(std::time::Duration::from_secs(3600)),
        })
    };
    for (ending, became, waiting) in
        [(Ending::Open, Carried::Refused, 1), (Ending::Unknown, Carried::Unknown, 1)]
    {
        let taking = decision();
        store.reserve(claims(taking, vec![used("stop")], at(1))).await.unwrap().unwrap();
        assert_eq!(carried().await, Some(Carried::InFlight));
        store.settle(taking, std::slice::from_ref(&key), ending).await.unwrap();
        assert_eq!((carried().await, store.holds_waiting(at(1)).await.unwrap()), (Some(became), waiting));
    }
    let other = open(&store, opening("start", "start it", 0)).await;
    let key = other.granted(std::time::Duration::from_secs(60)).key();
    let taking = decision();
    let used = Claim::Use(Use {
        key: key.clone(),
        request: other.request,
        uses: 1,
        honoured: false,
        rebinds: false,
        kept: Some(std::time::Duration::from_secs(3600)),
    });
    store.reserve(claims(taking, vec![used], at(1))).await.unwrap().unwrap();
    store.settle(taking, &[key], Ending::Spent).await.unwrap();
    assert_eq!(store.carried(other.id).await.unwrap(), Some(Carried::Done));
    assert_eq!(store.holds_waiting(at(1)).await.unwrap(), 1, "what was done waits no more");
    // What is being sent, was sent or may have been is nobody's to answer any more.
    for (id, over) in [(other.id, true), (hold.id, true)] {
        let late = store.answer_hold(id, answer("ann", false, 2), at(2), false).await.unwrap();
        assert_eq!(matches!(late, Given::Over(Some(_))), over, "{late:?}");
    }
    let (waiting, more) = store.open_holds(at(1)).await.unwrap();
    assert_eq!((waiting.iter().map(|one| one.id).collect::<Vec<_>>(), more), (vec![hold.id], false));
    // Whoever looked before somebody said no finds nothing left to use, whatever they looked at.
    let denied = open(&store, opening("reboot", "reboot it", 0)).await;
    let key = denied.granted(std::time::Duration::from_secs(60)).key();
    let no = store.answer_hold(denied.id, answer("ann", false, 1), at(1), false).await.unwrap();
    assert!(matches!(no, Given::Kept(_)), "{no:?}");
    let used = Claim::Use(Use {
        key: key.clone(),
        request: denied.request,
        uses: 1,
        honoured: false,
        rebinds: false,
        kept: None,
    });
    let refused = store.reserve(claims(decision(), vec![used], at(2))).await.unwrap().unwrap_err();
    assert_eq!((refused.key, refused.why), (key, Refused::Over));
    store.close_hold(hold.id).await.unwrap();
    assert_eq!(store.hold(hold.id).await.unwrap().unwrap().closed, Some(Closed::Superseded));
}

async fn what_is_over_is_not_answered(engine: Engine) {
    let store = engine.open().await;
    let hold = open(&store, opening("stop", "stop it", 0)).await;
    let late = store.answer_hold(hold.id, answer("omar", true, 3600), at(3600), false).await.unwrap();
    assert!(matches!(late, Given::Over(Some(_))), "{late:?}");
    let nothing = store.answer_hold(Uuid::now_v7(), answer("omar", true, 1), at(1), false).await.unwrap();
    assert_eq!(nothing, Given::Over(None));
    assert!(store.hold(hold.id).await.unwrap().unwrap().answers.is_empty());
}

async fn one_actor_has_so_many_open(engine: Engine) {
    let store = engine.open().await;
    for request in ["a", "b", "c"] {
        open(&store, opening(request, request, 0)).await;
    }
    assert_eq!(store.open_hold(opening("d", "d", 1)).await.unwrap(), Opened::TooMany);
    joined(&store, opening("a", "a", 1)).await;
    // What stands in the place of one of its own is not one more.
    open(&store, opening("a", "a, further", 1)).await;
    let other = Opening { actor: Arc::from("alice"), ..opening("e", "e", 1) };
    open(&store, other).await;
    open(&store, opening("d", "d", 3600)).await;
    let listed = store.holds(at(3599)).await.unwrap();
    let texts: Vec<&str> = listed.iter().map(|hold| &*hold.text).collect();
    assert_eq!(texts.len(), 6, "{texts:?}");
    assert_eq!(texts[0], "d", "the youngest first");
}

async fn a_thousand_at_once_open_one(engine: Engine) {
    let store = engine.open().await;
    let tries = (0..1000).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            loop {
                // Whoever finds it too busy asks again.
                if let Ok(opened) = store.open_hold(opening("stop", "stop it", 0)).await {
                    return opened;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
    });
    let (mut new, mut ids) = (0, BTreeSet::new());
    for tried in tries.collect::<Vec<_>>() {
        match tried.await.unwrap() {
            Opened::New(hold) => {
                new += 1;
                ids.insert(hold.id);
            }
            Opened::Joined(hold) => drop(ids.insert(hold.id)),
            Opened::TooMany => panic!("there is one"),
        }
    }
    assert_eq!((new, ids.len()), (1, 1));
}

async fn a_hundred_answers_at_once_are_one_each(engine: Engine) {
    let store = engine.open().await;
    let hold = open(&store, opening("stop", "stop it", 0)).await;
    let tries = (0..100).map(|number| {
        let (store, id) = (Arc::clone(&store), hold.id);
        let by = format!("person-{}", number % 10);
        tokio::spawn(async move {
            loop {
                if let Ok(given) = store.answer_hold(id, answer(&by, true, 1), at(1), false).await {
                    return matches!(given, Given::Kept(_));
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
    });
    let mut kept = 0;
    for tried in tries.collect::<Vec<_>>() {
        kept += usize::from(tried.await.unwrap());
    }
    assert_eq!(kept, 10);
    assert_eq!(store.hold(hold.id).await.unwrap().unwrap().answers.len(), 10);
}

async fn what_is_kept_survives_a_start_and_is_forgotten_after_a_month(engine: Engine) {
    let store = engine.open().await;
    let hold = open(&store, opening("stop", "stop it", 0)).await;
    store.answer_hold(hold.id, answer("omar", true, 1), at(1), false).await.unwrap();
    drop(store);
    let store = engine.open().await;
    let kept = store.hold(hold.id).await.unwrap().unwrap();
    assert_eq!(kept.answers.len(), 1);
    let month = 31 * 24 * 3600;
    // Whatever is claimed then has what is old looked for.
    store.reserve(claims(decision(), vec![one_use("a", "a", 9)], at(3600 + 3600))).await.unwrap().unwrap();
    assert!(store.hold(hold.id).await.unwrap().is_some());
    drop(store);
    let store = engine.open().await;
    store.reserve(claims(decision(), vec![one_use("b", "b", 9)], at(3600 + month))).await.unwrap().unwrap();
    for _ in 0..200 {
        if store.hold(hold.id).await.unwrap().is_none() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it is kept for ever");
}
