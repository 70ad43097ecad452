//! The judge from outside: a model and an action as text, the whole verdict as text.
//!
//! Leaves out importing, which has tests of its own.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod azure;
mod blueprints;
mod budgets;
mod changes;
mod circumstances;
mod clusters;
mod copies;
mod documents;
mod engaged;
mod gates;
mod glass;
mod grants;
mod holds;
mod live;
mod modes;
mod names;
mod oracle;
mod ownership;
mod reach;
mod relations;
mod support;
mod templates;
