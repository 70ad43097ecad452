//! Hosts that are let through: recorded, reached at the address that was looked at, and never for another host.
//!
//! Skipped where no network namespace can be made: a mirror has to be elsewhere than on this machine. Leaves out which
//! hosts may be configured, which the settings' own tests try.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::process::Output;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;

use crate::harness::{Gate, Setup, eventually, said, self_signed};
use crate::transparent::inside::{CLIENT, GATE, Inside, out_of};

/// A mirror outside: it says `mirrored`, nothing for a while where it is asked for `/hold`, and a
/// byte now and then for `/drip`.
pub(crate) fn mirror(inside: &Inside) -> String {
    let (config, certificate) = self_signed::server(&["mirror.example", "a.mirrors.example"], &[]);
    for at in [Inside::V4, Inside::V6] {
        let listener = TcpListener::bind((at, 443)).unwrap();
        let config = Arc::clone(&config);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                thread::spawn(move || {
                    let session = ServerConnection::new(config).unwrap();
                    let mut stream = StreamOwned::new(session, stream);
                    let mut head = [0; 4_096];
                    let Ok(count) = stream.read(&mut head) else { return };
                    if head[..count].starts_with(b"GET /hold") {
                        thread::sleep(Duration::from_secs(30));
                    }
                    if head[..count].starts_with(b"GET /drip") {
                        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"));
                        while stream.write_all(b".").and_then(|()| stream.flush()).is_ok() {
                            thread::sleep(Duration::from_millis(100));
                        }
                        return;
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\nmirrored";
                    drop(stream.write_all(answer));
                    // The client ends it: whoever closes with something of the other unread resets the connection.
                    drop(stream.flush());
                    while stream.sock.read(&mut head).is_ok_and(|count| count > 0) {}
                });
            }
        });
    }
    let trusted = inside.folder.path().join("mirror.pem");
    std::fs::write(&trusted, certificate.pem()).unwrap();
    trusted.display().to_string()
}

fn setup(inside: &Inside) -> Setup {
    let setup = inside.setup();
    Setup {
        listen: format!("{}egress = \"127.0.0.1:0\"\n", setup.listen),
        settings:
            "[egress]\npass = [\"mirror.example\", \"*.mirrors.example\"]\n[limits]\nidle_timeout = \"2s\"\n"
                .to_owned(),
        ..setup
    }
}

/// curl as a client inside, through the gate as its proxy.
fn curl(inside: &Inside, gate: &Gate, trusted: &str, arguments: &[&str]) -> Output {
    let proxy = format!("http://{}", gate.egress());
    let fixed = ["-sS", "--max-time", "20", "--cacert", trusted, "-x", &proxy, "-w", " %{http_connect}"];
    inside.client("curl", &[&fixed[..], arguments].concat())
}

/// The tunnels that are in evidence, as the verb lists them.
fn tunnels(gate: &Gate) -> Vec<Value> {
    let listed = gate.run(&["-o", "json", "ledger", "tunnels"]);
    assert!(listed.status.success(), "{}", said(&listed));
    serde_json::from_slice(&listed.stdout).unwrap()
}

fn ends(gate: &Gate) -> Vec<String> {
    let why = |tunnel: &Value| tunnel["end"]["why"].as_str().unwrap_or("stands").to_owned();
    tunnels(gate).iter().map(why).collect()
}

#[test]
fn a_mirror_is_reached_unopened_and_on_record() {
    let Some(inside) = Inside::new() else { return };
    let trusted = mirror(&inside);
    let gate = Gate::start(setup(&inside));
    for host in ["mirror.example", "a.mirrors.example", "MIRROR.example"] {
        let got = curl(&inside, &gate, &trusted, &[&format!("https://{host}/")]);
        assert_eq!(String::from_utf8_lossy(&got.stdout), "mirrored 200", "{host}: {}", said(&got));
    }
    eventually("their ends are on record", || ends(&gate) == ["closed"; 3]);
    let all = tunnels(&gate);
    for tunnel in &all {
        assert_eq!(tunnel["peer"], "127.0.0.1");
        assert_eq!((&tunnel["way"], &tunnel["actor"]), (&Value::from("connect"), &Value::Null));
        let addresses = tunnel["addresses"].to_string();
        assert!(addresses.contains("10.77.0.1:443"), "{addresses}");
        let (sent, received) =
            (tunnel["end"]["sent"].as_u64().unwrap(), tunnel["end"]["received"].as_u64().unwrap());
        assert!(sent > 300 && received > 700, "a handshake and a request are more: {tunnel}");
    }
    assert_eq!(
        (&all[0]["rule"], &all[1]["rule"]),
        (&Value::from("mirror.example"), &Value::from("*.mirrors.example"))
    );
    // Asked of a client that is told of nothing, too.
    assert!(inside.up("").status.success());
    let direct = ["-sS", "--max-time", "10", "--cacert", &trusted, "https://mirror.example/"];
    assert_eq!(said(&inside.client("curl", &direct)), "mirrored");
    eventually("its end is on record", || ends(&gate) == ["closed"; 4]);
    assert_eq!(tunnels(&gate)[3]["way"], "transparent");
    // The admin address is inside.
    let page = format!("http://{}/metrics", gate.admin);
    let metrics = said(&inside.client("curl", &["-sS", &page]));
    for line in ["ordain_tunnels_total 4", "ordain_tunnels_open 0", "ordain_handshakes_failed_total 0"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("ordain_connections_accepted_total 0"), "{metrics}");
    let verified = gate.run(&["ledger", "verify"]);
    assert!(said(&verified).contains("tunnels"), "{}", said(&verified));
    let proven = inside.folder.path().join("proof");
    let id = all[0]["id"].as_str().unwrap();
    // A checkpoint is made every few seconds, and what is not under one yet cannot be proven.
    eventually("it can be proven", || {
        gate.run(&["ledger", "prove", id, "--out", &proven.display().to_string()]).status.success()
    });
    gate.finish();
}

#[test]
fn a_tunnel_leads_to_its_host_and_to_nothing_else() {
    let Some(inside) = Inside::new() else { return };
    let trusted = mirror(&inside);
    let gate = Gate::start(setup(&inside));
    let ask = |arguments: &[&str]| said(&curl(&inside, &gate, &trusted, arguments));
    // Names that stand for this machine or for metadata, alone or among others; nothing is recorded, for nothing is opened.
    for host in ["here.mirrors.example", "metadata.mirrors.example", "two.mirrors.example"] {
        assert!(ask(&[&format!("https://{host}/")]).contains(" 403"), "{host}");
    }
    assert!(gate.log().contains("pass_address_forbidden"), "{}", gate.log());
    for url in
        ["https://mirror.example:8443/", "https://mirrors.example/", "https://mirror.example.evil.example/"]
    {
        assert!(ask(&[url]).contains(" 403"), "{url}");
    }
    assert!(tunnels(&gate).is_empty(), "{:?}", tunnels(&gate));
    assert!(ask(&["https://gone.mirrors.example/"]).contains(" 502"));
    // Fronting: the tunnel is to one host, and the handshake names another.
    let fronted =
        ask(&["--connect-to", "a.mirrors.example:443:mirror.example:443", "https://a.mirrors.example/"]);
    assert!(fronted.contains("curl: (35)") && fronted.contains(" 200"), "{fronted}");
    // Neither TLS, nor TLS without a name.
    let plain = ask(&["--proxytunnel", "http://mirror.example:443/"]);
    assert!(!plain.contains("HTTP/1.1 4") && plain.contains("curl: ("), "{plain}");
    let nameless = inside.client(
        "timeout",
        &[
            "10",
            "bash",
            "-c",
            &format!(
                "openssl s_client -connect mirror.example:443 -proxy {} -noservername </dev/null",
                gate.egress()
            ),
        ],
    );
    assert!(!said(&nameless).contains("BEGIN CERTIFICATE"), "{}", said(&nameless));
    eventually("all ends are on record", || {
        ends(&gate) == ["unreached", "server_name_disagrees", "no_handshake", "server_name_missing"]
    });
    let nothing = |tunnel: &Value| tunnel["end"]["sent"] == 0 && tunnel["end"]["received"] == 0;
    assert!(tunnels(&gate).iter().all(nothing), "not a byte went out: {:?}", tunnels(&gate));
    // In plain text it is not let through.
    let plain = said(&curl(&inside, &gate, &trusted, &["-i", "http://mirror.example/"]));
    assert!(
        plain.contains("403")
            && plain.contains("pass_plain_text")
            && plain.contains("use `https://mirror.example`"),
        "{plain}"
    );
    gate.finish();
}

/// Whoever may say what a name under a domain stands for must not have a way to an upstream by it.
#[test]
fn another_name_of_an_upstream_is_no_way_to_it() {
    let Some(inside) = Inside::new() else { return };
    let trusted = inside.folder.path().join("none.pem").display().to_string();
    let ours = setup(&inside);
    let gate = Gate::start(Setup { at: (Inside::V4.parse::<IpAddr>().unwrap(), 443).into(), ..ours });
    for host in ["a.mirrors.example", "mirror.example"] {
        let got = said(&curl(&inside, &gate, &trusted, &["-k", &format!("https://{host}/")]));
        assert!(got.contains(" 403"), "{host}: {got}");
    }
    assert!(gate.log().contains("pass_address_forbidden"), "{}", gate.log());
    assert!(tunnels(&gate).is_empty(), "{:?}", tunnels(&gate));
    // What is beside it is reached, or would be.
    let beside = said(&curl(&inside, &gate, &trusted, &["-k", "https://gone.mirrors.example/"]));
    assert!(beside.contains(" 502"), "{beside}");
    gate.finish();
}

#[test]
fn a_tunnel_ends_when_it_is_idle_and_when_the_gate_does() {
    let Some(inside) = Inside::new() else { return };
    let trusted = mirror(&inside);
    let mut gate = Gate::start(setup(&inside));
    let held = curl(&inside, &gate, &trusted, &["https://mirror.example/hold"]);
    assert!(!held.status.success(), "{}", said(&held));
    assert_eq!(ends(&gate), ["idle"]);
    let proxy = format!("http://{}", gate.egress());
    let arguments = ["-sS", "--cacert", &trusted, "-x", &proxy, "https://mirror.example/hold"];
    let mut holding = inside.command(CLIENT, "curl", &arguments).spawn().unwrap();
    eventually("it stands", || ends(&gate).len() == 2);
    assert!(gate.stop());
    assert!(!holding.wait().unwrap().success());
    assert_eq!(ends(&gate)[1], "gate_stopping");
    gate.finish();
}

#[test]
fn a_busy_tunnel_ends_before_the_time_to_drain_does_and_is_said_to() {
    let Some(inside) = Inside::new() else { return };
    let trusted = mirror(&inside);
    let ours = setup(&inside);
    let settings = ours.settings.replace("idle_timeout", "drain = \"4s\"\nidle_timeout");
    let mut gate = Gate::start(Setup { settings, ..ours });
    let proxy = format!("http://{}", gate.egress());
    let arguments = ["-sS", "-m", "20", "--cacert", &trusted, "-x", &proxy, "https://mirror.example/drip"];
    let mut busy = inside.command(CLIENT, "curl", &arguments).spawn().unwrap();
    eventually("it stands", || ends(&gate).len() == 1);
    assert!(gate.stop());
    drop(busy.kill());
    drop(busy.wait());
    assert_eq!(ends(&gate), ["gate_stopping"]);
    gate.finish();
}

#[test]
fn a_tunnel_ends_with_the_key_that_it_was_asked_for_with() {
    let Some(inside) = Inside::new() else { return };
    let trusted = mirror(&inside);
    let asks = "[egress]\npass = [\"mirror.example\"]\nauthenticate = true\n".to_owned();
    let gate = Gate::start(Setup { settings: asks, ..setup(&inside) });
    let key = gate.key("alice").clone();
    let (proxy, user) = (format!("http://{}", gate.egress()), format!("{}:{}", key.id, key.secret));
    let arguments =
        ["-sS", "--cacert", &trusted, "-x", &proxy, "--proxy-user", &user, "https://mirror.example/hold"];
    let mut holding = inside.command(CLIENT, "curl", &arguments).spawn().unwrap();
    eventually("it stands", || ends(&gate) == ["stands"]);
    // Where the gate is to be asked is inside.
    let settings = gate.folder.path().join("gate.toml").display().to_string();
    let revoke = ["--config", &settings, "key", "revoke", &key.id];
    let revoked = out_of(&mut inside.command(GATE, env!("CARGO_BIN_EXE_ordain"), &revoke));
    assert!(revoked.status.success(), "{}", said(&revoked));
    eventually("it is cut", || ends(&gate) == ["revoked"]);
    assert!(!holding.wait().unwrap().success());
    gate.finish();
}

#[test]
fn what_a_control_plane_is_cannot_be_let_through() {
    for pass in ["*.amazonaws.com", "*.com", "sts.amazonaws.com"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.toml");
        std::fs::write(&path, format!("state = {:?}\n[egress]\npass = [{pass:?}]\n", folder.path())).unwrap();
        let program = env!("CARGO_BIN_EXE_ordain");
        let checked =
            std::process::Command::new(program).arg("--config").arg(&path).arg("validate").output().unwrap();
        assert_eq!(checked.status.code(), Some(2), "{pass}: {}", said(&checked));
        assert!(said(&checked).contains("`egress.pass`"), "{}", said(&checked));
    }
}
