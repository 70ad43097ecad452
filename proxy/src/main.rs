//! Arguments, then run. Leaves out everything else: see `lib.rs`.

use std::process::ExitCode;

/// A request is many small pieces of memory that one thread takes and another gives back; the system's allocator
/// asks the kernel for some of them each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ordain::cli::main()
}
