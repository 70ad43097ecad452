//! A real API server behind the gate, driven by kubectl: what an owner does gives the same as without the gate, what
//! others may not do never arrives, and the server's own refusals pass untouched.
//!
//! The server has to be built, which takes minutes: `ORDAIN_TEST_KUBE_APISERVER` names it, and `etcd` has to be
//! installed. Without them these tests say that they are skipped. Leaves out what needs a kubelet (`streams.rs`).

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::cluster::{Kubectl, gate, tools, upstream};
use crate::harness::{eventually, installed, said};

pub(super) const ADMIN: &str = "a-real-administrators-token";

pub(super) struct Server {
    folder: tempfile::TempDir,
    port: u16,
    children: Vec<Child>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    pub(super) fn start() -> Option<Self> {
        let program = installed("ORDAIN_TEST_KUBE_APISERVER")?;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path("tokens.csv"),
            format!("{ADMIN},gate,gate-uid,\"system:masters\"\nweak,weak,weak-uid\n"),
        )
        .unwrap();
        let made = Command::new("openssl")
            .args(["genrsa", "-out"])
            .arg(path("sa.key"))
            .arg("2048")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let (port, client, peer) = (free_port(), free_port(), free_port());
        let log = |name: &str| Stdio::from(fs::File::create(path(name)).unwrap());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let etcd = Command::new("etcd")
            .args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)])
            .args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)])
            .args(["--initial-cluster", &format!("default={}", url(peer)), "--unsafe-no-fsync", "--data-dir"])
            .arg(path("etcd"))
            .stdout(log("etcd.out"))
            .stderr(log("etcd.log"))
            .spawn()
            .expect("etcd is installed");
        let server = Command::new(program)
            .args([
                "--etcd-servers",
                &url(client),
                "--secure-port",
                &port.to_string(),
                "--bind-address",
                "127.0.0.1",
            ])
            .args([
                "--advertise-address",
                "127.0.0.1",
                "--insecure-port",
                "0",
                "--authorization-mode",
                "RBAC",
            ])
            .args([
                "--service-cluster-ip-range",
                "10.0.0.0/24",
                "--disable-admission-plugins",
                "ServiceAccount",
            ])
            .args(["--service-account-issuer", "https://kubernetes.default.svc"])
            .arg("--cert-dir")
            .arg(path("certs"))
            .arg("--token-auth-file")
            .arg(path("tokens.csv"))
            .arg("--service-account-signing-key-file")
            .arg(path("sa.key"))
            .arg("--service-account-key-file")
            .arg(path("sa.key"))
            .stdout(log("server.out"))
            .stderr(log("server.log"))
            .spawn()
            .expect("the server starts");
        Some(Self { folder, port, children: vec![server, etcd] })
    }

    pub(super) fn upstream(&self, token: &str) -> String {
        let file = self.folder.path().join("token");
        fs::write(&file, token).unwrap();
        upstream(self.port, &self.folder.path().join("certs/apiserver.crt"), &file, "")
    }

    /// kubectl without the gate, as the server's administrator.
    fn direct(&self, kubectl: &Path, arguments: &[&str]) -> (bool, String) {
        let output = Command::new("timeout")
            .arg("60")
            .arg(kubectl)
            .args(["--kubeconfig", "/dev/null", "--token", ADMIN, "--certificate-authority"])
            .arg(self.folder.path().join("certs/apiserver.crt"))
            .args(["--server", &format!("https://127.0.0.1:{}", self.port)])
            .args(arguments)
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        (output.status.success(), said(&output))
    }

    /// What a client needs to reach it without the gate, as its administrator.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        let path = self.folder.path().join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: direct\n\
             clusters: [{{name: direct, cluster: {{server: \"https://127.0.0.1:{}\", certificate-authority: {:?}}}}}]\n\
             users: [{{name: direct, user: {{token: {ADMIN}}}}}]\n\
             contexts: [{{name: direct, context: {{cluster: direct, user: direct}}}}]\n",
            self.port,
            self.folder.path().join("certs/apiserver.crt"),
        );
        fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn ready(&self, kubectl: &Path) {
        eventually("the API server is ready", || self.direct(kubectl, &["get", "--raw", "/readyz"]).0);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

const OBJECTS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: conf, namespace: shop, labels: {app: web}}
data: {a: \"1\"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: nginx}]}
";

/// What a user does in a day; what kubectl said.
fn a_day(kubectl: impl Fn(&[&str]) -> String, file: &str, changed: &str) -> Vec<String> {
    vec![
        kubectl(&["create", "namespace", "shop"]),
        kubectl(&["apply", "-f", file]),
        kubectl(&["apply", "-f", changed]),
        kubectl(&["apply", "--server-side", "--force-conflicts", "--field-manager", "day", "-f", changed]),
        kubectl(&["-n", "shop", "scale", "deployment", "web", "--replicas", "3"]),
        kubectl(&["-n", "shop", "label", "configmap", "conf", "day=one"]),
        kubectl(&[
            "-n",
            "shop",
            "patch",
            "deployment",
            "web",
            "--type",
            "json",
            "-p",
            r#"[{"op":"replace","path":"/spec/replicas","value":1}]"#,
        ]),
        kubectl(&["-n", "shop", "create", "secret", "generic", "pw", "--from-literal", "password=hunter2"]),
        kubectl(&["-n", "shop", "get", "deployment,configmap,secret", "-o", "name"]),
        kubectl(&[
            "-n",
            "shop",
            "get",
            "deployment",
            "web",
            "-o",
            "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}",
        ]),
        kubectl(&["-n", "shop", "delete", "configmap", "--all", "--wait=false"]),
        kubectl(&["auth", "can-i", "delete", "pods", "-n", "shop"]),
        kubectl(&["-n", "shop", "get", "configmap", "conf"]),
        kubectl(&["delete", "namespace", "shop", "--wait=false"]),
    ]
}

#[test]
fn serial_a_day_of_kubectl_is_the_same_through_the_gate() {
    let (Some((_, kubectl)), Some(server)) = (tools(), Server::start()) else { return };
    server.ready(&kubectl);
    let (file, changed) =
        (server.folder.path().join("objects.yaml"), server.folder.path().join("changed.yaml"));
    fs::write(&file, OBJECTS).unwrap();
    fs::write(&changed, OBJECTS.replace("a: \"1\"", "a: \"2\"")).unwrap();
    let (file, changed) = (file.display().to_string(), changed.display().to_string());
    let gate = gate(server.upstream(ADMIN), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let through = a_day(|arguments| said(&alice.run(arguments)), &file, &changed);
    // Another server, for what a namespace's controller takes away stays without one.
    let Some(other) = Server::start() else { return };
    other.ready(&kubectl);
    let direct = a_day(|arguments| other.direct(&kubectl, arguments).1, &file, &changed);
    for (through, direct) in through.iter().zip(&direct) {
        assert_eq!(through, direct);
    }
    gate.finish();
}

#[test]
fn serial_what_others_may_not_do_never_arrives_and_the_servers_own_refusals_pass() {
    let (Some((_, kubectl)), Some(server)) = (tools(), Server::start()) else { return };
    server.ready(&kubectl);
    assert!(server.direct(&kubectl, &["create", "namespace", "shop"]).0);
    assert!(server.direct(&kubectl, &["-n", "shop", "create", "configmap", "conf"]).0);
    let strong = gate(server.upstream(ADMIN), "enforce");
    let robot = Kubectl::of(&strong, &kubectl, "robot", "agent");
    let refused = robot.badly(&["delete", "namespace", "shop", "--wait=false"]);
    assert!(refused.contains("namespaces \"shop\" is forbidden: User \"robot\" cannot delete"), "{refused}");
    let refused = robot.badly(&[
        "-n",
        "shop",
        "create",
        "rolebinding",
        "x",
        "--clusterrole",
        "admin",
        "--user",
        "robot",
    ]);
    assert!(refused.contains("cannot create resource \"rolebindings\""), "{refused}");
    assert!(server.direct(&kubectl, &["get", "namespace", "shop"]).0, "it is still there");
    let bindings = server.direct(&kubectl, &["-n", "shop", "get", "rolebindings"]).1;
    assert!(bindings.contains("No resources found"), "{bindings}");
    // A token of a service account is an issued one, good through the gate and nowhere else.
    let alice = Kubectl::of(&strong, &kubectl, "alice", "person");
    alice.well(&["-n", "shop", "create", "serviceaccount", "bot"]);
    let token = alice.well(&["-n", "shop", "create", "token", "bot"]).trim().to_owned();
    assert!(token.starts_with("ordain."), "{token}");
    let as_bot = alice.changed("bot", |text| {
        let at = text.find("    exec:").unwrap();
        let after = text.find("contexts:").unwrap();
        format!("{}    token: {token}\n{}", &text[..at], &text[after..])
    });
    let refused = as_bot.badly(&["-n", "shop", "get", "configmaps"]);
    assert!(
        refused.contains("User \"system:serviceaccount:shop:bot\" cannot list"),
        "the server's own: {refused}"
    );
    let anywhere = server.direct(&kubectl, &["--token", &token, "get", "pods"]);
    assert!(!anywhere.0, "an issued token is worth nothing at the server: {}", anywhere.1);
    strong.finish();
    // What the gate's own credential may not do is refused by the server, in its own words.
    let weak = gate(server.upstream("weak"), "enforce");
    let alice = Kubectl::of(&weak, &kubectl, "alice", "person");
    let refused = alice.badly(&["-n", "shop", "delete", "configmap", "conf"]);
    assert!(refused.contains("User \"weak\" cannot delete resource \"configmaps\""), "{refused}");
    weak.finish();
}

#[test]
fn serial_what_a_real_server_shows_of_a_token_is_withheld() {
    let (Some((_, kubectl)), Some(server)) = (tools(), Server::start()) else { return };
    server.ready(&kubectl);
    assert!(server.direct(&kubectl, &["create", "namespace", "shop"]).0);
    assert!(server.direct(&kubectl, &["-n", "shop", "create", "serviceaccount", "bot"]).0);
    let token = "a-real-token-in-a-secret-that-must-never-be-seen";
    let coded = "YS1yZWFsLXRva2VuLWluLWEtc2VjcmV0LXRoYXQtbXVzdC1uZXZlci1iZS1zZWVu";
    let file = server.folder.path().join("secret.yaml");
    // As `kubectl apply` keeps it, in an annotation too.
    let secret = format!(
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata: {{name: t, namespace: shop, \
         annotations: {{kubernetes.io/service-account.name: bot}}}}\ndata: {{token: {coded}, namespace: c2hvcA==}}\n"
    );
    fs::write(&file, secret).unwrap();
    let made = server.direct(&kubectl, &["apply", "-f", &file.display().to_string()]);
    assert!(made.0, "{}", made.1);
    assert!(server.direct(&kubectl, &["-n", "shop", "get", "secret", "t", "-o", "yaml"]).1.contains(coded));
    let gate = gate(server.upstream(ADMIN), "enforce");
    let alice = Kubectl::of(&gate, &kubectl, "alice", "person");
    let shown = [
        alice.well(&["-n", "shop", "get", "secret", "t", "-o", "yaml"]),
        alice.well(&["get", "secrets", "-A", "-o", "json"]),
        alice.well(&["get", "--raw", "/api/v1/watch/namespaces/shop/secrets?timeoutSeconds=2"]),
        alice.well(&["get", "--raw", "/api/v1/secrets?watch=true&timeoutSeconds=2"]),
        alice.well(&["-n", "shop", "label", "secret", "t", "a=b", "-o", "json"]),
        alice.well(&["-n", "shop", "annotate", "secret", "t", "a=b", "-o", "yaml"]),
    ];
    for text in &shown {
        assert!(text.contains("c2hvcA=="), "all else is there: {text}");
        assert!(!text.contains(coded) && !text.contains(token), "{text}");
    }
    let table = alice.well(&["-n", "shop", "get", "secrets"]);
    assert!(table.contains("kubernetes.io/service-account-token   2"), "{table}");
    let described = alice.well(&["-n", "shop", "describe", "secret", "t"]);
    assert!(described.contains("withheld by ordain"), "{described}");
    // What stands instead went nowhere.
    assert!(server.direct(&kubectl, &["-n", "shop", "get", "secret", "t", "-o", "yaml"]).1.contains(coded));
    gate.finish();
}
