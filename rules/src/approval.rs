//! Approvals.
use std::sync::Arc;

use jiff::Timestamp;

#[derive(Debug)]
pub(crate) struct Approval {
    pub(crate) by: Arc<str>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Approvals {}

impl Approvals {
    pub(crate) fn of(&self, _change: &str, _digest: &str) -> impl Iterator<Item = &Approval> {
        std::iter::empty()
    }
}
