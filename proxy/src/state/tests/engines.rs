//! The engines that the suite is run on.
//!
//! Leaves out what is asked of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{DecisionId, Digest};
use ordain_rules::{Charge, CounterKey, Use};
use tempfile::TempDir;
use uuid::Uuid;

use crate::postgres_server::PostgresServer;
use crate::settings::environment;
use crate::state::{Claim, Claims, Kept, Run, Server, Store};

/// Where one test keeps what is counted.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) kept: Kept,
    pub(crate) server: Option<PostgresServer>,
    pub(crate) folder: TempDir,
}

impl Engine {
    pub(crate) fn sqlite() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        Some(Self { kept: Kept::within(folder.path()), server: None, folder })
    }

    pub(crate) fn postgres() -> Option<Self> {
        let programs = environment("ORDAIN_TEST_POSTGRES").map_or_else(installed, |path| Some(path.into()));
        let Some(server) = programs.as_deref().and_then(PostgresServer::start) else {
            skipped();
            return None;
        };
        let kept = Kept::Server(Box::new(Server::new(&server.url(), None, None).unwrap()));
        Some(Self { kept, server: Some(server), folder: tempfile::tempdir().unwrap() })
    }

    /// As a program finds it that starts.
    pub(crate) async fn open(&self) -> Arc<Store> {
        Arc::new(self.kept.open().await.unwrap())
    }
}

/// Where Debian has it.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.flatten().map(|version| version.path().join("bin")).find(|path| path.join("initdb").is_file())
}

/// A test without what it needs would look like one that went well: `tests/run` tells all of them at its end.
fn skipped() {
    use std::io::Write as _;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("skipped: PostgreSQL is not to be had here");
    if let Some(file) = environment("ORDAIN_TEST_SKIPPED") {
        let told = std::fs::OpenOptions::new().append(true).create(true).open(Path::new(&file));
        told.and_then(|mut told| writeln!(told, "{name}: PostgreSQL")).unwrap();
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn decision() -> DecisionId {
    DecisionId(Uuid::now_v7())
}

pub(crate) fn key(source: &str, subject: &str) -> CounterKey {
    CounterKey { source: source.into(), subject: subject.into() }
}

/// So much of a budget of three an hour.
pub(crate) fn amount(subject: &str, amount: u64, limit: u64) -> Claim {
    let window = std::time::Duration::from_secs(3600);
    Claim::Amount(Charge { key: key("budget:b", subject), amount, limit, window })
}

/// One of the uses of a change, for a request.
pub(crate) fn one_use(change: &str, request: &str, uses: u64) -> Claim {
    let request = Digest::of(request.as_bytes());
    Claim::Use(Use {
        key: key("change:c", change),
        request,
        uses,
        honoured: false,
        rebinds: false,
        kept: None,
    })
}

/// The same, of a request that the upstream does once however often it is sent.
pub(crate) fn honoured(claim: Claim) -> Claim {
    match claim {
        Claim::Use(used) => Claim::Use(Use { honoured: true, ..used }),
        Claim::Amount(_) => claim,
    }
}

/// The same, where what was refused is free for another request too.
pub(crate) fn rebinding(claim: Claim) -> Claim {
    match claim {
        Claim::Use(used) => Claim::Use(Use { rebinds: true, ..used }),
        Claim::Amount(_) => claim,
    }
}

pub(crate) const HOLDER: Digest = Digest([7; 32]);
pub(crate) const RUN: Run = Run([1; 16]);

pub(crate) fn claims(decision: DecisionId, claims: Vec<Claim>, now: Timestamp) -> Claims {
    Claims { decision, claims, holder: HOLDER, run: RUN, sole: true, now }
}
