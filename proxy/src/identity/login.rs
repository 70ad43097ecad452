//! People who log in to the admin address with a token of an OpenID Connect provider.
//!
//! The same tokens and keys as for requests (`jwt`, `jwks`), held to more: such a token was made just now, for this one
//! login, and is taken once. Leaves out what a session is (`people`) and whether the model knows the person.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use ordain_action::{DenialKind, Digest};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::grant::{Pattern, Template};
use super::jwks::{Jwks, Source};
use super::jwt::{Proven, Read, SKEW, invalid};
use super::presented::unauthenticated;
use crate::fault::Fault;
use crate::forward::Outward;
use crate::people::{Role, Roles};
use crate::upstream::Upstreams;

/// How long after it was made a token may be logged in with.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Who may log in with the tokens of a provider, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRule {
    /// The provider.
    pub issuer: String,
    /// The client that a token must be for.
    pub audience: String,
    /// Where the provider's keys are.
    pub keys: Source,
    /// The algorithms taken.
    pub algorithms: Vec<Algorithm>,
    /// What must be said, and as what.
    pub matches: BTreeMap<String, Pattern>,
    /// The person's name.
    pub person: Template,
    /// What the person may do, each where more is said.
    pub roles: Vec<(Role, BTreeMap<String, Pattern>)>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginRules(pub Vec<LoginRule>);

impl LoginRules {
    /// What is in force, a line each, for people and for the ledger.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for rule in &self.0 {
            let algorithms: Vec<String> = rule.algorithms.iter().map(|one| format!("{one:?}")).collect();
            for (role, more) in &rule.roles {
                let conditions = rule.matches.iter().chain(more);
                let conditions: Vec<String> =
                    conditions.map(|(name, value)| format!("{name}={}", value.as_str())).collect();
                lines.push(format!(
                    "people log in as `{}` with tokens of `{}` for `{}` signed with {} under the keys of {} where {}, and are {}",
                    rule.person.as_text(),
                    rule.issuer,
                    rule.audience,
                    algorithms.join(" or "),
                    rule.keys.shown(),
                    if conditions.is_empty() { "nothing is asked".to_owned() } else { conditions.join(" and ") },
                    role.as_str()
                ));
            }
        }
        lines
    }
}

/// Whom a token shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// The person's name.
    pub person: Arc<str>,
    /// Who says so.
    pub issuer: Arc<str>,
    /// What the person may do.
    pub roles: Roles,
}

/// The providers that are believed.
#[derive(Debug, Default)]
pub struct LoginIssuers {
    rules: Arc<LoginRules>,
    keys: BTreeMap<String, Arc<Jwks>>,
    // Tokens that were logged in with, until they are too old to be.
    used: Arc<Mutex<HashMap<Digest, Timestamp>>>,
}

impl LoginIssuers {
    /// Those of a configuration. Keys that `before` has from the same place are kept, and what was used stays used.
    #[must_use]
    pub fn new(rules: LoginRules, before: &Self, outward: &Outward) -> Self {
        let mut keys = BTreeMap::new();
        for rule in &rules.0 {
            let known = before.keys.get(&rule.issuer).filter(|known| *known.source() == rule.keys);
            let made = || Arc::new(Jwks::new(rule.keys.clone(), outward.clone()));
            keys.entry(rule.issuer.clone()).or_insert_with(|| known.cloned().unwrap_or_else(made));
        }
        Self { rules: Arc::new(rules), keys, used: Arc::clone(&before.used) }
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &Arc<LoginRules> {
        &self.rules
    }

    /// Whom a token shows that somebody logs in with; `nonce` is what it was asked for with, where that is known.
    ///
    /// # Errors
    /// A [`Fault`] in words that tell the caller what to do.
    pub async fn claim(
        &self,
        token: &str,
        nonce: Option<&str>,
        upstreams: &Arc<Upstreams>,
        now: Timestamp,
    ) -> Result<LoggedIn, Fault> {
        let read = Read::new(token)?;
        let issuer = read.issuer().unwrap_or_default().to_owned();
        let keys = self.keys.get(&issuer).ok_or_else(|| {
            let text = "the provider of the token (`iss`) is not one that people log in with here; ask the operator for an \
                        entry under `login.oidc`";
            unauthenticated("unknown_issuer", text)
        })?;
        let proven = keys.with(read, upstreams, now, |read, keys| read.prove(keys, now)).await??;
        is_fresh(&proven, nonce, now)?;
        let signed = |rule: &&LoginRule| rule.issuer == issuer && rule.algorithms.contains(&proven.algorithm);
        let for_us: Vec<&LoginRule> =
            self.rules.0.iter().filter(signed).filter(|rule| is_for(&proven, &rule.audience)).collect();
        if for_us.is_empty() {
            let text = "the token is for another client (`aud`), or signed otherwise than is taken of its provider; log in \
                        with one that is for this gate";
            return Err(unauthenticated("wrong_audience", text));
        }
        let rule = for_us.into_iter().find(|rule| all_fit(&proven, &rule.matches));
        let rule = rule.ok_or_else(|| nobody("no entry under `login.oidc` fits what it says"))?;
        let logged_in = rule.logged_in(&proven)?;
        self.use_once(token, now)?;
        Ok(logged_in)
    }

    /// Refuses a token that was logged in with before: whoever sees one go by must not be able to use it.
    fn use_once(&self, token: &str, now: Timestamp) -> Result<(), Fault> {
        // Without the signature: of some there are several that are right.
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, until| now < *until);
        let until = now.checked_add(FRESH + SKEW + SKEW).unwrap_or(Timestamp::MAX);
        match used.insert(Digest::of(signed.as_bytes()), until) {
            None => Ok(()),
            Some(_) => Err(invalid("it was logged in with before")),
        }
    }
}

impl LoginRule {
    fn logged_in(&self, proven: &Proven) -> Result<LoggedIn, Fault> {
        if self.person.asks_for().any(|name| name == "email") && !is_true(proven.claim("email_verified")) {
            let text = "the provider has not verified the address (`email_verified`) that the person is named by; verify it \
                        there, and log in again";
            return Err(unauthenticated("email_not_verified", text));
        }
        let person = self.person.name(&proven.said())?;
        let given = self.roles.iter().filter(|(_, more)| all_fit(proven, more));
        let roles: Roles = given.map(|(role, _)| *role).collect();
        if roles.is_empty() {
            return Err(nobody("nothing of what it says gives a role"));
        }
        Ok(LoggedIn { person, issuer: self.issuer.as_str().into(), roles })
    }
}

/// Whether a token is for a client, and not handed on by another one for which it was made (OpenID Connect Core section
/// 3.1.3.7).
fn is_for(proven: &Proven, audience: &str) -> bool {
    let party = proven.claim("azp");
    proven.is_for(audience) && party.is_none_or(|party| party.as_str() == Some(audience))
}

/// Refuses a token that was not made just now, or not for this login.
fn is_fresh(proven: &Proven, nonce: Option<&str>, now: Timestamp) -> Result<(), Fault> {
    let issued = proven.issued()?.ok_or_else(|| invalid("it says not when it was made (`iat`)"))?;
    if now.duration_since(issued) > FRESH + SKEW {
        let text = format!("the token was made at `{issued}`, too long ago to log in with; get a new one");
        return Err(unauthenticated("token_too_old", text));
    }
    let Some(nonce) = nonce else { return Ok(()) };
    let said = proven.claim("nonce").and_then(Value::as_str).unwrap_or_default();
    if nonce.is_empty() || !bool::from(said.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(invalid("it was made for another login (`nonce`)"));
    }
    Ok(())
}

fn is_true(value: Option<&Value>) -> bool {
    // Some providers write it as a text.
    value.is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true"))
}

fn all_fit(proven: &Proven, conditions: &BTreeMap<String, Pattern>) -> bool {
    conditions.iter().all(|(name, pattern)| proven.claim(name).is_some_and(|value| fits(value, pattern)))
}

/// Whether a value fits; of a list, as groups are written, one element has to.
fn fits(value: &Value, pattern: &Pattern) -> bool {
    match value {
        Value::String(text) => pattern.fits(text),
        Value::Bool(is) => pattern.fits(&is.to_string()),
        Value::Number(number) => pattern.fits(&number.to_string()),
        Value::Array(all) => all.iter().filter_map(Value::as_str).any(|one| pattern.fits(one)),
        Value::Null | Value::Object(_) => false,
    }
}

fn nobody(why: &str) -> Fault {
    let text = format!("the token is right, and {why}; ask the operator");
    Fault::new(DenialKind::Unauthenticated, "claims_not_allowed", text)
}
