//! What else would lead out of a network namespace, shut for the program and for all that it starts.
//!
//! Sockets that no network namespace holds (`AF_VSOCK` leads from a virtual machine to its host), calls that make sockets
//! past this filter (`io_uring`), keys pushed into the caller's terminal as if somebody typed them, files that were left
//! open for us, and programs that run as somebody else. Leaves out what goes by files.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use anyhow::Context as _;
use rustix::io::Errno;
use rustix::net::AddressFamily;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

/// What a namespace holds: what stays on the machine, and the internet's own; netlink is how interfaces are asked about.
const HELD: [AddressFamily; 4] =
    [AddressFamily::UNIX, AddressFamily::INET, AddressFamily::INET6, AddressFamily::NETLINK];

/// Push a key into a terminal, and what a console is told by.
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;

/// The numbers of calls.
#[derive(Debug, Clone, Copy)]
struct Calls {
    socket: i64,
    ioctl: i64,
    ring: i64,
}

#[cfg(target_arch = "x86_64")]
const CALLS: &[Calls] = &[
    Calls { socket: 41, ioctl: 16, ring: 425 },
    // The same under the ABI with pointers of 32 bits, which has numbers of its own.
    Calls { socket: X32 + 41, ioctl: X32 + 514, ring: X32 + 425 },
];
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
const CALLS: &[Calls] = &[Calls { socket: 198, ioctl: 29, ring: 425 }];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
const CALLS: &[Calls] = &[];

/// Closes what was inherited beside the standard streams: a connection among it would be a way out.
pub(super) fn close_inherited(but: RawFd) -> anyhow::Result<()> {
    let listed = std::fs::read_dir("/proc/self/fd").context("cannot list open files: `/proc` is needed")?;
    let numbers: Vec<RawFd> =
        listed.flatten().filter_map(|one| one.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2 && *number != but) {
        // The list itself was one of them, and is closed by now.
        let _closed = nix::unistd::close(number);
    }
    Ok(())
}

/// Shuts the rest, for good: what is started later cannot undo it.
pub(super) fn shut() -> anyhow::Result<()> {
    rustix::thread::set_no_new_privs(true)
        .context("programs that run as somebody else cannot be shut out")?;
    for filter in filters()? {
        apply_filter(&filter).context("system calls cannot be filtered; the kernel needs seccomp")?;
    }
    Ok(())
}

fn filters() -> anyhow::Result<[BpfProgram; 3]> {
    anyhow::ensure!(!CALLS.is_empty(), "system calls of `{}` are not known here", std::env::consts::ARCH);
    let other = HELD.iter().map(|family| condition(0, SeccompCmpOp::Ne, u64::from(family.as_raw())));
    let other = SeccompRule::new(other.collect::<Result<_, _>>()?)?;
    let typed =
        [TIOCSTI, TIOCLINUX].map(|request| SeccompRule::new(vec![condition(1, SeccompCmpOp::Eq, request)?]));
    let typed = typed.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok([
        filter(|calls| calls.socket, &[other], Errno::AFNOSUPPORT)?,
        filter(|calls| calls.ioctl, &typed, Errno::PERM)?,
        // No rule is any use of it.
        filter(|calls| calls.ring, &[], Errno::NOSYS)?,
    ])
}

fn condition(
    argument: u8,
    compares: SeccompCmpOp,
    to: u64,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    // The kernel itself looks at no more of these.
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compares, to)
}

/// Answers a call with an error where a rule fits. Calls under another architecture's numbers end the program.
fn filter(call: impl Fn(&Calls) -> i64, rules: &[SeccompRule], errno: Errno) -> anyhow::Result<BpfProgram> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
    let rules: BTreeMap<i64, Vec<SeccompRule>> =
        CALLS.iter().map(|calls| (call(calls), rules.to_vec())).collect();
    let errno = u32::try_from(errno.raw_os_error())?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), architecture)?;
    Ok(filter.try_into()?)
}
