//! Idle watches through Ordain beside a bare hyper-util proxy: the memory of each, and whether it is given back.
//!
//! Both carry the same watches over plain HTTP/1.1, one connection each way; memory is what the system says is resident
//! in the proxy's process. Raw figures go to `benches/runs/`.
//!
//! `cargo bench -p ordain-benches --bench watches` with `--count` for another number; needs twice as many descriptors.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use clap::{Parser, Subcommand};
use ordain_benches::running::{Running, announce, build};
use ordain_benches::{bare, watch};
use serde_json::{Value, json};

/// How long what ended has to be given back: longer than a client that says no more is taken to be there.
const GIVEN_BACK: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct Arguments {
    /// How many watches.
    #[arg(long, default_value_t = 9_000)]
    count: usize,
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
    Upstream,
    /// Be the bare proxy.
    Bare { upstream: String },
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.role {
        Some(Role::Upstream) => runtime.block_on(async { watch::run(announce().await?).await }),
        Some(Role::Bare { upstream }) => {
            runtime.block_on(async move { bare::run(announce().await?, upstream.parse()?).await })
        }
        None => runtime.block_on(compare(&arguments)),
    }
}

async fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => build()?,
    };
    let state = tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))?;
    let upstream = Running::role(&["upstream"])?;
    let plain = Running::role(&["bare", &upstream.address.to_string()])?;
    let (gate, token) = gate(&program, state.path(), upstream.address)?;
    let mut report = Vec::new();
    for (name, proxy) in [("bare", &plain), ("gate", &gate)] {
        let request: Arc<[u8]> = format!(
            "GET /api/v1/namespaces/default/pods?watch=true HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
            proxy.address
        )
        .into_bytes()
        .into();
        // What is set up once is no watch's.
        drop(watch::open(proxy.address, Arc::clone(&request), 50).await?);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = proxy.resident()?;
        let open = watch::open(proxy.address, request, arguments.count).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let during = proxy.resident()?;
        drop(open);
        tokio::time::sleep(GIVEN_BACK).await;
        let after = proxy.resident()?;
        let each = during.saturating_sub(before) / u64::try_from(arguments.count)?;
        report.push(json!({
            "target": name, "watches": arguments.count, "before": before, "during": during, "after": after, "each": each,
        }));
    }
    let each = |row: usize| report.get(row).and_then(|row| row["each"].as_f64()).unwrap_or(f64::NAN);
    let mut out = std::io::stdout().lock();
    for row in &report {
        writeln!(out, "{row}")?;
    }
    writeln!(out, "an idle watch is {:.2} x that of the bare proxy", each(1) / each(0))?;
    for row in &report {
        let at = |when: &str| row[when].as_f64().unwrap_or(f64::NAN);
        let given = (at("during") - at("after")) / (at("during") - at("before")) * 100.0;
        writeln!(out, "{} gives {given:.0} % of it back", row["target"])?;
    }
    keep(&report)
}

fn keep(report: &[Value]) -> anyhow::Result<()> {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs");
    let seconds = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let lines: String = report.iter().map(|row| format!("{row}\n")).collect();
    std::fs::write(runs.join(format!("watches-{seconds}.jsonl")), lines)?;
    Ok(())
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
spec: {plane: kubernetes, account: bench, owner: web}
";

/// A gate in front of the upstream, and a token of its one actor.
fn gate(program: &Path, state: &Path, upstream: SocketAddr) -> anyhow::Result<(Running, String)> {
    let free = || anyhow::Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let (data, admin) = (free()?, free()?);
    std::fs::create_dir_all(state.join("model"))?;
    std::fs::write(state.join("model/model.yaml"), MODEL)?;
    std::fs::write(state.join("token"), "real-token")?;
    let root = state.display();
    std::fs::write(
        state.join("gate.toml"),
        format!(
            "state = \"{root}\"\nmode = \"enforce\"\n[listen]\ndata = \"{data}\"\nadmin = \"{admin}\"\n\
             [model]\ndirectory = \"{root}/model\"\n[limits]\nconnections = 20000\nconnections_per_peer = 20000\n\
             actor_requests = 20000\n[log]\nfilter = \"warn\"\n[[upstream]]\nname = \"bench\"\nplane = \"kubernetes\"\n\
             endpoint = \"http://{upstream}\"\ncredentials = {{ token_file = \"{root}/token\" }}\n"
        ),
    )?;
    let with_settings = |command: &mut Command| {
        command.arg("--config").arg(state.join("gate.toml"));
    };
    let mut make = Command::new(program);
    with_settings(&mut make);
    let made = make
        .args(["-o", "json", "key", "create", "--bearer", "--actor", "alice", "--kind", "person"])
        .output()?;
    anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout)?;
    let token = made.get("token").and_then(Value::as_str).context("no token")?.to_owned();
    let mut serve = Command::new(program);
    with_settings(&mut serve);
    let child = serve.arg("serve").stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
    let running = Running { child, address: data };
    anyhow::ensure!(running.listens(), "the gate did not start");
    Ok((running, token))
}
