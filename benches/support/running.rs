//! Processes of a benchmark: itself in another role, and the programs that it compares.
//!
//! Leaves out what each of them does.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads its own environment")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;

/// A process that ends with the benchmark.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    /// This benchmark in another role, which says its address first.
    ///
    /// # Errors
    /// It cannot be started, or says something else.
    pub fn role(words: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?).args(words).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()? })
    }

    /// Whether it takes connections, waited for for ten seconds.
    #[must_use]
    pub fn listens(&self) -> bool {
        for _ in 0..200 {
            if std::net::TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// Bytes that are resident.
    ///
    /// # Errors
    /// It is gone, or the system says something else.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no resident memory")?;
        let kib: u64 = line.split_whitespace().next().context("no number")?.parse()?;
        Ok(kib * 1024)
    }
}

/// Listens on a free port and says which, as [`Running::role`] reads it.
///
/// # Errors
/// What the system says.
pub async fn announce() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}

/// Builds the released program; where it is.
///
/// # Errors
/// The build fails.
pub fn build() -> anyhow::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let status = Command::new("cargo")
        .args(["build", "--release", "--bin", "ordain", "--manifest-path"])
        .arg(&manifest)
        .status()?;
    anyhow::ensure!(status.success(), "the release build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    Ok(target.join("release/ordain"))
}
