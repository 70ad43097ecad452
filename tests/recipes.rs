//! What `deploy/` holds must work as it stands there: each recipe is run, not only read.
//!
//! Leaves out what a recipe shows about the gate itself.

use std::path::Path;
use std::process::Command;

use crate::harness::said;

/// Runs a script of `deploy/` with this program, and returns what it prints.
fn ran(name: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    let tried = Command::new("timeout")
        .arg("240")
        .arg(script)
        .args(arguments)
        .env("ORDAIN_TRY_PROGRAM", env!("CARGO_BIN_EXE_ordain"))
        .output()
        .expect("bash is there");
    assert!(tried.status.success(), "{}", said(&tried));
    String::from_utf8_lossy(&tried.stdout).into_owned()
}

#[test]
fn serial_deploy_try_keeps_every_promise_it_shows() {
    let text = ran("try", &["--check"]);
    assert!(text.contains("all promises kept"), "{text}");
}

/// What the README says is typed, word for word, and what it says is told.
#[test]
fn serial_a_state_and_codeowners_lead_to_a_first_report_by_the_lines_of_the_readme() {
    let text = ran("first-report", &[]);
    let (before, report) = text.split_once("$ ordain report shadow\n").expect("it ends with a report");
    assert!(before.contains("robot asked for 70 changes"), "{before}");
    let mut lines = report.lines();
    assert_eq!(lines.next(), Some("would deny 14 of 212 changes, here is why"), "{report}");
    assert!(lines.next().is_some_and(|header| header.ends_with("WHAT TO DO ABOUT IT")), "{report}");
    let told: Vec<String> = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        told,
        [
            "6 not_owner shop bob",
            "3 agent_exposes shop robot",
            "2 world_open_admin_port shop alice",
            "1 admin_grant platform robot",
            "1 blast_radius_exceeded shop robot",
            "1 not_owner platform robot",
        ]
    );
    assert!(report.contains("ask `shop` to make the change"), "{report}");
    assert!(report.contains("`ordain explain "), "{report}");
    // A newcomer is not to type for long: so many commands beside the day's work.
    let typed = before.lines().filter(|line| line.starts_with("$ ")).count() + 1;
    assert_eq!(typed - text.matches("$ python day.py").count(), 9, "{text}");
    let last = report.lines().last().unwrap_or_default();
    let characters = last.split_whitespace().nth(2).and_then(|count| count.parse::<usize>().ok());
    assert!(characters.is_some_and(|count| count < 700), "{last}");
}
