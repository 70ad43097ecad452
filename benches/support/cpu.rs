//! CPU time of another process, and cores to run on.

use std::fs;

use anyhow::Context;

/// Nanoseconds that all threads of a process have run so far, from the scheduler's own account.
///
/// # Errors
/// The process is gone, or the kernel keeps no such account.
pub fn nanoseconds(process: u32) -> anyhow::Result<u64> {
    let mut total = 0_u64;
    for task in fs::read_dir(format!("/proc/{process}/task")).context("the process is gone")? {
        let path = task?.path().join("schedstat");
        // A thread may end between the two reads; what it ran is then lost, as the kernel loses it.
        let Ok(text) = fs::read_to_string(path) else { continue };
        let ran = text.split_ascii_whitespace().next().unwrap_or_default();
        total += ran.parse::<u64>().context("schedstat is not a number")?;
    }
    Ok(total)
}

/// Binds the calling process, and all it starts, to one core.
///
/// # Errors
/// What the system says.
pub fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    rustix::thread::sched_setaffinity(None, &set).context("cannot bind to the core")
}
