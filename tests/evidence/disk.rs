//! A disk that fails: changes are denied, reads go on, and after a restart on a good disk all is well again.
//!
//! Failures are put in by strace, and by a file system that is really full. Skipped where neither may be done.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{Gate, Sent, Setup, a_change};

/// strace attached to a running program, failing some of its calls.
struct Failing(Child);

impl Failing {
    fn attach(pid: u32, calls: &str, error: &str) -> Option<Self> {
        let mut child = Command::new("strace")
            .args([
                "-f",
                "-p",
                &pid.to_string(),
                "-e",
                &format!("trace={calls}"),
                "-e",
                &format!("inject={calls}:error={error}"),
                "-o",
                "/dev/null",
            ])
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stderr.take()?).read_line(&mut line).ok()?;
        if line.contains("attached") {
            return Some(Self(child));
        }
        eprintln!("skipped: {line}");
        None
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        // SIGINT makes strace let go of the program; SIGKILL might take it along.
        drop(Command::new("kill").args(["-INT", &self.0.id().to_string()]).status());
        drop(self.0.wait());
    }
}

/// With the ledger failing: denied with the right reason, and nothing arrives. Reads go on.
fn check_failing(gate: &Gate, arrived_before: usize) {
    let client = gate.client("alice");
    for number in 100..103 {
        let reply = client.send(&a_change(number));
        assert_eq!(reply.status, 403, "a change that cannot be recorded: {}", reply.text());
        assert!(
            reply.text().contains("AccessDenied") || reply.text().contains("UnauthorizedOperation"),
            "{}",
            reply.text()
        );
    }
    assert_eq!(gate.recorder.arrived().len(), arrived_before, "a change arrived that could not be recorded");
    let read = client.send(&Sent::ec2("DescribeInstances"));
    assert_eq!(read.status, 200, "reads go on: {}", read.text());
    assert_eq!(gate.admin_page("/readyz").0, 200);
    assert_eq!(gate.admin_page("/readyz/changes").0, 503);
}

fn check(calls: &str, error: &str) {
    let mut gate = Gate::start(Setup::default());
    let client = gate.client("alice");
    assert_eq!(client.send(&a_change(1)).status, 200);
    let Some(failing) = Failing::attach(gate.pid(), calls, error) else {
        gate.finish();
        return;
    };
    check_failing(&gate, 1);
    drop(failing);
    // The writer stays sealed although the disk would do again: nobody has verified what it holds.
    let sealed = client.send(&a_change(200));
    assert_eq!(sealed.status, 403, "sealed until a restart: {}", sealed.text());
    gate.kill();
    gate.check_killed();
    gate.restart();
    assert_eq!(
        gate.client("alice").send(&a_change(201)).status,
        200,
        "a restart verifies, and changes go on"
    );
    gate.finish();
}

#[test]
fn serial_a_sync_that_fails() {
    check("fdatasync,fsync", "EIO");
}

#[test]
fn serial_a_write_that_fails_for_want_of_space() {
    check("pwrite64,pwritev,pwritev2", "ENOSPC");
}

#[test]
fn serial_a_disk_that_is_really_full() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        eprintln!("skipped: no file system may be mounted here");
        return;
    };
    let mut gate = Gate::start(Setup { ledger: Some(folder.path().join("ledger")), ..Setup::default() });
    assert_eq!(gate.client("alice").send(&a_change(1)).status, 200);
    disk.fill();
    // What was set aside ahead may still take some; then changes are denied.
    let mut number = 1_000;
    let client = gate.client("alice");
    let mut stream = client.connect().unwrap();
    let denied = loop {
        number += 1;
        let mut change = a_change(number);
        change.body.extend_from_slice(format!("&Force={}", "x".repeat(30_000)).as_bytes());
        let Ok(reply) = client.send_on(&mut stream, &change) else {
            stream = client.connect().unwrap();
            continue;
        };
        if reply.status != 200 {
            break reply;
        }
        assert!(number < 20_000, "the disk never fills");
    };
    assert_eq!(denied.status, 403, "{}", denied.text());
    let arrived = gate.recorder.arrived().len();
    check_failing(&gate, arrived);
    gate.kill();
    disk.free();
    gate.check_killed();
    gate.restart();
    assert_eq!(gate.client("alice").send(&a_change(2)).status, 200);
    gate.finish();
    drop(disk);
}

/// A file system in memory that is soon full.
struct SmallDisk {
    folder: std::path::PathBuf,
}

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=160m", "tmpfs"])
            .arg(folder)
            .output()
            .ok()?;
        mounted.status.success().then(|| Self { folder: folder.to_owned() })
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.folder.join("ballast")).unwrap();
        let piece = vec![0; 1 << 20];
        while file.write_all(&piece).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.folder).status());
    }
}
