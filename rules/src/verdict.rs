//! What the judge says: a verdict with all its reasons, and the permit that only it can make.
//!
//! Leaves out how a verdict comes about (`judge.rs`) and how a plane words it (the rooms).

use std::sync::Arc;

use ordain_action::{Digest, ReasonCode};

use crate::{CarriedOut, Charge, Use, Waits};

/// Deny beats hold beats admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ruling {
    /// It may happen.
    Admit,
    /// It may happen once the owners named have approved it.
    Hold,
    /// It may not happen.
    Deny,
}

impl Ruling {
    /// The word used in output, evidence and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Hold => "hold",
            Self::Deny => "deny",
        }
    }
}

/// What a verdict does to the request. The strictest mode among the scopes touched wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Record only.
    Shadow,
    /// Forward, and tell the caller what would have been said.
    Warn,
    /// Do what the verdict says.
    Enforce,
}

impl Mode {
    /// The word used in configuration, output and evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }

    /// Reads the word written by [`Mode::as_str`]; `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "shadow" => Some(Self::Shadow),
            "warn" => Some(Self::Warn),
            "enforce" => Some(Self::Enforce),
            _ => None,
        }
    }
}

/// Which of the counts a reason belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// Could it be decoded, and is the actor known.
    Identity,
    /// May this actor do this, here and now.
    Legitimacy,
    /// Who owns what it touches.
    Ownership,
    /// What it reaches.
    BlastRadius,
}

impl Count {
    /// The word used in output and evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Legitimacy => "legitimacy",
            Self::Ownership => "ownership",
            Self::BlastRadius => "blast_radius",
        }
    }
}

/// One reason of a verdict. Reasons to admit (grounds) are kept as those to refuse are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What this reason alone would rule.
    pub ruling: Ruling,
    /// The count it belongs to.
    pub count: Count,
    /// The machine-readable reason.
    pub code: ReasonCode,
    /// What is so, for a person: lower case, no stop, the user's words in backticks.
    pub text: String,
    /// What the person can do about it; empty for grounds.
    pub remedy: String,
    /// The rules that said so, sorted; empty where it was no rule.
    pub rules: Vec<Arc<str>>,
    /// The index of the effect it is about.
    pub effect: usize,
    /// Whose approval it waits for, sorted; empty where it waits for none of the request itself.
    pub asks: Vec<Arc<str>>,
}

/// What a change reaches through the relation graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Resources named by the request itself.
    pub direct: u64,
    /// What is reached beyond those, cascades included; `None` where it is not known.
    pub dependants: Option<u64>,
    /// Owners other than the actor's own teams among all those, sorted.
    pub owners_crossed: Vec<Arc<str>>,
    /// The most critical tier touched, when any is known.
    pub tier: Option<Arc<str>>,
    /// How many of each tier are known to be touched, the most critical first.
    pub tiers: Vec<(Arc<str>, u64)>,
    /// Environments touched, sorted.
    pub environments: Vec<Arc<str>>,
    /// The largest share of one system's resources of one type that would be deleted.
    pub share: Option<ReachShare>,
    /// How many things with data that no other copy has would be deleted.
    pub irreversible: u64,
    /// The first of them, at most eight.
    pub lost: Vec<Arc<str>>,
    /// One path that explains the reach, from target to what is farthest, at most eight steps.
    pub path: Vec<Arc<str>>,
    /// How what matters is reached: each other owner, the most critical, the first that is lost, what is farthest.
    pub because: Vec<ReachPath>,
}

/// How much of a group goes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachShare {
    /// Of all of the type that the system has, in percent.
    pub percent: u64,
    /// The system.
    pub system: Arc<str>,
    /// The type.
    pub kind: Arc<str>,
}

/// How one thing is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachPath {
    /// What it explains: `owner NAME`, `tier WORD`, `irreversible`, `farthest`.
    pub explains: String,
    /// From a target on: each name, and the relation by which it depends on the one before; none for the target.
    pub steps: Vec<(Arc<str>, Option<&'static str>)>,
}

/// What the judge says, with everything it said it from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The strictest of the reasons.
    pub ruling: Ruling,
    /// The mode in force for the scopes touched.
    pub mode: Mode,
    /// All reasons, strictest first, then by effect and code.
    pub reasons: Vec<Reason>,
    /// Owners of all targets and parents, sorted; the union asked for approvals.
    pub owners: Vec<Arc<str>>,
    /// What it reaches.
    pub reach: Reach,
    /// What of a change it carries out, where that is approved.
    pub change: Option<CarriedOut>,
    /// No model is loaded: a refusal says so instead of blaming the caller.
    pub no_model: bool,
}

/// How a permitted request may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermitKind {
    /// It changes nothing, and the actor's read scope covers it.
    Read,
    /// The verdict is admit.
    Admitted,
    /// The verdict is not admit, and the mode is shadow or warn.
    Shadowed,
    /// A change of data only, on an upstream that is judged at control level only. Counted, as reads are.
    PassThrough,
}

/// The judge's word that a request may leave, bound to the digest of that request.
///
/// Made only by [`crate::judge`]; neither `Clone` nor constructible elsewhere.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    kind: PermitKind,
    request: Digest,
}

impl Permit {
    // INVARIANT: `judge.rs` is the only caller.
    pub(crate) const fn new(kind: PermitKind, request: Digest) -> Self {
        Self { kind, request }
    }

    /// How the request may leave.
    #[must_use]
    pub const fn kind(&self) -> PermitKind {
        self.kind
    }

    /// The digest of the request it was made for.
    #[must_use]
    pub const fn request(&self) -> Digest {
        self.request
    }
}

/// Configuration's word that a scope may go unrecorded when the ledger fails: never in enforce.
#[derive(Debug, Clone, Copy)]
pub struct ShadowScope(());

impl ShadowScope {
    /// The scope of a mode; none for [`Mode::Enforce`].
    #[must_use]
    pub const fn of(mode: Mode) -> Option<Self> {
        match mode {
            Mode::Shadow | Mode::Warn => Some(Self(())),
            Mode::Enforce => None,
        }
    }
}

/// A verdict and, where the request may leave, its permit.
#[derive(Debug)]
pub struct Judged {
    /// What was said, and why.
    pub verdict: Verdict,
    /// `None` when the request may not leave.
    pub permit: Option<Permit>,
    /// What it takes of what is counted, sorted by key: nothing where it is not admitted.
    pub charges: Vec<Charge>,
    /// What it uses up, sorted by key: nothing where it is not admitted.
    pub uses: Vec<Use>,
    /// What its owners are asked, where all that it waits for is their approval of the request.
    pub waits: Option<Box<Waits>>,
}
