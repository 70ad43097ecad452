//! The nouns of Ordain: who would do what to which resources, and how it ended.
//!
//! Leaves out everything that acts: no IO, no async, no clock, no rules, no other crate of ours.
#![warn(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type)]

mod actor;
mod call;
mod canonical;
mod denial;
mod digest;
mod outcome;
mod parameters;
mod plane;
mod resource;

pub use actor::{Actor, ActorKind, IdentityProof, Party, Upstream};
pub use call::{
    Access, Action, Answer, Call, Effect, Level, Minted, NewIdentifier, OwnToken, Reading, Undecodable,
};
pub use denial::{Denial, DenialKind, ReasonCode};
pub use digest::{DecisionId, Digest, REQUEST_DIGEST_VERSION, request_digest};
pub use outcome::{Created, Outcome};
pub use parameters::{Completeness, LEAVES_MAX, Leaf, Parameters, Scalar, TEXT_MAX, TooManyParameters};
pub use plane::Plane;
pub use resource::{Identifier, NameBasis, Resource, Role};
