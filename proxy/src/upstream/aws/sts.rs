//! The two calls that Ordain makes of its own: whose credential it is, and a role for an actor.
//!
//! They go to the upstream's own endpoint, never through the environment's, which may be this gate. Leaves out when
//! they are made.

use aws_credential_types::Credentials;
use aws_sdk_sts::config::BehaviorVersion;
use aws_sdk_sts::types::Tag;
use aws_sdk_sts::{Client, Config};
use aws_types::region::Region;
use http::Uri;
use jiff::Timestamp;
use ordain_action::Party;
use ordain_sigv4::{KeyPair, Secret};

use super::cached::Fetched;
use crate::chain::Outlet;
use crate::upstream::UpstreamError;

/// The token service of one upstream.
#[derive(Debug, Clone)]
pub(super) struct Sts {
    upstream: String,
    config: Config,
}

/// Whose credential it is.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) partition: String,
}

impl Sts {
    pub(super) fn new(upstream: &str, endpoint: Option<&Uri>, region: &Region, outlet: &Outlet) -> Self {
        let mut config = Config::builder().behavior_version(BehaviorVersion::latest()).region(region.clone());
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint.to_string());
        }
        config.set_http_client(outlet.library());
        Self { upstream: upstream.to_owned(), config: config.build() }
    }

    pub(super) async fn caller(&self, pair: &KeyPair) -> Result<Caller, UpstreamError> {
        let unverified = |why: String| UpstreamError::Unverified { upstream: self.upstream.clone(), why };
        let answer = self.client(pair).get_caller_identity().send().await;
        let answer = answer.map_err(|error| unverified(chain(&error)))?;
        let account = answer.account().filter(|account| is_account(account));
        let partition = answer.arn().and_then(|arn| arn.strip_prefix("arn:")?.split(':').next());
        match (account, partition) {
            (Some(account), Some(partition)) => {
                Ok(Caller { account: account.to_owned(), partition: partition.to_owned() })
            }
            (None, _) | (_, None) => Err(unverified("the answer names no account".to_owned())),
        }
    }

    pub(super) async fn assume(
        &self,
        pair: &KeyPair,
        role: &str,
        party: &Party,
    ) -> Result<Fetched, UpstreamError> {
        let refused =
            |why: String| UpstreamError::Role { role: role.to_owned(), actor: party.name.to_string(), why };
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = [tag("ordain-actor", &tag_value(&party.name)), tag("ordain-kind", party.kind.as_str())];
        let tags: Result<Vec<Tag>, _> = tags.into_iter().collect();
        let session = session_name(&party.name);
        let answer = self
            .client(pair)
            .assume_role()
            .role_arn(role)
            .role_session_name(&session)
            .source_identity(&session)
            .set_tags(Some(tags.map_err(|error| refused(error.to_string()))?))
            .transitive_tag_keys("ordain-actor")
            .transitive_tag_keys("ordain-kind")
            .send()
            .await
            .map_err(|error| refused(chain(&error)))?;
        let found =
            answer.credentials().ok_or_else(|| refused("the answer carries no credential".to_owned()))?;
        Ok(Fetched {
            expires: Some(
                Timestamp::from_second(found.expiration().secs())
                    .map_err(|error| refused(error.to_string()))?,
            ),
            pair: KeyPair {
                id: found.access_key_id().to_owned(),
                secret: Secret::new(found.secret_access_key().to_owned()),
                session_token: Some(Secret::new(found.session_token().to_owned())),
            },
        })
    }

    fn client(&self, pair: &KeyPair) -> Client {
        let token = pair.session_token.as_ref().map(|token| token.expose().to_owned());
        let credentials = Credentials::new(pair.id.clone(), pair.secret.expose(), token, None, "ordain");
        Client::from_conf(self.config.to_builder().credentials_provider(credentials).build())
    }
}

/// The account of a role's ARN; `None` when it is not one.
pub(super) fn role_account(role: &str) -> Option<&str> {
    let mut parts = role.splitn(6, ':');
    let (Some("arn"), Some(_), Some("iam"), Some(""), Some(account), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    (is_account(account) && name.starts_with("role/")).then_some(account)
}

/// The role for a party.
pub(super) fn role_for(template: &str, party: &Party) -> Result<String, UpstreamError> {
    // Two names that became one would share a role.
    if template.contains("{actor}") && session_name(&party.name) != *party.name {
        return Err(UpstreamError::BadActor(party.name.to_string()));
    }
    Ok(template.replace("{actor}", &party.name).replace("{kind}", party.kind.as_str()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name that a role session can have: two to 64 characters of a closed set.
fn session_name(name: &str) -> String {
    let mut session: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' })
        .take(64)
        .collect();
    while session.len() < 2 {
        session.push('-');
    }
    session
}

/// A value that a session tag can have.
fn tag_value(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    name.chars().map(|c| if fits(c) { c } else { '-' }).take(256).collect()
}

/// An SDK's error with its causes.
pub(super) fn chain(error: &impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
