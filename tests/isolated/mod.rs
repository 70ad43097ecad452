//! Isolated runs (`ordain run --isolate`): a program whose network has the gate in it and nothing else.
//!
//! Skipped where no user namespace can be made. Leaves out what a run is otherwise (`running`).

mod outward;
mod refused;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use crate::harness::{Gate, Setup, eventually, said};
use crate::planes::aws::clients::{before_moto, needed};
use crate::planes::kubernetes::cluster::{self, Stub};

/// Whether namespaces can be made here.
pub(crate) static WORKS: LazyLock<bool> = LazyLock::new(|| {
    let made = Command::new("unshare").args(["--user", "--net", "true"]).output();
    let works = made.is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("skipped: no user namespace can be made");
    }
    works
});

/// A user who owns nothing and may do nothing.
const NOBODY: u32 = 65_534;

/// Who runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Whoever runs the tests.
    Tester,
    /// Somebody else, with a copy of the program that they can read.
    Nobody,
}

/// Those who can be tried here.
fn all() -> Vec<Who> {
    let is_root = rustix::process::geteuid().is_root();
    if is_root { vec![Who::Tester, Who::Nobody] } else { vec![Who::Tester] }
}

impl Who {
    /// What becomes this user and then runs the gate's program, once the gate's folder is theirs.
    fn program(self, gate: &Gate) -> Command {
        let folder = gate.folder.path();
        if self == Self::Tester {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ordain"));
            command.arg("--config").arg(folder.join("gate.toml"));
            return command;
        }
        let copy = folder.join("ordain");
        if !copy.exists() {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
            if std::fs::hard_link(env!("CARGO_BIN_EXE_ordain"), &copy).is_err() {
                std::fs::copy(env!("CARGO_BIN_EXE_ordain"), &copy).unwrap();
            }
        }
        let nobody = format!("{NOBODY}:{NOBODY}");
        for name in ["state", "gate.toml", "real", "model"] {
            let given = Command::new("chown").args(["-R", &nobody]).arg(folder.join(name)).status().unwrap();
            assert!(given.success());
        }
        let user = NOBODY.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
        command.arg(copy).arg("--config").arg(folder.join("gate.toml")).current_dir("/");
        command
    }

    fn run(self, gate: &Gate, how: &[&str], words: &[&str]) -> Command {
        let mut command = self.program(gate);
        command.args(["run", "--actor", "robot", "--on-behalf-of", "person:alice"]).args(how).arg("--");
        command.args(words).stdin(Stdio::null());
        command
    }
}

/// Runs a shell's words isolated.
fn isolated(gate: &Gate, how: &[&str], words: &str) -> Output {
    let how = [&["--isolate"], how].concat();
    Who::Tester.run(gate, &how, &["sh", "-c", words]).output().unwrap()
}

/// A call of EC2 that is signed by what the run was given; prints its status and reason.
fn call(action: &str) -> String {
    format!(
        "curl -sS -o /dev/null -D - --max-time 20 --aws-sigv4 aws:amz:us-east-1:ec2 \
         -u \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" -d 'Action={action}&Version=2016-11-15' \
         \"${{AWS_ENDPOINT_URL:-https://ec2.us-east-1.amazonaws.com}}/\" | \
         awk '/^HTTP/ {{ status = $2 }} tolower($1) == \"ordain-reason-code:\" {{ reason = $2 }} \
         END {{ print status, reason }}' | tr -d '\\r'"
    )
}

const OPEN_TO_ALL: &str = "AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0";

/// What reads pass and changes are judged by, asked from inside.
fn is_judged(gate: &Gate, how: &[&str], environment: &[(&str, &str)]) {
    let words = format!("{}; {}", call("DescribeInstances"), call(OPEN_TO_ALL));
    let how = [&["--isolate"], how].concat();
    let mut run = Who::Tester.run(gate, &how, &["sh", "-c", &words]);
    let ran = run.envs(environment.iter().copied()).output().unwrap();
    assert_eq!(said(&ran), "200 \n403 agent_exposes\n");
}

#[test]
fn an_isolated_program_is_judged_at_the_endpoint_and_by_the_proxy() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    is_judged(&gate, &[], &[]);
    assert_eq!(gate.recorder.arrived().len(), 1);
    let noted = gate
        .ledger()
        .refresh()
        .iter()
        .any(|entry| entry.says.to_string().contains("create a key for an isolated run of agent robot"));
    assert!(noted, "that it was isolated is in the ledger");
    gate.finish();
    let proxied = Setup { listen: "egress = \"127.0.0.1:0\"\n".to_owned(), ..Setup::default() };
    let gate = Gate::start(proxied);
    is_judged(&gate, &[], &[]);
    // What the variables do not name is not there.
    let words = format!(
        "curl -sS --noproxy '*' http://{}/ 2>&1; echo; curl -sS --noproxy '*' http://{}/healthz 2>&1",
        gate.address, gate.admin
    );
    let ran = isolated(&gate, &[], &words);
    // The data address is where it asks for what it waits for, and judges what else comes there.
    assert!(
        said(&ran).starts_with("neither host nor signature nor body says which service"),
        "{}",
        said(&ran)
    );
    assert_eq!(said(&ran).matches("curl: (7)").count(), 1, "{}", said(&ran));
    gate.finish();
}

/// The same addresses inside, whatever they are: over IPv6, on all of them, and one of the machine's own network.
#[test]
fn an_isolated_program_reaches_the_gate_wherever_that_listens() {
    if !*WORKS {
        return;
    }
    let mut all = vec!["[::1]:0".to_owned(), "0.0.0.0:0".to_owned(), "127.0.0.9:0".to_owned()];
    // Nothing is sent: the system only says by which address it would be.
    let out = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    if out.connect("192.0.2.1:9").is_ok() {
        all.push(format!("{}:0", out.local_addr().unwrap().ip()));
    }
    for address in &all {
        let listen = ("ORDAIN_LISTEN_DATA", address.clone());
        let gate = Gate::start(Setup { environment: vec![listen], ..Setup::default() });
        is_judged(&gate, &[], &[("ORDAIN_LISTEN_DATA", address)]);
        gate.finish();
    }
    // Nobody inside can be asked what a name stands for.
    let named = Setup { listen: "names = [\"gate.example\"]\n".to_owned(), ..Setup::default() };
    let gate = Gate::start(named);
    for who in self::all() {
        let words =
            format!("echo $AWS_ENDPOINT_URL; grep -c localhost /etc/hosts; {}", call("DescribeInstances"));
        let ran = who.run(&gate, &["--isolate"], &["sh", "-c", &words]).output().unwrap();
        let expected = format!("http://gate.example:{}\n", gate.address.port());
        assert!(
            said(&ran).starts_with(&expected) && said(&ran).ends_with("\n200 \n"),
            "{who:?}: {}",
            said(&ran)
        );
    }
    assert!(!std::fs::read_to_string("/etc/hosts").unwrap().contains("gate.example"));
    let left = std::fs::read_dir(gate.folder.path().join("state")).unwrap();
    let left = left.flatten().filter(|one| one.file_name().to_string_lossy().starts_with("hosts")).count();
    assert_eq!(left, 0);
    gate.finish();
}

/// Real clients, which hold no credential and look for the provider's own host by way of the proxy.
#[test]
fn an_isolated_client_asks_for_its_credential_and_is_judged() {
    let gate = before_moto(Setup { listen: "egress = \"127.0.0.1:0\"\n".to_owned(), ..Setup::default() });
    if *WORKS {
        let aws = format!("{} sqs create-queue --queue-name isolated", needed("ORDAIN_TEST_AWS"));
        let boto = format!(
            "{} -c \"import boto3; print(len(boto3.client('ec2').describe_instances()['Reservations']))\"",
            needed("ORDAIN_TEST_PYTHON")
        );
        let words = format!("export AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1; {aws}; {boto}");
        let ran = isolated(&gate, &["--credentials", "endpoint"], &words);
        assert!(said(&ran).contains("QueueUrl") && said(&ran).ends_with("}\n0\n"), "{}", said(&ran));
        let judged = gate
            .ledger()
            .refresh()
            .iter()
            .any(|entry| entry.is_decision() && entry.says.to_string().contains("CreateQueue"));
        assert!(judged, "it went through the gate");
    }
    gate.finish();
}

/// What its kubeconfig names is there too, whatever else its way is: by TLS that is the gate's own, and by a name.
#[test]
fn an_isolated_program_reaches_the_clusters_of_its_kubeconfig() {
    let (true, Some((python, kubectl))) = (*WORKS, cluster::tools()) else { return };
    let stub = Stub::start(&python);
    let words = format!("timeout 60 {} get pods -o name", kubectl.display());
    for (upstream, listen) in [
        (stub.upstream(""), "egress = \"127.0.0.1:0\"\n"),
        (stub.upstream("names = [\"prod.gate.example\"]"), ""),
        (stub.upstream("names = [\"prod.gate.example\"]"), "egress = \"127.0.0.1:0\"\n"),
    ] {
        let mut setup =
            Setup { upstream, listen: listen.to_owned(), secrets: vec![cluster::REAL], ..Setup::default() };
        setup.model.push(("cluster.yaml", cluster::MODEL.to_owned()));
        let gate = Gate::start(setup);
        let open = isolated(&gate, &[], &words);
        assert_eq!(said(&open), "pod/web\n");
        let direct = format!("curl -sSk --noproxy '*' https://127.0.0.1:{}/ 2>&1", stub.port);
        let shut = isolated(&gate, &[], &direct);
        assert!(said(&shut).contains("curl: (7)"), "{}", said(&shut));
        gate.finish();
    }
}

#[test]
fn an_isolated_program_is_given_its_credential_at_the_admin_address_and_nothing_else() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let operator = std::fs::read_to_string(gate.folder.path().join("state/admin.token")).unwrap();
    let admin = gate.admin;
    let operator = operator.trim();
    let shown = "curl -sS -o /dev/null -w '%{http_code}\n'";
    let token = "-H \"Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN\"";
    let words = [
        format!("{shown} {token} $AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        format!("{shown} $AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        format!("{shown} {token} -H 'Origin: http://page' $AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        format!("{shown} {token} -H 'Host: rebound.example' $AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        format!("{shown} {token} -X POST $AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        format!("{shown} http://{admin}/healthz"),
        format!("{shown} --path-as-is http://{admin}/v1/credentials/../status"),
        format!("{shown} -H 'Authorization: Bearer {operator}' http://{admin}/v1/status"),
        format!("{shown} -H 'Authorization: Bearer {operator}' -X POST http://{admin}/v1/keys/look"),
    ]
    .join(";");
    let how = ["--credentials", "endpoint"];
    let ran = isolated(&gate, &how, &words);
    assert_eq!(said(&ran), "200\n401\n403\n403\n403\n403\n403\n403\n403\n");
    // Outside, what an operator asks is answered: it is the way that is shut.
    let words = words.replace("-X POST $", "-X GET $");
    let ran = Who::Tester.run(&gate, &how, &["sh", "-c", &words]).output().unwrap();
    assert_eq!(said(&ran), "200\n401\n403\n403\n200\n200\n404\n200\n200\n");
    gate.finish();
}

#[test]
fn an_isolated_program_is_the_process_that_was_started_and_ends_as_it_ends() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    for (words, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143)] {
        let ran = isolated(&gate, &[], words);
        assert_eq!(ran.status.code(), Some(code), "`{words}`: {}", said(&ran));
    }
    let mut child = begun(&gate, "trap 'exit 5' TERM; echo $PPID; while :; do sleep 0.1; done");
    let parent = first_line(&mut child);
    assert_eq!(parent, child.id().to_string(), "nothing stands between a run and its program");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    // What it reads and writes is what the run was given.
    let mut child = Who::Tester
        .run(&gate, &["--isolate"], &["sh", "-c", "read a; echo \"$a, $OF_ITS_OWN\"; pwd >&2"])
        .env("OF_ITS_OWN", "kept")
        .current_dir(gate.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"said\n").unwrap();
    let ran = child.wait_with_output().unwrap();
    let folder = gate.folder.path().canonicalize().unwrap();
    assert_eq!(said(&ran), format!("said, kept\n{}\n", folder.display()));
    assert_eq!(listed(&gate, "revoked"), 12, "a key pair and a token for each run");
    gate.finish();
}

/// Presses the keys for an interrupt on a terminal of the run's, once it is ready.
const PRESSED: &str = "import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown, pressed = b'', False
while True:
    try:
        piece = os.read(terminal, 1000)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if b'ready' in shown and not pressed:
        os.write(terminal, b'\\x03')
        pressed = True
print(shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";

#[test]
fn the_terminal_of_an_isolated_program_is_the_callers() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let words = ["bash", "-c", "trap 'exit 9' INT; tty; echo ready; sleep 20; echo late"];
    let run = Who::Tester.run(&gate, &["--isolate"], &words);
    let mut pressed = Command::new("python3");
    pressed.args(["-c", PRESSED]).arg(run.get_program()).args(run.get_args());
    let text = said(&pressed.output().unwrap());
    assert!(text.starts_with("/dev/") && text.trim_end().ends_with(" 9") && !text.contains("late"), "{text}");
    gate.finish();
}

/// How many keys are in a state.
fn listed(gate: &Gate, state: &str) -> usize {
    let listed = gate.run(&["-o", "json", "key", "list"]);
    let all: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
    all.iter().filter(|key| key["state"].as_str().unwrap().starts_with(state)).count()
}

/// An isolated run that goes on until it is told to stop.
fn begun(gate: &Gate, words: &str) -> Child {
    let mut run = Who::Tester.run(gate, &["--isolate"], &["sh", "-c", words]);
    run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// A gate that is gone is told by the connection, and so is a run that was killed, whose program lives on.
#[test]
fn nothing_answers_an_isolated_program_once_the_gate_or_its_run_is_gone() {
    if !*WORKS {
        return;
    }
    let mut gate = Gate::start(Setup::default());
    let asks = |folder: &PathBuf| {
        let (go, done) = (folder.join("go").display().to_string(), folder.join("done").display().to_string());
        format!(
            "echo begun; while [ ! -e {go} ]; do sleep 0.05; done; \
             curl -sS --max-time 20 $AWS_ENDPOINT_URL 2>/dev/null >&2; echo $? >{done}.new; mv {done}.new {done}"
        )
    };
    let folder = gate.folder.path().to_owned();
    let ended_with = |name: &str| {
        let done = folder.join(name).join("done");
        eventually("it has asked", || done.exists());
        std::fs::read_to_string(done).unwrap().trim().to_owned()
    };
    for name in ["killed", "gone"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let mut child = begun(&gate, &asks(&folder.join("killed")));
    assert_eq!(first_line(&mut child), "begun");
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::write(folder.join("killed/go"), "").unwrap();
    assert_eq!(ended_with("killed"), "7", "the connection is refused");
    let mut child = begun(&gate, &asks(&folder.join("gone")));
    assert_eq!(first_line(&mut child), "begun");
    assert!(gate.stop());
    std::fs::write(folder.join("gone/go"), "").unwrap();
    let gone = ended_with("gone");
    assert!(matches!(&*gone, "7" | "56"), "the connection is reset, and not ended in order: {gone}");
    child.wait().unwrap();
    gate.finish();
}

/// More connections than are passed on at once: the others wait for their turn.
#[test]
fn an_isolated_program_may_open_more_connections_than_are_passed_on_at_once() {
    if !*WORKS {
        return;
    }
    let gate = Gate::start(Setup::default());
    let script = "import os, socket, sys\n\
        host, port = os.environ['AWS_ENDPOINT_URL'][7:].rsplit(':', 1)\n\
        all = [socket.create_connection((host, int(port)), 10) for _ in range(600)]\n\
        for one in all:\n    one.sendall(b'GET / HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n')\n\
        for one in all:\n    one.settimeout(30)\n    assert one.recv(64).startswith(b'HTTP/1.1 4'), 'no answer'\n    one.close()\n\
        print('all')";
    let run = Who::Tester.run(&gate, &["--isolate"], &["python3", "-c", script]);
    // As many open files as a session has by default, so that they end at either of the two that a connection takes.
    for files in [1_024, 1_023] {
        let mut limited = Command::new("sh");
        let words = format!("ulimit -n {files}; exec \"$@\"");
        limited.args(["-c", &words, "sh"]).arg(run.get_program()).args(run.get_args());
        assert_eq!(said(&limited.stdin(Stdio::null()).output().unwrap()), "all\n", "{files}");
    }
    gate.finish();
}
