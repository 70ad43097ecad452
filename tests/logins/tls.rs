//! Logins from elsewhere: over TLS alone, on the port that this machine's programs ask as before.

use std::net::IpAddr;

use rcgen::generate_simple_self_signed;

use super::*;
use crate::harness::skipped;

/// An address of this machine that is not its own alone.
fn outer() -> Option<IpAddr> {
    let all = if_addrs::get_if_addrs().ok()?;
    all.iter().map(if_addrs::Interface::ip).find(|ip| ip.is_ipv4() && !ip.is_loopback())
}

#[test]
fn nobody_logs_in_over_what_others_can_read() {
    let Some(outer) = outer().or_else(|| skipped("an address beside the loopback's")) else { return };
    let mut gate = gate();
    let shown = account(&gate, "alice", &["viewer"]);
    let made = generate_simple_self_signed(vec![outer.to_string()]).unwrap();
    let folder = gate.folder.path().to_owned();
    let path = |name: &str| folder.join(name);
    std::fs::write(path("admin.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("admin.key"), made.signing_key.serialize_pem()).unwrap();
    let tls =
        format!("admin_tls = {{ certificate = {:?}, key = {:?} }}", path("admin.pem"), path("admin.key"));
    assert!(gate.stop());
    gate.edit(|text| text.replace("admin = \"127.0.0.1:0\"", &format!("admin = \"0.0.0.0:0\"\n{tls}")));
    gate.restart();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, gate.admin.port()));
    let there = SocketAddr::new(outer, gate.admin.port());
    gate.admin = there;

    let IpAddr::V4(from) = outer else { return };
    let refused = try_from(&gate, from, "alice", PASSWORD, &shown.code(0));
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("`listen.admin_tls`"), "{}", refused.text());

    let home = path("home");
    let state = [("XDG_STATE_HOME", home.to_str().unwrap())];
    let words = |server: &str, trust: &str| {
        ["login", "--as", "alice", "--server", server, "--trust", trust].map(str::to_owned)
    };
    let login = |server: &str, trust: &std::path::Path, later: u64| {
        let words = words(server, trust.to_str().unwrap());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        gate.run_given(&format!("{PASSWORD}\n{}\n", shown.code(later)), &state, &words)
    };
    let plain = login(&format!("http://{there}"), &path("admin.pem"), 0);
    assert!(said(&plain).contains("`http` is taken of this machine alone"), "{}", said(&plain));
    std::fs::write(path("other.pem"), generate_simple_self_signed(vec!["x".to_owned()]).unwrap().cert.pem())
        .unwrap();
    let stranger = login(&format!("https://{there}"), &path("other.pem"), 0);
    assert!(said(&stranger).contains("cannot be asked"), "{}", said(&stranger));
    let done = login(&format!("https://{there}"), &path("admin.pem"), 0);
    assert!(done.status.success(), "{}", said(&done));
    let who = gate.run_in(&state, &["whoami"]);
    assert!(who.status.success() && said(&who).contains(&format!("https://{there}")), "{}", said(&who));

    // Where no server is named it is this machine's, also of a gate that listens everywhere.
    let here_too = gate.run_given("x\nx\n", &state, &["login", "--as", "alice"]);
    assert!(said(&here_too).contains(&format!("not logged in at `http://{here}`")), "{}", said(&here_too));

    // The session is of nobody who shows it where it can be read; on this machine it can not.
    let kept: Value =
        serde_json::from_slice(&std::fs::read(home.join("ordain/session.json")).unwrap()).unwrap();
    let token = kept["token"].as_str().unwrap();
    gate.must_not_write(token);
    let shown_to = |gate: &Gate, from| {
        let header = format!("authorization: Bearer {token}\r\n");
        ask_from(gate, from, "GET /v1/me", &header, "").status
    };
    assert_eq!(shown_to(&gate, from), 401);
    // One who connects and says nothing keeps nobody waiting.
    let _silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(here).unwrap()).collect();
    gate.admin = here;
    assert_eq!(shown_to(&gate, Ipv4Addr::LOCALHOST), 200);
    assert_eq!(gate.admin_page("/healthz").0, 200);
    gate.finish();
}
