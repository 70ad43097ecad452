//! Which mode is in force where the model says nothing else: the general one, and one per upstream.
//!
//! Leaves out the modes of scopes, which the model holds, and how they are configured (`config.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::Upstream;

use crate::Mode;

/// The modes that configuration sets, before the model's scopes are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modes {
    general: Mode,
    upstreams: BTreeMap<Arc<str>, Setting>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Setting {
    mode: Option<Mode>,
    control_only: bool,
}

impl Modes {
    /// One mode for every upstream.
    #[must_use]
    pub const fn new(general: Mode) -> Self {
        Self { general, upstreams: BTreeMap::new() }
    }

    /// Sets the mode of one upstream, over the general one.
    #[must_use]
    pub fn with_upstream(mut self, name: &str, mode: Mode) -> Self {
        self.upstreams.entry(Arc::from(name)).or_default().mode = Some(mode);
        self
    }

    /// Lets data-level changes on one upstream pass counted, as reads do.
    #[must_use]
    pub fn with_control_only(mut self, name: &str) -> Self {
        self.upstreams.entry(Arc::from(name)).or_default().control_only = true;
        self
    }

    /// The mode of an upstream.
    #[must_use]
    pub fn of(&self, upstream: &Upstream) -> Mode {
        self.upstreams.get(&upstream.name).and_then(|setting| setting.mode).unwrap_or(self.general)
    }

    /// Whether data-level changes on an upstream pass counted.
    #[must_use]
    pub fn control_only(&self, upstream: &Upstream) -> bool {
        self.upstreams.get(&upstream.name).is_some_and(|setting| setting.control_only)
    }

    /// The general mode.
    #[must_use]
    pub const fn general(&self) -> Mode {
        self.general
    }
}
