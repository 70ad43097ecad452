//! What a request would do: effects, and what its answer will tell.

use std::fmt;
use std::sync::Arc;

use crate::{Actor, Parameters, Plane, Resource};

/// The class of an effect; it is the Cedar action too. Everything but `Read` is a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Changes nothing and hands out no secret.
    Read,
    /// Makes something new.
    Create,
    /// Changes something that is there.
    Update,
    /// Takes something away, or stops it from working.
    Delete,
    /// Changes who may do what.
    Grant,
    /// Opens something to a network or to the public.
    Expose,
    /// Runs something under another authority.
    Execute,
    /// Changes labels that carry no ownership.
    Tag,
    /// Hands out credentials or secrets.
    SecretRead,
}

impl Access {
    /// All classes, in the order of their words in the schema.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Grant,
        Self::Expose,
        Self::Execute,
        Self::Tag,
        Self::SecretRead,
    ];

    /// The word used in output, evidence and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Grant => "grant",
            Self::Expose => "expose",
            Self::Execute => "execute",
            Self::Tag => "tag",
            Self::SecretRead => "secret_read",
        }
    }

    /// Reads the word written by [`Access::as_str`]; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.as_str() == word)
    }

    /// Everything but a read is a change.
    #[must_use]
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::Read)
    }
}

/// Whether an effect changes infrastructure or the data that runs through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Infrastructure: instances, roles, tables.
    Control,
    /// Data inside it: items, messages, objects.
    Data,
}

impl Level {
    /// The word used in output and evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Data => "data",
        }
    }
}

/// One thing a request would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The plane's name for the service; for AWS the name botocore uses, for example `ec2`.
    pub service: Arc<str>,
    /// The plane's own name for the call, for example `TerminateInstances`.
    pub operation: Arc<str>,
    /// The permission the plane itself would check, for example `ec2:TerminateInstances`.
    pub iam_action: Arc<str>,
    /// The class of the effect.
    pub access: Access,
    /// Infrastructure or data.
    pub level: Level,
    /// What it touches; never empty.
    pub resources: Vec<Resource>,
    /// Every parameter of the request that bears on the effect.
    pub parameters: Parameters,
}

/// What a create's answer tells: where the identifier of the new resource stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIdentifier {
    /// The type of the new resource, for example `ec2:instance`.
    pub kind: Arc<str>,
    /// The member the identifier is known by, for example `InstanceId`.
    pub member: Arc<str>,
    /// Where it stands in the answer: element or key names from the root, lists are walked into.
    pub path: Vec<Arc<str>>,
}

/// The answer hands out a credential of the plane, which must not reach the caller as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Minted {
    /// `AssumeRole`, `AssumeRoleWithSAML`, `AssumeRoleWithWebIdentity`, `AssumeRoot`,
    /// `GetSessionToken`, `GetFederationToken`: temporary credentials that we can rewrite.
    Session,
    /// `CreateAccessKey`: a lasting key pair that we can rewrite.
    AccessKey,
    /// A token that requests carry as it is, such as that of a service account (`create serviceaccounts/token`): one
    /// text that we can rewrite.
    Bearer,
    /// A credential that we do not know how to rewrite: denied under custody.
    Unrewritable,
}

/// What becomes of a token that a request is about: the one that it was made with, or one that it names in its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnToken {
    /// The answer shows it.
    Shown,
    /// The answer shows it, and says its new end.
    Renewed,
    /// It ends.
    Ended,
}

/// What the answer to a call will carry that matters afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Identifiers of what the call creates.
    pub creates: Vec<NewIdentifier>,
    /// The answer hands out credentials.
    pub mints: Option<Minted>,
    /// The call is about a token of whoever asks. Whose that is the gate alone knows: where the gate's own would be meant,
    /// what hands it out or ends it stays [`Minted::Unrewritable`].
    pub own: Option<OwnToken>,
    /// What it asks for is a stream: the connection may be upgraded, once the upstream has said so.
    pub upgrades: bool,
    /// The request, its answer or both are messages for as long as either side likes.
    pub streams: bool,
}

/// One request, decoded: one or more effects.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The plane whose room decoded it.
    pub plane: Plane,
    /// What the request would do; never empty. Batches, passed roles and cascades are effects too.
    pub effects: Vec<Effect>,
    /// What to look for in the answer.
    pub answer: Answer,
    /// The region the request is for; empty for a global service.
    pub region: Arc<str>,
}

impl Call {
    /// A call is a change as soon as one of its effects is.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.effects.iter().any(|effect| effect.access.is_change())
    }

    /// Every effect is at data level.
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.effects.iter().all(|effect| matches!(effect.level, Level::Data))
    }
}

/// Why we cannot say exactly what the upstream would do. Never a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    /// Stable, matches `[a-z][a-z0-9_]{0,63}`.
    pub reason_code: &'static str,
    /// One sentence for a person: lower case, no stop, ends with what to do.
    pub text: String,
}

impl Undecodable {
    /// An undecodable request with its reason.
    #[must_use]
    pub fn new(reason_code: &'static str, text: impl Into<String>) -> Self {
        Self { reason_code, text: text.into() }
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a room made of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// We know exactly what it would do.
    Call(Call),
    /// We do not.
    Undecodable {
        /// The plane whose room claimed the request.
        plane: Plane,
        /// Why it could not be read.
        why: Undecodable,
    },
}

/// Who would do what: what is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Who asks.
    pub actor: Actor,
    /// What the request would do.
    pub reading: Reading,
}
