//! The schemes in force, beside issued keys: whom a configuration believes about whom.
//!
//! Leaves out what each of them does (a file each) and reading the configuration (`config::identity`).

use std::collections::BTreeSet;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use jiff::Timestamp;

use super::certificate::{self, Certificates};
use super::grant::Grant;
use super::issuers::{IssuerRule, Issuers};
use super::jwt::Read;
use super::local::{self, SingleUserRule, UserRule};
use super::presented::unauthenticated;
use super::vouched::Vouched;
use crate::fault::Fault;
use crate::forward::Outward;
use crate::keys::token::{self, BEGINNING};
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

/// What of a connection shows somebody.
enum Shower<'s, 'c> {
    /// A client certificate, and those that are taken.
    Certificate(&'c [u8], &'s Certificates),
    /// The user at the other end of a Unix socket.
    User(u32),
    /// That it is of this machine.
    Single(&'s SingleUserRule),
}

impl Schemes {
    /// Those of a configuration. What is known of issuers that stay as they are is kept.
    #[must_use]
    pub fn new(rules: Rules, before: Option<&Self>, outward: &Outward) -> Self {
        let issuers = Issuers::new(rules.issuers.clone(), before.map(|before| &before.issuers), outward);
        Self { issuers, rules }
    }

    /// A token whose issuer is one whose tokens are taken. Nothing of it is proven.
    pub(super) fn read<'t>(&self, token: &'t str) -> Option<Read<'t>> {
        Read::new(token).ok().filter(|read| self.issuers.rules_for(read).next().is_some())
    }

    /// Who it is whose token this is.
    ///
    /// # Errors
    /// A [`Fault`] in words that tell the caller what to do.
    pub(super) async fn by_token(
        &self,
        read: Read<'_>,
        upstreams: &Arc<Upstreams>,
        now: Timestamp,
    ) -> Result<(Vouched, &Grant), Fault> {
        self.issuers.claim(read, upstreams, now).await
    }

    /// What is said of a token that nobody who is believed made.
    pub(super) fn nobodys(&self, token: &str) -> Fault {
        if self.issuers.is_empty() {
            let text =
                "the token is not one that is taken here; use one that `ordain key create --bearer` printed";
            return unauthenticated("unknown_token", text);
        }
        Read::new(token).err().unwrap_or_else(|| {
            let text = "the issuer of the token (`iss`) is not one that is believed here; use another token, or ask the \
                        operator for an entry under `identity`";
            unauthenticated("unknown_issuer", text)
        })
    }

    /// Whom a connection shows, where it shows anybody.
    pub(super) fn by_connection(
        &self,
        connection: &ConnectionInfo,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Result<(Vouched, &Grant), Fault>> {
        Some(match self.shower(connection, headers)? {
            Shower::Certificate(der, taken) => certificate::claim(&taken.rules, der, now),
            Shower::User(uid) => local::user(&self.rules.users, uid),
            Shower::Single(rule) => rule.vouch(),
        })
    }

    /// What is said of somebody whom nothing shows.
    #[must_use]
    pub fn nobody(&self) -> Fault {
        unauthenticated("missing_authentication", self.remedy())
    }

    /// What of a connection shows somebody. What is presented and not right is not passed over for what comes after it.
    fn shower<'s, 'c>(
        &'s self,
        connection: &'c ConnectionInfo,
        headers: &HeaderMap,
    ) -> Option<Shower<'s, 'c>> {
        let certificate = connection.tls.as_ref().and_then(|tls| tls.client.as_ref());
        if let (Some(der), Some(taken)) = (certificate, &self.rules.certificates) {
            return Some(Shower::Certificate(der, taken));
        }
        if let Some(uid) = connection.uid {
            return Some(Shower::User(uid));
        }
        let single = self.rules.single_user.as_ref();
        single.filter(|rule| rule.fits(connection, headers)).map(Shower::Single)
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
        let grants: Vec<&Grant> = match (headers.contains_key(AUTHORIZATION), token::presented(headers)) {
            (_, Some(token)) if token.starts_with(BEGINNING) => Vec::new(),
            (_, Some(token)) => {
                let read = Read::new(token).ok();
                let rules = read.iter().flat_map(|read| self.issuers.rules_for(read));
                rules.map(|rule| &rule.grant).collect()
            }
            (true, None) => Vec::new(),
            // A presigned URL says by itself who it is from.
            (false, None)
                if uri.query().is_some_and(|query| query.to_ascii_lowercase().contains("x-amz-")) =>
            {
                Vec::new()
            }
            (false, None) => self.grant_of(connection, headers).into_iter().collect(),
        };
        grants.into_iter().flat_map(|grant| grant.upstreams.iter().cloned()).collect()
    }

    fn grant_of(&self, connection: &ConnectionInfo, headers: &HeaderMap) -> Option<&Grant> {
        match self.shower(connection, headers)? {
            Shower::Certificate(der, taken) => {
                certificate::rule(&taken.rules, der).map(|(rule, _)| &rule.grant)
            }
            Shower::User(uid) => self.rules.users.iter().find(|rule| rule.uid == uid).map(|rule| &rule.grant),
            Shower::Single(rule) => Some(&rule.grant),
        }
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
