//! The judge from outside: a model and an action as text, the whole verdict as text.
//!
//! Leaves out importing, which has tests of its own.

mod gates;
mod ownership;
mod reach;
mod support;
