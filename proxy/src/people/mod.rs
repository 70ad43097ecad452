//! People who log in to the admin address: whom what they show makes them, and until when.
//!
//! A person is one of the model's, shown by an account of the state directory or by a provider that the settings name. Leaves
//! out the endpoints (`admin`), what each of them asks for, and the tokens of providers (`identity::login`).

pub mod accounts;
mod attempts;
mod code;
pub mod password;
mod role;
mod sessions;
pub mod wire;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{ActorKind, Party};
use ordain_evidence::ChangeKind;
use ordain_sigv4::Secret;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::events::{LoginHow, LoginResult};
use crate::forward::Outward;
use crate::gate::Gate;
use crate::identity::LoginIssuers;
use accounts::{Account, Accounts, All};
use attempts::Attempts;
pub use code::CodeSecret;
pub use role::{Role, Roles};
use sessions::{Ground, Session, Sessions};

/// How many passwords are verified at once: each takes 19 MiB, and a core while it lasts.
const AT_ONCE: usize = 2;

/// How many may wait for that.
const WAITING_MAX: usize = 64;

/// No refusal is told sooner: how long it took to find out is not to be seen.
const REFUSED_AFTER: Duration = Duration::from_millis(300);

/// How often sessions that nobody uses are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What codes that were used are counted under.
const CODES: &str = "totp";

/// What every gate needs for people to log in.
#[derive(Debug)]
pub struct People {
    gate: Arc<Gate>,
    accounts: Arc<Accounts>,
    sessions: Sessions,
    attempts: Attempts,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    issuers: Mutex<Arc<LoginIssuers>>,
}

/// How a person was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By a password and a code.
    Local,
    /// By a token of this provider.
    Oidc(Arc<str>),
}

/// A person who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that the model knows.
    pub name: Arc<str>,
    /// What the person may do now.
    pub roles: Roles,
    /// How the person was shown.
    pub how: How,
    /// When the session ends at the latest.
    pub expires: Timestamp,
}

/// Why nobody was logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLoggedIn {
    /// What was shown is not right. Of names, passwords and codes no more than that is said.
    Wrong(String),
    /// Too many have tried.
    TooMany,
    /// It cannot be known now.
    Unavailable(String),
}

impl People {
    /// Those of a gate.
    ///
    /// # Errors
    /// No sealing key is usable.
    pub fn of(gate: Arc<Gate>) -> anyhow::Result<Self> {
        Ok(Self {
            accounts: Arc::new(Accounts::of(&gate.config())?),
            sessions: Sessions::default(),
            attempts: Attempts::new(),
            hashing: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Semaphore::new(WAITING_MAX),
            issuers: Mutex::default(),
            gate,
        })
    }

    /// Logs in who shows a password and a code: the token of the session, and whose it is.
    ///
    /// # Errors
    /// [`NotLoggedIn`]
    pub async fn log_in(
        &self,
        peer: IpAddr,
        name: &str,
        password: Zeroizing<String>,
        code: &str,
    ) -> Result<(Secret, Person), NotLoggedIn> {
        let started = Instant::now();
        let logged_in = self.by_account(peer, name, password, code).await;
        self.told(LoginHow::Local, peer, &logged_in, started).await;
        logged_in
    }

    /// Logs in who shows a token of a provider; `nonce` is what it was asked for with, where that is known.
    ///
    /// # Errors
    /// [`NotLoggedIn`]
    pub async fn log_in_by_token(
        &self,
        peer: IpAddr,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<(Secret, Person), NotLoggedIn> {
        let started = Instant::now();
        let logged_in = self.by_issuer(peer, token, nonce).await;
        self.told(LoginHow::Oidc, peer, &logged_in, started).await;
        logged_in
    }

    /// Whose session a token is of, where it has not ended: by time, or with what the person logged in with, or since the
    /// model knows the person no more.
    pub async fn find(&self, token: &str) -> Option<Person> {
        let session = self.sessions.find(token, self.gate.clock.now())?;
        let person = self.person(&session).await;
        // What cannot be read now is no session's end, and shows nobody meanwhile.
        if let Ok(None) = &person {
            self.sessions.end(token);
        }
        person.ok().flatten()
    }

    /// Ends the sessions that are over, also those that nobody uses meanwhile: a person who was revoked and is allowed again
    /// logs in anew.
    pub async fn watch(&self) -> Infallible {
        loop {
            tokio::time::sleep(LOOK).await;
            for (hash, session) in self.sessions.lasting(self.gate.clock.now()) {
                if let Ok(None) = self.person(&session).await {
                    self.sessions.end_found(hash);
                }
            }
        }
    }

    /// Ends the session of a token.
    pub fn log_out(&self, token: &str) {
        if let Some(person) = self.sessions.end(token) {
            self.gate.metrics.logged_out(&person);
        }
    }

    /// The providers and the clients that people log in with.
    #[must_use]
    pub fn providers(&self) -> Vec<(String, String)> {
        let issuers = self.issuers();
        issuers.rules().0.iter().map(|rule| (rule.issuer.clone(), rule.audience.clone())).collect()
    }

    async fn by_account(
        &self,
        peer: IpAddr,
        name: &str,
        password: Zeroizing<String>,
        code: &str,
    ) -> Result<(Secret, Person), NotLoggedIn> {
        if !self.attempts.may(peer, Some(name)) {
            return Err(NotLoggedIn::TooMany);
        }
        let account = self.account(name, password, code).await?;
        let (account, step) = account.ok_or_else(wrong)?;
        let person = self.known(&account.name).ok_or_else(wrong)?;
        // INVARIANT: only who knows the password uses a code up, and of all who show the same one is logged in.
        match self.gate.state.is_first_to_reach(CODES, &person, step).await {
            Some(true) => {}
            Some(false) => return Err(wrong()),
            None => return Err(unavailable("it cannot be told whether the code was used before")),
        }
        let ground = Ground::Account(account.standing());
        self.begin(person, account.roles, ground, How::Local).await
    }

    async fn by_issuer(
        &self,
        peer: IpAddr,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<(Secret, Person), NotLoggedIn> {
        if !self.attempts.may(peer, None) {
            return Err(NotLoggedIn::TooMany);
        }
        let issuers = self.issuers();
        let claimed = issuers.claim(token, nonce, &self.gate.upstreams, self.gate.clock.now()).await;
        let shown = claimed.map_err(|fault| NotLoggedIn::Wrong(fault.denial().text))?;
        let person = self.known(&shown.person).ok_or_else(|| {
            let text =
                "the token is right, and the model has no such person, or has it revoked; ask the operator";
            NotLoggedIn::Wrong(text.to_owned())
        })?;
        let (issuer, under) = (Arc::clone(&shown.issuer), Arc::clone(issuers.rules()));
        let ground = Ground::Issuer { issuer: shown.issuer, under, roles: shown.roles.clone() };
        self.begin(person, shown.roles, ground, How::Oidc(issuer)).await
    }

    /// Begins a session, which is in the ledger before it is there.
    async fn begin(
        &self,
        name: Arc<str>,
        roles: Roles,
        ground: Ground,
        how: How,
    ) -> Result<(Secret, Person), NotLoggedIn> {
        let summary = format!("log in `{name}` by {}, as {}", how.shown(), roles.words().join(" and "));
        let recorded = self.gate.record_change_by(&name, ChangeKind::Key, summary, None, None).await;
        recorded.map_err(|why| NotLoggedIn::Unavailable(format!("the login cannot be recorded: {why}")))?;
        let begun = self.sessions.begin(&name, ground, self.gate.clock.now());
        let (token, expires) = begun.map_err(NotLoggedIn::Unavailable)?;
        self.gate.metrics.logged_in(&name, &how.shown());
        Ok((token, Person { name, roles, how, expires }))
    }

    /// The account of a name whose password and code these are, and the step that the code is of. What nobody knows takes
    /// as long as what somebody does.
    async fn account(
        &self,
        name: &str,
        password: Zeroizing<String>,
        code: &str,
    ) -> Result<Option<(Account, u64)>, NotLoggedIn> {
        let _waiting = self.waiting.try_acquire().map_err(|_| NotLoggedIn::TooMany)?;
        let all = self.all().await?;
        let permit = Arc::clone(&self.hashing).acquire_owned().await;
        let permit = permit.map_err(|_| unavailable("the gate stops"))?;
        let (name, code, now) = (name.to_owned(), code.to_owned(), self.gate.clock.now());
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let known = all.get(name.as_str());
            let is_right = password::is_right(&password, known.map(Account::password));
            let nobodys = if known.is_none() { CodeSecret::fresh().ok() } else { None };
            let secret = known.map(Account::secret).or(nobodys.as_ref());
            let step = secret.and_then(|secret| secret.step_of(&code, now));
            let account = known.filter(|account| is_right && account.disabled.is_none());
            account.cloned().zip(step)
        });
        verified.await.map_err(|error| NotLoggedIn::Unavailable(error.to_string()))
    }

    /// Who a session shows now; nobody where it is over.
    async fn person(&self, session: &Session) -> Result<Option<Person>, NotLoggedIn> {
        let Some(name) = self.known(&session.person) else { return Ok(None) };
        let (roles, how) = match &session.ground {
            Ground::Account(standing) => {
                let all = self.all().await?;
                let account = all.get(&name).filter(|account| account.disabled.is_none());
                match account.filter(|account| account.standing() == *standing) {
                    Some(account) => (account.roles.clone(), How::Local),
                    None => return Ok(None),
                }
            }
            Ground::Issuer { issuer, under, roles } if **under == self.gate.config().login => {
                (roles.clone(), How::Oidc(Arc::clone(issuer)))
            }
            // Under other settings it may show somebody else, or nobody.
            Ground::Issuer { .. } => return Ok(None),
        };
        Ok(Some(Person { name, roles, how, expires: session.lasts_until() }))
    }

    /// The name of a person that the model knows, and who is not revoked.
    fn known(&self, name: &str) -> Option<Arc<str>> {
        let party = Party { name: name.into(), kind: ActorKind::Person };
        let known = self.gate.model.snapshot().is_person(name) && !self.gate.keys.is_revoked(&party);
        known.then_some(party.name)
    }

    async fn all(&self) -> Result<Arc<All>, NotLoggedIn> {
        let accounts = Arc::clone(&self.accounts);
        // Files are read where nobody is served.
        let read = tokio::task::spawn_blocking(move || accounts.all().map_err(|error| error.to_string()));
        let read = read.await.unwrap_or_else(|error| Err(error.to_string()));
        self.gate.note_fault("accounts", read.as_ref().err().map(String::as_str));
        read.map_err(|_| unavailable("the accounts cannot be read; see `ordain doctor`"))
    }

    fn issuers(&self) -> Arc<LoginIssuers> {
        let config = self.gate.config();
        let mut kept = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if **kept.rules() != config.login {
            let outward = Outward::new(self.gate.own().addresses.clone(), config.limits.upstream_timeout)
                .leaving_by(self.gate.outward().outlet().clone());
            *kept = Arc::new(LoginIssuers::new(config.login.clone(), &kept, &outward));
        }
        Arc::clone(&kept)
    }

    /// Counts how it went. Who is refused waits for as long as everybody who is.
    async fn told<T>(
        &self,
        how: LoginHow,
        peer: IpAddr,
        logged_in: &Result<T, NotLoggedIn>,
        started: Instant,
    ) {
        let result = match logged_in {
            Ok(_) => LoginResult::In,
            Err(NotLoggedIn::Wrong(_)) => LoginResult::Refused,
            Err(NotLoggedIn::TooMany) => LoginResult::TooMany,
            Err(NotLoggedIn::Unavailable(_)) => LoginResult::Unavailable,
        };
        self.gate.metrics.login(how, result);
        if logged_in.is_ok() {
            return;
        }
        if let Some(in_a_row) = self.attempts.failed(self.gate.clock.now()) {
            self.gate.metrics.logins_failed(how, result, peer, in_a_row);
        }
        tokio::time::sleep_until(started + REFUSED_AFTER).await;
    }
}

impl How {
    /// In words, for evidence.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Local => "password and code".to_owned(),
            Self::Oidc(issuer) => format!("a token of `{issuer}`"),
        }
    }
}

fn wrong() -> NotLoggedIn {
    NotLoggedIn::Wrong(
        "the name, the password or the code is not right; try again with the next code".to_owned(),
    )
}

fn unavailable(why: &str) -> NotLoggedIn {
    NotLoggedIn::Unavailable(why.to_owned())
}
