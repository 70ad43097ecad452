//! The order of system calls: the entry is written, a sync ends, and only then the change is sent.
//!
//! Skipped where strace is not to be had or may not trace.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Gate, Setup, a_change};

fn can_trace() -> bool {
    let tried = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("skipped: strace is not to be had here");
    }
    can
}

/// Decisions whose change was sent without a sync between its entry and it.
fn offences(trace: &str, decisions: &[String]) -> Vec<String> {
    let lines: Vec<&str> = trace.lines().collect();
    decisions
        .iter()
        .filter(|id| {
            let entry = format!("\\\"id\\\":\\\"{id}\\\"");
            let agent = format!("ordain/{id}");
            let written = lines.iter().position(|line| line.contains(&entry) && line.contains("write"));
            let sent = lines.iter().position(|line| line.contains(&agent));
            let (Some(written), Some(sent)) = (written, sent) else { return true };
            let synced = lines[written..].iter().position(|line| {
                line.contains("fdatasync") && line.trim_end().ends_with("= 0") && !line.contains("unfinished")
            });
            synced.is_none_or(|after| written + after >= sent)
        })
        .cloned()
        .collect()
}

#[test]
fn serial_an_entry_is_synced_before_its_change_is_sent() {
    if !can_trace() {
        return;
    }
    let trace = tempfile::NamedTempFile::new().unwrap();
    let words = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "1000000",
        "-e",
        "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fdatasync,fsync",
        "-o",
    ];
    let mut under: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    under.push(trace.path().display().to_string());
    let gate = Gate::start(Setup { under, ..Setup::default() });
    let client = gate.client("alice");
    for number in 0..20 {
        let reply = client.send(&a_change(number));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let decisions: Vec<String> = gate.recorder.arrived().into_iter().filter_map(|one| one.decision).collect();
    assert_eq!(decisions.len(), 20, "every change names its decision");
    // The program is strace's child: it is what must be told to stop.
    stop_traced(gate.pid());
    gate.finish();

    let text = String::from_utf8_lossy(&std::fs::read(trace.path()).unwrap()).into_owned();
    assert!(
        offences(&text, &decisions).is_empty(),
        "sent before its entry was synced: {:?}",
        offences(&text, &decisions)
    );
    // The check itself can fail: without the syncs, every change is an offence.
    let unsynced: Vec<&str> = text.lines().filter(|line| !line.contains("sync")).collect();
    assert_eq!(offences(&unsynced.join("\n"), &decisions).len(), 20);
}

/// strace passes no SIGTERM on, and ends when its child does.
fn stop_traced(strace: u32) {
    let children = std::fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    for child in children.split_whitespace() {
        assert!(Command::new("kill").args(["-TERM", child]).status().unwrap().success());
    }
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        let stat = std::fs::read_to_string(format!("/proc/{strace}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the traced program did not end");
}
