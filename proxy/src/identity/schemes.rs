//! The schemes in force, beside issued keys: whom a configuration believes about whom.
//!
//! Leaves out what each of them does (a file each) and reading the configuration (`config::identity`).

use std::collections::BTreeSet;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use jiff::Timestamp;
use ordain_decode::Head;

use super::certificate::{self, Certificates};
use super::grant::Grant;
use super::issuers::{IssuerRule, Issuers};
use super::local::{self, SingleUserRule, UserRule};
use super::presented::{Presented, unauthenticated};
use super::vouched::Vouched;
use crate::fault::Fault;
use crate::forward::Outward;
use crate::keys::token::BEGINNING;
use crate::listen::ConnectionInfo;
use crate::upstream::Upstreams;

/// Who is believed about whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Issuers of tokens, those of clusters among them.
    pub issuers: Vec<IssuerRule>,
    /// Client certificates.
    pub certificates: Option<Certificates>,
    /// Users of this machine.
    pub users: Vec<UserRule>,
    /// Everybody on this machine, unproven.
    pub single_user: Option<SingleUserRule>,
}

/// The schemes in force.
#[derive(Debug, Default)]
pub struct Schemes {
    issuers: Issuers,
    rules: Rules,
}

impl Schemes {
    /// Those of a configuration. What is known of issuers that stay as they are is kept.
    #[must_use]
    pub fn new(rules: Rules, before: Option<&Self>, outward: &Outward) -> Self {
        let issuers = Issuers::new(rules.issuers.clone(), before.map(|before| &before.issuers), outward);
        Self { issuers, rules }
    }

    /// Who it is that has no key of ours.
    ///
    /// # Errors
    /// A [`Fault`] in words that tell the caller what to do, for the schemes that there are.
    pub(super) async fn claim(
        &self,
        presented: Presented<'_>,
        connection: &ConnectionInfo,
        head: &Head<'_>,
        upstreams: &Upstreams,
        now: Timestamp,
    ) -> Result<(Vouched, &Grant), Fault> {
        // What is presented and not right is not passed over for what the connection says.
        match presented {
            Presented::Bearer(_) if self.issuers.is_empty() => {
                let text = "the token is not one that is taken here; use one that `ordain key create --bearer` printed";
                Err(unauthenticated("unknown_token", text))
            }
            Presented::Bearer(token) => self.issuers.claim(token, upstreams, now).await,
            Presented::Nothing => self
                .shown_by(connection, head, now)
                .unwrap_or_else(|| Err(unauthenticated("missing_authentication", self.remedy()))),
        }
    }

    /// Whether the issuer that a token names is one whose tokens are taken.
    pub(super) fn believes(&self, token: &str) -> bool {
        self.issuers.rules_for(token).next().is_some()
    }

    /// Whom a connection shows, where it shows anybody.
    pub(super) fn shown_by(
        &self,
        connection: &ConnectionInfo,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Option<Result<(Vouched, &Grant), Fault>> {
        let certificate = connection.tls.as_ref().and_then(|tls| tls.client.as_ref());
        if let (Some(der), Some(taken)) = (certificate, &self.rules.certificates) {
            return Some(certificate::claim(&taken.rules, der, now));
        }
        if let Some(uid) = connection.uid {
            return Some(local::user(&self.rules.users, uid));
        }
        let single = self.rules.single_user.as_ref().filter(|rule| rule.fits(connection, head.headers));
        single.map(|rule| rule.vouch())
    }

    /// What would show who somebody is.
    fn remedy(&self) -> String {
        let mut ways = vec!["a token that `ordain key create --bearer` printed".to_owned()];
        let mut issuers: Vec<&str> = self.rules.issuers.iter().map(|rule| rule.issuer.as_str()).collect();
        issuers.dedup();
        for issuer in issuers.into_iter().take(3) {
            ways.push(format!("a token of `{issuer}`"));
        }
        let mut text = format!(
            "the request says nothing about whose it is; send `Authorization: Bearer` with {}",
            ways.join(" or ")
        );
        if self.rules.certificates.is_some() {
            text.push_str(", or connect with a client certificate");
        }
        if !self.rules.users.is_empty() {
            text.push_str(", or use the Unix socket");
        }
        text
    }

    /// The upstreams that a request may be for, by what it would be shown by. Nothing of that is proven.
    #[must_use]
    pub fn upstreams(
        &self,
        connection: &ConnectionInfo,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> BTreeSet<Arc<str>> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let grants: Vec<&Grant> = match (values.next(), values.next()) {
            (Some(_), Some(_)) => Vec::new(),
            (Some(value), None) => {
                let token = value.to_str().ok().and_then(|value| value.split_once(' '));
                let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
                let token =
                    token.map(|(_, token)| token.trim()).filter(|token| !token.starts_with(BEGINNING));
                let rules = token.into_iter().flat_map(|token| self.issuers.rules_for(token));
                rules.map(|rule| &rule.grant).collect()
            }
            // A presigned URL says by itself who it is from.
            (None, _) if uri.query().is_some_and(|query| query.to_ascii_lowercase().contains("x-amz-")) => {
                Vec::new()
            }
            (None, _) => self.grant_of_connection(connection, headers).into_iter().collect(),
        };
        grants.into_iter().flat_map(|grant| grant.upstreams.iter().cloned()).collect()
    }

    fn grant_of_connection(&self, connection: &ConnectionInfo, headers: &HeaderMap) -> Option<&Grant> {
        let certificate = connection.tls.as_ref().and_then(|tls| tls.client.as_ref());
        if let (Some(der), Some(taken)) = (certificate, &self.rules.certificates) {
            return certificate::rule(&taken.rules, der).map(|(rule, _)| &rule.grant);
        }
        if let Some(uid) = connection.uid {
            return self.rules.users.iter().find(|rule| rule.uid == uid).map(|rule| &rule.grant);
        }
        let single = self.rules.single_user.as_ref().filter(|rule| rule.fits(connection, headers));
        single.map(|rule| &rule.grant)
    }
}

impl Rules {
    /// What is in force, a line each, for people and for the ledger.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for rule in &self.issuers {
            let conditions = rule.matches.iter().map(|(name, value)| format!("{name}={}", value.as_str()));
            let conditions: Vec<String> = conditions.collect();
            let delegated = rule.act.map_or_else(String::new, |kind| format!(", acting {}", kind.as_str()));
            let algorithms: Vec<String> = rule.algorithms.iter().map(|one| format!("{one:?}")).collect();
            lines.push(format!(
                "tokens of `{}` for `{}` signed with {} under the keys of {} where {}{delegated} are {}",
                rule.issuer,
                rule.audience,
                algorithms.join(" or "),
                rule.keys.shown(),
                if conditions.is_empty() { "nothing is asked".to_owned() } else { conditions.join(" and ") },
                rule.grant.shown()
            ));
        }
        for certificates in self.certificates.iter() {
            for rule in &certificates.rules {
                lines.push(format!(
                    "client certificates under `{}`{} whose {} is `{}` are {}",
                    certificates.trust.display(),
                    certificates.revoked.as_ref().map_or_else(String::new, |path| format!(
                        " but for those revoked in `{}`",
                        path.display()
                    )),
                    rule.of.as_str(),
                    rule.is.as_str(),
                    rule.grant.shown()
                ));
            }
        }
        for rule in &self.users {
            lines.push(format!("the user {} on the Unix socket is {}", rule.uid, rule.grant.shown()));
        }
        for rule in self.single_user.iter() {
            lines.push(format!("ADVISORY: everybody on this machine is {}, unproven", rule.grant.shown()));
        }
        lines
    }
}
