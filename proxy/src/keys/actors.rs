//! Actors that were revoked: nothing shows them any more, whoever vouches for them, until they are allowed again.
//!
//! Kept in a file of its own beside the keys, with a line for every change; the last one of a name and a kind counts.
//! Leaves out ending the keys that an actor holds (`ordain actor` does both) and the evidence of it (the caller records
//! it first).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use ordain_action::{ActorKind, Party};
use serde::{Deserialize, Serialize};

use super::file::KeyFile;
use super::{KeyError, Line};

/// The version of the format.
const VERSION: u32 = 1;

/// Which actors a revocation is of: those of a name, of one kind or of every kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The name.
    pub name: Arc<str>,
    /// The kind; every kind where none is given.
    pub kind: Option<ActorKind>,
}

type Revoked = BTreeMap<Named, Timestamp>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    revoked: bool,
    at: Timestamp,
}

/// The actors that are revoked.
#[derive(Debug)]
pub(super) struct Actors {
    revoked: ArcSwap<Revoked>,
    file: Mutex<KeyFile>,
}

impl Actors {
    /// Those of a state directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self { revoked: ArcSwap::default(), file: Mutex::new(KeyFile::named(directory, "actors")) }
    }

    /// Since when a party is revoked; `None` for one that is not.
    pub(super) fn since(&self, party: &Party) -> Option<Timestamp> {
        let revoked = self.revoked.load();
        if revoked.is_empty() {
            return None;
        }
        let named = |kind| revoked.get(&Named { name: Arc::clone(&party.name), kind }).copied();
        named(None).or_else(|| named(Some(party.kind)))
    }

    /// All of them, by name.
    pub(super) fn list(&self) -> Vec<(Named, Timestamp)> {
        self.revoked.load().iter().map(|(named, since)| (named.clone(), *since)).collect()
    }

    /// Revokes actors, or allows them again. It is on disk when this returns.
    pub(super) fn set(&self, named: &Named, revoked: bool, at: Timestamp) -> Result<(), KeyError> {
        let mut file = self.file();
        let locked = file.lock()?;
        self.catch_up(&mut file)?;
        let written = Written {
            version: VERSION,
            actor: named.name.to_string(),
            kind: named.kind.map(|kind| kind.as_str().to_owned()),
            revoked,
            at,
        };
        let line = serde_json::to_string(&written).map_err(|_| KeyError::Cryptography)?;
        file.append(&locked, &line)?;
        let mut all = Revoked::clone(&self.revoked.load());
        take(&mut all, named.clone(), revoked, at);
        self.revoked.store(Arc::new(all));
        Ok(())
    }

    /// Takes up what other processes changed; says whether anything was.
    pub(super) fn reload(&self) -> Result<bool, KeyError> {
        self.catch_up(&mut self.file())
    }

    fn catch_up(&self, file: &mut KeyFile) -> Result<bool, KeyError> {
        let read = file.read()?;
        if !read.anew && read.lines.is_empty() {
            return Ok(false);
        }
        // INVARIANT: a file that is gone, or cut, allows nobody: only a line that says so does.
        let mut all = Revoked::clone(&self.revoked.load());
        let mut fault = None;
        for (index, line) in read.lines.iter().enumerate() {
            match parse(line) {
                Ok((named, revoked, at)) => take(&mut all, named, revoked, at),
                Err(why) => fault = fault.or(Some((index + 1, why))),
            }
        }
        self.revoked.store(Arc::new(all));
        match fault {
            Some((line, fault)) => {
                Err(KeyError::Line { path: file.path().display().to_string(), line, fault })
            }
            None => Ok(true),
        }
    }

    fn file(&self) -> MutexGuard<'_, KeyFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(all: &mut Revoked, named: Named, revoked: bool, at: Timestamp) {
    match (revoked, named.kind) {
        (true, _) => drop(all.entry(named).or_insert(at)),
        (false, Some(_)) => drop(all.remove(&named)),
        // Whoever allows a name allows it in every kind.
        (false, None) => all.retain(|known, _| known.name != named.name),
    }
}

fn parse(line: &str) -> Result<(Named, bool, Timestamp), Line> {
    let written: Written = serde_json::from_str(line).map_err(|_| Line::Malformed)?;
    if written.version != VERSION {
        return Err(Line::Version(written.version));
    }
    let kind = match written.kind {
        Some(word) => Some(ActorKind::parse(&word).ok_or(Line::Malformed)?),
        None => None,
    };
    Ok((Named { name: written.actor.into(), kind }, written.revoked, written.at))
}
