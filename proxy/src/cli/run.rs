//! `ordain run -- COMMAND`: a program whose calls of control planes go through the gate, under a key of its own that
//! ends with it.
//!
//! Leaves out keeping the program from going round the gate, unless it is isolated: it gets no credential that would be
//! good for that, but where the machine has others, it may find them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use ordain_action::{ActorKind, Party, Plane};
use ordain_evidence::ChangeKind;
use ordain_sigv4::Secret;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::key::{describe, kind, party, upstream};
use super::way::{Holds, Way, credentials_at};
use super::{Context, Exit, isolated, kubeconfig, way};
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
    /// The only upstream it gets a key for; by default the first one of AWS and of each other plane, and every Kubernetes
    /// cluster.
    #[arg(long)]
    upstream: Option<String>,
    /// How clients of AWS find their credential: a key pair in `variables`, or the gate as an `endpoint` that they ask for
    /// short-lived ones. With the latter their own configuration files are left out; name the region in `AWS_REGION`.
    #[arg(long, value_enum, default_value_t = Credentials::Variables)]
    credentials: Credentials,
    /// Give it, and what it starts, a network of its own in which there is the gate and nothing else (Linux). Files stay as
    /// they are, sockets of this machine among them, so that root finds other ways: run it as another user.
    #[arg(long)]
    isolate: bool,
    /// In how many hours its key ends by itself, should this command be killed before it can revoke it.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..))]
    expires_in_hours: u32,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// How a program's clients find their credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Credentials {
    Variables,
    Endpoint,
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
    let party = Party { name: arguments.actor.as_str().into(), kind: arguments.kind };
    let expires = clock.now() + SignedDuration::from_hours(arguments.expires_in_hours.into());
    let new = |upstream: &str| NewKey {
        party: party.clone(),
        on_behalf_of: behalf.clone(),
        upstream: upstream.into(),
        expires: Some(expires),
    };
    let at = match arguments.credentials {
        Credentials::Variables => None,
        Credentials::Endpoint => Some(credentials_at(&config)?),
    };
    if arguments.isolate {
        isolated::check()?;
    }
    let issuing = Issuing { config: &config, clock: &clock, keys: &keys, at, isolated: arguments.isolate };
    let mut issued = Issued::default();
    let made = issuing.all(&mut issued, arguments.upstream.as_deref(), &new);
    let ended = made.and_then(|()| {
        let apart = arguments.isolate.then(|| isolated::Apart::new(&config, &way, issued.reached()));
        runtime.block_on(program(&arguments.command, &way, &issued, apart.transpose()?))
    });
    issuing.revoke(&issued)?;
    Ok(Exit::Child(code(ended?)))
}

/// What a run is issued: a key pair for the planes that are signed for or a token that is exchanged for one, and a kubeconfig with a token for each cluster.
#[derive(Default)]
struct Issued {
    pair: Option<Arc<IssuedKey>>,
    asking: Option<(Arc<IssuedKey>, Secret, String)>,
    tokens: Vec<Arc<IssuedKey>>,
    kubeconfig: Option<PathBuf>,
    /// What clients of other planes read.
    variables: Vec<(String, String)>,
}

impl Issued {
    fn holds(&self) -> Holds<'_> {
        match (&self.pair, &self.asking) {
            (Some(pair), _) => Holds::Pair(pair),
            (None, Some((_, token, at))) => Holds::Token { at, token: token.expose(), file: None },
            (None, None) => Holds::Nothing,
        }
    }

    /// What its variables name beside the way.
    fn reached(&self) -> isolated::Reached {
        let names = |path: &str| self.variables.iter().any(|(_, value)| value.contains(path));
        isolated::Reached { admin: self.asking.is_some() || names(own::AZURE) || names(own::GOOGLE) }
    }
}

struct Issuing<'a> {
    config: &'a Config,
    clock: &'a Clock,
    keys: &'a KeyStore,
    /// Where clients ask for a credential, where they do.
    at: Option<String>,
    isolated: bool,
}

impl Issuing<'_> {
    /// Issues what the run may use: for the upstream that is named, or for the first of those that are signed for and
    /// for every cluster. What was issued before something failed is in `issued` all the same, to be revoked.
    fn all(
        &self,
        issued: &mut Issued,
        named: Option<&str>,
        new: &dyn Fn(&str) -> NewKey,
    ) -> anyhow::Result<()> {
        if let Some(name) = named {
            upstream(self.config, Some(name))?;
        }
        let meant = |name: &str| named.is_none_or(|named| named == name);
        let signed =
            self.config.upstreams.iter().find(|one| one.kind.plane() == Plane::Aws && meant(&one.name));
        if let Some(upstream) = signed {
            let new = new(&upstream.name);
            self.record(&new)?;
            match &self.at {
                None => issued.pair = Some(self.keys.create(&new, self.clock.now())?),
                Some(at) => {
                    let (key, token) = self.keys.create_token(&new, self.clock.now())?;
                    issued.asking = Some((key, token, at.clone()));
                }
            }
        }
        let mut tokens = BTreeMap::new();
        for upstream in kubeconfig::clusters(self.config).filter(|one| meant(&one.name)) {
            let new = new(&upstream.name);
            self.record(&new)?;
            let (key, token) = self.keys.create_token(&new, self.clock.now())?;
            issued.tokens.push(key);
            tokens.insert(upstream.name.clone(), token.expose().to_owned());
        }
        let clusters = issued.tokens.len();
        if let Some(token) = tokens.values().next() {
            issued.variables.push((way::TOKEN.to_owned(), token.clone()));
        }
        let mut planes = BTreeSet::new();
        let others = self
            .config
            .upstreams
            .iter()
            .filter(|one| ![Plane::Aws, Plane::Kubernetes].contains(&one.kind.plane()));
        // Of one plane the first: their clients read the same variables.
        for upstream in others.filter(|one| meant(&one.name) && planes.insert(one.kind.plane())) {
            let new = new(&upstream.name);
            self.record(&new)?;
            let (key, token) = self.keys.create_token(&new, self.clock.now())?;
            issued.tokens.push(key);
            for (name, value) in way::of_token(self.config, upstream, token.expose())? {
                // The token of the first of them by the name that all have.
                if !issued.variables.iter().any(|(known, _)| *known == name) {
                    issued.variables.push((name, value));
                }
            }
        }
        // A key pair signs what goes to its plane. What waits is asked for at the gate itself, with a token.
        if let Some(upstream) = signed.filter(|_| issued.asking.is_none() && issued.variables.is_empty()) {
            let new = new(&upstream.name);
            self.record(&new)?;
            let (key, token) = self.keys.create_token(&new, self.clock.now())?;
            issued.tokens.push(key);
            issued.variables.push((way::TOKEN.to_owned(), token.expose().to_owned()));
        }
        own::keys_changed(self.config);
        if let Some(first) = issued.tokens.first().filter(|_| clusters > 0) {
            let path = self.config.state.join(format!("kubeconfig-{}", first.id));
            let text = kubeconfig::text(self.config, &kubeconfig::User::Holds(&tokens))?;
            kubeconfig::write(&path, &text)?;
            issued.kubeconfig = Some(path);
        }
        Ok(())
    }

    fn record(&self, new: &NewKey) -> anyhow::Result<()> {
        let run = if self.isolated { "an isolated run" } else { "a run" };
        let summary = format!("create a key for {run} of {}", describe(new));
        own::record(self.config, self.clock, ChangeKind::Key, summary)
    }

    /// Ends what a run was issued. Whether or not that can be recorded: a key that lives on is worse than an entry that
    /// lacks.
    fn revoke(&self, issued: &Issued) -> anyhow::Result<()> {
        let mut recorded = Ok(());
        let asking = issued.asking.iter().map(|(key, ..)| key);
        for key in issued.pair.iter().chain(asking).chain(&issued.tokens) {
            let summary = format!("revoke key {} at the end of its run", key.id);
            recorded = recorded.and(own::record(self.config, self.clock, ChangeKind::Key, summary));
            self.keys.revoke(&key.id, self.clock.now())?;
        }
        own::keys_changed(self.config);
        if let Some(path) = &issued.kubeconfig {
            std::fs::remove_file(path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
        recorded
    }
}

/// Runs the program to its end. What asks us to end is passed on to it; what a terminal sends it gets by itself.
async fn program(
    command: &[OsString],
    way: &Way,
    issued: &Issued,
    apart: Option<isolated::Apart>,
) -> anyhow::Result<ExitStatus> {
    let (name, arguments) = command.split_first().context("name the program to run")?;
    let (mut asking, apart) = match apart {
        None => (Command::new(name), None),
        Some(apart) => apart.begin(name)?,
    };
    asking.args(arguments).envs(way.variables(&issued.holds())).envs(issued.variables.iter().cloned());
    match &issued.kubeconfig {
        Some(path) => drop(asking.env("KUBECONFIG", path)),
        // Another one would name a cluster that is not reached through the gate.
        None => drop(asking.env_remove("KUBECONFIG")),
    }
    for name in way.unset(&issued.holds()) {
        asking.env_remove(name);
    }
    // What opens the gate's own secrets is nobody's to have who is judged by it.
    asking.env_remove(keys::SEALING_KEY);
    let (mut interrupt, mut quit) = (signal(SignalKind::interrupt())?, signal(SignalKind::quit())?);
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut child = asking.spawn().with_context(|| format!("cannot run `{}`", name.to_string_lossy()))?;
    // It holds what of the child's must have no other copy.
    drop(asking);
    let _relays = match apart {
        None => None,
        Some(begun) => Some(begun.settle(&mut child).await?),
    };
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
