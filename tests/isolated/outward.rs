//! Ways out that an isolated program tries, each seen to lead out where it is not isolated.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::{NOBODY, WORKS, Who, all};
use crate::harness::{Gate, Setup, said};

/// Somebody else's process of the same user, which is ended with the test.
struct Outside(Child);

impl Outside {
    fn of(who: Who) -> Self {
        let mut command = match who {
            Who::Tester => Command::new("sleep"),
            Who::Nobody => {
                let mut command = Command::new("setpriv");
                let user = NOBODY.to_string();
                command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "sleep"]);
                command
            }
        };
        let child = command.arg("120").current_dir("/").spawn().unwrap();
        // `setpriv` becomes it.
        crate::harness::eventually("it sleeps", || {
            let name = std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap_or_default();
            name.trim() == "sleep"
        });
        Self(child)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// How each way ended, in a run like this.
fn tried(gate: &Gate, who: Who, how: &[&str], outside: &Outside, at: &[String]) -> Value {
    // In the words of the command line: where the tests lie may be hidden from others.
    let script = include_str!("ways.py");
    let (process, name) = (outside.0.id().to_string(), abstract_name());
    let mut words = vec!["python3", "-c", script, &process, &name];
    words.extend(at.iter().map(String::as_str));
    let mut run = who.run(gate, how, &words);
    // What python3 of the tester's own path is may be hidden as well.
    if who == Who::Nobody {
        run.env("PATH", "/usr/bin:/bin");
    }
    let ran = run.output().unwrap();
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{who:?} {how:?}: {}", said(&ran)))
}

fn abstract_name() -> String {
    format!("ordain-test-{}", std::process::id())
}

#[test]
fn an_isolated_program_has_no_other_way_out() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let six = TcpListener::bind("[::1]:0").unwrap();
    let at = [gate.recorder.address.to_string(), six.local_addr().unwrap().to_string()];
    let _abstract =
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(abstract_name()).unwrap()).unwrap();
    // These take a right that nobody has, or a machine that not everybody has.
    let mut only_some =
        vec!["another network", "packets", "vsock", "ring", "datagram", "type in the high half too"];
    // Where the system lets nobody trace what is not their own child.
    let yama = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    if !matches!(yama.trim(), "" | "0") {
        only_some.extend(["memory", "take a file", "attach"]);
    }
    for who in all() {
        let outside = Outside::of(who);
        let open = tried(&gate, who, &[], &outside, &at);
        let shut = tried(&gate, who, &["--isolate"], &outside, &at);
        assert_eq!(shut["ids"], open["ids"], "{who:?} is who they are");
        assert_eq!(shut["up"], serde_json::json!(["lo"]), "{who:?}: {shut}");
        assert_eq!(shut["routes by"], serde_json::json!(["lo"]), "{who:?}: {shut}");
        assert_eq!(
            (open["no new privileges"].as_str(), shut["no new privileges"].as_str()),
            (Some("0"), Some("1"))
        );
        for (way, expected) in [
            ("connect 4", "ECONNREFUSED"),
            ("connect 6", "ECONNREFUSED"),
            ("abstract socket", "ECONNREFUSED"),
            ("datagram", "ENETUNREACH"),
            ("another network", "EACCES"),
            ("memory", "EACCES"),
            ("open files", "EACCES"),
            ("take a file", "EPERM"),
            ("root folder", "EACCES"),
            ("vsock", "EAFNOSUPPORT"),
            ("packets", "EAFNOSUPPORT"),
            ("ring", "ENOSYS"),
            ("type", "EPERM"),
            ("type in the high half too", "EPERM"),
            ("console", "EPERM"),
            ("attach", "EPERM"),
        ] {
            assert_eq!(shut["ways"][way], expected, "`{way}` of {who:?}");
            if !only_some.contains(&way) {
                assert_eq!(open["ways"][way], "out", "`{way}` of {who:?} where it is not isolated");
            }
        }
        if cfg!(target_arch = "x86_64") {
            assert_eq!(shut["ways"]["short pointers"], "EAFNOSUPPORT");
        }
    }
    assert!(gate.recorder.arrived().is_empty());
    gate.finish();
}

#[test]
fn a_namespace_cannot_be_entered_from_inside() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let outside = Outside::of(Who::Tester);
    let network = format!("--net=/proc/{}/ns/net", outside.0.id());
    let enter = |how: &[&str]| -> Output {
        Who::Tester.run(&gate, how, &["nsenter", &network, "echo", "out"]).output().unwrap()
    };
    if rustix::process::geteuid().is_root() {
        assert_eq!(said(&enter(&[])), "out\n");
    }
    let shut = enter(&["--isolate"]);
    assert!(!shut.status.success() && !said(&shut).contains("out\n"), "{}", said(&shut));
    // Nor from a user namespace of its own, in which it may do everything.
    let words = ["unshare", "--user", "--map-root-user", "nsenter", &network, "echo", "out"];
    let shut = Who::Tester.run(&gate, &["--isolate"], &words).output().unwrap();
    assert!(!shut.status.success() && !said(&shut).contains("out\n"), "{}", said(&shut));
    gate.finish();
}

/// A connection that was left open for the run is a way out, and so is one that it reads from.
#[test]
fn connections_are_not_inherited() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let reached = gate.recorder.address;
    let run = |how: &str, redirect: &str| -> Output {
        let mut command = Command::new("bash");
        let program = env!("CARGO_BIN_EXE_ordain");
        let words = format!(
            "exec {redirect}<>/dev/tcp/{}/{}; exec {program} --config {} run --actor robot --on-behalf-of person:alice {how} \
             -- bash -c 'for one in /proc/self/fd/*; do readlink $one; done | grep -c socket'",
            reached.ip(),
            reached.port(),
            gate.folder.path().join("gate.toml").display(),
        );
        command.args(["-c", &words]).stdin(Stdio::null()).output().unwrap()
    };
    assert_eq!(said(&run("", "9")), "1\n");
    assert_eq!(said(&run("--isolate", "9")), "0\n");
    let refused = run("--isolate", "0");
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("standard input is a network connection"), "{}", said(&refused));
    assert_eq!(said(&run("", "0")), "1\n");
    gate.finish();
}

/// Root looks after the files of others as before.
#[test]
fn root_is_root_over_files() {
    if !*WORKS || !rustix::process::geteuid().is_root() {
        return;
    }
    let gate = Gate::start(Setup::default());
    let file = gate.folder.path().join("of-somebody");
    let words = format!(
        "touch {0} && chown 4711:4712 {0} && chmod 600 {0} && stat -c %u:%g {0} && cat {0}",
        file.display()
    );
    let ran = super::isolated(&gate, &[], &words);
    assert_eq!(said(&ran), "4711:4712\n");
    gate.finish();
}
