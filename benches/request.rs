//! Ordain beside a bare hyper-util proxy on one upstream, by the method of the project's reference notes.
//!
//! Each proxy runs on one core, load and upstream on the other; targets are interleaved for several rounds;
//! CPU is what the scheduler counted for the proxy's threads; the middle of the rounds is shown with the
//! least and the most. Percentiles come from a fixed rate. Raw figures go to `benches/runs/`.
//!
//! `cargo bench -p ordain-benches --bench request` with `--quick` for one short round.
#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and stops where its own figures are not what it wrote"
)]

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use ordain_benches::peers::Peer;
use ordain_benches::running::{Running, announce, build};
use ordain_benches::{bare, cpu, load, sink};
use serde_json::{Value, json};

const PROXY_CORE: usize = 0;
const LOAD_CORE: usize = 1;
const ACCOUNT: &str = "123456789012";

#[derive(Parser)]
struct Arguments {
    /// One short round, to see that it runs.
    #[arg(long)]
    quick: bool,
    /// Only targets whose name begins so, for a profiler beside it; nothing is kept.
    #[arg(long)]
    only: Option<String>,
    /// Another proxy beside the bare one; may be given again.
    #[arg(long)]
    peer: Vec<Peer>,
    /// The released program; built by this benchmark when it is not given.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// Be the upstream.
    Sink,
    /// Be the bare proxy.
    Bare { upstream: String },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Sink) => {
            cpu::pin(LOAD_CORE)?;
            single()?.block_on(async { sink::run(announce().await?).await })
        }
        Some(Role::Bare { upstream }) => {
            cpu::pin(PROXY_CORE)?;
            single()?.block_on(async move { bare::run(announce().await?, upstream.parse()?).await })
        }
        None => compare(&arguments),
    }
}

fn single() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// The gate on a core of its own.
fn gate_on(program: &Path, state: &Path, port: u16) -> anyhow::Result<Running> {
    let address: SocketAddr = format!("127.0.0.1:{port}").parse()?;
    let child = Command::new("taskset")
        .args(["-c", &PROXY_CORE.to_string()])
        .arg(program)
        .args(["serve", "--config"])
        .arg(state.join("gate.toml"))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(state.join("gate.log"))?)
        .spawn()
        .context("cannot start the gate")?;
    let running = Running { child, address };
    if running.listens() {
        return Ok(running);
    }
    let log = std::fs::read_to_string(state.join("gate.log")).unwrap_or_default();
    bail!("the gate did not start: {log}")
}

/// A peer on the same core.
fn peer_on(peer: Peer, upstream: SocketAddr, state: &Path) -> anyhow::Result<Running> {
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder = state.join(peer.name());
    std::fs::create_dir_all(&folder)?;
    let command = peer.command(address.port(), upstream, &folder)?;
    let child = Command::new("taskset")
        .args(["-c", &PROXY_CORE.to_string()])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(&folder)
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{}`", peer.name()))?;
    let running = Running { child, address };
    anyhow::ensure!(running.listens(), "`{}` did not start; is it installed?", peer.name());
    Ok(running)
}

/// What is compared: where it goes, what is sent, and whose CPU counts.
struct Target<'a> {
    name: &'static str,
    proxy: &'a Running,
    request: Arc<[u8]>,
}

fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => build()?,
    };
    let state = tempdir()?;
    let sink = Running::role(&["sink"])?;
    let bare = Running::role(&["bare", &sink.address.to_string()])?;
    let key = prepare(&program, &state, sink.address)?;
    let gate = gate_on(&program, &state, free_port(&state)?)?;
    cpu::pin(LOAD_CORE)?;
    let read = request(&gate, &key, "Action=DescribeInstances&Version=2016-11-15")?;
    let change =
        request(&gate, &key, "Action=StopInstances&InstanceId.1=i-0123456789abcdef0&Version=2016-11-15")?;
    let targets = [
        Target { name: "bare hyper-util", proxy: &bare, request: Arc::clone(&read) },
        Target { name: "read, verified and signed again", proxy: &gate, request: read },
        Target { name: "change, judged, durable, signed again", proxy: &gate, request: change },
    ];
    let peers: Vec<(Peer, Running)> = arguments
        .peer
        .iter()
        .map(|peer| peer_on(*peer, sink.address, &state).map(|running| (*peer, running)))
        .collect::<anyhow::Result<_>>()?;
    let beside = peers.iter().map(|(peer, running)| Target {
        name: peer.name(),
        proxy: running,
        request: Arc::clone(&targets[0].request),
    });
    let beside: Vec<Target<'_>> = beside.collect();
    let targets: Vec<Target<'_>> = targets
        .into_iter()
        .chain(beside)
        .filter(|target| arguments.only.as_ref().is_none_or(|only| target.name.starts_with(only.as_str())))
        .collect();
    let (rounds, length) =
        if arguments.quick { (1, Duration::from_millis(500)) } else { (5, Duration::from_secs(2)) };
    let runtime = single()?;
    let mut report = Vec::new();
    for connections in [1, 8, 64] {
        for round in 0..rounds {
            for target in &targets {
                report.push(runtime.block_on(closed(target, connections, length, round))?);
            }
        }
    }
    for round in 0..rounds {
        for target in &targets {
            report.push(runtime.block_on(open(target, length, round))?);
        }
    }
    summarise(&report)?;
    // One short round says whether it runs, and a part of the targets what to mend: neither is a figure.
    if !arguments.quick && arguments.only.is_none() {
        keep(&report)?;
    }
    drop(std::fs::remove_dir_all(state));
    Ok(())
}

async fn closed(
    target: &Target<'_>,
    connections: usize,
    length: Duration,
    round: usize,
) -> anyhow::Result<Value> {
    let before = cpu::nanoseconds(target.proxy.child.id())?;
    let done =
        load::closed(target.proxy.address, Arc::clone(&target.request), connections, length, 200).await?;
    let ran = cpu::nanoseconds(target.proxy.child.id())? - before;
    let answered = done.answered.max(1);
    Ok(json!({
        "target": target.name,
        "connections": connections,
        "round": round,
        "requests": answered,
        "per_second": answered as f64 / done.took.as_secs_f64(),
        "cpu_us": ran as f64 / answered as f64 / 1e3,
    }))
}

async fn open(target: &Target<'_>, length: Duration, round: usize) -> anyhow::Result<Value> {
    let times = load::open(target.proxy.address, Arc::clone(&target.request), 500, length, 200).await?;
    let at = |hundredths| load::percentile(&times, hundredths).as_secs_f64() * 1e6;
    Ok(json!({ "target": target.name, "rate": 500, "round": round, "p50_us": at(50), "p99_us": at(99) }))
}

/// The middle, the least and the most of a figure over the rounds.
fn spread(
    report: &[Value],
    target: &str,
    fits: impl Fn(&Value) -> bool,
    figure: &str,
) -> Option<(f64, f64, f64)> {
    let rows = report.iter().filter(|row| row["target"] == target && fits(row));
    let mut values: Vec<f64> = rows.filter_map(|row| row[figure].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    Some((*values.get(values.len() / 2)?, *values.first()?, *values.last()?))
}

fn summarise(report: &[Value]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut names: Vec<&str> = Vec::new();
    for name in report.iter().filter_map(|row| row["target"].as_str()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for connections in [1, 8, 64] {
        let fits = |row: &Value| row["connections"] == connections;
        let base = spread(report, names.first().copied().unwrap_or_default(), fits, "cpu_us");
        for name in &names {
            let (Some(cpu), Some(rate)) =
                (spread(report, name, fits, "cpu_us"), spread(report, name, fits, "per_second"))
            else {
                continue;
            };
            let ratio = base.map_or(0.0, |base| cpu.0 / base.0);
            writeln!(
                out,
                "{connections:>3} connections  {name:<40} {:>8.0}/s ({:.0}..{:.0})  {:>6.1} µs CPU ({:.1}..{:.1})  {ratio:.2} x bare",
                rate.0, rate.1, rate.2, cpu.0, cpu.1, cpu.2
            )?;
        }
    }
    for name in &names {
        let fits = |row: &Value| row["rate"] == 500;
        if let (Some(p50), Some(p99)) =
            (spread(report, name, fits, "p50_us"), spread(report, name, fits, "p99_us"))
        {
            writeln!(
                out,
                "500/s open loop  {name:<40} p50 {:.0} µs ({:.0}..{:.0})  p99 {:.0} µs",
                p50.0, p50.1, p50.2, p99.0
            )?;
        }
    }
    Ok(())
}

fn keep(report: &[Value]) -> anyhow::Result<()> {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
    std::fs::create_dir_all(&runs)?;
    let seconds = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let lines: String = report.iter().map(|row| format!("{row}\n")).collect();
    std::fs::write(runs.join(format!("request-{seconds}.jsonl")), lines)?;
    Ok(())
}

fn tempdir() -> anyhow::Result<PathBuf> {
    let seconds = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
    // The measured ledger wants a real disk, so it lies beside the build and not in a memory file system.
    let state = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/bench-{seconds}"));
    std::fs::create_dir_all(&state)?;
    Ok(state)
}

fn free_port(state: &Path) -> anyhow::Result<u16> {
    let config = std::fs::read_to_string(state.join("gate.toml"))?;
    let line = config.lines().find(|line| line.starts_with("data =")).context("no data address")?;
    Ok(line.trim_end_matches('"').rsplit(':').next().context("no port")?.parse()?)
}

struct Key {
    id: String,
    secret: String,
}

fn prepare(program: &Path, state: &Path, upstream: SocketAddr) -> anyhow::Result<Key> {
    let free = |_| anyhow::Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let (data, admin) = (free(())?, free(())?);
    std::fs::write(
        state.join("upstream-key"),
        "AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    )?;
    std::fs::create_dir_all(state.join("model"))?;
    std::fs::write(state.join("model/model.yaml"), MODEL)?;
    let root = state.display();
    std::fs::write(
        state.join("gate.toml"),
        format!(
            "state = \"{root}\"\nmode = \"enforce\"\n\n[listen]\ndata = \"127.0.0.1:{data}\"\nadmin = \"127.0.0.1:{admin}\"\n\n\
             [model]\ndirectory = \"{root}/model\"\n\n[[upstream]]\nname = \"default\"\nplane = \"aws\"\naccount = \"{ACCOUNT}\"\n\
             endpoint = \"http://{upstream}\"\ncredentials = {{ file = \"{root}/upstream-key\" }}\n\n[log]\nfilter = \"warn\"\n"
        ),
    )?;
    let output = Command::new(program)
        .args(["-o", "json", "key", "create", "--actor", "alice", "--kind", "person", "--config"])
        .arg(state.join("gate.toml"))
        .output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key: Value = serde_json::from_slice(&output.stdout)?;
    let text =
        |name: &str| key[name].as_str().map(str::to_owned).with_context(|| format!("no `{name}` in {key}"));
    Ok(Key { id: text("access_key_id")?, secret: text("secret_access_key")? })
}

const MODEL: &str = "apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: alice}
spec: {memberOf: [web]}
---
apiVersion: ordain/v1
kind: Account
metadata: {name: bench}
spec: {account: 123456789012, owner: web}
";

/// A whole signed request as bytes. Its signature holds for fifteen minutes, longer than a run.
fn request(gate: &Running, key: &Key, body: &str) -> anyhow::Result<Arc<[u8]>> {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4;
    let identity = aws_credential_types::Credentials::new(&key.id, &key.secret, None, None, "bench").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("ec2")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let host = gate.address.to_string();
    // The body is filled up to the KiB that the floor was measured with.
    let body = format!("{body}&Filter.1.Name=tag:x&Filter.1.Value.1={}", "a".repeat(1024 - body.len()));
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    let url = format!("http://{host}/");
    let headers = [("host", host.as_str()), ("content-type", kind)];
    let signable =
        SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(signable, &parameters)?.into_parts();
    let (signed, _) = instructions.into_parts();
    let mut text = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n",
        body.len()
    );
    for header in signed {
        text.push_str(&format!("{}: {}\r\n", header.name(), header.value()));
    }
    text.push_str("\r\n");
    text.push_str(&body);
    Ok(text.into_bytes().into())
}
