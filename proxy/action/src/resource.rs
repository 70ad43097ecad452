//! What an effect touches: resources under their plane's canonical names.

use std::sync::Arc;

/// What part a resource plays in an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// What is changed or read.
    Target,
    /// What the target lives in: for a create, the scope that decides whether it may exist.
    Parent,
    /// What the effect refers to without changing it (a subnet to launch into, an image, a role).
    Uses,
}

impl Role {
    /// The word used in output, evidence and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Parent => "parent",
            Self::Uses => "uses",
        }
    }
}

/// How a canonical name came to be. A bound name never grants: see `NameBasis::Bound`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameBasis {
    /// The request itself carries the full name.
    Carried,
    /// Built from identifiers by a binding that a person reviewed.
    Reviewed,
    /// Built from identifiers by matching member names against the vendor's template. It may be
    /// wrong: it can widen what a change is judged to touch, but can never be the reason to permit.
    Bound,
    /// The account, project or cluster as a whole, because the request names nothing narrower.
    Scope,
    /// No name could be built; only the raw identifiers are known.
    Unnamed,
}

impl NameBasis {
    /// The word used in output and evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Reviewed => "reviewed",
            Self::Bound => "bound",
            Self::Scope => "scope",
            Self::Unnamed => "unnamed",
        }
    }
}

/// An identifier as it stands in the request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// The member it was read from, for example `InstanceId`.
    pub name: Arc<str>,
    /// The value, as sent.
    pub value: String,
}

/// One resource of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The part it plays.
    pub role: Role,
    /// Its type as `service-prefix:type`, for example `ec2:instance` (the provider's IAM vocabulary).
    pub kind: Arc<str>,
    /// The canonical name (for AWS an ARN), or empty when [`NameBasis::Unnamed`].
    pub name: String,
    /// How the name came to be.
    pub basis: NameBasis,
    /// The name is a pattern (a wildcard or a selector): all matches and an unknown remainder are meant.
    pub pattern: bool,
    /// The raw identifiers the name was built from, beside it.
    pub identifiers: Vec<Identifier>,
}
