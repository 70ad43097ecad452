//! Random orders of claiming, settling and crashing, held against a model of a few lines that keeps all in memory.
//!
//! Leaves out what runs at the same time (`conformance.rs`).

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use ordain_action::{DecisionId, Digest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use super::engines::{Engine, HOLDER, RUN, amount, at, claims, decision, honoured, key, one_use, rebinding};
use crate::state::{Claim, Ending, Refused, Run, Store};

#[derive(Debug, Clone)]
enum Step {
    /// Claims so much of a budget of one of two, and one use for a request.
    Claim { who: usize, amount: u64, used: Option<(usize, usize, bool)> },
    /// Settles the decision of an earlier step.
    Settle(usize, Ending),
    /// The program dies, and the next one settles what it left as unknown.
    Crash,
    /// Time passes.
    Wait(i64),
}

const WHO: [&str; 2] = ["robot", "alice"];
const CHANGES: [(&str, u64); 2] = [("one", 1), ("two", 2)];
const REQUESTS: [&str; 3] = ["a", "b", "c"];
const LIMIT: u64 = 5;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending =
        prop_oneof![Just(Ending::Released), Just(Ending::Open), Just(Ending::Spent), Just(Ending::Unknown)];
    let used = proptest::option::of((0..2_usize, 0..3_usize, any::<bool>()));
    prop::collection::vec(
        prop_oneof![
            6 => (0..2_usize, 0..3_u64, used).prop_map(|(who, amount, used)| Step::Claim { who, amount, used }),
            4 => (0..40_usize, ending).prop_map(|(of, ending)| Step::Settle(of, ending)),
            1 => Just(Step::Crash),
            2 => (1..2400_i64).prop_map(Step::Wait),
        ],
        1..40,
    )
}

/// What stands for one claim.
#[derive(Debug, Clone)]
struct Kept {
    claim: Claim,
    until: i64,
    /// As [`super::super::claim::State`] has it, in its own words here.
    state: &'static str,
    before: Option<&'static str>,
    sole: bool,
}

/// All of it, by decision.
#[derive(Debug, Default)]
struct Memory(Vec<(DecisionId, Kept)>);

impl Memory {
    fn value(&self, of: &Claim, now: i64) -> u64 {
        let same = self.0.iter().filter(|(_, kept)| kept.claim.key() == of.key() && kept.until > now);
        same.map(|(_, kept)| if let Claim::Amount(charge) = &kept.claim { charge.amount } else { 1 }).sum()
    }

    /// Where the first use for another request is that is open.
    fn open(&self, used: &ordain_rules::Use) -> Option<usize> {
        let other = |kept: &Kept| matches!(&kept.claim, Claim::Use(other) if other.key == used.key && other.request != used.request);
        let open = self.0.iter().enumerate().filter(|(_, (_, kept))| kept.state == "open" && other(kept));
        open.min_by_key(|(_, (decision, _))| *decision).map(|(place, _)| place)
    }

    fn claim(
        &mut self,
        decision: DecisionId,
        (all, sole): (&[Claim], bool),
        now: i64,
    ) -> Result<(), Refused> {
        let mut after = Vec::new();
        for claim in all {
            match claim {
                Claim::Amount(charge) => {
                    if self.value(claim, now) + charge.amount > charge.limit {
                        return Err(Refused::Over);
                    }
                    after.push(None);
                }
                Claim::Use(used) => {
                    let of_same = |kept: &Kept| matches!(&kept.claim, Claim::Use(other) if other.key == used.key && other.request == used.request);
                    let find = |state: &str| {
                        self.0.iter().position(|(_, kept)| of_same(kept) && kept.state == state)
                    };
                    if find("reserved").is_some() {
                        return Err(Refused::InFlight);
                    }
                    match (find("unknown"), find("open")) {
                        (Some(_), _) if !used.honoured => return Err(Refused::Unknown),
                        (Some(place), _) | (None, Some(place)) => after.push(Some(place)),
                        (None, None) if self.value(claim, now) < used.uses => after.push(None),
                        (None, None) => match self.open(used).filter(|_| used.rebinds) {
                            Some(place) => after.push(Some(place)),
                            None => return Err(Refused::Over),
                        },
                    }
                }
            }
        }
        for (claim, place) in all.iter().zip(after) {
            match place {
                Some(place) => {
                    let (of, kept) = &mut self.0[place];
                    *of = decision;
                    kept.claim = claim.clone();
                    kept.before = Some(kept.state);
                    kept.sole = sole;
                    kept.state = "reserved";
                }
                None => {
                    let until = if matches!(claim, Claim::Amount(_)) { now + 3600 } else { i64::MAX };
                    let kept = Kept { claim: claim.clone(), until, state: "reserved", before: None, sole };
                    self.0.push((decision, kept));
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, decision: DecisionId, ending: Ending) {
        self.0.retain_mut(|(of, kept)| {
            if *of != decision || kept.state != "reserved" {
                return true;
            }
            let is_use = matches!(kept.claim, Claim::Use(_));
            kept.state = match (ending, kept.before.take()) {
                (Ending::Spent, _) => "spent",
                (Ending::Unknown, _) => "unknown",
                (Ending::Open, _) if !kept.sole => "unknown",
                (Ending::Released | Ending::Open, Some(before)) => before,
                (Ending::Open, None) if is_use => "open",
                (Ending::Released | Ending::Open, None) => return false,
            };
            true
        });
    }

    fn crash(&mut self) -> Vec<DecisionId> {
        let mut left: Vec<DecisionId> =
            self.0.iter().filter(|(_, kept)| kept.state == "reserved").map(|(of, _)| *of).collect();
        left.sort();
        left.dedup();
        left.iter().for_each(|decision| self.settle(*decision, Ending::Unknown));
        left
    }
}

async fn agree(
    engine: &Engine,
    mut store: std::sync::Arc<Store>,
    case: &str,
    clock: &std::sync::atomic::AtomicI64,
    steps: Vec<Step>,
) -> TestCaseResult {
    // Time goes on from case to case: of a clock that is put back there is another test.
    let mut now = clock.load(Ordering::Relaxed);
    let (mut memory, mut run, mut made) = (Memory::default(), 1_u8, Vec::new());
    // Keys of its own: all cases share one engine.
    let own = |claim: Claim| match claim {
        Claim::Amount(mut charge) => {
            charge.key = key(&format!("budget:{case}"), &charge.key.subject);
            Claim::Amount(charge)
        }
        Claim::Use(mut used) => {
            used.key = key(&format!("change:{case}"), &used.key.subject);
            Claim::Use(used)
        }
    };
    for step in steps {
        match step {
            Step::Claim { who, amount: much, used } => {
                let mut all = vec![own(amount(WHO[who], much, LIMIT))];
                if let Some((change, request, token)) = used {
                    let claim = one_use(CHANGES[change].0, REQUESTS[request], CHANGES[change].1);
                    let claim = if token { honoured(claim) } else { claim };
                    all.push(own(if change == 1 { rebinding(claim) } else { claim }));
                }
                let id = decision();
                let mut taking = claims(id, all.clone(), at(now));
                // What is done for one of the requests has several effects.
                taking.sole = used.is_none_or(|(_, request, _)| request != 2);
                let sole = taking.sole;
                taking.run = Run([run; 16]);
                taking.holder = Digest::of(case.as_bytes());
                let said = store.reserve(taking).await.unwrap();
                prop_assert_eq!(said.map_err(|refused| refused.why), memory.claim(id, (&all, sole), now));
                made.push(id);
            }
            Step::Settle(of, ending) => {
                if let Some(id) = made.get(of) {
                    store.settle(*id, &[], ending).await.unwrap();
                    memory.settle(*id, ending);
                }
            }
            Step::Crash => {
                drop(store);
                store = engine.open().await;
                run += 1;
                let holder = Digest::of(case.as_bytes());
                let mut left = store.unsettled(holder, Run([run; 16])).await.unwrap();
                left.sort();
                for id in &left {
                    store.settle(*id, &[], Ending::Unknown).await.unwrap();
                }
                prop_assert_eq!(left, memory.crash());
            }
            Step::Wait(seconds) => {
                now += seconds;
                clock.store(now, Ordering::Relaxed);
            }
        }
        for who in WHO {
            let claim = own(amount(who, 0, LIMIT));
            let counted = store.counted(vec![claim.key().clone()], at(now)).await.unwrap();
            prop_assert_eq!(counted[0].value, memory.value(&claim, now), "of {}", who);
        }
    }
    // What is settled is told apart no further by the run or the holder.
    let all: BTreeMap<_, _> =
        store.all(&format!("change:{case}"), at(now)).await.unwrap().into_iter().collect();
    for (change, _) in CHANGES {
        let claim = own(one_use(change, "a", 1));
        let value = all.get(change).map_or(0, |counted| counted.value);
        prop_assert_eq!(value, memory.value(&claim, now), "of {}", change);
    }
    prop_assert!(store.unsettled(HOLDER, RUN).await.unwrap().is_empty());
    Ok(())
}

fn engine_agrees_with_memory(engine: &Engine, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let (number, clock) = (std::cell::Cell::new(0), std::sync::atomic::AtomicI64::new(0));
    let done = runner.run(&steps(), |steps| {
        number.set(number.get() + 1);
        let case = format!("case-{}", number.get());
        runtime.block_on(async { agree(engine, engine.open().await, &case, &clock, steps).await })
    });
    done.unwrap();
}

#[test]
fn sqlite_agrees_with_memory() {
    engine_agrees_with_memory(&Engine::sqlite().unwrap(), 48);
}

#[test]
fn postgres_agrees_with_memory() {
    if let Some(engine) = Engine::postgres() {
        engine_agrees_with_memory(&engine, 48);
    }
}
