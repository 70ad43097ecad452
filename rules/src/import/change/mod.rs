//! What others plan, as `Change` documents: which requests a change may make, and with which values.
//!
//! Leaves out what a document means to the judge (`change`). What is sensitive in a source gets into no document, nor
//! into a note or a message; what cannot be told from a source is left out and said.

mod change_set;
mod document;
mod emit;
mod recorded;
mod strict;
mod terraform;

use jiff::Timestamp;

pub use change_set::change_set;
pub use recorded::{Recorded, recorded_request};
pub use terraform::terraform_plan;

use super::ImportError;
use crate::model::Source;

/// What an importer is told of a change, for a source says only what is to be done.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeTold<'t> {
    /// The change's name, which approvals name.
    pub name: &'t str,
    /// How it is to be handled.
    pub kind: ChangeKind,
    /// Why it is made.
    pub why: &'t str,
    /// The ticket it belongs to.
    pub ticket: Option<&'t str>,
    /// Who wrote it, a person of the model.
    pub author: &'t str,
    /// Who may carry it out.
    pub actors: &'t [String],
    /// Groups of whom each may carry it out.
    pub groups: &'t [String],
    /// When it may begin.
    pub from: Option<Timestamp>,
    /// Until when it may be carried out.
    pub until: Option<Timestamp>,
    /// Of an emergency: when somebody looks at what was done.
    pub review: Option<Timestamp>,
    /// How often each of its calls may take effect; once, if not given.
    pub uses: Option<u64>,
    /// The account it is for, where the source does not say.
    pub account: Option<&'t str>,
    /// The region it is for, where the source does not say.
    pub region: Option<&'t str>,
    /// Files with words of types that the program does not know, or knows otherwise.
    pub vocabularies: &'t [Source],
}

/// How a change is to be handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChangeKind {
    /// Pre-approved.
    Standard,
    /// To be approved.
    #[default]
    Normal,
    /// To be carried out at once.
    Emergency,
}

impl ChangeKind {
    /// The word of the document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Normal => "normal",
            Self::Emergency => "emergency",
        }
    }
}

/// A change made from something else, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedChange {
    /// The name that suits the document's file, without a folder, for example `change-web-42.yaml`.
    pub file: String,
    /// The document.
    pub text: String,
    /// How many items it has.
    pub items: usize,
    /// How many calls these have.
    pub calls: usize,
    /// What was left out, and why, a sentence each.
    pub left_out: Vec<String>,
}
