//! `ordain change`: changes that were planned, and people's approvals of them.
//!
//! Leaves out what a change is and whether a request is part of one (`ordain_rules`).

#[cfg_attr(not(test), expect(dead_code, reason = "the verb that lists changes calls it"))]
pub(super) mod approve;
