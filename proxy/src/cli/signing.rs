//! Signing as OpenSSH does: with the key of a file, or with one that an agent holds.
//!
//! Leaves out what is signed and for what. No secret key is read here: `ssh-keygen` signs.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, process};

use anyhow::{Context as _, bail};
use ordain_rules::Snapshot;

use crate::files;
use crate::keys::SEALING_KEY;

/// What a signature is for, as `ssh-keygen` is told.
pub(super) const NAMESPACE: &str = "ordain-approval";

/// The programs of OpenSSH.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenSsh<'p> {
    pub(super) keygen: &'p str,
    pub(super) add: &'p str,
}

pub(super) const OPEN_SSH: OpenSsh<'static> = OpenSsh { keygen: "ssh-keygen", add: "ssh-add" };

/// What `ssh-keygen` signs: with the key of a file, or with one of the person's that the agent holds.
pub(super) fn sign(
    programs: OpenSsh<'_>,
    snapshot: &Snapshot,
    state: &Path,
    by: &str,
    key: Option<&Path>,
    statement: &str,
) -> anyhow::Result<String> {
    if let Some(key) = key {
        if !key.exists() {
            bail!("there is no key `{}`; give the file of one by `--key`", key.display());
        }
        return sign_with(programs, key, statement);
    }
    let own = snapshot.signing_keys(by).map_err(anyhow::Error::msg)?;
    let held = held_by_agent(programs)?;
    let Some(line) = own.iter().find(|own| held.iter().any(|held| held == *own)) else {
        bail!(
            "none of `signingKeys` of `{by}` is held by an agent; give the file of one by `--key`, or add it with \
             `ssh-add`"
        );
    };
    // An agent is asked by the public half, which has to be a file.
    files::prepare(state)?;
    let public = state.join(format!("approving-{}.pub", process::id()));
    files::replace(&public, format!("{line}\n").as_bytes())
        .with_context(|| format!("cannot write `{}`", public.display()))?;
    let signature = sign_with(programs, &public, statement);
    drop(fs::remove_file(&public));
    signature
}

/// The public keys that an agent holds, as lines without their comments.
fn held_by_agent(programs: OpenSsh<'_>) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(programs.add);
    command.arg("-L").env_remove(SEALING_KEY).stdin(Stdio::null()).stderr(Stdio::null());
    let listed = command.output().map_err(|error| missing(programs.add, &error))?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let key = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    Ok(listed.lines().map(key).collect())
}

/// It asks for the secret of a key, and for a touch of a security key, by itself.
pub(super) fn sign_with(programs: OpenSsh<'_>, key: &Path, statement: &str) -> anyhow::Result<String> {
    let mut child = Command::new(programs.keygen)
        .args(["-Y", "sign", "-n", NAMESPACE, "-f"])
        .arg(key)
        // What opens our own files is nobody else's.
        .env_remove(SEALING_KEY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| missing(programs.keygen, &error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends without having read says why by itself.
        drop(stdin.write_all(statement.as_bytes()));
    }
    let output = child.wait_with_output().with_context(|| format!("cannot run `{}`", programs.keygen))?;
    if !output.status.success() {
        bail!("`{}` did not sign with `{}`; it says why above", programs.keygen, key.display());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn missing(program: &str, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => anyhow::anyhow!(
            "`{program}` is not installed; install OpenSSH, or sign elsewhere: `--print` prints what, and `--signature` \
             takes the signature"
        ),
        _ => anyhow::anyhow!("cannot run `{program}`: {error}"),
    }
}
