//! A network namespace with one way out, what runs in it, and what waits outside for what gets there.
//!
//! Leaves out what is tried in it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use crate::harness::{Gate, Setup, said};

/// Hosts that are no control plane's: one outside, and such as stand for what is never reached.
pub(crate) const MIRRORS: &str = "10.77.0.1 mirror.example a.mirrors.example\nfd77::1 mirror.example\n127.0.0.1 here.mirrors.example\n\
                       169.254.169.254 metadata.mirrors.example\n10.77.0.1 two.mirrors.example\n\
                       127.0.0.1 two.mirrors.example\n10.77.0.99 gone.mirrors.example\n";

/// The uid of the gate, and that of its clients.
pub(crate) const GATE: u32 = 47_001;
pub(crate) const CLIENT: u32 = 47_002;

pub(crate) const PORT: u16 = 15_001;

/// Why no namespace can be made here.
static MISSING: LazyLock<Option<String>> = LazyLock::new(|| {
    let can = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let name = format!("ordain-try-{}", std::process::id());
    if !can("nft", &["--version"]) {
        return Some("there is no nft".to_owned());
    }
    if !can("ip", &["netns", "add", &name]) {
        return Some("no network namespace can be made".to_owned());
    }
    let works = can("ip", &["netns", "exec", &name, "nft", "add table inet x"]);
    can("ip", &["netns", "delete", &name]);
    (!works).then(|| "nft does not work in a network namespace".to_owned())
});

pub(crate) fn out_of(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("`{command:?}` does not start: {error}"))
}

pub(crate) fn done(command: &mut Command) -> String {
    let output = out_of(command);
    assert!(output.status.success(), "`{command:?}`: {}", said(&output));
    said(&output)
}

pub(crate) fn words(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    command
}

pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/transparent")
}

/// A network namespace with one way out, to where the test is.
pub(crate) struct Inside {
    pub(crate) name: String,
    pub(crate) folder: tempfile::TempDir,
    _alone: File,
}

impl Inside {
    /// Where the upstream is, seen from inside.
    pub(crate) const V4: &str = "10.77.0.1";
    pub(crate) const V6: &str = "fd77::1";

    pub(crate) fn new() -> Option<Self> {
        if let Some(why) = &*MISSING {
            eprintln!("skipped: {why}");
            return None;
        }
        // All use the same addresses outside: one test at a time, in whatever process it runs.
        let alone = File::create(std::env::temp_dir().join("ordain-transparent.lock")).unwrap();
        alone.lock().unwrap();
        let name = format!("ordain-{}", std::process::id());
        let inside = Self { name, folder: tempfile::tempdir().unwrap(), _alone: alone };
        inside.make();
        Some(inside)
    }

    pub(crate) fn make(&self) {
        let name = &self.name;
        drop(out_of(&mut words(&format!("ip netns delete {name}"))));
        for line in [
            format!("ip netns add {name}"),
            format!("ip link add ordain-out type veth peer name ordain-in netns {name}"),
            format!("ip address add {}/24 dev ordain-out", Self::V4),
            format!("ip address add {}/64 dev ordain-out nodad", Self::V6),
            "ip link set ordain-out up".to_owned(),
            format!("ip -n {name} address add 10.77.0.2/24 dev ordain-in"),
            format!("ip -n {name} address add fd77::2/64 dev ordain-in nodad"),
            format!("ip -n {name} link set lo up"),
            format!("ip -n {name} link set ordain-in up"),
            format!("ip -n {name} route add default via {}", Self::V4),
            format!("ip -n {name} -6 route add default via {}", Self::V6),
        ] {
            done(&mut words(&line));
        }
        // Where clients believe the provider to be: beyond the way out, and never asked.
        let hosts: String = ["ec2", "sqs", "rds", "sts", "s3"]
            .iter()
            .flat_map(|service| ["198.51.100.7", "2001:db8:7::7"].map(|at| (at, *service)))
            .map(|(at, service)| format!("{at} {service}.us-east-1.amazonaws.com {service}.amazonaws.com\n"))
            // What version 1 of the AWS CLI calls SQS.
            .chain(["198.51.100.7 queue.amazonaws.com\n".to_owned()])
            .collect();
        std::fs::write(self.folder.path().join("hosts"), format!("127.0.0.1 localhost\n{hosts}{MIRRORS}"))
            .unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What runs a program inside under a uid that can become no other; `first` is run before, as root.
    pub(crate) fn under(&self, uid: u32, first: &str) -> Vec<String> {
        // What it runs may lie in somebody's home folder: it may read there, and nothing more.
        self.under_with(&self.name, uid, "+dac_read_search", first)
    }

    pub(crate) fn under_with(&self, name: &str, uid: u32, may: &str, first: &str) -> Vec<String> {
        let become_it = format!(
            "setpriv --reuid {uid} --regid {uid} --clear-groups --inh-caps {may} --ambient-caps {may} \
             --bounding-set -all,{may}"
        );
        let hosts = self.folder.path().join("hosts");
        let script = format!("mount --bind {} /etc/hosts; {first} exec {become_it} \"$@\"", hosts.display());
        let words = ["ip", "netns", "exec", name, "sh", "-ec", &script, "sh"];
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    pub(crate) fn command(&self, uid: u32, program: &str, arguments: &[&str]) -> Command {
        Self::program(&self.under(uid, ""), program, arguments)
    }

    pub(crate) fn program(words: &[String], program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .arg(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// Runs a program as a client.
    pub(crate) fn client(&self, program: &str, arguments: &[&str]) -> Output {
        out_of(&mut self.command(CLIENT, program, arguments))
    }

    pub(crate) fn setup(&self) -> Setup {
        // The state is the gate's, as an installation would have it.
        let own = format!("chown -R {GATE}:{GATE} \"$(dirname \"$3\")\";");
        let under = self.under(GATE, &own);
        Setup {
            listen: format!("transparent = [\"127.0.0.1:{PORT}\", \"[::1]:{PORT}\"]\n"),
            at: SocketAddr::new(Self::V4.parse().unwrap(), 0),
            under,
            ..Setup::default()
        }
    }

    pub(crate) fn up(&self, more: &str) -> Output {
        let line = format!(
            "{}/up --netns {} --gate-uid {GATE} --client-uid {CLIENT} {more}",
            scripts().display(),
            self.name
        );
        out_of(&mut words(&line))
    }

    pub(crate) fn rules(&self) -> String {
        done(&mut words(&format!("ip netns exec {} nft list ruleset", self.name)))
    }

    /// What a client is to trust, where it can read it.
    pub(crate) fn trusted(&self, gate: &Gate) -> String {
        let to = self.folder.path().join("ca-bundle.pem");
        std::fs::copy(gate.folder.path().join("state/ca-bundle.pem"), &to).unwrap();
        to.display().to_string()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        drop(out_of(&mut words(&format!("ip netns delete {}", self.name))));
        drop(out_of(&mut words("ip link delete ordain-out")));
    }
}

/// Takes connections and datagrams where an upstream would, and counts them.
pub(crate) struct Trap {
    port: u16,
    caught: Arc<AtomicUsize>,
}

impl Trap {
    pub(crate) fn set(port: u16) -> Self {
        let caught = Arc::new(AtomicUsize::new(0));
        for at in [Inside::V4, Inside::V6] {
            let at: IpAddr = at.parse().unwrap();
            let (tcp, udp) = (TcpListener::bind((at, port)).unwrap(), UdpSocket::bind((at, port)).unwrap());
            let (one, other) = (Arc::clone(&caught), Arc::clone(&caught));
            thread::spawn(move || {
                for stream in tcp.incoming().flatten() {
                    one.fetch_add(1, Ordering::SeqCst);
                    drop(stream);
                }
            });
            thread::spawn(move || {
                while udp.recv(&mut [0; 16]).is_ok() {
                    other.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { port, caught }
    }

    /// What a program inside gets there under a uid, by TCP and UDP over both families.
    pub(crate) fn reached_by(&self, inside: &Inside, uid: u32) -> usize {
        let before = self.caught.load(Ordering::SeqCst);
        for at in [Inside::V4, Inside::V6] {
            for kind in ["tcp", "udp"] {
                let script = format!("exec 3<>/dev/{kind}/{at}/{}; echo x >&3", self.port);
                let mut command = inside.command(uid, "timeout", &["3", "bash", "-c", &script]);
                drop(out_of(&mut command));
            }
        }
        thread::sleep(Duration::from_millis(200));
        self.caught.load(Ordering::SeqCst) - before
    }
}

/// Passes bytes on from an address that the namespace reaches.
pub(crate) fn relay(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Inside::V4, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        let mut piece = [0; 4_096];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            if to.write_all(&piece[..count]).is_err() {
                break;
            }
        }
        drop(to.shutdown(std::net::Shutdown::Write));
    };
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(to) else { continue };
            let (one, other) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || copy(one, other));
            thread::spawn(move || copy(server, client));
        }
    });
    address
}
