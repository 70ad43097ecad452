//! Identity by tokens of others: OpenID Connect issuers (GitHub Actions, GitLab, any), and clusters for their service
//! accounts.
//!
//! The issuer that a token names chooses the keys, and only those; then the first entry whose audience and conditions
//! fit says who it is. Leaves out the token itself (`jwt`) and fetching keys (`jwks`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use ordain_action::{ActorKind, DenialKind, Party};
use serde_json::Value;

use super::grant::{Grant, Pattern, Said};
use super::jwks::{Jwks, Source};
use super::jwt::{Proven, Read, SKEW, invalid};
use super::presented::unauthenticated;
use super::vouched::Vouched;
use crate::fault::Fault;
use crate::forward::Outward;
use crate::upstream::Upstreams;

/// Who the tokens of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRule {
    /// The issuer.
    pub issuer: String,
    /// What a token must be for.
    pub audience: String,
    /// Where the issuer's keys are.
    pub keys: Source,
    /// The algorithms taken.
    pub algorithms: Vec<Algorithm>,
    /// Whose claims are read.
    pub form: Form,
    /// What must be said, and as what.
    pub matches: BTreeMap<String, Pattern>,
    /// The kind of those who act for the subject, where such tokens are taken.
    pub act: Option<ActorKind>,
    /// Who it is then.
    pub grant: Grant,
}

/// Whose claims a token has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Those of an issuer, as they stand.
    Plain,
    /// Those of a cluster for a service account.
    ServiceAccount,
}

/// The most parties that one token may name as acting for one another.
const CHAIN_MAX: usize = 4;

/// Claims that are kept with a session beside the subject, where a token has them.
const TOLD: [&str; 6] = ["repository", "project_path", "ref", "run_id", "pod", "jti"];

/// The issuers that are believed.
#[derive(Debug, Default)]
pub(super) struct Issuers {
    rules: Vec<IssuerRule>,
    keys: BTreeMap<String, Arc<Jwks>>,
}

impl Issuers {
    /// Those of a configuration. Keys that `before` has from the same place are kept.
    pub(super) fn new(rules: Vec<IssuerRule>, before: Option<&Self>, outward: &Outward) -> Self {
        let mut keys = BTreeMap::new();
        for rule in &rules {
            let known = before.and_then(|before| before.keys.get(&rule.issuer));
            let same = known.filter(|known| *known.source() == rule.keys);
            let made = || Arc::new(Jwks::new(rule.keys.clone(), outward.clone()));
            keys.entry(rule.issuer.clone()).or_insert_with(|| same.cloned().unwrap_or_else(made));
        }
        Self { rules, keys }
    }

    /// Whether nobody is believed.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that a token may come to, by the issuer that it names.
    pub(super) fn rules_for(&self, token: &Read<'_>) -> impl Iterator<Item = &IssuerRule> {
        let issuer = token.issuer().map(str::to_owned);
        self.rules.iter().filter(move |rule| Some(&rule.issuer) == issuer.as_ref())
    }

    /// Who a token is, the issuer of which is believed.
    ///
    /// # Errors
    /// A [`Fault`] in words that tell the caller what to do.
    pub(super) async fn claim(
        &self,
        read: Read<'_>,
        upstreams: &Arc<Upstreams>,
        now: Timestamp,
    ) -> Result<(Vouched, &Grant), Fault> {
        let issuer = read.issuer().unwrap_or_default().to_owned();
        let keys =
            self.keys.get(&issuer).ok_or_else(|| invalid("its issuer (`iss`) is none that is believed"))?;
        let proven = keys.with(read, upstreams, now, |read, keys| read.prove(keys, now)).await??;
        let signed =
            |rule: &&IssuerRule| rule.issuer == issuer && rule.algorithms.contains(&proven.algorithm);
        let rules = || self.rules.iter().filter(signed);
        if rules().next().is_none() {
            return Err(invalid("its `alg` is not one that is taken of this issuer"));
        }
        if !rules().any(|rule| proven.is_for(&rule.audience)) {
            let text =
                "the token is for another audience (`aud`); ask its issuer for one that is for this gate";
            return Err(unauthenticated("wrong_audience", text));
        }
        for rule in rules().filter(|rule| proven.is_for(&rule.audience)) {
            let said = rule.form.said(&proven)?;
            let fits = |(name, pattern): (&String, &Pattern)| {
                said.get(name).is_some_and(|value| pattern.fits(value))
            };
            if rule.matches.iter().all(fits) {
                let vouched = rule.vouch(&proven, &said)?;
                return Ok((vouched, &rule.grant));
            }
        }
        let text = "the token is right, and nobody here is what it says; ask the operator for an entry under `identity` \
                    that its claims fit";
        Err(Fault::new(DenialKind::Unauthenticated, "claims_not_allowed", text))
    }
}

impl Form {
    fn said(self, proven: &Proven) -> Result<Said, Fault> {
        match self {
            Self::Plain => Ok(proven.said()),
            Self::ServiceAccount => service_account(proven),
        }
    }
}

/// What a cluster says of a service account: twice, and both must agree.
fn service_account(proven: &Proven) -> Result<Said, Fault> {
    let about = proven.claim("kubernetes.io");
    let at = |path: &[&str]| {
        path.iter().try_fold(about?, |value, name| value.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let (namespace, name) = (at(&["namespace"]), at(&["serviceaccount", "name"]));
    let uid = at(&["serviceaccount", "uid"]);
    let (Some(namespace), Some(name), Some(uid)) = (namespace, name, uid) else {
        return Err(invalid("it is no service account's (`kubernetes.io`)"));
    };
    if proven.subject != format!("system:serviceaccount:{namespace}:{name}") {
        return Err(invalid("its `sub` is another than its service account"));
    }
    let mut said = Said::from([
        ("namespace".to_owned(), namespace),
        ("service_account".to_owned(), name),
        ("uid".to_owned(), uid),
        ("sub".to_owned(), proven.subject.clone()),
    ]);
    for (word, value) in [("pod", at(&["pod", "name"])), ("jti", proven.said().remove("jti"))] {
        said.extend(value.map(|value| (word.to_owned(), value)));
    }
    Ok(said)
}

impl IssuerRule {
    fn vouch(&self, proven: &Proven, said: &Said) -> Result<Vouched, Fault> {
        let (subject, behind) = self.grant.parties(said)?;
        let (party, on_behalf_of) = self.acting(proven.claim("act"), subject, behind)?;
        let told = TOLD.iter().filter_map(|name| Some(format!("{name}={}", said.get(*name)?)));
        let told: Vec<String> = told.collect();
        Ok(Vouched::new(
            (party, on_behalf_of),
            &format!("oidc:{}#{}", self.issuer, proven.subject),
            &told.join(" "),
            // As long as it is taken.
            Some(proven.expires.checked_add(SKEW).unwrap_or(Timestamp::MAX)),
        ))
    }

    /// Who acts, and for whom: the subject, or those whom `act` (RFC 8693 section 4.1) names as acting for it, the one
    /// who acts now outermost.
    fn acting(
        &self,
        act: Option<&Value>,
        subject: Party,
        behind: Vec<Party>,
    ) -> Result<(Party, Vec<Party>), Fault> {
        let Some(act) = act else { return Ok((subject, behind)) };
        let kind = self.act.ok_or_else(|| {
            let text = "the token was made for somebody who acts for another (`act`), which is not taken of this issuer; \
                        ask the operator";
            unauthenticated("delegation_not_allowed", text)
        })?;
        let (mut chain, mut next) = (Vec::new(), Some(act));
        while let Some(here) = next {
            let name = here.get("sub").and_then(Value::as_str).filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| invalid("its `act` names nobody"))?;
            let plain = |character: char| !character.is_whitespace() && !character.is_control();
            if chain.len() >= CHAIN_MAX || name.len() > 256 || !name.chars().all(plain) {
                return Err(invalid("its `act` cannot be followed"));
            }
            chain.push(Party { name: name.into(), kind });
            next = here.get("act");
        }
        let acts = chain.remove(0);
        Ok((acts, chain.into_iter().chain(std::iter::once(subject)).chain(behind).collect()))
    }
}
