//! Credentials that a service hands out: an authorization server that others wrote, and a stub of a secret store that a
//! client which others wrote is satisfied with.
//!
//! Leaves out when they are asked, which is tried beside the code with a time that is told.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;

use super::*;
use crate::harness::{eventually, read_reply, said};
use crate::planes::aws::clients::needed;
use crate::planes::served;

struct Server(Child, u16);

impl Server {
    fn start(script: &str, folder: &Path, arguments: &[&str]) -> Self {
        let port = folder.join(format!("{script}.port"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/credentials").join(script);
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let mut command = Command::new(needed("ORDAIN_TEST_PYTHON"));
        command.arg(script).arg(&port).args(arguments).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().expect("the server starts");
        let mut server = Self(child, 0);
        eventually("the server listens", || {
            server.1 = std::fs::read_to_string(&port).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            server.1 != 0
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An upstream, the only credential of which is this one.
fn cluster(name: &str, stub: &Recorder, credentials: &str) -> String {
    format!(
        "\n[[upstream]]\nname = {name:?}\nplane = \"kubernetes\"\nendpoint = \"http://{}/{name}\"\ncredentials = {credentials}\n",
        stub.address
    )
}

/// The credentials with which an upstream was asked.
fn presented(stub: &Recorder, name: &str) -> Vec<String> {
    let all = stub.arrived();
    let those = all.iter().filter(|one| one.target.starts_with(&format!("/{name}/")));
    those.map(|one| one.header("authorization").unwrap_or("none").to_owned()).collect()
}

fn namespace() -> Recorder {
    let stub = Recorder::start();
    stub.answer(|_| {
        let object = json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "u"}});
        Answer::Body(200, object.to_string())
    });
    stub
}

fn store(address: &str, path: &str, fields: &[&str]) {
    let wrote = asks_store(&[&[address, path], fields].concat());
    assert!(wrote.status.success(), "{}", said(&wrote));
}

fn asks_store(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/credentials/store_client.py");
    let mut client = Command::new(needed("ORDAIN_TEST_PYTHON"));
    client.arg(script).args(arguments).output().unwrap()
}

/// Key pairs that clients sign with, their private keys by name, the public ones in `keys.json`.
fn write_keys(folder: &Path) {
    let path = |name: &str| folder.join(name);
    let curve = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let rsa = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"])
        .arg(path("rsa.pem"))
        .status();
    assert!(rsa.unwrap().success());
    let public =
        Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(path("rsa.pem")).output().unwrap();
    let public = String::from_utf8(public.stdout).unwrap();
    std::fs::write(path("curve.pem"), curve.serialize_pem()).unwrap();
    let keys = json!({"rsa": public, "curve": curve.public_key_pem()}).to_string();
    std::fs::write(path("keys.json"), keys).unwrap();
}

#[test]
fn an_authorization_server_gives_the_gate_tokens_in_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_keys(folder.path());
    for (name, secret) in [("header", "se+cret: &%\n"), ("form", "a-secret"), ("wrong", "another")] {
        std::fs::write(path(name), secret).unwrap();
    }
    let server = Server::start("oauth_server.py", folder.path(), &[path("keys.json").to_str().unwrap()]);
    let stub = namespace();
    let client = |name: &str, rest: &str| {
        let at = format!("http://127.0.0.1:{}/token", server.1);
        format!(
            "{{ oauth = {{ token_endpoint = {at:?}, client_id = {name:?}, scope = \"cluster other\", {rest} }} }}"
        )
    };
    let signed = |name: &str| {
        format!("private_key_file = {:?}, key_id = \"key-of-{name}\"", path(&format!("{name}.pem")))
    };
    let upstreams = [
        ("basic", client("in header", &format!("secret_file = {:?}", path("header")))),
        ("post", client("in-form", &format!("secret_file = {:?}, secret_in = \"post\"", path("form")))),
        ("printed", client("in-form", "secret_command = [\"echo\", \"a-secret\"], secret_in = \"post\"")),
        ("rsa", client("rsa", &signed("rsa"))),
        ("curve", client("curve", &signed("curve"))),
        ("wrong", client("in-form", &format!("secret_file = {:?}, secret_in = \"post\"", path("wrong")))),
        ("stranger", client("rsa", &signed("curve").replace("key-of-curve", "key-of-rsa"))),
    ];
    let upstream = upstreams.iter().map(|(name, credentials)| cluster(name, &stub, credentials)).collect();
    let secrets = vec!["se+cret: &%", "a-secret", "token-1-of"];
    let mut setup = Setup { upstream, secrets, ..Setup::default() };
    let account = "\n---\napiVersion: ordain/v1\nkind: Account\nmetadata: {name: basic}\nspec: {plane: kubernetes, account: basic, owner: platform}\n";
    setup.model[0].1.push_str(account);
    let gate = Gate::start(setup);
    for (name, of) in [
        ("basic", "in_header"),
        ("post", "in-form"),
        ("printed", "in-form"),
        ("rsa", "rsa"),
        ("curve", "curve"),
    ] {
        let log = || std::fs::read_to_string(path("server.log")).unwrap_or_default() + &gate.log();
        let all = presented(&stub, name);
        assert!(
            all.len() == 1 && all[0].contains(&format!("-of-{of}-for-cluster")),
            "{name} {all:?} {}",
            log()
        );
    }
    for name in ["wrong", "stranger"] {
        assert_eq!(presented(&stub, name), Vec::<String>::new(), "{name}");
    }
    let why = "for client `in-form`";
    assert!(gate.log().contains("status 401 `invalid_client`") && gate.log().contains(why), "{}", gate.log());
    one_that_ends_is_asked_for_anew(&gate, &stub);
    gate.finish();
}

fn one_that_ends_is_asked_for_anew(gate: &Gate, stub: &Recorder) {
    let token = gate.bearer("basic", "robot", "agent");
    let ask = || {
        let mut stream = TcpStream::connect(gate.address).unwrap();
        let head =
            format!("GET /api/v1/namespaces HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", gate.address);
        write!(stream, "{head}authorization: Bearer {token}\r\n\r\n").unwrap();
        let reply = read_reply(&mut stream, false).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    let start = presented(stub, "basic").len();
    (0..20).for_each(|_| ask());
    std::thread::sleep(std::time::Duration::from_secs(4));
    (0..20).for_each(|_| ask());
    let mut used = presented(stub, "basic").split_off(start);
    assert_eq!(used.len(), 40);
    used.dedup();
    assert!((2..=6).contains(&used.len()), "{used:?}");
}

#[test]
fn a_program_that_prints_a_credential_is_not_given_what_our_files_are_sealed_under() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), namespace());
    let seen = |name: &str| folder.path().join(name);
    let print = |name: &str, prints: &str| {
        format!("command = [\"sh\", \"-c\", \"env >{}; echo {prints}\"]", seen(name).display())
    };
    let upstream = cluster("printed", &stub, &format!("{{ {} }}", print("printed", "the-printed-token")))
        + &cluster(
            "secret",
            &stub,
            &format!(
                "{{ oauth = {{ token_endpoint = \"http://{}/token\", client_id = \"gate\", secret_{} }} }}",
                stub.address,
                print("secret", "a-printed-secret")
            ),
        );
    let sealing = "5a".repeat(32);
    let environment =
        vec![("ORDAIN_SEALING_KEY", sealing.clone()), ("OF_THE_PROGRAM", "is-passed-on".to_owned())];
    let gate = Gate::start(Setup { upstream, environment, actors: Vec::new(), ..Setup::default() });
    assert_eq!(presented(&stub, "printed"), ["Bearer the-printed-token"]);
    for name in ["printed", "secret"] {
        let given = std::fs::read_to_string(seen(name)).unwrap();
        assert!(given.contains("OF_THE_PROGRAM=is-passed-on"), "{name}: {given}");
        assert!(!given.contains("ORDAIN_SEALING_KEY") && !given.contains(&sealing), "{name}: {given}");
    }
    gate.finish();
}

#[test]
fn a_secret_store_holds_the_token_of_a_cluster_and_the_key_of_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("store_server.py", folder.path(), &[]);
    let address = format!("http://127.0.0.1:{}", server.1);
    store(&address, "ordain/live", &["password=the-token-in-the-store"]);
    store(
        &address,
        "ordain/aws",
        &["access_key_id=AKIAINTHESTORE", "secret_access_key=a-secret-in-the-store", "session_token=a-token"],
    );
    std::fs::write(folder.path().join("id"), "the-secret-id\n").unwrap();
    let id = folder.path().join("id");
    let secret = |path: &str, rest: &str| {
        format!(
            "{{ vault = {{ address = {address:?}, path = {path:?}, {rest} login = {{ approle = {{ role_id = \"gate\", secret_id_file = {id:?} }} }} }} }}"
        )
    };
    let stub = namespace();
    let home = Home::new("");
    let mut setup = setup(&secret("ordain/aws", ""), &home, &[]);
    setup.upstream = cluster("live", &stub, &secret("ordain/live", "field = \"password\", "))
        + &cluster("missing", &stub, &secret("ordain/missing", ""));
    setup.secrets.extend(["the-token-in-the-store", "a-secret-in-the-store", "the-secret-id"]);
    let gate = check(setup, "AKIAINTHESTORE", Some("a-token"));
    assert_eq!(presented(&stub, "live"), ["Bearer the-token-in-the-store"]);
    assert_eq!(presented(&stub, "missing"), Vec::<String>::new());
    let name = format!("there is no secret `secret/ordain/missing` of `{address}/`");
    assert!(gate.log().contains(&name), "{}", gate.log());
    // What was replaced is seen when it is looked at anew; what was taken away is not used any more.
    store(&address, "ordain/live", &["password=another-token-in-the-store"]);
    gate.hang_up();
    let doctor = said(&gate.run(&["doctor"]));
    assert!(doctor.contains("`live` is cluster live"), "{doctor}");
    assert_eq!(presented(&stub, "live").last().unwrap(), "Bearer another-token-in-the-store");
    store(&address, "ordain/live", &[]);
    let doctor = said(&gate.run(&["doctor"]));
    assert!(doctor.contains("there is no secret `secret/ordain/live`"), "{doctor}");
    gate.finish();
}

#[test]
fn a_store_that_is_the_plane_is_signed_in_to_and_hvac_works_through_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("store_server.py", folder.path(), &[]);
    let address = format!("http://127.0.0.1:{}", server.1);
    let id = folder.path().join("id");
    std::fs::write(&id, "the-secret-id\n").unwrap();
    let login = format!(
        "{{ vault_token = {{ login = {{ approle = {{ role_id = \"gate\", secret_id_file = {id:?} }} }} }} }}"
    );
    let gate = served::gate("vault", &address, &login, "enforce");
    gate.must_not_write("the-secret-id");
    gate.must_not_write("login-1");
    let through = format!("http://{}", gate.address);
    let alice = gate.bearer("served", "alice", "person");
    let wrote = asks_store(&["--as", &alice, &through, "shop/database", "password=of-the-shop"]);
    assert!(wrote.status.success(), "{} {}", said(&wrote), gate.log());
    let carol = gate.bearer("served", "carol", "person");
    let refused = said(&asks_store(&["--as", &carol, &through, "shop/database", "password=of-carol"]));
    assert!(refused.contains("hvac.exceptions.Forbidden") && refused.contains("carol may not"), "{refused}");
    gate.finish();
}
