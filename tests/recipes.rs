//! What `deploy/` holds must work as it stands there: each recipe is run, not only read.
//!
//! Leaves out what a recipe shows about the gate itself.

use std::path::Path;
use std::process::Command;

use crate::harness::said;

#[test]
fn serial_deploy_try_keeps_every_promise_it_shows() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/try");
    let tried = Command::new("timeout")
        .arg("240")
        .arg(script)
        .arg("--check")
        .env("ORDAIN_TRY_PROGRAM", env!("CARGO_BIN_EXE_ordain"))
        .output()
        .expect("bash is there");
    assert!(tried.status.success(), "{}", said(&tried));
    let text = String::from_utf8_lossy(&tried.stdout).into_owned();
    assert!(text.contains("all promises kept"), "{text}");
}
