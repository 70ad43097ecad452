//! Requests that somebody would send to get past the gate. Whatever is answered, nothing reaches an upstream that
//! was not decoded and permitted.

mod case;
mod identity;
mod raw;
