//! Why an upstream cannot be used.

/// An upstream cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    /// There is none of that name.
    #[error("there is no upstream `{0}`; configure it")]
    Unknown(String),
    /// No credential was found.
    #[error("upstream `{upstream}` has no credential: {why}; sign in, or configure its `credentials`")]
    NoCredential {
        /// The upstream.
        upstream: String,
        /// What its source said.
        why: String,
    },
    /// Its credential is one that a gate issued.
    #[error("the credential of upstream `{0}` was issued by a gate; give the provider's own")]
    Loop(String),
    /// The account could not be asked for.
    #[error(
        "the account of upstream `{upstream}` cannot be verified: {why}; check its credential and endpoint"
    )]
    Unverified {
        /// The upstream.
        upstream: String,
        /// What the provider said.
        why: String,
    },
    /// The account is another than the one configured.
    #[error(
        "the credential of upstream `{upstream}` is of account `{found}` and not `{expected}`; correct one"
    )]
    OtherAccount {
        /// The upstream.
        upstream: String,
        /// The account configured, or verified before.
        expected: String,
        /// The account found.
        found: String,
    },
    /// The role cannot be assumed.
    #[error("the role `{role}` cannot be assumed for `{actor}`: {why}; check the role's trust policy")]
    Role {
        /// The role.
        role: String,
        /// For whom.
        actor: String,
        /// What the provider said.
        why: String,
    },
    /// The role's name cannot be made.
    #[error("the role `{0}` is not an ARN of a role; write `arn:aws:iam::ACCOUNT:role/NAME`")]
    BadRole(String),
    /// The actor's name cannot stand in a role's.
    #[error("the actor's name `{0}` cannot stand in a role's name; use letters, digits and `+=,.@_-`")]
    BadActor(String),
    /// The endpoint is ours, or one that no provider has.
    #[error("the endpoint `{endpoint}` of upstream `{upstream}` is {why}; give the provider's")]
    Endpoint {
        /// The upstream.
        upstream: String,
        /// The endpoint.
        endpoint: String,
        /// What it is.
        why: &'static str,
    },
}
