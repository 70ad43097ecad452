//! Arguments, then run. Leaves out everything else: see `lib.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ordain::cli::main()
}
