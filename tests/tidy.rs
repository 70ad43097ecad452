//! The house rules of every file of the repository, as a test.
//!
//! Leaves out what rustfmt and clippy hold already.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINES_MAX: usize = 600;

/// Folder and file names that say nothing.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "manager", "misc"];

/// Words are put together here, so that this file does not hold what it forbids.
fn forbidden_words() -> Vec<String> {
    [["TO", "DO"], ["FIX", "ME"], ["X", "XX:"], ["/wo", "rk/"], ["/ro", "ot/"], ["artifac", "tory"]]
        .iter()
        .map(|halves| halves.concat())
        .collect()
}

/// What a package's manifest must not name: the direction of imports (ARCHITECTURE.md).
const NEVER: [(&str, &[&str]); 7] = [
    ("proxy/action", &["ordain-", "tokio", "hyper", "http."]),
    ("proxy/catalog", &["ordain-rules", "ordain-evidence", "ordain-decode", "tokio", "hyper"]),
    ("proxy/decode", &["ordain-rules", "ordain-evidence", "ordain-proof", "tokio", "hyper", "tracing"]),
    ("certs", &["ordain-", "tokio", "hyper", "http."]),
    ("rules", &["ordain-decode", "ordain-evidence", "ordain-proof", "tokio", "hyper", "http."]),
    ("proxy/proof", &["ordain-rules", "ordain-decode", "ordain-evidence", "tokio", "hyper", "http."]),
    ("proxy/evidence", &["ordain-decode", "hyper", "http."]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file that is or would be committed.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    assert!(listed.status.success(), "git could not list the files");
    let names = String::from_utf8(listed.stdout).expect("names are text");
    let files: Vec<PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    assert!(files.len() > 100, "the list of files is not whole");
    files
}

fn texts(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    files()
        .into_iter()
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
            extensions.contains(&extension)
        })
        .filter_map(|path| {
            let text = std::fs::read_to_string(root().join(&path)).ok()?;
            Some((path, text))
        })
        .collect()
}

fn none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn a_file_is_short_enough_to_be_read_whole() {
    let offences: Vec<String> = texts(&["rs", "py", "mjs", "cedar"])
        .iter()
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(path, text)| format!("{} has {} lines: split it", path.display(), text.lines().count()))
        .collect();
    none(&offences);
}

#[test]
fn a_file_opens_with_what_it_is() {
    let offences: Vec<String> = texts(&["rs"])
        .iter()
        .filter(|(path, text)| !text.starts_with("//!") && !is_compile_fail(path))
        .map(|(path, _)| format!("{} does not open with `//!`", path.display()))
        .collect();
    none(&offences);
}

fn is_compile_fail(path: &Path) -> bool {
    path.starts_with("proxy/evidence/tests/fail")
}

#[test]
fn a_name_says_something() {
    let offences: BTreeSet<String> = files()
        .iter()
        .filter(|path| {
            path.components().any(|part| {
                let name = part.as_os_str().to_string_lossy();
                let stem = name.split('.').next().unwrap_or_default();
                EMPTY_NAMES.contains(&stem)
            })
        })
        .map(|path| format!("{} has a name that says nothing", path.display()))
        .collect();
    none(&offences.into_iter().collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_for_later_and_no_machine_is_named() {
    let words = forbidden_words();
    let mut offences = Vec::new();
    for (path, text) in texts(&["rs", "py", "mjs", "sh", "toml", "md", "cedar", "yaml", "yml", "json", ""]) {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                offences.push(format!("{}:{}: `{word}`", path.display(), number + 1));
            }
        }
    }
    none(&offences);
}

#[test]
fn packages_import_one_way() {
    let mut offences = Vec::new();
    for (folder, never) in NEVER {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml"))
            .expect("a package has a manifest");
        let own = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let own = own.split("\n[").next().unwrap_or_default();
        for line in own.lines() {
            for name in never.iter().filter(|name| line.starts_with(**name)) {
                // The nouns and the catalogue of operations are for everybody above them.
                if *name == "ordain-" && line.starts_with("ordain-action") {
                    continue;
                }
                offences
                    .push(format!("{folder} must not import `{}`", line.split('.').next().unwrap_or(name)));
            }
        }
    }
    none(&offences);
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    let attribute = ["#[al", "low("].concat();
    let inner = ["#![al", "low("].concat();
    let offences: Vec<String> = texts(&["rs"])
        .iter()
        .filter(|(_, text)| text.contains(&attribute) || text.contains(&inner))
        .map(|(path, _)| format!("{} silences a lint: expect it with a reason", path.display()))
        .collect();
    none(&offences);
}

#[test]
fn log_lines_are_written_in_one_file() {
    let mut offences = Vec::new();
    for (path, text) in texts(&["rs"]) {
        let place = path.to_string_lossy().replace('\\', "/");
        let allowed = place.ends_with("proxy/src/events.rs") || place.ends_with("tests/tidy.rs");
        if !allowed
            && text
                .lines()
                .any(|line| line.trim_start().starts_with("event!(") || line.contains("tracing::event!"))
        {
            offences.push(format!("{place}: a log line; make it a function of `events.rs`"));
        }
    }
    none(&offences);
}
