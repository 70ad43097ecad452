//! What lies on disk: whether it can be written, who may read it, and whether the evidence verifies.
//!
//! Leaves out the model.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use ordain_proof::note::Verifier;
use ordain_proof::verify::{self, Demand};
use rustix::fs::{Access, access};

use super::Finding;
use crate::clock::Clock;
use crate::config::Config;
use crate::egress;
use crate::keys;

/// How long before its end somebody should make another: clients have to be given it.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = vec![
        Finding::new("state", state(config)),
        Finding::new("secrets", secrets(config)),
        Finding::new("keys", issued(config)),
        Finding::new("ledger", ledger(config)),
    ];
    if config.stands_in() {
        findings.push(Finding::new("authority", authority(config)));
    }
    findings
}

/// The authority that the egress gateway signs with, and that it will not end before clients could learn of another.
fn authority(config: &Config) -> Result<String, String> {
    let now = Clock::system().now();
    let kept =
        egress::store(config).and_then(|store| store.read(now)).map_err(|error| format!("{error:#}"))?;
    if kept.entries.is_empty() {
        return Ok("none yet; `ordain serve` makes the first".to_owned());
    }
    let authorities = kept.authorities();
    let lasts_until = |at: Timestamp| authorities.signing(at).map(|one| one.certificate().not_after());
    let ends = lasts_until(now).map_err(|why| format!("{why}; run `ordain ca rotate --signs-in-hours 0`"))?;
    if lasts_until(ends + SignedDuration::from_secs(1)).is_err() && ends < now + ENDS_SOON {
        return Err(format!("it ends at {ends} and no other signs then; run `ordain ca rotate`"));
    }
    Ok(format!("signs until {ends}"))
}

fn state(config: &Config) -> Result<String, String> {
    let shown = config.state.display();
    let Ok(metadata) = fs::metadata(&config.state) else {
        let above = config.state.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
        return writable(above).map(|()| format!("`{shown}` is not there yet; `ordain serve` makes it"));
    };
    if !metadata.is_dir() {
        return Err(format!("`{shown}` is no folder; give another `state`"));
    }
    writable(&config.state)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!("others may read `{shown}`; `chmod 700` it"));
    }
    Ok(format!("`{shown}` is its owner's alone"))
}

fn writable(folder: &Path) -> Result<(), String> {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        format!("`{}` cannot be written: {error}; give it to the user that runs the gate", folder.display())
    })
}

/// Files that hold secrets, or what secrets are sealed under.
fn secrets(config: &Config) -> Result<String, String> {
    let mut paths: Vec<PathBuf> =
        ["sealing.key", "token.key", "admin.token", "keys.jsonl", "actors.jsonl", "authorities.jsonl"]
            .into_iter()
            .map(|name| config.state.join(name))
            .collect();
    paths.push(config.ledger.join("signing.key"));
    paths.extend(config.tls.iter().map(|(_, key)| key.clone()));
    for upstream in &config.upstreams {
        paths.extend(upstream.kind.secret_file().cloned());
    }
    let modes = paths.into_iter().filter_map(|path| {
        let mode = fs::metadata(&path).ok()?.permissions().mode();
        Some((path, mode & 0o077 != 0))
    });
    let modes: Vec<(PathBuf, bool)> = modes.collect();
    let open: Vec<String> =
        modes.iter().filter(|(_, open)| *open).map(|(path, _)| format!("`{}`", path.display())).collect();
    if open.is_empty() {
        return Ok(format!("{} files are their owner's alone", modes.len()));
    }
    Err(format!("others may read {}; `chmod 600` them", open.join(" and ")))
}

fn issued(config: &Config) -> Result<String, String> {
    if !config.state.join("keys.jsonl").exists() {
        return Ok("none issued yet; `ordain serve` makes the first".to_owned());
    }
    let keys = keys::of(config).map_err(|error| format!("{error:#}"))?;
    Ok(format!("{} issued", keys.list().len()))
}

fn ledger(config: &Config) -> Result<String, String> {
    let shown = config.ledger.display();
    if !config.ledger.join("verifier").exists() {
        return Ok(format!("`{shown}` is not there yet; `ordain serve` makes it"));
    }
    let broken =
        |why: String| format!("`{shown}` does not verify: {why}; keep it, and see `ordain ledger verify`");
    let verifier =
        fs::read_to_string(config.ledger.join("verifier")).map_err(|error| broken(error.to_string()))?;
    let verifier = Verifier::parse(&verifier).map_err(|error| broken(error.to_string()))?;
    let verified =
        verify::directory(&config.ledger, &verifier, &Demand { earlier: Vec::new(), closed: false })
            .map_err(|error| broken(error.to_string()))?;
    Ok(format!("{} entries verify", verified.entries))
}
