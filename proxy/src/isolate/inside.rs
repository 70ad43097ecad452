//! The half of an isolated run that leaves the caller's network, and becomes the program.
//!
//! Leaves out everything that has to be done outside.

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use nix::sched::{CloneFlags, unshare};
use rustix::io::Errno;

use super::link::Link;
use super::loopback::Kernel;
use super::refused::{Namespace, why};
use super::{Plan, Said, shut};

/// How many connections wait at an address until they are passed on: what a gate takes from one peer by default.
const WAITING: i32 = 1_024;

/// Becomes a program in a network of its own.
///
/// # Errors
/// This was not started by `ordain run`, which else is told why there is no program.
pub fn enter(command: &[OsString]) -> anyhow::Result<()> {
    let link = Link::of_standard_input()?;
    let Err(error) = become_it(&link, command);
    // Where that one is gone, or has a reason of its own, there is nobody left to tell.
    let _told = link.say(&Said::Failed(format!("{error:#}")), &[]);
    Ok(())
}

fn become_it(link: &Link, command: &[OsString]) -> anyhow::Result<Infallible> {
    let (name, arguments) = command.split_first().context("name the program to run")?;
    shut::close_inherited(link.number())?;
    leave(Namespace::User)?;
    leave(Namespace::Network)?;
    link.say(&Said::Apart, &[])?;
    let (plan, mut files): (Plan, _) = link.hear()?.context("`ordain run` is gone")?;
    let stdin = files.pop().context("the standard input was not handed over")?;
    rustix::stdio::dup2_stdin(&stdin)?;
    drop(stdin);
    if let Some(path) = &plan.hosts {
        leave(Namespace::Mount)?;
        rustix::mount::mount_bind(path, "/etc/hosts")
            .with_context(|| format!("cannot put `{}` in the place of `/etc/hosts`", path.display()))?;
    }
    let listeners = listen(&plan.listen)?;
    let handed: Vec<BorrowedFd<'_>> = listeners.iter().map(TcpListener::as_fd).collect();
    link.say(&Said::Listening, &handed)?;
    drop(listeners);
    shut::shut()?;
    let error = Command::new(name).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run `{}`", name.to_string_lossy()))
}

fn leave(of: Namespace) -> anyhow::Result<()> {
    let flag = match of {
        Namespace::User => CloneFlags::CLONE_NEWUSER,
        Namespace::Network => CloneFlags::CLONE_NEWNET,
        Namespace::Mount => CloneFlags::CLONE_NEWNS,
    };
    unshare(flag).map_err(|error| anyhow::anyhow!(why(of, Errno::from_raw_os_error(error as i32))))
}

/// Listens on the gate's addresses, here.
fn listen(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    let kernel = Kernel::new().context("network interfaces cannot be asked about")?;
    kernel.up().context("the loopback interface cannot be brought up")?;
    let mut others: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
    others.retain(|address| !address.is_loopback() && !address.is_unspecified());
    others.sort_unstable();
    others.dedup();
    for address in others {
        kernel.hold(address).with_context(|| format!("`{address}` cannot be had inside"))?;
    }
    let listened = addresses.iter().map(|address| {
        let bound = TcpListener::bind(address).and_then(|listener| {
            rustix::net::listen(&listener, WAITING)?;
            Ok(listener)
        });
        bound.with_context(|| format!("cannot listen on `{address}` inside"))
    });
    listened.collect()
}
