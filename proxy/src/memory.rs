//! The allocator, and what becomes of memory that is no longer needed.
//!
//! Thousands of watches may end at once. What they took is given back to the system within seconds, which the C library's
//! own allocator does not do: it keeps what is freed below anything that is not.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Gives back what was freed also while nothing is asked for: a thread of the allocator's own sees to it. Only for
/// programs that go on, since a process with more than one thread makes no user namespace.
///
/// # Errors
/// A text that says why it cannot be done.
pub fn give_back() -> Result<(), String> {
    tikv_jemalloc_ctl::background_thread::write(true).map_err(|error| error.to_string())
}
