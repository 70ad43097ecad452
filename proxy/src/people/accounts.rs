//! The accounts of people who log in with a password and a code: a file of the state directory, replaced whole.
//!
//! Several processes may change it: each takes the lock, reads what is there, and puts another file in its place. Leaves
//! out the evidence of a change (the caller records it first) and whether the model knows the person (`people`).

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ordain_action::Digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::code::CodeSecret;
use super::password;
use super::role::{Role, Roles};
use crate::config::Config;
use crate::files;
use crate::keys::{self, KeyError, SealingKey};

/// The version of the format.
const VERSION: u32 = 1;

/// The longest name: it stands in evidence.
pub(super) const NAME_MAX: usize = 256;

/// What went wrong with the accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file cannot be read or written.
    #[error("`{path}` cannot be used: {why}; check the state directory")]
    Io {
        /// The file.
        path: String,
        /// What the system said. No cause of its own: it would be said twice.
        why: io::Error,
    },
    /// The file is not what it should be.
    #[error("`{path}` {why}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// There is no account of that name.
    #[error("there is no account `{0}`; list them with `ordain account list`")]
    Unknown(String),
    /// There is one already.
    #[error(
        "there is an account `{0}` already; change it with `ordain account set` or `ordain account reset`"
    )]
    Taken(String),
    /// The name cannot be used.
    #[error("the name `{0}` is empty, too long or holds control characters; give the one that the model has")]
    BadName(String),
    /// What it is sealed under cannot be used.
    #[error(transparent)]
    Sealing(#[from] KeyError),
}

/// The account of a person.
#[derive(Debug, Clone)]
pub struct Account {
    /// The person, by the name that the model knows.
    pub name: Arc<str>,
    /// What the person may do.
    pub roles: Roles,
    /// Since when there is the account.
    pub created: Timestamp,
    /// Since when it is disabled, where it is.
    pub disabled: Option<Timestamp>,
    // Since when it is in force with the factors that it has.
    since: Timestamp,
    password: String,
    secret: CodeSecret,
}

impl Account {
    /// A new one, of a password as it is kept.
    #[must_use]
    pub fn new(name: &str, roles: Roles, password: String, secret: CodeSecret, created: Timestamp) -> Self {
        Self { name: name.into(), roles, created, disabled: None, since: created, password, secret }
    }

    /// Gives it another password and another secret: what was begun with the old ones ends.
    pub fn reset(&mut self, password: String, secret: CodeSecret, now: Timestamp) {
        (self.password, self.secret, self.since) = (password, secret, now);
    }

    /// Disables it: what was begun with it ends, and stays ended.
    pub const fn disable(&mut self, now: Timestamp) {
        self.disabled = Some(now);
    }

    /// Puts it in force again.
    pub const fn enable(&mut self, now: Timestamp) {
        (self.disabled, self.since) = (None, now);
    }

    /// What is kept of the password.
    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// What codes are made of.
    pub(super) const fn secret(&self) -> &CodeSecret {
        &self.secret
    }

    /// What tells it from one of the same name with other factors, and from itself before it was disabled.
    pub(super) fn standing(&self) -> Digest {
        let (password, secret, since) = (&self.password, self.secret.base32(), self.since);
        Digest::of(Zeroizing::new(format!("{password}\n{}\n{since}", secret.as_str())).as_bytes())
    }
}

/// Accounts by name.
pub type All = BTreeMap<Arc<str>, Account>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    accounts: Vec<One>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    name: String,
    roles: Vec<String>,
    password: String,
    // Sealed, in base64.
    totp: String,
    created: Timestamp,
    since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled: Option<Timestamp>,
}

/// What can be seen of the file without reading it; nothing where it is not there.
type Seen = Option<(u64, u64, Option<SystemTime>)>;

/// The accounts of a state directory.
#[derive(Debug)]
pub struct Accounts {
    path: PathBuf,
    lock: PathBuf,
    sealing: SealingKey,
    kept: Mutex<Option<(Seen, Arc<All>)>>,
}

impl Accounts {
    /// Those of a configuration.
    ///
    /// # Errors
    /// The state directory cannot be made, or no sealing key is usable.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        files::prepare(&config.state)?;
        Ok(Self::new(&config.state, keys::sealing(config)?))
    }

    /// Those of a state directory.
    #[must_use]
    pub fn new(state: &Path, sealing: SealingKey) -> Self {
        let (path, lock) = (state.join("accounts.json"), state.join("accounts.lock"));
        Self { path, lock, sealing, kept: Mutex::default() }
    }

    /// All of them as they are now. The file is read where it looks otherwise than when it was read last.
    ///
    /// # Errors
    /// [`AccountError`]: nobody has an account until it is right again.
    pub fn all(&self) -> Result<Arc<All>, AccountError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at before it is read: what is put in its place meanwhile is seen the next time.
        let seen = self.look()?;
        if let Some((before, all)) = &*kept
            && *before == seen
        {
            return Ok(Arc::clone(all));
        }
        let all = Arc::new(self.read()?);
        *kept = Some((seen, Arc::clone(&all)));
        Ok(all)
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`AccountError`]: nothing has changed then.
    pub fn add(&self, account: Account) -> Result<(), AccountError> {
        self.change(|all| {
            let name = Arc::clone(&account.name);
            is_name(&name)?;
            if all.contains_key(&name) {
                return Err(AccountError::Taken(name.to_string()));
            }
            all.insert(name, account);
            Ok(())
        })
    }

    /// Changes one.
    ///
    /// # Errors
    /// [`AccountError`]: nothing has changed then.
    pub fn set(&self, name: &str, change: impl FnOnce(&mut Account)) -> Result<(), AccountError> {
        self.change(|all| {
            change(all.get_mut(name).ok_or_else(|| AccountError::Unknown(name.to_owned()))?);
            Ok(())
        })
    }

    /// Takes one away.
    ///
    /// # Errors
    /// [`AccountError`]: nothing has changed then.
    pub fn remove(&self, name: &str) -> Result<(), AccountError> {
        self.change(|all| all.remove(name).map(drop).ok_or_else(|| AccountError::Unknown(name.to_owned())))
    }

    fn change(&self, change: impl FnOnce(&mut All) -> Result<(), AccountError>) -> Result<(), AccountError> {
        let mut private = OpenOptions::new();
        private.read(true).write(true).create(true).mode(0o600);
        let lock =
            private.clone().truncate(false).open(&self.lock).map_err(|why| io_error(&self.lock, why))?;
        lock.lock().map_err(|why| io_error(&self.lock, why))?;
        let mut all = self.read()?;
        change(&mut all)?;
        let draft = self.path.with_extension("draft");
        let failed = |why| io_error(&draft, why);
        let mut file = private.truncate(true).open(&draft).map_err(failed)?;
        file.write_all(&self.written(&all)?).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&draft, &self.path).map_err(failed)?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        // An account that was disabled must not be back after a power cut.
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|why| io_error(directory, why))
    }

    fn look(&self) -> Result<Seen, AccountError> {
        match fs::metadata(&self.path) {
            Ok(found) => Ok(Some((found.ino(), found.len(), found.modified().ok()))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(io_error(&self.path, why)),
        }
    }

    fn read(&self) -> Result<All, AccountError> {
        let malformed = |why: &str| AccountError::Malformed {
            path: self.path.display().to_string(),
            why: why.to_owned(),
        };
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(All::new()),
            Err(why) => return Err(io_error(&self.path, why)),
        };
        let mode = fs::metadata(&self.path).map_err(|why| io_error(&self.path, why))?.mode();
        if mode & 0o077 != 0 {
            return Err(malformed("can be read by others than its owner; run `chmod 600` on it"));
        }
        let restore = |why: &str| malformed(&format!("{why}; restore it from a copy"));
        let written: Written = serde_json::from_slice(&bytes)
            .map_err(|error| restore(&format!("is no file of accounts: {error}")))?;
        if written.version != VERSION {
            let why = format!(
                "is of version {}, which this build does not read; use the build that wrote it",
                written.version
            );
            return Err(malformed(&why));
        }
        let mut all = All::new();
        for one in written.accounts {
            let name = one.name.clone();
            let account =
                self.account(one).map_err(|why| restore(&format!("is wrong of `{name}`: {why}")))?;
            if all.insert(Arc::clone(&account.name), account).is_some() {
                return Err(restore(&format!("has `{name}` twice")));
            }
        }
        Ok(all)
    }

    fn account(&self, one: One) -> Result<Account, String> {
        is_name(&one.name).map_err(|_| "it is no name")?;
        let role = |word: &String| Role::parse(word).ok_or_else(|| format!("`{word}` is no role"));
        let roles = one.roles.iter().map(role).collect::<Result<Roles, String>>()?;
        if !password::is_kept_form(&one.password) {
            return Err("its password is not kept as it should be".to_owned());
        }
        let sealed = STANDARD.decode(&one.totp).ok();
        let opened = sealed.and_then(|sealed| self.sealing.open(about(&one.name).as_bytes(), &sealed));
        let secret = opened.and_then(|text| CodeSecret::from_base32(&text)).ok_or(
            "its `totp` does not open under this sealing key, or was changed: give the key that it was sealed under",
        )?;
        Ok(Account {
            name: one.name.into(),
            roles,
            created: one.created,
            since: one.since,
            disabled: one.disabled,
            password: one.password,
            secret,
        })
    }

    fn written(&self, all: &All) -> Result<Vec<u8>, AccountError> {
        let mut accounts = Vec::new();
        for account in all.values() {
            let sealed = self.sealing.seal(about(&account.name).as_bytes(), &account.secret.base32())?;
            accounts.push(One {
                name: account.name.to_string(),
                roles: account.roles.words().into_iter().map(str::to_owned).collect(),
                password: account.password.clone(),
                totp: STANDARD.encode(sealed),
                created: account.created,
                since: account.since,
                disabled: account.disabled,
            });
        }
        let text = serde_json::to_vec_pretty(&Written { version: VERSION, accounts });
        text.map_err(|error| io_error(&self.path, error.into()))
    }
}

/// What a secret is sealed about: it opens for no other person.
fn about(name: &str) -> String {
    format!("totp of {name}")
}

fn is_name(name: &str) -> Result<(), AccountError> {
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(AccountError::BadName(name.to_owned()));
    }
    Ok(())
}

fn io_error(path: &Path, why: io::Error) -> AccountError {
    AccountError::Io { path: path.display().to_string(), why }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn open(state: &Path) -> Accounts {
        Accounts::new(state, SealingKey::from_hex(&"5a".repeat(32)).unwrap())
    }

    fn now() -> Timestamp {
        "2026-11-23T21:00:00Z".parse().unwrap()
    }

    fn account(name: &str) -> Account {
        let kept = password::hash("correct horse battery").unwrap();
        let roles = [Role::Approver, Role::Operator].into_iter().collect();
        Account::new(name, roles, kept, CodeSecret::fresh().unwrap(), now())
    }

    #[test]
    fn what_one_process_writes_another_reads() {
        let state = tempfile::tempdir().unwrap();
        let (here, there) = (open(state.path()), open(state.path()));
        assert!(here.all().unwrap().is_empty());
        let made = account("alice");
        let code = made.secret().code_at(now());
        there.add(made.clone()).unwrap();
        let all = here.all().unwrap();
        let read = &all["alice"];
        assert_eq!((&read.roles, read.created, read.disabled), (&made.roles, now(), None));
        assert_eq!(read.secret().code_at(now()), code);
        assert_eq!(read.standing(), made.standing());
        let mode = fs::metadata(state.path().join("accounts.json")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        there.set("alice", |account| account.disable(now())).unwrap();
        assert_eq!(here.all().unwrap()["alice"].disabled, Some(now()));
        there.remove("alice").unwrap();
        assert!(here.all().unwrap().is_empty());
    }

    #[test]
    fn nothing_of_the_factors_stands_in_the_file() {
        let state = tempfile::tempdir().unwrap();
        let made = account("alice");
        open(state.path()).add(made.clone()).unwrap();
        let text = fs::read_to_string(state.path().join("accounts.json")).unwrap();
        assert!(!text.contains("correct horse") && !text.contains(made.secret().base32().as_str()), "{text}");
        // What is sealed for one opens for no other.
        let moved = text.replace("\"alice\"", "\"mallory\"");
        fs::write(state.path().join("accounts.json"), moved).unwrap();
        let said = open(state.path()).all().unwrap_err().to_string();
        assert!(said.contains("does not open under this sealing key"), "{said}");
    }

    #[test]
    fn what_is_not_as_it_should_be_is_nobodys_account() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("accounts.json");
        open(state.path()).add(account("alice")).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for (from, to, expected) in [
            ("\"version\": 1", "\"version\": 2", "version 2"),
            ("\"version\": 1", "\"more\": 0, \"version\": 1", "unknown field"),
            ("\"approver\"", "\"root\"", "`root` is no role"),
            ("$argon2id$", "$argon2d$", "not kept as it should be"),
        ] {
            fs::write(&path, good.replace(from, to)).unwrap();
            let said = open(state.path()).all().unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
            assert!(open(state.path()).add(account("bob")).is_err(), "written over what cannot be read");
        }
        fs::write(&path, &good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let said = open(state.path()).all().unwrap_err().to_string();
        assert!(said.contains("chmod 600"), "{said}");
    }

    #[test]
    fn a_name_is_one_persons() {
        let state = tempfile::tempdir().unwrap();
        let accounts = open(state.path());
        accounts.add(account("alice")).unwrap();
        assert!(matches!(accounts.add(account("alice")), Err(AccountError::Taken(_))));
        assert!(matches!(accounts.add(account("")), Err(AccountError::BadName(_))));
        assert!(matches!(accounts.remove("bob"), Err(AccountError::Unknown(_))));
    }

    #[test]
    fn an_account_that_was_reset_or_disabled_is_not_the_one_that_it_was() {
        let state = tempfile::tempdir().unwrap();
        let accounts = open(state.path());
        let (made, other) = (account("alice"), account("alice"));
        accounts.add(made.clone()).unwrap();
        let standing = || accounts.all().unwrap()["alice"].standing();
        let before = standing();
        let later = now() + jiff::SignedDuration::from_secs(1);
        accounts.set("alice", |kept| kept.disable(now())).unwrap();
        accounts.set("alice", |kept| kept.enable(later)).unwrap();
        let enabled = standing();
        assert_ne!(enabled, before);
        accounts.set("alice", |kept| kept.roles = Roles::default()).unwrap();
        assert_eq!(standing(), enabled, "roles are looked at anew by themselves");
        accounts
            .set("alice", |kept| kept.reset(other.password.clone(), other.secret.clone(), later))
            .unwrap();
        assert_ne!(standing(), enabled);
    }
}
