//! Issued keys: made, imported, minted, revoked, and looked up by every request.
//!
//! A request finds its key in memory; a change by another process is seen within a second. Leaves out whether a
//! signature is right (`identity`) and the evidence of changes (the caller records them first).

mod actors;
mod file;
mod issued;
mod minting;
mod record;
mod seal;
pub mod token;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use ordain_action::{Actor, Party};
use ordain_sigv4::Secret;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Config;
use crate::files;
use crate::settings::environment;
use actors::Actors;
pub use actors::Named;
use file::KeyFile;
pub use issued::{
    Ending, IssuedKey, KeyForm, LASTING, Minted, NewKey, Real, TEMPORARY, TOKEN, is_issued_form,
};
pub use seal::SealingKey;
pub use token::TokenHash;

/// What went wrong with the key store.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("`{path}` cannot be used: {why}; check the state directory")]
    Io {
        /// The file.
        path: String,
        /// What the system said. No cause of its own: it would be said twice.
        why: io::Error,
    },
    /// The sealing key is not usable.
    #[error("the sealing key `{which}` is not {should}")]
    SealingKey {
        /// Which one.
        which: String,
        /// What it should be.
        should: String,
    },
    /// Lines of the key file cannot be read. The other keys are in force.
    #[error("`{path}` line {line} {fault}")]
    Line {
        /// The file.
        path: String,
        /// The first such line among those that were new.
        line: usize,
        /// What is wrong with it.
        fault: Line,
    },
    /// Cryptography failed.
    #[error("the system's cryptography failed; restart, and tell the operator if it happens again")]
    Cryptography,
    /// There is no such key.
    #[error("there is no key `{0}`; list them with `ordain key list`")]
    Unknown(String),
    /// The id is taken.
    #[error("there is a key `{0}` already; revoke it, or import under another id")]
    Taken(String),
    /// The id is not one that a client can use.
    #[error("the id `{0}` is not 16 to 128 letters, digits and underscores; give another")]
    BadId(String),
    /// The secret is too short to sign with.
    #[error("the secret is shorter than 16 characters; give a longer one")]
    ShortSecret,
    /// The actor's name cannot be used.
    #[error("the actor's name `{0}` is empty or holds blanks or control characters; give another")]
    BadActor(String),
    /// The actor is revoked.
    #[error("the actor `{0}` is revoked; allow it again with `ordain actor allow`")]
    Revoked(String),
}

impl KeyError {
    fn io(path: &Path, why: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), why }
    }
}

/// What is wrong with a line of the key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Line {
    /// It is not a record.
    #[error("is not a key record; restore the file from a copy")]
    Malformed,
    /// It is of another version.
    #[error("is of version {0}, which this build does not read; use the build that wrote it")]
    Version(u32),
    /// It was changed, or sealed under another key.
    #[error("does not open under this sealing key, or was changed; give the key it was sealed under")]
    Sealed,
}

type Snapshot = HashMap<Arc<str>, Arc<IssuedKey>>;

/// The variable that holds the key which the files here are sealed under.
pub const SEALING_KEY: &str = "ORDAIN_SEALING_KEY";

/// A session that is over is forgotten after this time, unless a key that is not over descends from it.
const FORGET: SignedDuration = SignedDuration::from_hours(48);

/// The file is rewritten when it has this many lines more than twice what it needs.
const SLACK: usize = 256;

/// The longest wait that is not looked up from: clocks are set.
const LONG: Duration = Duration::from_secs(60);

/// How often another process's changes are looked for.
const POLL: Duration = Duration::from_millis(500);

/// All issued keys.
#[derive(Debug)]
pub struct KeyStore {
    keys: ArcSwap<Snapshot>,
    actors: Actors,
    // Told of every change, so that what is in flight can be cut.
    changed: watch::Sender<()>,
    writer: Mutex<Writer>,
    sealing: SealingKey,
}

#[derive(Debug)]
struct Writer {
    file: KeyFile,
    lines: usize,
}

impl KeyStore {
    /// Opens the store of a state directory, which must exist.
    ///
    /// # Errors
    /// [`KeyError`] when a file or one of its lines cannot be read: a store that is not whole is not served.
    pub fn open(directory: &Path, sealing: SealingKey) -> Result<Self, KeyError> {
        let writer = Mutex::new(Writer { file: KeyFile::new(directory), lines: 0 });
        let (actors, changed) = (Actors::new(directory), watch::Sender::default());
        let store = Self { keys: ArcSwap::default(), actors, changed, writer, sealing };
        store.reload()?;
        Ok(store)
    }

    /// The key of an id, revoked or not.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Arc<IssuedKey>> {
        self.keys.load().get(id).cloned()
    }

    /// Whether a text is the id or what only the holder of an issued key knows.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let keys = self.keys.load();
        let session = |key: &IssuedKey| key.session_token.as_ref().is_some_and(|token| token.is(text));
        keys.contains_key(text) || keys.values().any(|key| session(key) || key.is_known_by(text))
    }

    /// All keys, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<IssuedKey>> {
        let mut all: Vec<_> = self.keys.load().values().cloned().collect();
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        all
    }

    /// The key that keeps this one from being taken, because it is revoked, inactive or over: itself, or one that it
    /// descends from.
    #[must_use]
    pub fn ended_by(&self, key: &IssuedKey, now: Timestamp) -> Option<Arc<IssuedKey>> {
        self.endings(key).into_iter().find(|(end, _)| now >= *end).map(|(_, key)| key)
    }

    /// Makes a key pair. It is on disk when this returns.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be kept.
    pub fn create(&self, new: &NewKey, now: Timestamp) -> Result<Arc<IssuedKey>, KeyError> {
        self.add(fresh(new, random_id(LASTING)?, KeyForm::Pair(Secret::new(random_text(30)?)), now))
    }

    /// Makes a token. Its hash is on disk when this returns; the token itself is kept nowhere.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be kept.
    pub fn create_token(&self, new: &NewKey, now: Timestamp) -> Result<(Arc<IssuedKey>, Secret), KeyError> {
        let (id, token) = minting::fresh_token()?;
        let key = fresh(new, id, KeyForm::Token(TokenHash::of(token.expose())), now);
        Ok((self.add(key)?, token))
    }

    /// Takes up a key pair that exists elsewhere.
    ///
    /// # Errors
    /// [`KeyError`] when the id is taken or no client could use it.
    pub fn import(
        &self,
        new: &NewKey,
        id: &str,
        secret: Secret,
        now: Timestamp,
    ) -> Result<Arc<IssuedKey>, KeyError> {
        let usable = (16..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !usable {
            return Err(KeyError::BadId(id.to_owned()));
        }
        if secret.expose().len() < 16 {
            return Err(KeyError::ShortSecret);
        }
        self.add(fresh(new, id.to_owned(), KeyForm::Pair(secret), now))
    }

    /// The keys of an actor that are not revoked: those that it holds, and those that others hold on its behalf.
    #[must_use]
    pub fn of_party(&self, party: &Party) -> Vec<Arc<IssuedKey>> {
        let theirs = |key: &IssuedKey| key.party == *party || key.on_behalf_of.contains(party);
        self.list().into_iter().filter(|key| key.revoked.is_none() && theirs(key)).collect()
    }

    /// Ends a key, and with it every session that descends from it. A revoked key stays revoked.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], or the file cannot be written: the key is still in force then.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<Arc<IssuedKey>, KeyError> {
        self.end(id, Ending::Revoked, now)
    }

    /// The keys that stand for a real one of an upstream.
    #[must_use]
    pub fn standing_for(&self, real: &str, upstream: &str) -> Vec<Arc<IssuedKey>> {
        let stands = |key: &IssuedKey| {
            let behind = key.minted.as_ref().and_then(|minted| minted.real.pair());
            *key.upstream == *upstream && behind.is_some_and(|pair| pair.id == real)
        };
        self.list().into_iter().filter(|key| stands(key)).collect()
    }

    /// Ends a key, lets it rest, or wakes it.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], or the file cannot be written: nothing has changed then.
    pub fn end(&self, id: &str, ending: Ending, now: Timestamp) -> Result<Arc<IssuedKey>, KeyError> {
        self.change(id, |key| match ending {
            Ending::Revoked => key.revoked = Some(now),
            Ending::Resting => key.inactive = key.inactive.or(Some(now)),
            Ending::Awake => key.inactive = None,
        })
    }

    /// Changes a key that is not revoked.
    fn change(&self, id: &str, change: impl FnOnce(&mut IssuedKey)) -> Result<Arc<IssuedKey>, KeyError> {
        let mut writer = self.writer();
        let locked = writer.file.lock()?;
        self.catch_up(&mut writer)?;
        let key = self.find(id).ok_or_else(|| KeyError::Unknown(id.to_owned()))?;
        if key.revoked.is_some() {
            return Ok(key);
        }
        let mut changed = IssuedKey::clone(&key);
        change(&mut changed);
        let changed = Arc::new(changed);
        self.keep(&mut writer, &locked, &changed)?;
        Ok(changed)
    }

    /// Takes up what other processes changed; says whether anything was.
    ///
    /// # Errors
    /// [`KeyError`] when a file or one of its lines cannot be read. Lines that can be are in force all the same:
    /// a revocation must not wait for a repair.
    pub fn reload(&self) -> Result<bool, KeyError> {
        let actors = self.actors.reload();
        let keys = self.catch_up(&mut self.writer());
        if !matches!((&actors, &keys), (Ok(false), Ok(false))) {
            self.changed.send_replace(());
        }
        Ok(actors? | keys?)
    }

    /// Whether an actor is revoked: nothing shows it any more, no key and nobody who vouches for it.
    #[must_use]
    pub fn is_revoked(&self, party: &Party) -> bool {
        self.actors.since(party).is_some()
    }

    /// The actors that are revoked, by name, and since when each is.
    #[must_use]
    pub fn revoked_actors(&self) -> Vec<(Named, Timestamp)> {
        self.actors.list()
    }

    /// Revokes an actor, or allows it again. What it holds is ended one by one ([`KeyStore::end`]).
    ///
    /// # Errors
    /// The file cannot be written: nothing has changed then.
    pub fn set_revoked(&self, named: &Named, revoked: bool, now: Timestamp) -> Result<(), KeyError> {
        self.actors.set(named, revoked, now)?;
        self.changed.send_replace(());
        Ok(())
    }

    /// Whether a key shows its actor at a time: it has not ended, and no party of it is revoked.
    #[must_use]
    pub fn is_in_force(&self, key: &IssuedKey, now: Timestamp) -> bool {
        let revoked =
            std::iter::once(&key.party).chain(&key.on_behalf_of).any(|party| self.is_revoked(party));
        !revoked && self.ends(key).is_none_or(|end| now < end)
    }

    /// Whether an actor that was shown before is one no more: it or one for whom it acts is revoked, or the issued key
    /// that it came with is.
    #[must_use]
    pub fn is_over(&self, actor: &Actor, now: Timestamp) -> bool {
        std::iter::once(&actor.party).chain(&actor.on_behalf_of).any(|party| self.is_revoked(party))
            || self.find(&actor.credential).is_some_and(|key| self.ends(&key).is_some_and(|end| now >= end))
    }

    /// Waits until an actor that was shown is one no more: revoked, or its issued key revoked or over, or the time over
    /// that it was shown for (`until`). For what goes on after a request was let through.
    pub async fn until_over(&self, actor: &Actor, until: Option<Timestamp>, clock: &Clock) {
        let over = |now| self.is_over(actor, now) || until.is_some_and(|until| now >= until);
        self.until(over, &actor.credential, until, clock).await;
    }

    /// Waits until an issued key is in force no more.
    pub async fn until_ended(&self, id: &str, clock: &Clock) {
        let over = |now| self.find(id).is_none_or(|key| !self.is_in_force(&key, now));
        self.until(over, id, None, clock).await;
    }

    /// Waits until `over` holds, which it is asked when something of the keys changed, and when a key or the time ends.
    async fn until(
        &self,
        over: impl Fn(Timestamp) -> bool + Send + Sync,
        key: &str,
        until: Option<Timestamp>,
        clock: &Clock,
    ) {
        let mut changed = self.changed.subscribe();
        loop {
            let now = clock.now();
            if over(now) {
                return;
            }
            let key = self.find(key).and_then(|key| self.ends(&key));
            let left = key.into_iter().chain(until).min().map(|end| end.duration_since(now));
            let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or(LONG);
            tokio::select! {
                told = changed.changed() => if told.is_err() { return },
                () = tokio::time::sleep(left.min(LONG)) => {}
            }
        }
    }

    /// When a key ends, with all that it descends from; the past for one that has ended, `None` for one that lasts.
    fn ends(&self, key: &IssuedKey) -> Option<Timestamp> {
        self.endings(key).into_iter().map(|(end, _)| end).min()
    }

    /// All that ends a key, nearest first: itself, and what it descends from. What an upstream handed out lasts as long as
    /// the upstream says of it, and not as long as the credential that it was asked for with.
    fn endings(&self, key: &IssuedKey) -> Vec<(Timestamp, Arc<IssuedKey>)> {
        let keys = self.keys.load();
        let real = key.minted.as_ref().and_then(|minted| minted.expires);
        let own =
            keys.get(&key.id).and_then(|key| key.end().into_iter().chain(real).min().map(|end| (end, key)));
        let others =
            key.lineage.iter().filter_map(|id| keys.get(id)).filter_map(|key| Some((key.end()?, key)));
        own.into_iter().chain(others).map(|(end, key)| (end, Arc::clone(key))).collect()
    }

    /// Looks for other processes' changes twice a second until the store is dropped; `failed` hears what cannot be
    /// read.
    ///
    /// # Errors
    /// [`KeyError::Io`] when no thread can be started.
    pub fn watch(self: &Arc<Self>, failed: impl Fn(&KeyError) + Send + 'static) -> Result<(), KeyError> {
        let store = Arc::downgrade(self);
        let watch = move || {
            while let Some(store) = store.upgrade() {
                if let Err(error) = store.reload() {
                    failed(&error);
                }
                drop(store);
                std::thread::sleep(POLL);
            }
        };
        let started = std::thread::Builder::new().name("keys".to_owned()).spawn(watch);
        let path = self.writer().file.path().to_owned();
        started.map(|_| ()).map_err(|source| KeyError::io(&path, source))
    }

    fn add(&self, key: IssuedKey) -> Result<Arc<IssuedKey>, KeyError> {
        let parties = std::iter::once(&key.party).chain(&key.on_behalf_of);
        if let Some(party) = parties.into_iter().find(|party| self.is_revoked(party)) {
            return Err(KeyError::Revoked(party.name.to_string()));
        }
        let name = &key.party.name;
        if name.is_empty()
            || name.chars().any(|character| character.is_whitespace() || character.is_control())
        {
            return Err(KeyError::BadActor(name.to_string()));
        }
        let mut writer = self.writer();
        let locked = writer.file.lock()?;
        self.catch_up(&mut writer)?;
        if self.find(&key.id).is_some() {
            return Err(KeyError::Taken(key.id.to_string()));
        }
        let created = key.created;
        let key = Arc::new(key);
        self.keep(&mut writer, &locked, &key)?;
        self.tidy(&mut writer, &locked, created)?;
        Ok(key)
    }

    fn keep(&self, writer: &mut Writer, locked: &file::Locked, key: &Arc<IssuedKey>) -> Result<(), KeyError> {
        // Never in force before it is on disk: a restart must not forget what a caller was told.
        writer.file.append(locked, &record::write(key, &self.sealing)?)?;
        writer.lines += 1;
        let mut keys = Snapshot::clone(&self.keys.load());
        keys.insert(Arc::clone(&key.id), Arc::clone(key));
        self.keys.store(Arc::new(keys));
        self.changed.send_replace(());
        Ok(())
    }

    /// Rewrites the file once most of it is history.
    fn tidy(&self, writer: &mut Writer, locked: &file::Locked, now: Timestamp) -> Result<(), KeyError> {
        let keys = self.keys.load_full();
        let ended = |key: &IssuedKey| {
            let minted = key.minted.as_ref().and_then(|minted| minted.expires);
            let expires = key.expires.into_iter().chain(minted).min();
            expires.is_some_and(|expires| now.duration_since(expires) > FORGET)
        };
        // A lasting key that a session made is ended with the session, so that the session is not forgotten before it.
        let lasting = keys.values().filter(|key| !ended(key));
        let ancestors: HashSet<&Arc<str>> = lasting.flat_map(|key| &key.lineage).collect();
        let over = |key: &IssuedKey| ended(key) && !ancestors.contains(&key.id);
        let needed = keys.values().filter(|key| !over(key)).count();
        if writer.lines <= needed * 2 + SLACK {
            return Ok(());
        }
        let kept: Vec<Arc<IssuedKey>> = self.list().into_iter().filter(|key| !over(key)).collect();
        let lines: Result<Vec<String>, KeyError> =
            kept.iter().map(|key| record::write(key, &self.sealing)).collect();
        writer.file.replace(locked, &lines?)?;
        writer.lines = kept.len();
        self.keys.store(Arc::new(kept.into_iter().map(|key| (Arc::clone(&key.id), key)).collect()));
        Ok(())
    }

    fn catch_up(&self, writer: &mut Writer) -> Result<bool, KeyError> {
        let read = writer.file.read()?;
        if !read.anew && read.lines.is_empty() {
            return Ok(false);
        }
        let (mut keys, before) =
            if read.anew { (Snapshot::new(), 0) } else { (Snapshot::clone(&self.keys.load()), writer.lines) };
        let mut fault = None;
        for (index, line) in read.lines.iter().enumerate() {
            match record::read(line, &self.sealing) {
                Ok(key) => drop(keys.insert(Arc::clone(&key.id), Arc::new(key))),
                Err(why) if fault.is_none() => fault = Some((before + index + 1, why)),
                Err(_) => {}
            }
        }
        writer.lines = before + read.lines.len();
        self.keys.store(Arc::new(keys));
        match fault {
            Some((line, fault)) => {
                Err(KeyError::Line { path: writer.file.path().display().to_string(), line, fault })
            }
            None => Ok(true),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key store of a configuration; its state directory is made where it is not there.
///
/// # Errors
/// The directory cannot be made, no sealing key is usable, or the store is not whole.
pub fn of(config: &Config) -> anyhow::Result<KeyStore> {
    files::prepare(&config.state)?;
    Ok(KeyStore::open(&config.state, sealing(config)?)?)
}

/// The sealing key of a configuration.
///
/// # Errors
/// It is no key, or others may read it.
pub fn sealing(config: &Config) -> Result<SealingKey, KeyError> {
    let given = environment(SEALING_KEY);
    let credentials = environment("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    SealingKey::find(&config.state, given.as_deref(), credentials.as_deref())
}

fn fresh(new: &NewKey, id: String, form: KeyForm, now: Timestamp) -> IssuedKey {
    IssuedKey {
        id: id.into(),
        form,
        party: new.party.clone(),
        on_behalf_of: new.on_behalf_of.clone(),
        upstream: Arc::clone(&new.upstream),
        created: now,
        expires: new.expires,
        revoked: None,
        inactive: None,
        session_token: None,
        lineage: Vec::new(),
        minted: None,
    }
}

/// Twenty characters, as every client takes them: a prefix of ours and eighty random bits.
fn random_id(prefix: &str) -> Result<String, KeyError> {
    const ALPHABET: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::Cryptography)?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied().map_or('A', char::from);
    Ok(prefix.chars().chain(bytes.iter().map(letter)).collect())
}

fn random_text(bytes: usize) -> Result<String, KeyError> {
    use base64::Engine as _;
    let mut random = zeroize::Zeroizing::new(vec![0; bytes]);
    aws_lc_rs::rand::fill(&mut random).map_err(|_| KeyError::Cryptography)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(&random))
}

#[cfg(test)]
mod tests;
