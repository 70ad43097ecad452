//! People who log in to the admin address: with accounts, as somebody does it at a keyboard, and as somebody does who has
//! no business there.
//!
//! Leaves out what stands beside the code: passwords, codes, sessions and throttles by themselves (`proxy/src/people/`).

mod ending;
mod holds;
mod oidc;
mod tls;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use totp_rs::{Builder, Secret, Totp};

use crate::harness::{Gate, Reply, Setup, now, read_reply, said};

const PASSWORD: &str = "correct horse battery staple";

/// A gate whose model has more people.
pub(super) fn gate() -> Gate {
    gate_with(|_| ())
}

pub(super) fn gate_with(change: impl FnOnce(&mut Setup)) -> Gate {
    let mut setup = Setup { secrets: vec![PASSWORD], ..Setup::default() };
    for name in ["bob", "carol", "dave"] {
        let user = format!(
            "\n---\napiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {{name: {name}}}\nspec: {{memberOf: [platform]}}\n"
        );
        setup.model[0].1.push_str(&user);
    }
    change(&mut setup);
    Gate::start(setup)
}

/// What an authenticator has.
pub(super) struct Authenticator(Totp);

impl Authenticator {
    fn of(uri: &str) -> Self {
        let secret = uri.split(['=', '&']).nth(1).expect("a secret");
        let secret = Secret::try_from_base32(secret).expect("base32");
        Self(
            Builder::new()
                .with_secret(secret.as_bytes().to_vec())
                .build()
                .expect("a secret that is long enough"),
        )
    }

    /// The code that is shown now, or so many steps later.
    pub(super) fn code(&self, later: u64) -> String {
        let now = u64::try_from(now().as_second()).unwrap();
        self.0.generate(now + 30 * later).to_string()
    }
}

/// Makes an account.
pub(super) fn account(gate: &Gate, name: &str, roles: &[&str]) -> Authenticator {
    let given: Vec<&str> = roles.iter().flat_map(|role| ["--role", *role]).collect();
    let add = [&["-o", "json", "account", "add", name][..], &given].concat();
    let made = gate.run_given(&format!("{PASSWORD}\n"), &[], &add);
    assert!(made.status.success(), "{}", said(&made));
    authenticator(gate, &made.stdout)
}

fn authenticator(gate: &Gate, shown: &[u8]) -> Authenticator {
    let shown: Value = serde_json::from_slice(shown).unwrap();
    let uri = shown["authenticator"].as_str().unwrap();
    gate.must_not_write(uri.split(['=', '&']).nth(1).unwrap());
    Authenticator::of(uri)
}

/// Asks the admin address, from one of the addresses of this machine.
fn ask_from(gate: &Gate, from: Ipv4Addr, line: &str, headers: &str, body: &str) -> Reply {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&gate.admin.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {}\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        gate.admin,
        body.len()
    )
    .unwrap();
    read_reply(&mut stream, false).unwrap()
}

/// Asks as whoever has a token.
pub(super) fn ask(gate: &Gate, line: &str, token: &str, body: &str) -> Reply {
    let shown = format!("authorization: Bearer {token}\r\n");
    ask_from(gate, Ipv4Addr::LOCALHOST, line, &shown, body)
}

fn try_from(gate: &Gate, from: Ipv4Addr, name: &str, password: &str, code: &str) -> Reply {
    let body = json!({"name": name, "password": password, "code": code}).to_string();
    ask_from(gate, from, "POST /v1/login", "", &body)
}

/// The session of a person who shows what is right.
pub(super) fn log_in(gate: &Gate, name: &str, code: &str) -> String {
    let reply = try_from(gate, Ipv4Addr::LOCALHOST, name, PASSWORD, code);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let begun: Value = serde_json::from_slice(&reply.body).unwrap();
    let token = begun["token"].as_str().unwrap().to_owned();
    gate.must_not_write(&token);
    token
}

pub(super) fn operator(gate: &Gate) -> String {
    std::fs::read_to_string(gate.folder.path().join("state/admin.token")).unwrap().trim().to_owned()
}

/// What the gate recorded of its own changes: who made it, and what it is.
pub(super) fn own_changes(gate: &Gate) -> Vec<String> {
    let entries = gate.ledger().refresh().to_vec();
    let own = entries.iter().filter(|entry| entry.sort == "change");
    own.map(|entry| format!("{}: {}", entry.text("author"), entry.text("summary"))).collect()
}

#[test]
fn a_person_gets_an_account_and_logs_in_and_out() {
    let gate = gate();
    for (name, given, expected) in [
        ("nobody", PASSWORD, "has no person `nobody`; add a `User` of that name there first"),
        ("robot", PASSWORD, "has no person `robot`"),
        ("alice", "elevenchars", "the password is shorter than 12 characters; give a longer one"),
    ] {
        let add = ["account", "add", name, "--role", "approver"];
        let refused = gate.run_given(&format!("{given}\n"), &[], &add);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(expected), "{}", said(&refused));
    }
    let shown = account(&gate, "alice", &["approver", "operator"]);
    let listed = said(&gate.run(&["account", "list"]));
    assert!(listed.contains("alice") && listed.contains("approver, operator"), "{listed}");
    let file = gate.folder.path().join("state/accounts.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let home = gate.folder.path().join("home");
    let here = [("XDG_STATE_HOME", home.to_str().unwrap())];
    let server = format!("http://{}", gate.admin);
    let words = ["login", "--server", &server, "--as", "alice"];
    let wrong = gate.run_given(&format!("{PASSWORD}\n000000\n"), &here, &words);
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    assert!(said(&wrong).contains("the name, the password or the code is not right"), "{}", said(&wrong));
    let none = gate.run_in(&here, &["whoami"]);
    assert!(said(&none).contains("nobody is logged in here; log in with `ordain login`"), "{}", said(&none));

    // Where no server is named it is the gate of the settings.
    let done =
        gate.run_given(&format!("{PASSWORD}\n{}\n", shown.code(0)), &here, &["login", "--as", "alice"]);
    assert!(done.status.success(), "{}", said(&done));
    let expected = format!("logged in as `alice` at `{server}`, as approver and operator, until ");
    assert!(said(&done).contains(&expected), "{}", said(&done));
    let kept = home.join("ordain/session.json");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let kept: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    let token = kept["token"].as_str().unwrap().to_owned();
    gate.must_not_write(&token);
    let who = gate.run_in(&here, &["-o", "json", "whoami"]);
    let who: Value = serde_json::from_slice(&who.stdout).unwrap();
    assert_eq!(
        (&who["person"], &who["roles"], &who["shown_by"]),
        (&json!("alice"), &json!(["viewer", "approver", "operator"]), &json!("password and code"))
    );
    let out = gate.run_in(&here, &["logout"]);
    assert!(out.status.success() && said(&out).contains("logged out at"), "{}", said(&out));
    assert_eq!(ask(&gate, "GET /v1/me", &token, "").status, 401);
    assert_eq!(gate.run_in(&here, &["whoami"]).status.code(), Some(2));

    let changes = own_changes(&gate);
    let has = |text: &str| changes.iter().any(|change| change == text);
    assert!(has("operator: add an account for person `alice`, as approver and operator"), "{changes:#?}");
    assert!(has("alice: log in `alice` by password and code, as approver and operator"), "{changes:#?}");
    let metrics = gate.admin_page("/metrics").1;
    for (result, count) in [("in", 1), ("refused", 1)] {
        let line = format!("ordain_logins_total{{how=\"local\",result=\"{result}\"}} {count}");
        assert!(metrics.contains(&line), "{line}");
    }
    let log = gate.log();
    assert!(log.contains("logged in") && log.contains("logged out") && log.contains("logins fail"), "{log}");
    gate.finish();
}

#[test]
fn whatever_is_wrong_has_the_same_answer() {
    let gate = gate();
    let (alice, bob) = (account(&gate, "alice", &["viewer"]), account(&gate, "bob", &["viewer"]));
    assert!(gate.run(&["account", "disable", "bob"]).status.success());
    let other = account(&gate, "carol", &["viewer"]);
    let mut answers = BTreeSet::new();
    for (name, password, code) in [
        ("alice", "another horse battery staple", alice.code(0)),
        ("alice", PASSWORD, other.code(0)),
        ("alice", PASSWORD, String::new()),
        ("bob", PASSWORD, bob.code(0)),
        ("nobody", PASSWORD, alice.code(0)),
        ("", PASSWORD, alice.code(0)),
        (&"x".repeat(4096), PASSWORD, alice.code(0)),
        ("dave", &"x".repeat(4096), alice.code(0)),
    ] {
        let started = Instant::now();
        let reply = try_from(&gate, Ipv4Addr::LOCALHOST, name, password, &code);
        assert!(started.elapsed() >= Duration::from_millis(300), "told too soon of `{name}`");
        let headers: Vec<_> = reply.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        answers.insert((reply.status, headers, reply.text()));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let (status, _, text) = answers.first().unwrap();
    let expected = "the name, the password or the code is not right; try again with the next code\n";
    assert_eq!((*status, text.as_str()), (401, expected));
    // None of that used the code up.
    log_in(&gate, "alice", &alice.code(0));
    gate.finish();
}

#[test]
fn of_all_who_show_a_code_at_once_one_is_logged_in() {
    let gate = gate();
    let shown = account(&gate, "alice", &["viewer"]);
    let code = shown.code(0);
    let replies: Vec<Reply> = thread::scope(|scope| {
        let tried = (0..50_u8).map(|number| {
            let (gate, code) = (&gate, &code);
            // So many that one peer alone would not be let try.
            scope.spawn(move || try_from(gate, Ipv4Addr::new(127, 0, 1, number), "alice", PASSWORD, code))
        });
        tried.collect::<Vec<_>>().into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!(count(200), 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    // As many as may try one name, and one more every twenty seconds; the others are told to wait.
    assert!(
        count(401) >= 19 && count(429) > 0 && count(401) + count(429) == 49,
        "{} {}",
        count(401),
        count(429)
    );
    gate.finish();
}

#[test]
fn a_code_that_was_used_is_not_taken_again_after_a_restart_either() {
    let mut gate = gate();
    let shown = account(&gate, "alice", &["viewer"]);
    let code = shown.code(0);
    let token = log_in(&gate, "alice", &code);
    assert_eq!(try_from(&gate, Ipv4Addr::LOCALHOST, "alice", PASSWORD, &code).status, 401);
    assert!(gate.stop());
    gate.restart();
    assert_eq!(try_from(&gate, Ipv4Addr::LOCALHOST, "alice", PASSWORD, &code).status, 401);
    assert_eq!(ask(&gate, "GET /v1/me", &token, "").status, 401, "sessions are in memory alone");
    log_in(&gate, "alice", &shown.code(1));
    gate.finish();
}

#[test]
fn whoever_tries_too_often_waits_and_others_do_not() {
    let gate = gate();
    let shown = account(&gate, "alice", &["viewer"]);
    let said = |from: Ipv4Addr, name: &str, times: usize| -> Vec<u16> {
        (0..times).map(|_| try_from(&gate, from, name, "wrong horse battery", "000000").status).collect()
    };
    let (here, there) = (Ipv4Addr::new(127, 0, 0, 7), Ipv4Addr::new(127, 0, 0, 8));
    assert_eq!(said(here, "alice", 7), [401, 401, 401, 401, 401, 429, 429]);
    // A name that nobody has is held to the same.
    assert_eq!(said(here, "nobody", 6), [401, 401, 401, 401, 401, 429]);
    let reply = try_from(&gate, here, "alice", PASSWORD, &shown.code(0));
    assert_eq!(reply.text(), "too many have tried to log in; wait a minute, and try again\n");
    assert_eq!(try_from(&gate, there, "alice", PASSWORD, &shown.code(0)).status, 200);
    let failures = gate.log().lines().filter(|line| line.contains("logins fail")).count();
    assert!((3..=5).contains(&failures), "{failures} lines of {} failures", 14);
    gate.finish();
}

#[test]
fn each_does_what_the_roles_say_and_the_token_is_no_person() {
    let gate = gate();
    let viewer = log_in(&gate, "alice", &account(&gate, "alice", &["viewer"]).code(0));
    let approver = log_in(&gate, "bob", &account(&gate, "bob", &["approver"]).code(0));
    let admin = log_in(&gate, "carol", &account(&gate, "carol", &["admin"]).code(0));
    let operating = log_in(&gate, "dave", &account(&gate, "dave", &["operator"]).code(0));
    let token = operator(&gate);
    let change = json!({"kind": "configuration", "summary": "of a test"}).to_string();
    for (caller, operates) in
        [(&viewer, false), (&approver, false), (&admin, false), (&operating, true), (&token, true)]
    {
        let expected = if operates { 200 } else { 403 };
        assert_eq!(ask(&gate, "GET /v1/status", caller, "").status, 200);
        assert_eq!(ask(&gate, "POST /v1/keys/look", caller, "").status, expected);
        let reply = ask(&gate, "POST /v1/own-changes", caller, &change);
        assert_eq!(reply.status, expected, "{}", reply.text());
    }
    let refused = ask(&gate, "POST /v1/own-changes", &viewer, &change).text();
    assert_eq!(refused, "`alice` has not the role `operator`; ask whoever manages accounts for it\n");
    let changes = own_changes(&gate);
    let recorded: Vec<_> = changes.iter().filter(|change| change.ends_with("of a test")).collect();
    assert_eq!(recorded, ["dave: of a test", "operator: of a test"]);

    let me: Value = serde_json::from_slice(&ask(&gate, "GET /v1/me", &token, "").body).unwrap();
    let expected = json!({
        "person": null, "roles": ["viewer", "operator", "admin"], "shown_by": "the token of the state directory",
        "expires": null
    });
    assert_eq!(me, expected);
    assert_eq!(ask(&gate, "POST /v1/logout", &token, "").status, 400);
    for nobody in ["", "x", &viewer[..viewer.len() - 1], &format!("{viewer}A"), &token[..63]] {
        for line in ["GET /v1/me", "GET /v1/status", "POST /v1/logout", "POST /v1/own-changes"] {
            let reply = ask(&gate, line, nobody, &change);
            assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer")), "{line}");
        }
    }
    // Roles are what the account has now.
    assert!(gate.run(&["account", "set", "alice", "--role", "operator"]).status.success());
    assert_eq!(ask(&gate, "POST /v1/keys/look", &viewer, "").status, 200);
    gate.finish();
}

#[test]
fn a_page_of_another_site_asks_nothing_whatever_it_has() {
    let gate = gate();
    let shown = account(&gate, "alice", &["viewer"]);
    let session = log_in(&gate, "alice", &shown.code(0));
    let login = json!({"name": "alice", "password": PASSWORD, "code": shown.code(1)}).to_string();
    let own = format!("http://{}", gate.admin);
    let asked = |origin: &str, line: &str, body: &str| {
        let headers = format!("authorization: Bearer {session}\r\norigin: {origin}\r\n");
        ask_from(&gate, Ipv4Addr::LOCALHOST, line, &headers, body)
    };
    for origin in ["http://evil.example", "null", "http://localhost", &own.replace("http", "https")] {
        for (line, body) in [("GET /v1/me", ""), ("POST /v1/login", login.as_str()), ("POST /v1/logout", "")]
        {
            let reply = asked(origin, line, body);
            assert_eq!(reply.status, 403, "{origin} {line}");
            assert!(reply.text().contains("a page of another site"), "{}", reply.text());
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }
    }
    let reply = asked(&own, "GET /v1/me", "");
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")));
    assert_eq!(reply.header("set-cookie"), None);
    gate.finish();
}
