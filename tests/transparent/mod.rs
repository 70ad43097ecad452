//! The transparent sidecar, in a network namespace of its own: what is inside is judged or goes nowhere.
//!
//! Skipped where no namespace can be made: that takes root, `ip` and `nft`. Leaves out what one connection says, which
//! the listener's own tests try.

pub(crate) mod inside;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use self::inside::{CLIENT, GATE, Inside, PORT, Trap, done, out_of, relay, scripts, words};
use crate::egress::DECIDED;
use crate::harness::{Gate, Setup, said};
use crate::planes::aws::clients::{before_moto, needed};

const EC2: &str = "ec2.us-east-1.amazonaws.com";

/// A client's call, signed by curl; what came back, as `status reason` and the version of HTTP.
fn call(inside: &Inside, gate: &Gate, actor: &str, call: &str, how: &[&str]) -> (String, String) {
    let key = gate.key(actor);
    let (user, trusted) = (format!("{}:{}", key.id, key.secret), inside.trusted(gate));
    let (url, body) = (format!("https://{EC2}/"), format!("Action={call}&Version=2016-11-15"));
    let fixed = [
        "-sS",
        "-o",
        "/dev/null",
        "-D",
        "-",
        "-w",
        "version %{http_version}\n",
        "--cacert",
        &trusted,
        "--max-time",
        "20",
        "--aws-sigv4",
        "aws:amz:us-east-1:ec2",
        "-u",
        &user,
        "-d",
        &body,
        &url,
    ];
    let done = inside.client("curl", &[&fixed[..], how].concat());
    let text = said(&done);
    let status = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    assert!(done.status.success(), "{text}");
    (format!("{status} {}", field("ordain-reason-code:")), field("version "))
}

#[test]
fn what_is_sent_on_is_decided_as_by_any_other_way_in() {
    let Some(inside) = Inside::new() else { return };
    let gate = Gate::start(inside.setup());
    assert!(inside.up("").status.success());
    for (actor, asked, expected) in DECIDED {
        let before = gate.recorder.arrived().len();
        for (how, version) in [
            (&["-4", "--http1.1"][..], "1.1"),
            (&["-4", "--http2"], "2"),
            (&["-6", "--http1.1"], "1.1"),
            (&["-6", "--http2"], "2"),
        ] {
            let (decided, spoken) = call(&inside, &gate, actor, asked, how);
            assert_eq!((&*decided, &*spoken), (expected, version), "`{asked}` of {actor} by {how:?}");
        }
        let arrived = gate.recorder.arrived().len() - before;
        assert_eq!(arrived, if expected.starts_with("200") { 4 } else { 0 }, "`{asked}` of {actor}");
    }
    gate.finish();
}

#[test]
fn nothing_inside_gets_out_but_through_the_gate() {
    let Some(inside) = Inside::new() else { return };
    let gate = Gate::start(inside.setup());
    let (tls, other) = (Trap::set(443), Trap::set(8_443));
    // Without the rules everybody gets everywhere: what is not reached below is kept back by them.
    assert_eq!((tls.reached_by(&inside, CLIENT), other.reached_by(&inside, CLIENT)), (4, 4));
    let upstream = format!("exec 3<>/dev/tcp/{}/{}", Inside::V4, gate.recorder.address.port());
    let connect = ["3", "bash", "-c", &*upstream];
    assert!(inside.client("timeout", &connect).status.success(), "the upstream is there");
    let before = gate.recorder.connections();

    assert!(inside.up("").status.success());
    assert_eq!((tls.reached_by(&inside, CLIENT), other.reached_by(&inside, CLIENT)), (0, 0));
    // Root is no exception: it may take the rules away, but does not go past them.
    assert_eq!((tls.reached_by(&inside, 0), other.reached_by(&inside, 0)), (0, 0));
    assert!(
        !inside.client("timeout", &connect).status.success(),
        "the upstream is reached by the gate alone"
    );
    assert_eq!(gate.recorder.connections(), before);
    assert_eq!((tls.reached_by(&inside, GATE), other.reached_by(&inside, GATE)), (4, 4), "the gate gets out");
    for taking in [
        &["setpriv", "--reuid", "47001", "true"][..],
        &["nft", "flush", "ruleset"],
        &["nft", "delete", "table", "inet", "ordain_transparent"],
    ] {
        let tried = inside.client(taking[0], &taking[1..]);
        assert!(!tried.status.success(), "{taking:?} of a client");
    }
    assert_eq!(
        call(&inside, &gate, "alice", "DescribeInstances", &[]).0,
        "200 ",
        "by the gate it is reached"
    );
    gate.finish();
}

#[test]
fn what_is_on_its_way_elsewhere_is_refused() {
    let Some(inside) = Inside::new() else { return };
    let gate = Gate::start(inside.setup());
    assert!(inside.up("").status.success());
    let trusted = inside.trusted(&gate);
    let curl = |arguments: &[&str]| {
        let fixed = ["-sS", "-o", "/dev/null", "-D", "-", "--max-time", "10", "--cacert", &trusted];
        said(&inside.client("curl", &[&fixed[..], arguments].concat()))
    };
    let at = |host: &str| format!("{host}:443:198.51.100.7");
    for (host, code) in [
        ("example.com", "unknown_host"),
        ("amazonaws.com.evil.example", "unknown_host"),
        ("169.254.169.254", ""),
    ] {
        let text = curl(&["--resolve", &at(host), &format!("https://{host}/")]);
        assert!(text.starts_with("curl: ("), "{host}: {text}");
        assert!(
            code.is_empty() || gate.log().contains(&format!("\"reason_code\":\"{code}\"")),
            "{}",
            gate.log()
        );
    }
    // An address is no name: nobody says that a control plane is there.
    assert!(curl(&["https://198.51.100.7/"]).starts_with("curl: ("));
    assert!(gate.log().contains("server_name_missing"), "{}", gate.log());
    // Fronting: the handshake names one host, and the request another.
    let fronted = curl(&["-H", "host: iam.amazonaws.com", &format!("https://{EC2}/")]);
    assert!(fronted.contains("421") && fronted.contains("host_disagrees"), "{fronted}");
    // Plain text is read by `host`, and only a control plane's is taken.
    let plain = curl(&["http://198.51.100.7/"]);
    assert!(plain.contains("400") && plain.contains("unknown_host"), "{plain}");
    let elsewhere = curl(&["-H", "host: example.com", &format!("http://{EC2}/")]);
    assert!(elsewhere.contains("unknown_host"), "{elsewhere}");
    let signed = curl(&["-H", &format!("host: {EC2}"), "http://198.51.100.7/?Action=DescribeInstances"]);
    assert!(
        signed.contains("403") && signed.contains("ordain-reason-code: missing_authentication"),
        "{signed}"
    );
    // Neither one nor the other.
    let script = "exec 3<>/dev/tcp/198.51.100.7/443; printf 'SSH-2.0-x\\r\\n\\r\\n' >&3; cat <&3";
    let ssh = inside.client("timeout", &["8", "bash", "-c", script]);
    assert_eq!((ssh.status.code(), said(&ssh)), (Some(0), String::new()), "closed without a word");
    assert!(gate.log().contains("other_protocol"), "{}", gate.log());
    // To us ourselves, which leads in a circle.
    for address in [format!("127.0.0.1:{PORT}"), format!("[::1]:{PORT}")] {
        let direct = curl(&["--connect-to", &format!("::{address}"), &format!("https://{EC2}/")]);
        assert!(direct.starts_with("curl: ("), "{direct}");
    }
    assert_eq!(gate.log().matches("\"reason_code\":\"not_redirected\"").count(), 2, "{}", gate.log());
    assert!(gate.recorder.arrived().is_empty());
    gate.finish();
}

#[test]
fn rules_come_and_go_as_a_whole() {
    let Some(inside) = Inside::new() else { return };
    for (arguments, why) in [
        (format!("--gate-uid {CLIENT}"), "under the gate's own uid"),
        ("--gate-uid 0".to_owned(), "a uid of its own"),
        ("--client-uid 0".to_owned(), "the clients run as root"),
        ("--allow tcp/443".to_owned(), "leaves by the gate only"),
        ("--allow udp/0443".to_owned(), "leaves by the gate only"),
        ("--allow tcp/22;accept".to_owned(), "give a number"),
        ("--port 70000".to_owned(), "give a port"),
        ("--gate-uid root".to_owned(), "give a number"),
        ("--what 1".to_owned(), "unknown argument"),
    ] {
        let refused = inside.up(&arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments}: {}", said(&refused));
        assert!(said(&refused).contains(why), "{arguments}: {}", said(&refused));
        assert_eq!(inside.rules(), "", "{arguments}");
    }
    assert!(inside.up("").status.success());
    let once = inside.rules();
    assert!(inside.up("").status.success());
    assert_eq!(inside.rules(), once, "a second time changes nothing");
    assert!(inside.up("--allow tcp/8443").status.success());
    let trap = Trap::set(8_443);
    assert_eq!(trap.reached_by(&inside, CLIENT), 2, "what is allowed leaves");
    done(&mut words(&format!("ip netns exec {} nft add table inet of_others", inside.name)));
    let down = format!("{}/down --netns {}", scripts().display(), inside.name);
    for _ in 0..2 {
        done(&mut words(&down));
        assert_eq!(
            inside.rules().trim(),
            "table inet of_others {\n}",
            "nothing is left, and nothing else gone"
        );
    }
    assert_eq!(trap.reached_by(&inside, CLIENT), 4);
}

/// Clients name no host where they connect to an address: then the address has to be a configured upstream's.
#[test]
fn an_upstream_at_an_address_is_stood_in_for_by_that() {
    let Some(inside) = Inside::new() else { return };
    let gate = Gate::start(Setup {
        at: SocketAddr::new(Inside::V4.parse().unwrap(), 80),
        upstream: "\n[[upstream]]\nname = \"other\"\nplane = \"aws\"\nendpoint = \"https://10.77.0.9\"\n\
                   credentials = { file = \"/dev/null\" }\n"
            .to_owned(),
        ..inside.setup()
    });
    assert!(inside.up("").status.success());
    let (key, trusted) = (gate.key("alice").clone(), inside.trusted(&gate));
    let user = format!("{}:{}", key.id, key.secret);
    let ask = |url: &str| {
        let fixed = ["-sS", "-o", "/dev/null", "-D", "-", "--cacert", &trusted, "--max-time", "10"];
        let signed = ["--aws-sigv4", "aws:amz:us-east-1:ec2", "-u", &user, url];
        said(&inside.client("curl", &[&fixed[..], &signed].concat()))
    };
    let query = "?Action=DescribeInstances&Version=2016-11-15";
    let own = ask(&format!("http://{}/{query}", Inside::V4));
    assert!(own.starts_with("HTTP/1.1 200"), "{own}");
    assert_eq!(gate.recorder.arrived().len(), 1, "by the gate");
    // Its certificate is good, and the key is for another upstream than the one that was connected to.
    let other = ask(&format!("https://10.77.0.9/{query}"));
    assert!(other.contains("403") && other.contains("upstream_disagrees"), "{other}");
    let nobody = ask(&format!("https://10.77.0.8/{query}"));
    assert!(nobody.starts_with("curl: ("), "{nobody}");
    assert_eq!(gate.recorder.arrived().len(), 1);
    gate.finish();
}

/// A gate on a router, which keeps the addresses that connections were made to.
#[test]
fn connections_of_other_machines_are_taken_under_their_own_address() {
    let Some(inside) = Inside::new() else { return };
    let (router, machine) = (&inside.name, format!("{}-m", inside.name));
    drop(out_of(&mut words(&format!("ip netns delete {machine}"))));
    for line in [
        format!("ip netns add {machine}"),
        format!("ip -n {router} link add ordain-m type veth peer name ordain-r netns {machine}"),
        format!("ip -n {router} address add 10.78.0.1/24 dev ordain-m"),
        format!("ip -n {router} address add fd78::1/64 dev ordain-m nodad"),
        format!("ip -n {router} link set ordain-m up"),
        format!("ip -n {machine} address add 10.78.0.2/24 dev ordain-r"),
        format!("ip -n {machine} address add fd78::2/64 dev ordain-r nodad"),
        format!("ip -n {machine} link set ordain-r up"),
        format!("ip -n {machine} route add default via 10.78.0.1"),
        format!("ip -n {machine} -6 route add default via fd78::1"),
        format!("ip -n {router} rule add fwmark 1 lookup 100"),
        format!("ip -n {router} -6 rule add fwmark 1 lookup 100"),
        format!("ip -n {router} route add local default dev lo table 100"),
        format!("ip -n {router} -6 route add local default dev lo table 100"),
    ] {
        done(&mut words(&line));
    }
    let rules = inside.folder.path().join("rules.nft");
    let sent_on = |family: &str, to: &str| {
        format!("meta nfproto {family} tcp dport {{ 80, 443 }} tproxy {to} meta mark set 1 accept\n")
    };
    let chain = format!(
        "table inet router {{\nchain taken {{\ntype filter hook prerouting priority mangle;\niifname != ordain-m accept\n{}{}}}\n}}\n",
        sent_on("ipv4", "ip to 127.0.0.1:15002"),
        sent_on("ipv6", "ip6 to [::1]:15002")
    );
    std::fs::write(&rules, chain).unwrap();
    done(&mut words(&format!("ip netns exec {router} nft -f {}", rules.display())));
    let own = format!("chown -R {GATE}:{GATE} \"$(dirname \"$3\")\";");
    let gate = Gate::start(Setup {
        listen: "tproxy = [\"127.0.0.1:15002\", \"[::1]:15002\"]\n".to_owned(),
        under: inside.under_with(router, GATE, "+dac_read_search,+net_admin", &own),
        ..inside.setup()
    });
    let (key, trusted) = (gate.key("alice").clone(), inside.trusted(&gate));
    let user = format!("{}:{}", key.id, key.secret);
    let ask = |arguments: &[&str]| {
        let fixed =
            ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", &trusted, "--max-time", "10"];
        let signed = ["--aws-sigv4", "aws:amz:us-east-1:ec2", "-u", &user];
        let under = inside.under_with(&machine, CLIENT, "+dac_read_search", "");
        said(&out_of(&mut Inside::program(&under, "curl", &[&fixed[..], &signed, arguments].concat())))
    };
    let url = format!("https://{EC2}/?Action=DescribeInstances&Version=2016-11-15");
    for how in ["-4", "-6"] {
        assert_eq!(ask(&[how, &url]), "200", "{how}: {}", gate.log());
    }
    assert!(
        ask(&["-4", "--resolve", "example.com:443:198.51.100.7", "https://example.com/"]).contains("curl: (")
    );
    assert_eq!(gate.recorder.arrived().len(), 2);
    // From the router itself nobody is sent on, and what is made to the listener itself leads in a circle.
    for address in ["127.0.0.1:15002", "[::1]:15002"] {
        let direct = ["-sS", "--cacert", &trusted, "--connect-to", &format!("::{address}"), &url];
        assert!(said(&inside.client("curl", &direct)).starts_with("curl: ("));
    }
    assert_eq!(gate.log().matches("\"reason_code\":\"not_redirected\"").count(), 2, "{}", gate.log());
    done(&mut words(&format!("ip netns delete {machine}")));
    gate.finish();
}

/// Version 1 of the AWS CLI ignores an endpoint variable for these services; here it need not be told of anything.
#[test]
fn clients_that_know_of_no_gate_are_judged() {
    let Some(inside) = Inside::new() else { return };
    let moto: SocketAddr = needed("ORDAIN_TEST_MOTO").trim_start_matches("http://").parse().unwrap();
    let endpoint = Some(format!("http://{}", relay(moto)));
    let gate = before_moto(Setup { endpoint, ..inside.setup() });
    assert!(inside.up("").status.success());
    let printed = gate.run(&["-o", "json", "env", "--transparent", "--actor", "alice"]);
    assert!(printed.status.success(), "{}", said(&printed));
    let variables: BTreeMap<String, String> = serde_json::from_slice(&printed.stdout).unwrap();
    let leads = |name: &String| name.contains("PROXY") || name.contains("ENDPOINT");
    assert!(!variables.keys().any(leads), "nothing leads there but the system: {variables:?}");
    let as_alice = |program: &str, arguments: &[&str]| {
        let mut command = inside.command(CLIENT, program, arguments);
        command
            .envs(&variables)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1");
        out_of(&mut command)
    };
    let aws = needed("ORDAIN_TEST_AWS");
    for arguments in [
        &["sqs", "list-queues"][..],
        &["sqs", "create-queue", "--queue-name", "of-the-sidecar"],
        &["rds", "describe-db-instances"],
    ] {
        let ran = as_alice(&aws, arguments);
        assert!(ran.status.success(), "{arguments:?}: {}", said(&ran));
    }
    let gone = as_alice(
        &aws,
        &["rds", "delete-db-instance", "--db-instance-identifier", "none", "--skip-final-snapshot"],
    );
    assert!(!gone.status.success(), "{}", said(&gone));
    let script = "import boto3; print(boto3.client('sqs').create_queue(QueueName='of-boto')['QueueUrl'])";
    let ran = as_alice(&needed("ORDAIN_TEST_PYTHON"), &["-c", script]);
    assert!(ran.status.success() && said(&ran).contains("of-boto"), "{}", said(&ran));
    let decided: Vec<String> = gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.is_decision())
        .map(|entry| entry.says.to_string())
        .collect();
    for named in ["of-the-sidecar", "DeleteDBInstance", "of-boto"] {
        assert!(decided.iter().any(|one| one.contains(named)), "`{named}` was not judged: {decided:?}");
    }
    gate.finish();
}
