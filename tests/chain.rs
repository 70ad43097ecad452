//! What real clients make of the gate's authority: curl, Python, Node and Go take a chain under it, and refuse one for
//! a host that it may not name, whoever has its key.
//!
//! The server is OpenSSL's. Leaves out rustls and OpenSSL's own verifier (`certs/tests/clients`), and what the gate
//! would certify: it would never sign the second chain.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use ordain_certs::{Authority, Constraints};

use crate::harness::{said, variable};

/// A server under a chain for 127.0.0.1.
struct Server {
    folder: tempfile::TempDir,
    url: String,
    child: Child,
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let done =
        Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl is installed");
    assert!(done.status.success(), "{arguments:?}: {}", said(&done));
}

impl Server {
    /// `permitted` is what the authority may name; its key signs for 127.0.0.1 all the same.
    fn start(permitted: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let constraints = Constraints::permitting([permitted]).unwrap();
        let now: Timestamp = crate::harness::now();
        let authority = Authority::create("test", &constraints, now, SignedDuration::from_hours(24)).unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::write(file("ca.pem"), authority.certificate_pem()).unwrap();
        fs::write(file("ca.key"), authority.key_pem().as_bytes()).unwrap();
        fs::write(
            file("ext"),
            "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n",
        )
        .unwrap();
        openssl(folder.path(), &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "leaf.key"]);
        openssl(folder.path(), &["req", "-new", "-key", "leaf.key", "-subj", "/CN=leaf", "-out", "leaf.csr"]);
        openssl(
            folder.path(),
            &[
                "x509",
                "-req",
                "-in",
                "leaf.csr",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-set_serial",
                "7",
                "-days",
                "1",
                "-extfile",
                "ext",
                "-out",
                "leaf.pem",
            ],
        );
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "leaf.pem", "-key", "leaf.key", "-www"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let at = lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned));
        // What it goes on to print is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { folder, url: format!("https://{}/", at.expect("it listens")), child }
    }

    /// Whether a client gets an answer, and what it says.
    fn asked_by(&self, client: &str, program: &Path) -> (bool, String) {
        let ca = self.folder.path().join("ca.pem").display().to_string();
        let mut command = Command::new("timeout");
        command.arg("30").arg(program).current_dir(self.folder.path()).env("HOME", self.folder.path());
        let python = format!(
            "import ssl, urllib.request as r; print(r.urlopen('{}', context=ssl.create_default_context(cafile='{ca}')).status)",
            self.url
        );
        let requests =
            format!("import requests; print(requests.get('{}', verify='{ca}').status_code)", self.url);
        let node = format!(
            "require('https').get('{}', (r) => {{ console.log(r.statusCode); process.exit(0) }}).on('error', (e) => {{ console.log(e.message); process.exit(1) }})",
            self.url
        );
        match client {
            "curl" => command.args(["-sS", "--cacert", &ca, &self.url]),
            "python" => command.args(["-c", &python]),
            "python requests" => command.args(["-c", &requests]),
            "node" => command.env("NODE_EXTRA_CA_CERTS", &ca).args(["-e", &node]),
            "go (kubectl)" => command.args([
                "--kubeconfig",
                "/dev/null",
                "--server",
                &self.url,
                "--token",
                "x",
                "--certificate-authority",
                &ca,
                "get",
                "--raw",
                "/",
            ]),
            other => panic!("no such client: {other}"),
        };
        let done = command.output().unwrap();
        (done.status.success(), said(&done))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn clients() -> Option<Vec<(&'static str, PathBuf)>> {
    let python = PathBuf::from(variable("ORDAIN_TEST_PYTHON")?);
    let kubectl = python.parent()?.join("kubectl");
    Some(vec![
        ("curl", "curl".into()),
        ("python", python.clone()),
        ("python requests", python),
        ("node", "node".into()),
        ("go (kubectl)", kubectl),
    ])
}

#[test]
fn clients_take_the_authoritys_chain_and_refuse_one_outside_what_it_may_name() {
    let Some(clients) = clients() else { return };
    let (within, outside) = (Server::start("127.0.0.0/8"), Server::start("10.0.0.0/8"));
    for (client, program) in &clients {
        let (taken, said) = within.asked_by(client, program);
        assert!(taken, "{client} refuses what it should take: {said}");
        let (taken, said) = outside.asked_by(client, program);
        assert!(!taken, "{client} takes a host that the authority may not name: {said}");
        let why = said.to_ascii_lowercase();
        assert!(
            why.contains("permitted") || why.contains("constraint"),
            "{client} refuses for another reason: {said}"
        );
    }
}
