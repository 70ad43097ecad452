//! Identity of who is on this machine: the user at the other end of the Unix socket, as the system says; and the single
//! user, which nothing proves.
//!
//! Leaves out the socket (`listen`).

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use ordain_decode::form::http1::host_name;

use super::grant::{Grant, Said};
use super::presented::unauthenticated;
use super::vouched::Vouched;
use crate::fault::Fault;
use crate::listen::{ConnectionInfo, WayIn};

/// Who a user of this machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRule {
    /// The user's number.
    pub uid: u32,
    /// Who it is.
    pub grant: Grant,
}

/// Who everybody on this machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleUserRule {
    /// Who it is.
    pub grant: Grant,
    /// The names of ours that clients may use, beside those of this machine; in lower case.
    pub names: Vec<String>,
}

/// Who a user is.
///
/// # Errors
/// A [`Fault`]: nobody here.
pub(super) fn user(rules: &[UserRule], uid: u32) -> Result<(Vouched, &Grant), Fault> {
    let rule = rules.iter().find(|rule| rule.uid == uid).ok_or_else(|| {
        let text = format!(
            "nobody here is the user {uid} of this machine; ask the operator for an entry under `identity.unix`, or send \
             a token"
        );
        unauthenticated("user_not_allowed", text)
    })?;
    let parties = rule.grant.parties(&Said::new())?;
    Ok((Vouched::new(parties, &format!("unix:{uid}"), "", None), &rule.grant))
}

impl SingleUserRule {
    /// Whether somebody on this machine asks, and no page in a browser of theirs. A page whose own name was made to stand
    /// for this machine sends nothing that tells it from a program, but that name.
    pub(super) fn fits(&self, connection: &ConnectionInfo, headers: &HeaderMap) -> bool {
        let named =
            headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(|host| self.is_own(host));
        // By the other ways in, the host is held to what the connection is for.
        (named || connection.way_in != WayIn::Reverse) && is_program(connection, headers)
    }

    fn is_own(&self, host: &str) -> bool {
        let name = host_name(host).to_ascii_lowercase();
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        address.is_ok_and(|address| address.to_canonical().is_loopback())
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.names.contains(&name)
    }

    /// The single user.
    ///
    /// # Errors
    /// A [`Fault`]: the name makes no sense.
    pub(super) fn vouch(&self) -> Result<(Vouched, &Grant), Fault> {
        let parties = self.grant.parties(&Said::new())?;
        let told = "advisory: nothing proves who this is";
        let vouched = Vouched::new(parties, "single-user:advisory", told, None).unproven();
        Ok((vouched, &self.grant))
    }
}

fn is_program(connection: &ConnectionInfo, headers: &HeaderMap) -> bool {
    let browser =
        headers.contains_key(ORIGIN) || headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"));
    let forwarded = headers.contains_key("forwarded") || headers.contains_key("x-forwarded-for");
    connection.peer.ip().to_canonical().is_loopback() && !browser && !forwarded
}
