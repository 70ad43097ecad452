//! The half of an isolated run that stays in the caller's network: it says who is who inside, and is handed the
//! listening sockets.
//!
//! Leaves out what is connected to there (`relay`).

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::net::{AddressFamily, sockopt};
use rustix::process::{getegid, geteuid};

use super::link::Link;
use super::{Plan, Said};

/// Refuses standard streams that are connections of their own, which the program would inherit.
///
/// # Errors
/// One is.
pub fn check_streams() -> anyhow::Result<()> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    for (name, stream) in [("input", stdin.as_fd()), ("output", stdout.as_fd()), ("error", stderr.as_fd())] {
        let leads_out = sockopt::socket_domain(stream).is_ok_and(|family| family != AddressFamily::UNIX);
        anyhow::ensure!(
            !leads_out,
            "standard {name} is a network connection, which would lead out; give it a pipe or a file, or leave `--isolate` out"
        );
    }
    Ok(())
}

/// Sets up what is inside with the process that is there, until it has become the program. Waits for it.
///
/// # Errors
/// Why there is no program.
pub fn settle(link: &Link, process: u32, plan: &Plan) -> anyhow::Result<Vec<TcpListener>> {
    let (said, _) = heard(link)?;
    anyhow::ensure!(matches!(said, Said::Apart), "what is inside does not keep to what was agreed");
    name_users(&PathBuf::from(format!("/proc/{process}")))?;
    link.say(plan, &[io::stdin().as_fd()])?;
    let (said, files) = heard(link)?;
    anyhow::ensure!(
        matches!(said, Said::Listening) && files.len() == plan.listen.len(),
        "what is inside does not keep to what was agreed"
    );
    // Its end of the link is closed in the moment in which it becomes the program, or once it has ended.
    match link.hear()? {
        Some((Said::Failed(why), _)) => anyhow::bail!(why),
        Some((Said::Apart | Said::Listening, _)) => {
            anyhow::bail!("what is inside does not keep to what was agreed")
        }
        None => Ok(files.into_iter().map(TcpListener::from).collect()),
    }
}

fn heard(link: &Link) -> anyhow::Result<(Said, Vec<std::os::fd::OwnedFd>)> {
    match link.hear()?.context("what was to become the program ended before it could")? {
        (Said::Failed(why), _) => anyhow::bail!(why),
        said => Ok(said),
    }
}

/// Says who is who inside: everybody as outside, where we may say so of others, else only ourselves.
fn name_users(process: &Path) -> anyhow::Result<()> {
    let whole = |file: &str| anyhow::Ok(same(&fs::read_to_string(format!("/proc/self/{file}"))?));
    // Only root is root inside, and looks after the files of others there.
    let root = geteuid().is_root();
    let put = |file: &str, map: &str| {
        let path = process.join(file);
        let why =
            "who is who inside is said there; nothing may keep this user from it, or leave `--isolate` out";
        fs::write(&path, map).with_context(|| format!("cannot write `{}`: {why}", path.display()))
    };
    if !root || whole("gid_map").and_then(|map| put("gid_map", &map)).is_err() {
        // Who could leave a group could read what is kept from it.
        put("setgroups", "deny")?;
        put("gid_map", &only(getegid().as_raw()))?;
    }
    if !root || whole("uid_map").and_then(|map| put("uid_map", &map)).is_err() {
        put("uid_map", &only(geteuid().as_raw()))?;
    }
    Ok(())
}

fn only(id: u32) -> String {
    format!("{id} {id} 1\n")
}

/// A map in which everybody whom this one names is who they are.
fn same(map: &str) -> String {
    let lines = map.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (first, count) = (words.next()?, words.nth(1)?);
        Some(format!("{first} {first} {count}\n"))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_who_they_are_whatever_they_are_further_out() {
        let shown = "         0          0 4294967295\n";
        assert_eq!(same(shown), "0 0 4294967295\n");
        assert_eq!(
            same("         0       1000          1\n         1     100000      65536\n"),
            "0 0 1\n1 1 65536\n"
        );
    }
}
