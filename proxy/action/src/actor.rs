//! Who asks, on whose behalf, and with which upstream they are bound.

use std::sync::Arc;

use crate::Plane;

/// What sort of actor a credential was registered for. Never taken from a claim in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActorKind {
    /// A human being at a keyboard.
    Person,
    /// An automated process with a fixed definition, such as a CI job.
    Pipeline,
    /// A program that chooses its own next step, such as a language-model agent.
    Agent,
}

impl ActorKind {
    /// The word used in configuration, evidence and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Pipeline => "pipeline",
            Self::Agent => "agent",
        }
    }

    /// Reads the word written by [`ActorKind::as_str`]; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "person" => Some(Self::Person),
            "pipeline" => Some(Self::Pipeline),
            "agent" => Some(Self::Agent),
            _ => None,
        }
    }
}

/// Whether the identity was shown by a signature we verified, or only stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityProof {
    /// The request carries a signature or token that only the actor can make, and it was verified.
    Proven,
    /// The request states the identity, and nothing verified it (pass-through credentials).
    Claimed,
}

/// One of the parties an action is judged for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Party {
    /// The name the model knows the party by, for example `alice` or `deploy-bot`.
    pub name: Arc<str>,
    /// The sort of actor.
    pub kind: ActorKind,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The party whose credential signed the request.
    pub party: Party,
    /// The public part of the credential used, for example an issued access key id.
    pub credential: Arc<str>,
    /// Whether the identity was verified.
    pub proof: IdentityProof,
    /// Those for whom the actor acts, nearest first. The action must be admitted for each of them too.
    pub on_behalf_of: Vec<Party>,
    /// The upstream role session behind a minted credential (an assumed role's ARN), when there is one.
    pub session: Option<Arc<str>>,
    /// The upstream that the credential is bound to.
    pub upstream: Upstream,
}

/// A control plane seen through one credential: what an issued credential is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Upstream {
    /// The name in configuration, for example `default`.
    pub name: Arc<str>,
    /// The plane it serves.
    pub plane: Plane,
    /// The account, tenant, project or cluster: for AWS the twelve digits verified at start, for Kubernetes the name
    /// that configuration gives the cluster.
    pub account: Arc<str>,
    /// For AWS the partition (`aws`, `aws-cn`, `aws-us-gov`, …); empty where the plane has none.
    pub partition: Arc<str>,
}
