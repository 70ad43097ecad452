//! `ordain serve`: runs the gate until it is told to stop.
//!
//! Leaves out what a gate is (`gate.rs`) and how it listens (`listen/`).

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::{Request, Response};
use ordain_action::{ActorKind, Party, Plane};
use ordain_evidence::ChangeKind;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::env::quoted;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::{Config, UpstreamConfig};
use crate::egress::Egress;
use crate::gate::Gate;
use crate::holds::notices::Notices;
use crate::keys::{IssuedKey, NewKey};
use crate::listen::{ConnectionInfo, Entrance, Redirected, Redirection, RequestBody, Socket, Tunnels};
use crate::reload::Watched;
use crate::reply::ReplyBody;
use crate::settings::{Settings, environment};
use crate::telemetry::LogFilter;
use crate::{admin, egress, events, files, listen, memory, reload, request, telemetry};

/// How long reservations may take to be settled once all has ended; the next start settles the rest.
const SETTLING: Duration = Duration::from_secs(3);

/// How long who is told of holds may take to answer once all has ended; the next start tells the rest.
const TELLING: Duration = Duration::from_secs(3);

/// How long what goes on until somebody ends it may go on once the gate is told to stop: watches, streams, tunnels. What
/// has an end of its own has all the time to drain.
const GRACE: Duration = Duration::from_secs(2);

/// Run the gate.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(context: &Context, _: Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::read(context.settings.as_deref())?;
    let log = settings.log.clone();
    let config = Config::resolve(settings)?;
    // Spans are sent by a thread of their own, which blocks: set up and ended outside the runtime, which may not.
    let telemetry = telemetry::start(&log)?;
    if let Err(why) = memory::give_back() {
        events::notice("memory that is freed stays with the process", &why);
    }
    runtime()?.block_on(serve(context, config, telemetry.filter()))
}

/// A thread for each core that we may use. Where that is one, nobody is there to share the work with, and what sharing
/// costs is spared.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = match cores {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

async fn serve(context: &Context, config: Config, filter: LogFilter) -> anyhow::Result<Exit> {
    let data = TcpListener::bind(config.data).await.with_context(|| taken("data", config.data))?;
    let admin = TcpListener::bind(config.admin).await.with_context(|| taken("admin", config.admin))?;
    let egress = match config.egress {
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| taken("egress", address))?),
        None => None,
    };
    let redirected = redirected(&config)?;
    let socket = match &config.unix {
        Some(path) => Some(Socket::bind(path).with_context(|| no_socket(path))?),
        None => None,
    };
    let at_egress = egress.as_ref().map(TcpListener::local_addr).transpose()?;
    let (state, at) = (config.state.clone(), admin.local_addr()?);
    // Before the start takes its time: a file that changes meanwhile is taken up afterwards.
    let watched = Watched::new(context.settings.clone(), &config, filter);
    let gate = Gate::start(config, data.local_addr()?, Clock::system()).await?;
    // Only now is the ledger this gate's own: the address of one that runs on it already is left as it is.
    files::say_where(&state, "admin", at)?;
    files::say_where(&state, "data", data.local_addr()?)?;
    if let Some(address) = at_egress {
        files::say_where(&state, "egress", address)?;
    }
    // Heard from before anybody is told that it serves: until then the system ends the program in the middle.
    let told_to_stop = until_told_to_stop()?;
    let hangup = signal(SignalKind::hangup()).ok();
    let ready = admin::prepare(&gate)?;
    let notices = Notices::start(&gate)?;
    let first = first_key(&gate).await?;
    let tunnels = if gate.config().stands_in() { Some(tunnels(&gate).await?) } else { None };
    context.output.raw(
        greeting(&gate, &first, at_egress, tunnels.as_deref(), context.settings.as_deref()).as_bytes(),
    )?;
    events::serving(data.local_addr()?, at, at_egress, gate.config().mode.as_str());
    let (stop, stopped) = watch::channel(false);
    let health = tokio::spawn(admin::run(admin, Arc::clone(&gate), ready, wait_for(stopped.clone())));
    let reloading = tokio::spawn(reload::run(
        Arc::clone(&gate),
        tunnels.clone(),
        watched,
        hangup,
        wait_for(stopped.clone()),
    ));
    // Under systemd the unit is ready only now; elsewhere nobody listens to this.
    drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
    let mut serving = JoinSet::new();
    for (listener, entrance) in entrances(data, egress, redirected, tunnels)? {
        serving.spawn(listen(Arc::clone(&gate), listener, entrance, wait_for(stopped.clone())));
    }
    if let Some(socket) = socket {
        serving.spawn(listen_on(Arc::clone(&gate), socket, wait_for(stopped.clone())));
    }
    told_to_stop.await;
    events::draining(gate.config().limits.drain.as_secs());
    gate.drain();
    stop.send_replace(true);
    drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
    let grace = GRACE.min(gate.config().limits.drain);
    let mut ended = std::pin::pin!(async {
        while let Some(ended) = serving.join_next().await {
            ended?;
        }
        reloading.await?;
        gate.changes.finish(grace + Duration::from_secs(5)).await;
        anyhow::Ok(())
    });
    tokio::select! {
        ended = ended.as_mut() => ended?,
        () = tokio::time::sleep(grace) => {
            gate.stopping.cancel();
            ended.await?;
        }
    }
    notices.finish(TELLING).await;
    gate.upstreams.end().await;
    gate.state.close(SETTLING).await;
    gate.ledger.clone().close().await;
    health.await??;
    events::stopped();
    Ok(Exit::Ok)
}

/// The listeners that connections are sent on to.
fn redirected(config: &Config) -> anyhow::Result<Vec<(TcpListener, Redirection)>> {
    let bound = |(address, by): &(SocketAddr, Redirection)| {
        let listener = Redirected::bind(*address, *by).with_context(|| untaken(*address, *by))?;
        Ok((listener, *by))
    };
    config.transparent.iter().map(bound).collect()
}

/// Every listener, with the way in that it is.
fn entrances(
    data: TcpListener,
    egress: Option<TcpListener>,
    redirected: Vec<(TcpListener, Redirection)>,
    tunnels: Option<Arc<Egress>>,
) -> anyhow::Result<Vec<(TcpListener, Entrance)>> {
    let own = tunnels.clone().map(|own| own as Arc<dyn Tunnels>);
    let mut all = vec![(data, Entrance::Reverse(own))];
    let Some(tunnels) = tunnels else { return Ok(all) };
    for (listener, by) in redirected {
        let own = listener.local_addr()?;
        events::taking(own);
        let tunnels = Arc::clone(&tunnels) as Arc<dyn Tunnels>;
        all.push((listener, Entrance::Transparent(Arc::new(Redirected { tunnels, own, by }))));
    }
    all.extend(egress.map(|listener| (listener, Entrance::Egress(tunnels))));
    Ok(all)
}

/// Why an address cannot be listened on for what is sent on to it.
fn untaken(address: SocketAddr, by: Redirection) -> String {
    match by {
        Redirection::Rewritten => taken("transparent", address),
        Redirection::Kept => {
            format!(
                "cannot take connections on `{address}` under their own address; give the gate CAP_NET_ADMIN"
            )
        }
    }
}

/// Why a socket cannot be listened on.
fn no_socket(path: &Path) -> String {
    format!(
        "cannot listen on the socket `{}`; stop the gate that runs there, or choose another `listen.unix`",
        path.display()
    )
}

/// Why an address cannot be listened on, mostly: a gate was started before.
fn taken(which: &str, address: SocketAddr) -> String {
    format!("cannot listen on `{address}`; stop the gate that runs there, or choose another `listen.{which}`")
}

/// Serves connections until `stop`, and lets those in flight end.
async fn listen(
    gate: Arc<Gate>,
    listener: TcpListener,
    entrance: Entrance,
    stop: impl Future<Output = ()> + Send,
) {
    let (settings, counts) = gate.listening();
    listen::run(listener, entrance, settings, counts, service(gate), stop).await;
}

/// The same on a socket of this machine.
async fn listen_on(gate: Arc<Gate>, socket: Socket, stop: impl Future<Output = ()> + Send) {
    let (settings, counts) = gate.listening();
    listen::run_socket(socket, settings, counts, service(gate), stop).await;
}

/// What answers each request, by whichever way it came in.
fn service(gate: Arc<Gate>) -> impl Fn(ConnectionInfo, Request<RequestBody>) -> Answering {
    move |connection, request| {
        let span = events::request_span(request.method(), request.uri().path());
        // Boxed, so that a connection without a request in flight has no room for one.
        Box::pin(request::serve(Arc::clone(&gate), connection, request).instrument(span))
    }
}

type Answering = Pin<Box<dyn Future<Output = Response<ReplyBody>> + Send>>;

/// What stands in for control planes, with a certificate authority of its own where it had none.
async fn tunnels(gate: &Gate) -> anyhow::Result<Arc<Egress>> {
    let (config, now) = (gate.config(), gate.clock.now());
    let store = egress::store(&config)?;
    if store.read(now)?.authorities().signing(now).is_err() {
        let authority = egress::make(&config, now, egress::LASTS)?;
        let summary =
            format!("make certificate authority {}, which signs now", authority.certificate().fingerprint());
        gate.record_own_change(ChangeKind::Key, summary, None).await.map_err(anyhow::Error::msg)?;
        store.add(&authority, now)?;
    }
    egress::write_bundle(&config.state, &store, now)?;
    Ok(Arc::new(Egress::open(gate)?))
}

/// The first key of a new gate: for the person at the keyboard.
async fn first_key(gate: &Gate) -> anyhow::Result<Option<Arc<IssuedKey>>> {
    if !gate.keys.list().is_empty() {
        return Ok(None);
    }
    let config = gate.config();
    // A key pair signs, which only AWS takes.
    let aws = |upstream: &&UpstreamConfig| upstream.kind.plane() == Plane::Aws;
    let Some(upstream) = config.upstreams.iter().find(aws) else { return Ok(None) };
    let name = environment("USER").unwrap_or_else(|| "me".to_owned());
    let new = NewKey {
        party: Party { name: name.as_str().into(), kind: ActorKind::Person },
        on_behalf_of: Vec::new(),
        upstream: upstream.name.as_str().into(),
        expires: None,
    };
    let summary = format!("create the first key for person {name} on upstream {}", upstream.name);
    gate.record_own_change(ChangeKind::Key, summary, None).await.map_err(anyhow::Error::msg)?;
    Ok(Some(gate.keys.create(&new, gate.clock.now())?))
}

/// What stands on the screen once the gate serves: what it is, and the next two lines to paste.
fn greeting(
    gate: &Gate,
    first: &Option<Arc<IssuedKey>>,
    egress: Option<SocketAddr>,
    tunnels: Option<&Egress>,
    settings: Option<&Path>,
) -> String {
    let config = gate.config();
    let mut text = format!("ordain {} in {} mode\n", env!("CARGO_PKG_VERSION"), config.mode.as_str());
    for upstream in &config.upstreams {
        let name = &upstream.name;
        match gate.upstreams.get(name) {
            Some(verified) => {
                let what = verified.plane.whole();
                text.push_str(&format!("  upstream `{name}` is {what} {}\n", verified.account))
            }
            None => {
                let why = gate.upstreams.why_unverified(name);
                let why =
                    why.unwrap_or_else(|| format!("the account of upstream `{name}` is being asked for"));
                text.push_str(&format!("  not served yet: {why}\n"));
            }
        }
    }
    for weaker in config.upstreams.iter().filter_map(UpstreamConfig::weaker) {
        text.push_str(&format!("  WEAKER: {weaker}\n"));
    }
    for note in gate.rooms.notes() {
        text.push_str(&format!("  {note}\n"));
    }
    for line in config.identity.lines().into_iter().chain(config.login.lines()) {
        text.push_str(&format!("  {line}\n"));
    }
    let model = gate.model.snapshot();
    if model.has_model() {
        text.push_str(&format!("  model of `{}`\n", config.model.display()));
    } else {
        text.push_str(&format!("  no model yet in `{}`\n", config.model.display()));
    }
    if let Some(tunnels) = tunnels {
        let bundle = egress::bundle_path(&config.state);
        let bundle = bundle.display();
        if let Some(address) = egress {
            text.push_str(&format!("  egress gateway on {address}; its clients trust `{bundle}`\n"));
        }
        for (address, _) in &config.transparent {
            text.push_str(&format!(
                "  redirected connections on {address}; their clients trust `{bundle}`\n"
            ));
        }
        for domain in tunnels.missing().unwrap_or_default() {
            text.push_str(&format!(
                "  no tunnels to `{domain}`: make a new authority with `ordain ca rotate`\n"
            ));
        }
    }
    if let Some(key) = first {
        text.push_str(&format!("  first key {} for {}\n", key.id, key.party.name));
    }
    let with = settings.map_or(String::new(), |path| {
        let path = path.display().to_string();
        // Inside `"$(…)"` quotes stand for themselves again, so that a path with blanks is one word.
        let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        format!(" --config {}", if plain { path } else { quoted(&path) })
    });
    let of = |plane: Plane| config.upstreams.iter().find(|upstream| upstream.kind.plane() == plane);
    let name = environment("USER").unwrap_or_else(|| "me".to_owned());
    text.push_str("next, in another terminal:\n");
    if of(Plane::Aws).is_some() {
        text.push_str(&format!("  eval \"$(ordain env{with})\"\n  aws sts get-caller-identity\n"));
    } else if of(Plane::Kubernetes).is_some() {
        let who = format!("--actor {name} --kind person --kubeconfig ordain.kubeconfig");
        text.push_str(&format!("  eval \"$(ordain env{with} {who})\"\n  kubectl get pods\n"));
    } else if let Some(api) = config.upstreams.first() {
        let who = format!("--actor {name} --kind person --bearer --upstream {}", api.name);
        let place = if api.kind.plane() == Plane::Grpc { "metadata" } else { "header" };
        text.push_str(&format!(
            "  ordain key create{with} {who}\n  # its token goes into the {place} `authorization`\n"
        ));
    }
    text
}

fn until_told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender has gone, and with it the program.
    drop(stopped.wait_for(|stopped| *stopped).await);
}
