//! What is said where a run cannot be isolated.

use std::process::{Command, Output};

use super::{WORKS, Who, isolated, listed};
use crate::harness::{Gate, Setup, said};

/// Runs something isolated, in namespaces that are made and set up first by these words.
fn within(gate: &Gate, first: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_ordain");
    let words = format!(
        "{first} {program} --config {} run --isolate --actor robot --on-behalf-of person:alice -- echo out",
        gate.folder.path().join("gate.toml").display()
    );
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-ec", &words])
        .output()
        .unwrap()
}

#[test]
fn a_system_that_makes_no_namespace_is_told_with_what_to_do() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let folder = gate.folder.path().join("root");
    std::fs::create_dir(&folder).unwrap();
    let chroot = format!("mount --rbind / {0}; exec chroot {0}", folder.display());
    for (first, expected) in [
        ("", "out\n"),
        (
            "echo 0 >/proc/sys/user/max_user_namespaces; exec",
            "error: no user namespace can be made (No space left on device (os error 28)): `user.max_user_namespaces` allows no more: \
             end other isolated programs, or have an administrator raise it, or leave `--isolate` out\n",
        ),
        (
            "echo 0 >/proc/sys/user/max_net_namespaces; exec",
            "error: no network namespace can be made (No space left on device (os error 28)): `user.max_net_namespaces` allows no more: \
             end other isolated programs, or have an administrator raise it, or leave `--isolate` out\n",
        ),
        (
            &chroot,
            "error: no user namespace can be made (Operation not permitted (os error 1)): whatever this runs in forbids it: \
             in a container let its seccomp profile permit `unshare`, and do not run it under `chroot`, or leave `--isolate` out\n",
        ),
    ] {
        let ran = within(&gate, first);
        assert_eq!(said(&ran), expected, "after `{first}`");
        assert_eq!(ran.status.code(), Some(if expected == "out\n" { 0 } else { 2 }));
    }
    let ran = within(&gate, "mount --bind /proc /proc; mount -o remount,bind,ro /proc; exec");
    assert_eq!(ran.status.code(), Some(2), "{}", said(&ran));
    let words = said(&ran);
    assert!(
        words.starts_with("error: cannot write `/proc/") && words.contains("Read-only file system"),
        "{words}"
    );
    assert_eq!(listed(&gate, "revoked"), 10, "each key ended with its run, and each token");
    gate.finish();
}

#[test]
fn a_program_that_is_not_there_is_told_as_by_any_run() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let absent = |how: &[&str]| Who::Tester.run(&gate, how, &["/no/such/program"]).output().unwrap();
    let (open, shut) = (absent(&[]), absent(&["--isolate"]));
    assert_eq!((shut.status.code(), said(&shut)), (Some(2), said(&open)));
    assert!(said(&shut).contains("cannot run `/no/such/program`"), "{}", said(&shut));
    gate.finish();
}

#[test]
fn the_other_half_of_an_isolated_run_is_nobody_elses_verb() {
    let gate = Gate::start(Setup::default());
    let alone = gate.run(&["isolated", "--", "echo", "out"]);
    assert_eq!(alone.status.code(), Some(2));
    assert_eq!(said(&alone), "error: this is a part of `ordain run --isolate`, which starts it itself\n");
    assert!(!said(&gate.run(&["--help"])).contains("isolated"));
    gate.finish();
}

/// Where somebody listens inside, nobody could be told apart: an address that is no address is told by its name.
#[test]
fn an_address_that_cannot_be_had_inside_is_named() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    // As if the gate were at an address that no machine can have.
    let path = gate.folder.path().join("state/data.address");
    let kept = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, "[ff02::1]:7070").unwrap();
    let ran = isolated(&gate, &[], "echo out");
    assert_eq!(ran.status.code(), Some(2));
    assert!(said(&ran).contains("`ff02::1` cannot be had inside"), "{}", said(&ran));
    std::fs::write(&path, kept).unwrap();
    gate.finish();
}
