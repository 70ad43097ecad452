//! Requests that somebody would send to get past the gate. Whatever is answered, nothing reaches an upstream that
//! was not decoded and permitted.

mod attempt;
mod case;
mod credential;
mod identity;
mod meaning;
mod objects;
mod raw;
mod streams;
