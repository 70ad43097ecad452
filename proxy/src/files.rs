//! The state directory: made for its owner's eyes only, the secrets in it, and where its gate can be asked.
//!
//! Leaves out the files that have a form of their own: keys (`keys`), the ledger and the model.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::Context as _;

/// Makes the state directory, for its owner's eyes only.
///
/// # Errors
/// What the system says.
pub fn prepare(state: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(state).with_context(|| {
        format!(
            "cannot make the state directory `{}`; name one that can be written as `state`",
            state.display()
        )
    })
}

/// The token that the admin address asks for; made on first use.
///
/// # Errors
/// What the system says.
pub fn admin_token(state: &Path) -> anyhow::Result<String> {
    secret_file(&state.join("admin.token"))
}

/// The secret in a file: 64 hexadecimal digits, made on first use, for its owner's eyes only.
///
/// # Errors
/// What the system says.
pub fn secret_file(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Ok(secret) => return Ok(secret.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| anyhow::anyhow!("the system's cryptography failed; try again"))?;
    let secret = hex::encode(random);
    // Written beside and linked into place, so that nobody reads half of it, and the first maker wins.
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .with_context(|| format!("cannot write `{}`", beside.display()))?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Ok(()) => Ok(secret),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(fs::read_to_string(path)?.trim().to_owned())
        }
        Err(error) => Err(error).with_context(|| format!("cannot write `{}`", path.display())),
    }
}

/// Puts other contents in a file that others may read: they see the old or the new.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    replace_with_mode(path, contents, 0o644)
}

/// The same, for its owner's eyes alone.
///
/// # Errors
/// What the system says.
pub fn replace_secret(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    replace_with_mode(path, contents, 0o600)
}

fn replace_with_mode(path: &Path, contents: &[u8], mode: u32) -> std::io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    file.write_all(contents)?;
    fs::rename(&beside, path)
}

/// Says where a listener really is, for a gate that was given port 0.
///
/// # Errors
/// What the system says.
pub fn say_where(state: &Path, listener: &str, address: SocketAddr) -> anyhow::Result<()> {
    let path = state.join(format!("{listener}.address"));
    fs::write(&path, address.to_string()).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Where the gate of a state directory said that a listener is.
#[must_use]
pub fn where_said(state: &Path, listener: &str) -> Option<SocketAddr> {
    fs::read_to_string(state.join(format!("{listener}.address"))).ok()?.trim().parse().ok()
}
