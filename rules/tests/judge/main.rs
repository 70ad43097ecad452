//! The judge from outside: a model and an action as text, the whole verdict as text.
//!
//! Leaves out importing, which has tests of its own.

mod ownership;
mod support;
