//! Identity of who is on this machine: the user at the other end of the Unix socket, as the system says; and the single
//! user, which nothing proves.
//!
//! Leaves out the socket (`listen`).

use http::HeaderMap;
use http::header::ORIGIN;

use super::grant::{Grant, Said};
use super::presented::unauthenticated;
use super::vouched::Vouched;
use crate::fault::Fault;
use crate::listen::ConnectionInfo;

/// Who a user of this machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRule {
    /// The user's number.
    pub uid: u32,
    /// Who it is.
    pub grant: Grant,
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

/// Whether somebody on this machine asks, and no page in a browser of theirs.
pub(super) fn is_single_user(connection: &ConnectionInfo, headers: &HeaderMap) -> bool {
    let browser =
        headers.contains_key(ORIGIN) || headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"));
    let forwarded = headers.contains_key("forwarded") || headers.contains_key("x-forwarded-for");
    connection.peer.ip().to_canonical().is_loopback() && !browser && !forwarded
}

/// The single user.
///
/// # Errors
/// A [`Fault`]: the name makes no sense.
pub(super) fn single_user(grant: &Grant) -> Result<(Vouched, &Grant), Fault> {
    let parties = grant.parties(&Said::new())?;
    Ok((
        Vouched::new(parties, "single-user:advisory", "advisory: nothing proves who this is", None)
            .unproven(),
        grant,
    ))
}
