//! A process that is killed while it claims: what it was told is there, and nothing is there twice.
//!
//! The process is this test's own program, started for one test that claims until it is killed. Leaves out settling from
//! the ledger, which takes a whole gate (`tests/counted.rs`).

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ordain_action::DecisionId;

use super::engines::{Engine, HOLDER, amount, at, claims, decision};
use crate::settings::environment;
use crate::state::{Kept, Run, Server, Store};

/// Where the process that is to be killed finds what is kept.
const PLACE: &str = "ORDAIN_TEST_COUNTED";

/// Claims one after the other and says each that it was told it has, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "started by the tests below, which kill it"]
async fn claims_until_it_is_killed() {
    let Some(place) = environment(PLACE) else { return };
    let kept = if place.starts_with("postgres") {
        Kept::Server(Box::new(Server::new(&place, None, None).unwrap()))
    } else {
        Kept::File(place.into())
    };
    let store = std::sync::Arc::new(kept.open().await.unwrap());
    let workers: Vec<_> = (0..8).map(|_| tokio::spawn(claim_on(std::sync::Arc::clone(&store)))).collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn claim_on(store: std::sync::Arc<Store>) {
    loop {
        let id = decision();
        let said = store.reserve(claims(id, vec![amount("robot", 1, 100_000)], at(0))).await;
        assert_eq!(said.unwrap(), Ok(()));
        // One write, so that no line is cut: what is not whole was not told.
        std::io::stdout().write_all(format!("told {id}\n").as_bytes()).unwrap();
    }
}

async fn killed_while_it_claims(engine: Engine) {
    let place = match &engine.server {
        Some(server) => server.url(),
        None => engine.folder.path().join("counted.sqlite").display().to_string(),
    };
    let (mut told, mut stands) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "state::tests::crash::claims_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PLACE, &place)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = Arc::new(AtomicUsize::new(0));
        let heard = Arc::clone(&said);
        let reading = std::thread::spawn(move || {
            let told =
                lines.map_while(Result::ok).filter_map(|line| Some(line.split_once("told ")?.1.to_owned()));
            let mut all = Vec::new();
            for line in told {
                all.push(line);
                heard.store(all.len(), Ordering::Relaxed);
            }
            all
        });
        let until = Instant::now() + Duration::from_secs(60);
        while said.load(Ordering::Relaxed) < 10 {
            assert!(Instant::now() < until, "it claims nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Not always at the same place of a batch.
        tokio::time::sleep(Duration::from_millis(37 * round)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        told.extend(reading.join().unwrap().into_iter().filter_map(|id| id.parse().ok()).map(DecisionId));
        let store = settled_connections(&engine).await;
        stands = store.unsettled(HOLDER, Run([9; 16])).await.unwrap().into_iter().collect();
        let counted = store.all("budget:b", at(1)).await.unwrap();
        let value = counted.first().map_or(0, |(_, counted)| counted.value);
        assert_eq!(value, stands.len() as u64, "each decision counts once");
        let lost: Vec<_> = told.difference(&stands).collect();
        assert!(lost.is_empty(), "told and not there: {lost:?}");
        // At most what each of the eight was about to be told, in each round.
        assert!(stands.len() - told.len() <= 8 * (usize::try_from(round).unwrap() + 1));
    }
    assert!(told.len() >= 50, "it claimed while it ran: {} of {}", told.len(), stands.len());
}

/// The store, once the server has ended what the killed process had under way.
async fn settled_connections(engine: &Engine) -> Store {
    if engine.server.is_some() {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    engine.kept.open().await.unwrap()
}

#[tokio::test]
async fn sqlite_killed_while_it_claims() {
    killed_while_it_claims(Engine::sqlite().unwrap()).await;
}

#[tokio::test]
async fn postgres_killed_while_it_claims() {
    if let Some(engine) = Engine::postgres() {
        killed_while_it_claims(engine).await;
    }
}
