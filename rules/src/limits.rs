//! How far a change of one sort of actor may reach.
//!
//! Leaves out measuring the reach (`blast/`).

use ordain_action::ActorKind;

use crate::inventory::Tier;

/// The limits of one kind of actor. One that is not set does not limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Resources named by one request.
    pub(crate) targets: Option<u64>,
    /// Resources that depend on those.
    pub(crate) dependants: Option<u64>,
    /// Owners other than the actor's own teams.
    pub(crate) owners_crossed: Option<u64>,
    /// Percent of a system's resources of one type that one request may delete.
    pub(crate) share_of_group: Option<u64>,
    /// The most critical tier that may be touched.
    pub(crate) tier: Option<Tier>,
    /// Things with data that no other copy has, which one request may delete; what the actor itself created does not count.
    pub(crate) irreversible: Option<u64>,
    /// A reach that is not known is over every limit.
    pub(crate) must_be_known: bool,
    /// What is over a limit waits for everybody whose it reaches, and is not denied.
    pub(crate) holds: bool,
}

/// Groups smaller than this have no share worth limiting: one of two is always half.
pub(crate) const SHARE_FROM: u64 = 4;

impl Limits {
    /// The limits in force where the model sets none: an agent is held short, since it chooses its own
    /// next step; a pipeline does what was reviewed; a person is trusted to look.
    pub(crate) const fn of(kind: ActorKind) -> Self {
        match kind {
            ActorKind::Agent => Self {
                targets: Some(10),
                dependants: Some(10),
                owners_crossed: Some(0),
                share_of_group: Some(50),
                tier: Some(Tier::High),
                irreversible: Some(0),
                must_be_known: true,
                holds: false,
            },
            ActorKind::Pipeline => Self {
                targets: Some(200),
                dependants: Some(1_000),
                owners_crossed: None,
                share_of_group: None,
                tier: None,
                irreversible: None,
                must_be_known: false,
                holds: false,
            },
            ActorKind::Person => Self {
                targets: Some(50),
                dependants: Some(500),
                owners_crossed: None,
                share_of_group: None,
                tier: None,
                irreversible: None,
                must_be_known: false,
                holds: false,
            },
        }
    }
}

/// The limits of every kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllLimits {
    pub(crate) person: Limits,
    pub(crate) pipeline: Limits,
    pub(crate) agent: Limits,
}

impl Default for AllLimits {
    fn default() -> Self {
        Self {
            person: Limits::of(ActorKind::Person),
            pipeline: Limits::of(ActorKind::Pipeline),
            agent: Limits::of(ActorKind::Agent),
        }
    }
}

impl AllLimits {
    pub(crate) const fn of(&self, kind: ActorKind) -> &Limits {
        match kind {
            ActorKind::Person => &self.person,
            ActorKind::Pipeline => &self.pipeline,
            ActorKind::Agent => &self.agent,
        }
    }

    pub(crate) const fn of_mut(&mut self, kind: ActorKind) -> &mut Limits {
        match kind {
            ActorKind::Person => &mut self.person,
            ActorKind::Pipeline => &mut self.pipeline,
            ActorKind::Agent => &mut self.agent,
        }
    }
}
