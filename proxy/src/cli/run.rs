//! `ordain run -- COMMAND`: a program whose calls of control planes go through the gate, under a key of its own that
//! ends with it.
//!
//! Leaves out keeping the program from going round the gate: it gets no credential that would be good for that, but
//! where the machine has others, it may find them.

use std::ffi::OsString;
use std::process::ExitStatus;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use ordain_action::{ActorKind, Party};
use ordain_evidence::ChangeKind;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::key::{describe, kind, party, upstream};
use super::way::Way;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, IssuedKey, KeyStore, NewKey};
use crate::own;
use crate::settings::environment;

/// Run a program with its calls of control planes sent through the gate.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Who the program is, by the name the model knows.
    #[arg(long)]
    actor: String,
    /// What it is: `agent` or `pipeline`.
    #[arg(long, default_value = "agent", value_parser = kind)]
    kind: ActorKind,
    /// For whom it acts, as `person:alice`; by default the person at the keyboard, if there is a key for one.
    #[arg(long, value_parser = party)]
    on_behalf_of: Vec<Party>,
    /// The upstream its key is bound to; the first configured one when it is not given.
    #[arg(long)]
    upstream: Option<String>,
    /// In how many hours its key ends by itself, should this command be killed before it can revoke it.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    expires_in_hours: u32,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    anyhow::ensure!(
        arguments.kind != ActorKind::Person,
        "what is run is an `agent` or a `pipeline`; a person's own key comes from `ordain key create`"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(own::status(&config))
        .context("no gate answers here; start it with `ordain serve`, with the same settings")?;
    // The proxy, where there is one: it is heeded by clients that ignore an endpoint.
    let way = if config.egress.is_some() { Way::proxied(&config)? } else { Way::at_endpoint(&config) };
    let (keys, clock) = (keys::of(&config)?, Clock::system());
    let behalf = if arguments.on_behalf_of.is_empty() {
        vec![at_the_keyboard(&keys, clock.now())?]
    } else {
        arguments.on_behalf_of.clone()
    };
    let new = NewKey {
        party: Party { name: arguments.actor.as_str().into(), kind: arguments.kind },
        on_behalf_of: behalf,
        upstream: upstream(&config, arguments.upstream.as_deref())?,
        expires: Some(clock.now() + SignedDuration::from_hours(arguments.expires_in_hours.into())),
    };
    own::record(&config, &clock, ChangeKind::Key, format!("create a key for a run of {}", describe(&new)))?;
    let key = keys.create(&new, clock.now())?;
    own::keys_changed(&config);
    let ended = runtime.block_on(program(&arguments.command, &way, &key));
    revoke(&config, &clock, &keys, &key)?;
    Ok(Exit::Child(code(ended?)))
}

/// Runs the program to its end. What asks us to end is passed on to it; what a terminal sends it gets by itself.
async fn program(command: &[OsString], way: &Way, key: &IssuedKey) -> anyhow::Result<ExitStatus> {
    let (name, arguments) = command.split_first().context("name the program to run")?;
    let mut asking = Command::new(name);
    asking.args(arguments).envs(way.variables(key));
    for name in way.unset() {
        asking.env_remove(name);
    }
    let (mut interrupt, mut quit) = (signal(SignalKind::interrupt())?, signal(SignalKind::quit())?);
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut child = asking.spawn().with_context(|| format!("cannot run `{}`", name.to_string_lossy()))?;
    loop {
        tokio::select! {
            ended = child.wait() => return Ok(ended?),
            _ = terminate.recv() => pass_on(&child, rustix::process::Signal::TERM),
            _ = hangup.recv() => pass_on(&child, rustix::process::Signal::HUP),
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
        }
    }
}

fn pass_on(child: &Child, signal: rustix::process::Signal) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended meanwhile, which is what was asked for.
        let _ended = rustix::process::kill_process(pid, signal);
    }
}

/// Ends the key of a run. Whether or not that can be recorded: a key that lives on is worse than an entry that lacks.
fn revoke(config: &Config, clock: &Clock, keys: &KeyStore, key: &IssuedKey) -> anyhow::Result<()> {
    let recorded =
        own::record(config, clock, ChangeKind::Key, format!("revoke key {} at the end of its run", key.id));
    keys.revoke(&key.id, clock.now())?;
    own::keys_changed(config);
    recorded
}

/// The person whose name the system knows, or the only one with a key.
fn at_the_keyboard(keys: &KeyStore, now: Timestamp) -> anyhow::Result<Party> {
    let mut people: Vec<Party> = keys
        .list()
        .iter()
        .filter(|key| key.party.kind == ActorKind::Person && keys.ended_by(key, now).is_none())
        .map(|key| key.party.clone())
        .collect();
    people.dedup();
    let user = environment("USER");
    let named = people.iter().find(|person| Some(&*person.name) == user.as_deref());
    match (named, people.as_slice()) {
        (Some(person), _) | (None, [person]) => Ok(person.clone()),
        (None, _) => anyhow::bail!("it is not clear for whom it runs; say `--on-behalf-of person:NAME`"),
    }
}

/// The code of the program; one that a signal ended has the one that shells give it.
fn code(ended: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
