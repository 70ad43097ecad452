//! People who log in with a provider's token: given in a file, and signed in for in a browser.
//!
//! The provider is a stub of ours. Leaves out each claim by itself (`proxy/src/identity/tests/login.rs`).

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;

use super::*;

const ROLES: &str = "[[login.oidc.role]]\nrole = \"approver\"\nmatch = { groups = \"approvers\" }\n\
                     [[login.oidc.role]]\nrole = \"viewer\"\n";

/// A provider, and a gate that people log in to with its tokens.
struct World {
    gate: Gate,
    issuer: String,
    key: EcdsaKeyPair,
    listener: TcpListener,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl World {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = key.public_key().as_ref();
        let jwk =
            json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": b64(&point[1..33]), "y": b64(&point[33..])});
        let gate = gate_with(|setup| {
            setup.files = vec![("jwks.json", json!({"keys": [jwk]}).to_string())];
            setup.settings = format!(
                "[[login.oidc]]\nissuer = \"{issuer}\"\naudience = \"ordain\"\njwks = \"{{folder}}/jwks.json\"\n\
                 person = \"{{preferred_username}}\"\nmatch = {{ hd = \"acme.example\" }}\n{ROLES}"
            );
        });
        Self { gate, issuer, key, listener }
    }

    fn token(&self, changes: &Value) -> String {
        let at = now().as_second();
        let mut claims = json!({
            "iss": self.issuer, "aud": "ordain", "sub": "0-1", "exp": at + 300, "iat": at, "hd": "acme.example",
            "preferred_username": "alice", "groups": ["staff", "approvers"], "nonce": "n1"
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let signed = format!("{}.{}", b64(r#"{"alg":"ES256","kid":"k"}"#), b64(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", b64(signature.as_ref()));
        self.gate.must_not_write(&token);
        token
    }

    fn log_in(&self, token: &str, nonce: Option<&str>) -> Reply {
        let mut body = json!({"id_token": token});
        if let Some(nonce) = nonce {
            body["nonce"] = json!(nonce);
        }
        ask_from(&self.gate, Ipv4Addr::LOCALHOST, "POST /v1/login/oidc", "", &body.to_string())
    }

    fn home(&self) -> String {
        self.gate.folder.path().join("home").display().to_string()
    }
}

#[test]
fn a_token_of_a_provider_begins_a_session_once() {
    let world = World::start();
    let at = now().as_second();
    for (changes, expected) in [
        (json!({"aud": "other"}), "for another client (`aud`)"),
        (json!({"exp": at - 61, "iat": at - 120}), "the token ended at"),
        (json!({"iat": at - 662}), "too long ago to log in with"),
        (json!({"nonce": "n2"}), "made for another login (`nonce`)"),
        (json!({"iss": "https://other.example"}), "not one that people log in with here"),
        (json!({"hd": "evil.example"}), "no entry under `login.oidc` fits"),
        (json!({"preferred_username": "nobody"}), "the model has no such person"),
        (json!({"preferred_username": "robot"}), "the model has no such person"),
    ] {
        let reply = world.log_in(&world.token(&changes), Some("n1"));
        assert_eq!(reply.status, 401, "{changes}");
        assert!(reply.text().contains(expected), "{changes}: {}", reply.text());
    }
    let token = world.token(&json!({}));
    let reply = world.log_in(&token, Some("n1"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let begun: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((&begun["person"], &begun["roles"]), (&json!("alice"), &json!(["viewer", "approver"])));
    assert_eq!(world.log_in(&token, Some("n1")).status, 401, "a second time");
    let session = begun["token"].as_str().unwrap();
    world.gate.must_not_write(session);
    let me: Value = serde_json::from_slice(&ask(&world.gate, "GET /v1/me", session, "").body).unwrap();
    assert_eq!(me["shown_by"], json!(format!("a token of `{}`", world.issuer)));
    let changes = own_changes(&world.gate);
    let expected = format!("alice: log in `alice` by a token of `{}`, as viewer and approver", world.issuer);
    assert!(changes.contains(&expected), "{changes:#?}");

    // Whom a provider's word makes what is said anew when the settings are others.
    world.gate.edit(|text| text.replace("groups = \"approvers\"", "groups = \"nobodies\""));
    world.gate.hang_up();
    crate::harness::eventually("the settings are in force", || {
        ask(&world.gate, "GET /v1/me", session, "").status == 401
    });
    let reply = world.log_in(&world.token(&json!({"jti": "2"})), None);
    let begun: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(begun["roles"], json!(["viewer"]));
    world.gate.must_not_write(begun["token"].as_str().unwrap());
    let changes = own_changes(&world.gate);
    assert!(changes.iter().any(|change| change.contains("login: people log in as")), "{changes:#?}");
    world.gate.finish();
}

#[test]
fn an_address_that_the_provider_has_not_verified_names_nobody() {
    let world = World::start();
    world.gate.edit(|text| text.replace("{preferred_username}", "{email}"));
    world.gate.hang_up();
    let said = |verified: Value| {
        let claims = json!({"email": "mallory", "email_verified": verified});
        world.log_in(&world.token(&claims), Some("n1"))
    };
    crate::harness::eventually("the settings are in force", || {
        said(json!(false)).text().contains("email_verified")
    });
    assert_eq!(said(json!(true)).status, 200);
    world.gate.finish();
}

#[test]
fn a_token_in_a_file_is_logged_in_with_from_the_command_line() {
    let world = World::start();
    let home = world.home();
    let here = [("XDG_STATE_HOME", home.as_str())];
    let login = ["login", "--token-file", "-"];
    let done = world.gate.run_given(&world.token(&json!({})), &here, &login);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("logged in as `alice`"), "{}", said(&done));
    assert!(world.gate.run_in(&here, &["logout"]).status.success());
    let wrong = world.gate.run_given(&world.token(&json!({"aud": "x"})), &here, &login);
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    world.gate.finish();
}

/// One request of a client, and what is answered.
fn serve_one(listener: &TcpListener, answer: impl FnOnce(&str, &str) -> Value) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(&mut reader, &mut body).unwrap();
    let answer = answer(&head, &String::from_utf8(body).unwrap()).to_string();
    write!(
        reader.get_mut(),
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    )
    .unwrap();
}

fn pairs(form: &str) -> std::collections::BTreeMap<String, String> {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

#[test]
fn somebody_signs_in_with_a_browser() {
    let world = World::start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordain"));
    command.arg("--config").arg(world.gate.folder.path().join("gate.toml"));
    command.args(["login", "--oidc"]).env("XDG_STATE_HOME", world.home()).env_remove("ORDAIN_CONFIG");
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (sender, lines) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    serve_one(&world.listener, |head, _| {
        assert!(head.starts_with("GET /.well-known/openid-configuration "), "{head}");
        let at = |path: &str| format!("{}{path}", world.issuer);
        json!({"issuer": world.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token")})
    });
    let asked = loop {
        let line = lines.recv_timeout(Duration::from_secs(20)).unwrap();
        if let Some(query) = line.strip_prefix(&format!("{}/authorize?", world.issuer)) {
            break pairs(query);
        }
    };
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", "ordain"));
    assert_eq!(asked["code_challenge_method"], "S256");
    let at: SocketAddr =
        asked["redirect_uri"].strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
    let visit = |target: &str| {
        let mut stream = TcpStream::connect(at).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nhost: {at}\r\n\r\n").unwrap();
        read_reply(&mut stream, false).unwrap().status
    };
    // What is not of this login is answered, and waited on after.
    assert_eq!((visit("/favicon.ico"), visit("/?code=stolen&state=guessed")), (404, 404));
    assert_eq!(visit(&format!("/?code=c%2F1&state={}", asked["state"])), 200);
    serve_one(&world.listener, |head, body| {
        assert!(head.starts_with("POST /token "), "{head}");
        let form = pairs(body);
        assert_eq!((form["code"].as_str(), form["grant_type"].as_str()), ("c/1", "authorization_code"));
        assert_eq!((&form["redirect_uri"], form["client_id"].as_str()), (&asked["redirect_uri"], "ordain"));
        let hash = sha2::Sha256::digest(form["code_verifier"].as_bytes());
        assert_eq!(b64(hash), asked["code_challenge"], "the verifier of that challenge");
        json!({"id_token": world.token(&json!({"nonce": asked["nonce"]})), "token_type": "Bearer", "access_token": "x"})
    });
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("logged in as `alice`"), "{}", said(&done));
    let here = [("XDG_STATE_HOME", world.home())];
    let who = world.gate.run_in(&[(here[0].0, &here[0].1)], &["whoami"]);
    assert!(said(&who).contains(&format!("a token of `{}`", world.issuer)), "{}", said(&who));
    world.gate.finish();
}
