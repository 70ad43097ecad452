//! A proxy behind the gate that is not ours: everything leaves by it, and what is excepted does not.
//!
//! Skipped where no network namespace can be made, or tinyproxy is not to be had. Leaves out what is let through.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{Gate, Setup, eventually, said, skipped};
use crate::passing::mirror;
use crate::transparent::inside::{Inside, done, words};

const EC2: &str = "ec2.us-east-1.amazonaws.com";

/// tinyproxy outside, which asks for a name and a password and knows names as those inside do.
struct Proxy {
    child: Child,
    log: PathBuf,
}

impl Proxy {
    const PORT: u16 = 13_128;

    fn start(inside: &Inside) -> Option<Self> {
        let folder = inside.folder.path();
        let (log, settings) = (folder.join("tinyproxy.log"), folder.join("tinyproxy.conf"));
        let text = format!(
            "Port {}\nListen {}\nTimeout 30\nMaxClients 50\nLogLevel Connect\nLogFile \"{}\"\nAllow 10.77.0.0/24\n\
             BasicAuth gate of-the-proxy\n",
            Self::PORT,
            Inside::V4,
            log.display()
        );
        std::fs::write(&settings, text).unwrap();
        if Command::new("tinyproxy").arg("-v").stdout(Stdio::null()).status().is_err() {
            return skipped("tinyproxy");
        }
        let script = format!(
            "mount --bind {} /etc/hosts && exec tinyproxy -d -c {}",
            folder.join("hosts").display(),
            settings.display()
        );
        let mut starting = Command::new("unshare");
        starting.args(["-m", "sh", "-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
        let proxy = Self { child: starting.spawn().unwrap(), log };
        eventually("tinyproxy listens", || std::net::TcpStream::connect((Inside::V4, Self::PORT)).is_ok());
        Some(proxy)
    }

    /// How often it was asked to connect to something that holds these words.
    fn asked(&self, words: &str) -> usize {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines()
            .filter(|line| line.contains("Request") && line.contains("CONNECT ") && line.contains(words))
            .count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn setup(inside: &Inside, more: &str) -> Setup {
    let secret = inside.folder.path().join("of-the-proxy");
    std::fs::write(&secret, "gate:of-the-proxy\n").unwrap();
    Setup {
        listen: "egress = \"127.0.0.1:0\"\n".to_owned(),
        settings: format!(
            "[egress]\npass = [\"mirror.example\", \"*.mirrors.example\"]\nproxy = \"http://{}:{}\"\nproxy_credentials = {secret:?}\n{more}",
            Inside::V4,
            Proxy::PORT
        ),
        ..inside.setup()
    }
}

/// A signed read by curl as a client of the gate.
fn read(inside: &Inside, gate: &Gate) -> String {
    let (key, trusted) = (gate.key("alice"), inside.trusted(gate));
    let (user, proxy) = (format!("{}:{}", key.id, key.secret), format!("http://{}", gate.egress()));
    let url = format!("https://{EC2}/?Action=DescribeInstances&Version=2016-11-15");
    let arguments = [
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--max-time",
        "20",
        "--cacert",
        &trusted,
        "-x",
        &proxy,
        "--aws-sigv4",
        "aws:amz:us-east-1:ec2",
        "-u",
        &user,
        &url,
    ];
    said(&inside.client("curl", &arguments))
}

#[test]
fn everything_leaves_by_the_proxy_behind() {
    let Some(inside) = Inside::new() else { return };
    let Some(proxy) = Proxy::start(&inside) else { return };
    let mirrored = mirror(&inside);
    // Nothing else leads out, for the gate neither.
    let rules = inside.folder.path().join("only.nft");
    let text = format!(
        "table inet only {{\nchain out {{\ntype filter hook output priority 0; policy drop;\nfib daddr type local accept\n\
         icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept\ntcp dport {} accept\nreject\n}}\n}}\n",
        Proxy::PORT
    );
    std::fs::write(&rules, text).unwrap();
    done(&mut words(&format!("ip netns exec {} nft -f {}", inside.name, rules.display())));
    let gate = Gate::start(setup(&inside, ""));
    let upstream = gate.recorder.address.to_string();
    eventually("the account is known by way of the proxy", || read(&inside, &gate) == "200");
    assert_eq!(gate.recorder.arrived().len(), 1);
    assert!(!gate.recorder.own_questions().is_empty(), "the gate's own question too");
    assert!(proxy.asked(&upstream) > 0, "{}", std::fs::read_to_string(&proxy.log).unwrap());
    let by = format!("http://{}", gate.egress());
    let ask = |host: &str| {
        let url = format!("https://{host}/");
        let arguments =
            ["-sS", "--max-time", "20", "--cacert", &mirrored, "-x", &by, "-w", " %{http_connect}", &url];
        said(&inside.client("curl", &arguments))
    };
    assert_eq!(ask("mirror.example"), "mirrored 200");
    assert_eq!(proxy.asked("mirror.example:443"), 1);
    assert!(ask("nowhere.mirrors.example").contains(" 502"), "the proxy does not find it");
    let listed = gate.run(&["-o", "json", "ledger", "tunnels"]);
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["addresses"], serde_json::json!([]), "another looks the name up");
    assert_eq!(listed[0]["through"], format!("http://{}:{}/", Inside::V4, Proxy::PORT));
    assert!(!gate.log().contains("of-the-proxy:") && !gate.log().contains("gate:of-the-proxy"));
    gate.finish();
}

#[test]
fn what_is_excepted_does_not_leave_by_the_proxy() {
    let Some(inside) = Inside::new() else { return };
    let Some(proxy) = Proxy::start(&inside) else { return };
    let gate = Gate::start(setup(&inside, "no_proxy = [\"10.77.0.0/24\"]\n"));
    eventually("the account is known", || read(&inside, &gate) == "200");
    assert_eq!(proxy.asked(""), 0);
    gate.finish();
}

#[test]
fn a_proxy_that_refuses_lets_nothing_out() {
    let Some(inside) = Inside::new() else { return };
    let Some(proxy) = Proxy::start(&inside) else { return };
    let setup = setup(&inside, "");
    std::fs::write(inside.folder.path().join("of-the-proxy"), "gate:wrong\n").unwrap();
    let gate = Gate::start(setup);
    let told = read(&inside, &gate);
    assert_ne!(told, "200");
    assert!(gate.recorder.arrived().is_empty() && gate.recorder.connections() == 0);
    drop(proxy);
    gate.finish();
}
