//! All a request needs, built once.
//!
//! Leaves out the path of a request (`request.rs`) and listening (`listen/`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use http::header::SET_COOKIE;
use http::{Request, Response};
use jiff::Timestamp;
use ordain_action::{Action, DecisionId, DenialKind, Digest, Outcome, Reading};
use ordain_decode::{Claim, Head, Needs, Rooms, RoomsConfig};
use ordain_evidence::{
    ChangeKind, Closing, Decision, Digests, FileStorage, HeadSummary, Ledger, LedgerSettings, OpenError,
    OwnChange, Reader, Released, Sendable, Sequence, Terms, Unrecorded,
};
use ordain_rules::{Counters, LiveInventory, Mode, Ruling, ShadowScope, Snapshot, Verdict};
use ordain_sigv4::{Body, KeyCache};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api;
use crate::chain::Outlet;
use crate::change::Changes;
use crate::clock::Clock;
use crate::config::Config;
use crate::events::{self, Metrics};
use crate::fault::Fault;
use crate::files;
use crate::forward::{AnswerBody, ForwardError, Forwarder, OutBody, Outward, Protocol, Trust};
use crate::front::NOBODY_MAX;
use crate::held::{Budget, Need};
use crate::holds::Holds;
use crate::identity::{self, Claimed, Identified, Known, Schemes};
use crate::keys::{IssuedKey, KeyStore};
use crate::listen::{ConnectionInfo, ListenCounts, ListenSettings, Tls, Verifier};
use crate::model::Model;
use crate::outgoing::Outgoing;
use crate::place::{Arrival, Places};
use crate::state::State;
use crate::throttle::{self, Throttle};
use crate::upstream::{Carried, Leaving, Own, Source, Upstreams, Whose};

/// What a caller is told in warn mode.
#[derive(Debug, Clone)]
pub struct Warning {
    /// The machine-readable reason.
    pub code: String,
    /// The same for a person.
    pub text: String,
}

/// A request that is whole, and the connections it leaves by.
#[derive(Debug)]
#[must_use]
pub struct Ready {
    request: Released<Request<OutBody>>,
    through: Arc<Forwarder>,
    // Its answer may not hand out a session: it would be one of the gate's credential.
    keeps_sessions: bool,
}

/// All a request needs.
#[derive(Debug)]
pub struct Gate {
    /// The time.
    pub clock: Clock,
    /// What it says of itself.
    pub metrics: Metrics,
    /// What reads requests. As long-lived as the program: a claim on a request points into it.
    pub rooms: &'static Rooms,
    /// The keys that actors hold.
    pub keys: Arc<KeyStore>,
    /// The intent model in force.
    pub model: Model,
    /// What must be counted once.
    pub state: State,
    /// The evidence.
    pub ledger: Ledger,
    /// The real credentials.
    pub upstreams: Arc<Upstreams>,
    /// How many bytes of bodies may be held.
    pub budget: Budget,
    /// How much each actor may ask for.
    pub throttle: ArcSwap<Throttle>,
    /// What waits for its owners.
    pub holds: Holds,
    /// Changes in flight.
    pub changes: Arc<Changes>,
    /// What the command line presents to have its own changes recorded.
    pub admin_token: String,
    /// Told when streams have to end, because the gate does.
    pub stopping: CancellationToken,
    config: ArcSwap<Config>,
    listening: Arc<ArcSwap<ListenSettings>>,
    own: Own,
    // What could not be taken up while it ran, by what it is of.
    faults: Mutex<BTreeMap<&'static str, String>>,
    // Connections to the hosts of the provider whose hosts are in the catalogue.
    forwarder: Arc<Forwarder>,
    outward: Outward,
    places: ArcSwap<Places>,
    schemes: ArcSwap<Schemes>,
    signing_keys: KeyCache,
    counts: Arc<ListenCounts>,
    draining: AtomicBool,
    program: Digest,
    catalogue: Digest,
}

impl Gate {
    /// Builds a gate that will be reached at `data`.
    ///
    /// # Errors
    /// Anything that keeps it from deciding: a model with problems, a ledger that does not verify, an account
    /// that is not the one configured.
    pub async fn start(config: Config, data: SocketAddr, clock: Clock) -> anyhow::Result<Arc<Self>> {
        files::prepare(&config.state)?;
        let keys = Arc::new(crate::keys::of(&config)?);
        keys.watch(|error| events::reload_failed("keys", &error.to_string()))?;
        let clients = config.clients().map(|clients| clients.load()).transpose()?;
        let tls = match &config.tls {
            Some((certificate, key)) => Some(Tls::load(certificate, key, config.clients().as_ref())?),
            None => None,
        };
        let overlay = match &config.overlay {
            Some(path) => Some(
                std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?,
            ),
            None => None,
        };
        let rooms = Rooms::new(RoomsConfig {
            token_key: token_key(&config.state)?,
            own_hosts: own_hosts(&config, data),
            aws_overlay: overlay,
            ..api::all(&config)?
        })?;
        let live = live(&config.ledger)?;
        let model = Model::open(config.model.clone(), config.modes(), live)?;
        let ledger = open_ledger(&config, &clock).context("the ledger cannot be used")?;
        let own = Own::of(&config, data);
        let sources = config.upstreams.iter().map(Source::from).collect();
        let outlet = Outlet::new(config.outward.proxy.as_ref())?;
        let outward = Outward::new(own.addresses.clone(), config.limits.upstream_timeout).leaving_by(outlet);
        let upstreams = Upstreams::start(sources, &own, &outward, clock.now()).await?;
        let trust = Trust { protocol: Protocol::Negotiated, ..Trust::default() };
        let forwarder = outward.forwarder(trust).map_err(anyhow::Error::msg)?;
        let schemes = Schemes::new(config.identity.clone(), None, &outward);
        let catalogue = catalogue_digest(&rooms);
        Ok(Arc::new(Self {
            catalogue,
            throttle: ArcSwap::from_pointee(throttle::of(&config)),
            budget: Budget::new(config.limits.held, config.limits.unproven),
            admin_token: files::admin_token(&config.state)?,
            clock,
            metrics: Metrics::new(),
            // Read-only data for as long as the program runs; requests in flight point into it.
            rooms: Box::leak(Box::new(rooms)),
            keys,
            model,
            state: Box::pin(State::start(config.counted.clone(), config.ledger.clone(), holder(&ledger)))
                .await?,
            ledger,
            upstreams: Arc::new(upstreams),
            holds: Holds::new(config.holds.parked),
            changes: Arc::new(Changes::default()),
            forwarder: Arc::new(forwarder),
            outward,
            places: ArcSwap::from_pointee(Places::new(&config.upstreams)),
            schemes: ArcSwap::from_pointee(schemes),
            signing_keys: KeyCache::new(),
            counts: Arc::new(ListenCounts::default()),
            draining: AtomicBool::new(false),
            stopping: CancellationToken::new(),
            faults: Mutex::default(),
            own,
            listening: Arc::new(ArcSwap::from_pointee(listen_settings(&config, tls, clients))),
            program: program_digest(),
            config: ArcSwap::from_pointee(config),
        }))
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// The certificate in force, where TLS is served.
    #[must_use]
    pub fn tls(&self) -> Option<Tls> {
        self.listening.load().tls.clone()
    }

    /// What all connections have in common that the gate makes.
    #[must_use]
    pub const fn outward(&self) -> &Outward {
        &self.outward
    }

    /// Addresses and names that it is reached by.
    #[must_use]
    pub const fn own(&self) -> &Own {
        &self.own
    }

    /// Puts another configuration in force: its modes and its limits. What else it says was taken up by the caller.
    pub fn reconfigure(&self, config: Config, clients: Option<Verifier>) {
        let limits = &config.limits;
        self.model.set_modes(config.modes());
        self.budget.resize(limits.held, limits.unproven);
        if throttle::limits(&self.config.load()) != throttle::limits(&config) {
            self.throttle.store(Arc::new(throttle::of(&config)));
        }
        self.outward.set_timeout(limits.upstream_timeout);
        self.places.store(Arc::new(Places::new(&config.upstreams)));
        let schemes = Schemes::new(config.identity.clone(), Some(&self.schemes.load()), &self.outward);
        self.schemes.store(Arc::new(schemes));
        self.listening.store(Arc::new(listen_settings(&config, self.tls(), clients)));
        self.config.store(Arc::new(config));
    }

    /// Notes what could not be taken up, or that it could now.
    pub fn note_fault(&self, of: &'static str, why: Option<&str>) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => drop(faults.insert(of, why.to_owned())),
            None => drop(faults.remove(of)),
        }
    }

    /// What could not be taken up while it ran, by what it is of.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<&'static str, String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What connections are served under, and where they are counted.
    #[must_use]
    pub fn listening(&self) -> (Arc<ArcSwap<ListenSettings>>, Arc<ListenCounts>) {
        (Arc::clone(&self.listening), Arc::clone(&self.counts))
    }

    /// Where a request came to.
    #[must_use]
    pub fn arrival<B>(&self, connection: ConnectionInfo, request: &Request<B>) -> Arrival {
        let known = (&*self.keys, &**self.schemes.load());
        let place = self.places.load().of(self.rooms, known, &self.upstreams, &connection, request);
        Arrival { connection, place }
    }

    /// Who a head says it is from.
    ///
    /// # Errors
    /// In words that tell the caller what to do.
    pub async fn claim_identity(
        &self,
        arrival: &Arrival,
        claim: &Claim<'_>,
        head: &Head<'_>,
    ) -> Result<Claimed, Fault> {
        let came = (arrival, claim.plane());
        let schemes = self.schemes.load_full();
        let (keys, upstreams) = (&*self.keys, &self.upstreams);
        let known = Known { keys, schemes: &schemes, upstreams, upstream: |name: &str| upstreams.get(name) };
        identity::claim(known, came, head, self.clock.now()).await
    }

    /// Proves who a request is from.
    ///
    /// # Errors
    /// In words that tell the caller what to do.
    pub fn prove_identity(
        &self,
        claimed: Claimed,
        head: &Head<'_>,
        body: Option<Digest>,
    ) -> Result<Identified, Fault> {
        let body = match &body {
            // A held body in chunks would be judged as its frames and not as what they hold.
            Some(_) if claimed.is_chunked() => {
                return Err(Fault::new(
                    DenialKind::Malformed,
                    "payload_form",
                    "`aws-chunked` is taken only for operations whose body is a stream; send this one whole",
                ));
            }
            Some(digest) => Body::Held { sha256: &digest.0 },
            None => Body::Streamed,
        };
        claimed.prove(&self.keys, &self.signing_keys, head, body, self.clock.now())
    }

    /// Whose issued token that is, which is shown elsewhere than in a head.
    ///
    /// # Errors
    /// It is nobody's, it is over, or it is for another upstream than the request came to.
    pub fn holder(&self, arrival: &Arrival, claim: &Claim<'_>, token: &str) -> Result<Arc<IssuedKey>, Fault> {
        let upstream = |name: &str| self.upstreams.get(name);
        identity::holder(&self.keys, upstream, (arrival, claim.plane()), token, self.clock.now())
    }

    /// What is said of somebody whom nothing shows.
    #[must_use]
    pub fn nobody(&self) -> Fault {
        self.schemes.load().nobody()
    }

    /// What of a body the room needs, within what the operator allows; of nobody's no more than it takes to sign in.
    #[must_use]
    pub fn need(&self, claim: &Claim<'_>, claimed: &Claimed) -> Need {
        let most = self.config.load().limits.body;
        if claimed.is_nobody() {
            return Need::Whole { cap: most.min(NOBODY_MAX) };
        }
        match claim.needs() {
            Needs::Payload => Need::Head,
            Needs::Stream => Need::Stream,
            Needs::Held { cap } => Need::Whole { cap: cap.min(most) },
            Needs::Nothing => Need::Whole { cap: most },
        }
    }

    /// Whether no policy is asked: the call changes nothing, or only data where only control is judged.
    #[must_use]
    pub fn passes_as_read(&self, action: &Action) -> bool {
        match &action.reading {
            Reading::Call(call) => !call.is_change(),
            Reading::Undecodable { .. } => false,
        }
    }

    /// What goes into the record of a decision, beside the verdict.
    #[must_use]
    pub fn decision(
        &self,
        model: &Snapshot,
        action: Arc<Action>,
        request: Digest,
        counters: Counters,
        now: Timestamp,
        head: HeadSummary,
    ) -> Decision {
        let upstream = &action.actor.upstream;
        let (mode, control_only) = (model.modes().of(upstream), model.modes().control_only(upstream));
        Decision {
            id: DecisionId(Uuid::now_v7()),
            now,
            action,
            request,
            head,
            digests: Arc::new(Digests {
                model: model.digest(),
                rules: model.rules_digest(),
                schema: model.schema_digest(),
                catalogue: self.catalogue,
                program: self.program,
            }),
            counters,
            live: model.live().sequence(),
            terms: Terms { mode, control_only, nobody: false },
            hold: None,
        }
    }

    /// What a caller is told in warn mode of a verdict that enforce would have refused.
    #[must_use]
    pub fn warning(&self, verdict: &Verdict) -> Option<Warning> {
        let told = verdict.mode == Mode::Warn && verdict.ruling != Ruling::Admit;
        let first = verdict.reasons.first().filter(|_| told)?;
        Some(Warning {
            code: first.code.as_str().to_owned(),
            text: format!("enforce would refuse this: {}", first.text),
        })
    }

    /// Lets a change pass that could not be recorded, where its mode is not enforce.
    ///
    /// # Errors
    /// In enforce it does not happen.
    pub fn pass_unrecorded<R>(&self, unrecorded: Unrecorded<R>) -> Result<Sendable<R>, Fault> {
        let (id, why) = (unrecorded.decision(), unrecorded.why().to_owned());
        let refused = || Fault::unrecordable(&why, id);
        let scope = ShadowScope::of(unrecorded.mode()).ok_or_else(refused)?;
        let sendable = unrecorded.shadow(scope).map_err(|_| refused())?;
        self.metrics.shadow_unrecorded(id, &why);
        Ok(sendable)
    }

    /// Makes a request whole with the real credential of its upstream.
    ///
    /// # Errors
    /// Nothing was sent.
    pub async fn sign(&self, outgoing: Released<Outgoing>) -> Result<Ready, Fault> {
        let now = self.clock.now();
        let identified = &outgoing.get().identified;
        let minted = identified.key().and_then(|key| key.minted.as_ref());
        let whose = match minted {
            Some(minted) => Whose::Minted(&minted.real),
            None if identified.own => Whose::Actor,
            None if identified.is_nobody() => Whose::Nobody,
            None => Whose::Gate(outgoing.get().claim.api()),
        };
        let leaving = self.upstreams.leaving(&identified.actor, &identified.account, whose, now);
        let leaving = leaving.await.map_err(|error| {
            let text = "the gate has no real credential for this upstream now; tell the operator";
            Fault::new(DenialKind::BadGateway, "no_credential", text).with_detail(error)
        })?;
        let request = outgoing.try_map(|outgoing| outgoing.leave(&self.signing_keys, &leaving, now))?;
        let keeps_sessions =
            matches!(&leaving, Leaving::Plain { carried, .. } if !matches!(carried, Carried::Own));
        let through = match leaving {
            Leaving::Signed { .. } => Arc::clone(&self.forwarder),
            Leaving::Plain { through, .. } => through,
        };
        Ok(Ready { request, through, keeps_sessions })
    }

    /// Sends a request over the connections of its upstream.
    ///
    /// # Errors
    /// [`ForwardError`], which says whether it may have taken effect.
    pub async fn forward(&self, ready: Ready) -> Result<Response<AnswerBody>, ForwardError> {
        let started = Instant::now();
        let mut answer = ready.through.send(ready.request).await;
        self.metrics.answered(started.elapsed());
        if let Ok(answer) = &mut answer
            && ready.keeps_sessions
        {
            answer.headers_mut().remove(SET_COOKIE);
        }
        answer
    }

    /// Closes the evidence of a change, and adds what it created to the model.
    ///
    /// What created something is waited for: the caller's next request is judged with it. The rest is written and
    /// not waited for, since nothing hangs on it.
    pub async fn close(
        self: &Arc<Self>,
        closing: Closing,
        id: DecisionId,
        action: &Arc<Action>,
        outcome: Outcome,
    ) {
        let closed = if ordain_rules::created_by(action, &outcome).is_empty() {
            closing.end(&outcome)
        } else {
            let (gate, action, said) = (Arc::clone(self), Arc::clone(action), outcome.clone());
            let item = closing.change().cloned();
            let first =
                move |sequence: Sequence| gate.model.created(&action, &said, item.as_ref(), sequence.0);
            closing.close(&outcome, first).await.map(drop)
        };
        if let Err(error) = closed {
            events::outcome_unwritten(id, &error.to_string());
        }
    }

    /// Makes a change of the gate itself durable, before it takes effect.
    ///
    /// # Errors
    /// Why it could not be recorded: it must not take effect.
    pub async fn record_own_change(
        &self,
        kind: ChangeKind,
        summary: String,
        after: Option<Digest>,
    ) -> Result<(), String> {
        self.record_change_by("operator", kind, summary, None, after).await
    }

    /// The same, by somebody else than the operator, or with what was before.
    ///
    /// # Errors
    /// Why it could not be recorded: it must not take effect.
    pub async fn record_change_by(
        &self,
        author: &str,
        kind: ChangeKind,
        summary: String,
        before: Option<Digest>,
        after: Option<Digest>,
    ) -> Result<(), String> {
        let (now, author) = (self.clock.now(), author.to_owned());
        let own = OwnChange { kind, now, author, summary, before, after };
        self.ledger.note(own).await.map(drop).map_err(|error| error.to_string())
    }

    /// Reads what is read when asked for into the metrics.
    pub fn observe(&self) {
        let held = self.budget.proven_in_use().saturating_add(self.budget.unproven_in_use());
        self.metrics.observe(&self.ledger.status(), &self.counts, held);
        self.metrics.counted_state(self.state.fault().is_none(), self.state.unsettled());
        let model = self.model.snapshot();
        self.metrics.model_in_force(model.digest(), model.rules_digest());
    }

    /// Takes no more requests.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it takes no more requests.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// The digest of the catalogues that requests are read by.
#[must_use]
pub fn catalogue_digest(rooms: &Rooms) -> Digest {
    let digest = rooms.catalog_digest();
    Digest::from_hex(digest).unwrap_or_else(|| Digest::of(digest.as_bytes()))
}

/// The digest of the program, by its version.
#[must_use]
pub fn program_digest() -> Digest {
    Digest::of(env!("CARGO_PKG_VERSION").as_bytes())
}

/// The ledger of a configuration, to be written.
///
/// # Errors
/// It is in use, or does not verify.
pub fn open_ledger(config: &Config, clock: &Clock) -> Result<Ledger, OpenError> {
    let clock = clock.clone();
    let told = ordain_evidence::Clock::new(move || clock.now());
    let mut settings = LedgerSettings::new(config.origin.clone(), told);
    // What is in force from a start on is evidence too.
    let digest = Digest::of(format!("{config:?}").as_bytes()).to_hex();
    let (version, mode) = (env!("CARGO_PKG_VERSION"), config.mode.as_str());
    settings.program = format!("ordain {version} in {mode} mode, configuration {digest}");
    Ledger::open(settings, Arc::new(FileStorage::new(&config.ledger)?))
}

/// What tells this ledger from all others: the key that it is signed with.
fn holder(ledger: &Ledger) -> Digest {
    Digest::of(ledger.verifier().as_bytes())
}

/// What was created through the gate before, as the ledger tells it.
fn live(directory: &Path) -> anyhow::Result<LiveInventory> {
    let mut live = LiveInventory::new();
    if directory.is_dir() {
        let reader = Reader::open(directory)?;
        reader.creations(|action, outcome, item, sequence| {
            live.apply_outcome(action, outcome, item, sequence.0);
        })?;
    }
    Ok(live)
}

fn listen_settings(config: &Config, tls: Option<Tls>, clients: Option<Verifier>) -> ListenSettings {
    let limits = &config.limits;
    ListenSettings {
        tls,
        clients,
        connections: limits.connections,
        connections_per_peer: limits.connections_per_peer,
        header_timeout: limits.header_timeout,
        idle_timeout: limits.idle_timeout,
        body_timeout: limits.body_timeout,
        drain: limits.drain,
        ..ListenSettings::default()
    }
}

fn own_hosts(config: &Config, data: SocketAddr) -> Vec<String> {
    let mut names: Vec<String> = config.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.push(data.ip().to_string());
    names
}

/// The key under which secrets become tokens; made on first use, and never again: tokens of the same secret
/// must stay the same for as long as the ledger does.
fn token_key(state: &Path) -> anyhow::Result<[u8; 32]> {
    let text = files::secret_file(&state.join("token.key"))?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .context("`token.key` in the state directory is not 64 hexadecimal digits")?;
    Ok(key)
}
