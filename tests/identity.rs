//! Who is asking, from outside: actors that are revoked, and those who are shown by something else than a signature.
//!
//! The cluster is a stub of ours, which knows only that it is one. Leaves out each scheme's own rules, which stand beside
//! them (`proxy/src/identity/`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};

use crate::harness::{
    Answer, Client, Gate, Recorder, Reply, Sent, Setup, create_key, eventually, now, read_reply, said,
};

/// What the gate recorded of its own changes.
fn own_changes(gate: &Gate) -> String {
    let records = gate.ledger().refresh().to_vec();
    records.iter().map(|record| format!("{record:?}\n")).filter(|text| text.contains("revoke")).collect()
}

#[test]
fn an_actor_that_is_revoked_is_shown_by_no_key_until_it_is_allowed_and_gets_another() {
    let gate = Gate::start(Setup::default());
    let (alice, robot) = (gate.client("alice"), gate.client("robot"));
    let read = Sent::ec2("DescribeInstances");
    assert_eq!((alice.send(&read).status, robot.send(&read).status), (200, 200));
    let revoked = gate.run(&["actor", "revoke", "alice", "--kind", "person"]);
    assert!(said(&revoked).contains("revoked the person `alice`, with 1 keys"), "{}", said(&revoked));
    // The running gate was asked to look: the next request is refused already.
    let refused = alice.send(&read);
    assert_eq!((refused.status, refused.reason()), (403, "actor_revoked"), "{}", refused.text());
    assert_eq!(robot.send(&read).status, 200, "another actor");
    assert!(own_changes(&gate).contains("revoke the person `alice`"), "{}", own_changes(&gate));
    let listed = gate.run(&["-o", "json", "actor", "list"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["actor"], &listed[0]["kind"]), (&json!("alice"), &json!("person")));
    let create = ["key", "create", "--actor", "alice", "--kind", "person"];
    let none = gate.run(&create);
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    assert!(said(&none).contains("the actor `alice` is revoked"), "{}", said(&none));
    let unknown = gate.run(&["actor", "allow", "bob"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
    assert!(gate.run(&["actor", "allow", "alice"]).status.success());
    let ended = alice.send(&read);
    assert_eq!((ended.status, ended.reason()), (403, "key_revoked"), "{}", ended.text());
    let again = create_key(gate.folder.path(), "alice", "person");
    assert_eq!(Client::new(gate.address, &again).send(&read).status, 200);
    gate.finish();
}

/// A cluster, and a gate in front of it that believes an issuer and the user who runs this test.
pub(crate) struct Cluster {
    pub(crate) gate: Gate,
    pub(crate) stub: Recorder,
    issuer: EcdsaKeyPair,
    pub(crate) clients: Authority,
    pub(crate) folder: tempfile::TempDir,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Cluster {
    fn start() -> Self {
        Self::start_with("", |_| {})
    }

    /// With more lines of the upstream's table, and another set-up.
    pub(crate) fn start_with(lines: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let (stub, folder) = (Recorder::start(), tempfile::tempdir().unwrap());
        stub.answer(|_| {
            Answer::Body(
                200,
                json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "u-1"}}).to_string(),
            )
        });
        let issuer = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = issuer.public_key().as_ref();
        let key =
            json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": b64(&point[1..33]), "y": b64(&point[33..])});
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("jwks.json"), json!({"keys": [key]}).to_string()).unwrap();
        std::fs::write(path("token"), "the-real-token-of-the-gate").unwrap();
        let upstream = format!(
            "\n[[upstream]]\nname = \"live\"\nplane = \"kubernetes\"\nendpoint = \"http://{}\"\ncredentials = {{ token_file = {:?} }}\n{lines}\n",
            stub.address,
            path("token")
        );
        let identity = format!(
            "\n[[identity.oidc]]\nissuer = \"https://ci.example\"\naudience = \"ordain\"\njwks = {:?}\nactor = \"{{repository}}\"\n\
             kind = \"pipeline\"\nupstreams = [\"live\"]\nmatch = {{ ref = \"refs/heads/main\" }}\n\
             [[identity.unix]]\nuid = {}\nactor = \"robot\"\nkind = \"agent\"\nupstreams = [\"live\"]\n",
            path("jwks.json"),
            rustix::process::getuid().as_raw()
        );
        let clients = authority();
        std::fs::write(path("clients.pem"), clients.pem()).unwrap();
        let identity = format!(
            "{identity}[identity.mtls]\ntrust = {:?}\n[[identity.mtls.rule]]\nspiffe = \"spiffe://acme/*\"\nactor = \"robot\"\n\
             kind = \"agent\"\nupstreams = [\"live\"]\n",
            path("clients.pem")
        );
        let model = "\n---\napiVersion: ordain/v1\nkind: Account\nmetadata: {name: cluster}\nspec: {plane: kubernetes, account: live, owner: platform}\n\
            ---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {name: acme/shop}\nspec: {kind: pipeline, memberOf: [platform]}\n";
        let mut setup = Setup::default();
        setup.model[0].1.push_str(model);
        setup.upstream = upstream + &identity;
        setup.listen = format!("unix = {:?}\n", path("gate.sock"));
        change(&mut setup);
        Self { gate: Gate::start(setup), stub, issuer, clients, folder }
    }

    pub(crate) fn token(&self, changes: &Value) -> String {
        let mut claims = json!({
            "iss": "https://ci.example", "aud": "ordain", "sub": "repo:acme/shop", "exp": now().as_second() + 300,
            "repository": "acme/shop", "ref": "refs/heads/main",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let signed = format!("{}.{}", b64(r#"{"alg":"ES256","kid":"k"}"#), b64(claims.to_string()));
        let signature = self.issuer.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", b64(signature.as_ref()))
    }

    fn asked(&self, stream: impl Read + Write, headers: &str) -> Reply {
        self.sent(stream, "GET /api/v1/namespaces", headers, "")
    }

    pub(crate) fn sent(&self, mut stream: impl Read + Write, line: &str, headers: &str, body: &str) -> Reply {
        let (host, length) = (self.gate.address, body.len());
        let framing = if body.is_empty() {
            String::new()
        } else {
            format!("content-type: application/json\r\ncontent-length: {length}\r\n")
        };
        write!(
            stream,
            "{line} HTTP/1.1\r\nhost: {host}\r\n{headers}{framing}connection: close\r\n\r\n{body}"
        )
        .unwrap();
        read_reply(&mut stream, false).unwrap()
    }

    pub(crate) fn ask(&self, headers: &str) -> Reply {
        self.asked(TcpStream::connect(self.gate.address).unwrap(), headers)
    }

    /// Asks over TLS, under the gate's own authority, with a certificate for this SPIFFE ID.
    fn over_tls(&self, of: &Authority, id: &str) -> std::io::Result<Reply> {
        self.over_tls_with(of, id, "")
    }

    pub(crate) fn over_tls_with(&self, of: &Authority, id: &str, headers: &str) -> std::io::Result<Reply> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(id).unwrap())];
        let leaf = params.signed_by(&key, of).unwrap();
        let mut roots = RootCertStore::empty();
        let bundle = self.gate.folder.path().join("state/ca-bundle.pem");
        for certificate in CertificateDer::pem_file_iter(bundle).unwrap() {
            drop(roots.add(certificate.unwrap()));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let name = ServerName::try_from(self.gate.address.ip().to_string()).unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, TcpStream::connect(self.gate.address).unwrap());
        write!(
            stream,
            "GET /api/v1/namespaces HTTP/1.1\r\nhost: {}\r\n{headers}connection: close\r\n\r\n",
            self.gate.address
        )?;
        read_reply(&mut stream, false)
    }

    fn on_socket(&self) -> Reply {
        self.on_socket_with("")
    }

    pub(crate) fn on_socket_with(&self, headers: &str) -> Reply {
        self.asked(UnixStream::connect(self.folder.path().join("gate.sock")).unwrap(), headers)
    }
}

#[test]
fn an_actor_of_a_cluster_is_shown_by_each_scheme_and_the_cluster_sees_none_of_it() {
    let cluster = Cluster::start();
    let (issued, foreign) = (cluster.gate.bearer("live", "robot", "agent"), cluster.token(&json!({})));
    for token in [&issued, &foreign] {
        let reply = cluster.ask(&format!("authorization: Bearer {token}\r\n"));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!(cluster.on_socket().status, 200, "the user who runs this");
    let certified = cluster.over_tls(&cluster.clients, "spiffe://acme/runner").unwrap();
    assert_eq!(certified.status, 200, "{}", certified.text());
    let arrived = cluster.stub.arrived();
    let asked: Vec<_> = arrived.iter().filter(|one| one.target == "/api/v1/namespaces").collect();
    assert_eq!(asked.len(), 4);
    for one in asked {
        assert_eq!(one.header("authorization"), Some("Bearer the-real-token-of-the-gate"));
        assert!(!format!("{one:?}").contains(&issued) && !format!("{one:?}").contains(&foreign));
    }
    assert!(!cluster.gate.log().contains(&issued) && !cluster.gate.log().contains(&foreign));
    cluster.gate.finish();
}

#[test]
fn whoever_is_not_shown_reaches_no_cluster() {
    let cluster = Cluster::start();
    let before = cluster.stub.arrived().len();
    let bearer = |token: String| format!("authorization: Bearer {token}\r\n");
    let good = cluster.token(&json!({}));
    for (headers, reason) in [
        (String::new(), "missing_authentication"),
        ("x-remote-user: admin\r\nx-remote-group: system:masters\r\n".to_owned(), "missing_authentication"),
        ("x-forwarded-user: admin\r\nimpersonate-user: admin\r\n".to_owned(), "missing_authentication"),
        // The guard has refused it already, for every plane.
        (bearer(good.clone()) + &bearer(good.clone()), "framing_given_twice"),
        (bearer(cluster.token(&json!({"aud": "other"}))), "wrong_audience"),
        (bearer(cluster.token(&json!({"iss": "https://other.example"}))), "unknown_issuer"),
        (bearer(cluster.token(&json!({"exp": now().as_second() - 300}))), "token_expired"),
        (bearer(cluster.token(&json!({"ref": "refs/heads/other"}))), "claims_not_allowed"),
        (bearer(good.clone() + "A"), "invalid_token"),
        (bearer("ordain.TKORAAAAAAAAAAAAAAAA.x".to_owned()), "unknown_token"),
        (bearer("the-real-token-of-the-gate".to_owned()), "invalid_token"),
    ] {
        let reply = cluster.ask(&headers);
        assert!([400, 401, 403].contains(&reply.status), "{headers}: {}", reply.text());
        eventually(reason, || cluster.gate.log().contains(&format!("\"reason_code\":\"{reason}\"")));
    }
    let foreign = cluster.over_tls(&cluster.clients, "spiffe://other/runner").unwrap();
    assert_eq!(foreign.status, 401, "{}", foreign.text());
    assert!(cluster.over_tls(&authority(), "spiffe://acme/runner").is_err(), "of another authority");
    assert!(cluster.gate.run(&["actor", "revoke", "acme/shop"]).status.success());
    let reply = cluster.ask(&bearer(good));
    assert!(reply.text().contains("is revoked"), "{}", reply.text());
    assert!(cluster.gate.run(&["actor", "revoke", "robot"]).status.success());
    let reply = cluster.on_socket();
    assert!(reply.text().contains("is revoked"), "{}", reply.text());
    assert_eq!(cluster.stub.arrived().len(), before, "nothing reached the cluster");
    cluster.gate.finish();
}

#[test]
fn an_entry_is_in_force_once_it_is_recorded() {
    let cluster = Cluster::start();
    let token = cluster.token(&json!({"ref": "refs/heads/release"}));
    let headers = format!("authorization: Bearer {token}\r\n");
    assert_eq!(cluster.ask(&headers).status, 401);
    cluster.gate.edit(|settings| settings.replace("refs/heads/main", "refs/heads/release"));
    cluster.gate.hang_up();
    eventually("the entry is in force", || cluster.ask(&headers).status == 200);
    let records = cluster.gate.ledger().refresh().to_vec();
    let changes: String = records.iter().map(|record| format!("{record:?}\n")).collect();
    assert!(
        changes.contains("ref=refs/heads/release are pipeline `{repository}` on live: loosened"),
        "{changes}"
    );
    cluster.gate.finish();
}
