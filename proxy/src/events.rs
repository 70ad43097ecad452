//! What the gate says of itself: one struct a log line, one field a metric.
//!
//! Leaves out evidence (the ledger) and what callers are told (denials). The only file that writes log lines:
//! elsewhere clippy refuses the logging macros, and the house rules `event!`. Labels are bounded: never an
//! ARN, never an actor's name.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ordain_action::{DecisionId, Digest, Reading};
use ordain_evidence::{Decision, LedgerStatus};
use ordain_rules::{Ruling, Verdict};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tracing::{Level, event};
use uuid::Uuid;

use crate::fault::Fault;
use crate::holds::EventKind;
use crate::listen::ListenCounts;

/// Labels of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DecisionLabels {
    plane: &'static str,
    service: String,
    verdict: &'static str,
    mode: &'static str,
    reason_code: String,
}

/// Labels of a request that no verdict was reached on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FaultLabels {
    reason_code: String,
}

/// Labels of a login.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LoginLabels {
    how: &'static str,
    result: &'static str,
}

/// How somebody logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginHow {
    /// With a password and a code.
    Local,
    /// With a token of a provider.
    Oidc,
}

/// What became of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginResult {
    /// Somebody is logged in.
    In,
    /// What was shown is not right.
    Refused,
    /// Too many have tried.
    TooMany,
    /// It could not be known.
    Unavailable,
}

impl LoginHow {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Oidc => "oidc",
        }
    }
}

impl LoginResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Refused => "refused",
            Self::TooMany => "too_many",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The metrics of one gate.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Family<DecisionLabels, Counter>,
    reads: Family<ServiceLabels, Counter>,
    refused: Family<FaultLabels, Counter>,
    undecoded: Family<FaultLabels, Counter>,
    shadow_unrecorded: Counter,
    custody_leaks: Counter,
    decision_duration: Histogram,
    upstream_duration: Histogram,
    append_duration: Histogram,
    ledger_size: Gauge,
    connections: Gauge,
    held_bytes: Gauge,
    streams: Gauge,
    ways: Ways,
    model: Family<ModelLabels, Gauge>,
    counted: CountedState,
    holds: Holds,
    logins: Family<LoginLabels, Counter>,
}

/// What is counted of what waits for its owners.
#[derive(Debug)]
struct Holds {
    waiting: Gauge,
    happened: Family<HoldLabels, Counter>,
    notices: Family<NoticeLabels, Counter>,
}

impl Holds {
    fn registered(registry: &mut Registry) -> Self {
        let (waiting, happened, notices) = (Gauge::default(), Family::default(), Family::default());
        registry.register("holds", "What waits for its owners now", waiting.clone());
        registry.register("hold_events", "Holds opened and answers given, at this gate", happened.clone());
        registry.register("hold_notices", "Notices of holds, by what became of them", notices.clone());
        Self { waiting, happened, notices }
    }
}

/// Labels of a notice of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NoticeLabels {
    form: &'static str,
    result: &'static str,
}

/// A notice of a hold on its way: of which event, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// The hold.
    pub hold: Uuid,
    /// What happened to it.
    pub kind: EventKind,
    /// The form that it is told in.
    pub form: &'static str,
    /// Whom, without what is secret of the address.
    pub to: &'a str,
}

/// Labels of what happened to a hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HoldLabels {
    what: &'static str,
}

/// What is counted of the counted state.
#[derive(Debug)]
struct CountedState {
    judged_again: Counter,
    available: Gauge,
    unsettled: Gauge,
}

impl CountedState {
    fn registered(registry: &mut Registry) -> Self {
        let (judged_again, available, unsettled) = (Counter::default(), Gauge::default(), Gauge::default());
        registry.register(
            "judged_again",
            "Decisions judged again, for what was counted had changed",
            judged_again.clone(),
        );
        registry.register(
            "counted_state_available",
            "Whether the counted state could be used when it was last needed",
            available.clone(),
        );
        registry.register(
            "counted_state_unsettled",
            "Decisions that ended and whose reservations are not settled yet",
            unsettled.clone(),
        );
        Self { judged_again, available, unsettled }
    }
}

/// What is counted of connections and tunnels, elsewhere, and read from there.
#[derive(Debug)]
struct Ways {
    accepted: Counter,
    turned_away: Counter,
    handshakes_failed: Counter,
    tunnels: Counter,
    tunnels_open: Gauge,
}

impl Ways {
    fn registered(registry: &mut Registry) -> Self {
        let tunnels_open = Gauge::default();
        registry.register("tunnels_open", "Tunnels that are passed on unopened", tunnels_open.clone());
        let mut counted = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        Self {
            accepted: counted("connections_accepted", "Client connections accepted"),
            turned_away: counted(
                "connections_turned_away",
                "Client connections closed at once, for there were too many",
            ),
            handshakes_failed: counted(
                "handshakes_failed",
                "Connections that ended before their first request could be read",
            ),
            tunnels: counted("tunnels", "Tunnels passed on unopened, each of them recorded"),
            tunnels_open,
        }
    }
}

/// Labels of a read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ServiceLabels {
    plane: &'static str,
    service: String,
}

/// Labels of the model in force: what a dashboard holds several gates against one another by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ModelLabels {
    digest: String,
    rules: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

const MICROSECONDS: [f64; 14] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0,
    10.0,
];

impl Metrics {
    /// Metrics in a registry of their own, so that two gates in one process do not add up.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("ordain");
        let decisions = Family::default();
        registry.register("decisions", "Decisions on changes", decisions.clone());
        let reads = Family::default();
        registry.register("reads", "Reads passed", reads.clone());
        let refused = Family::default();
        registry.register("refused", "Requests refused, before a decision or by one", refused.clone());
        let undecoded = Family::default();
        registry.register("undecoded", "Requests that could not be decoded", undecoded.clone());
        let shadow_unrecorded = Counter::default();
        registry.register(
            "shadow_unrecorded",
            "Changes forwarded without a record, in shadow and warn only",
            shadow_unrecorded.clone(),
        );
        // Never counted up: no code path forwards undecided in enforce. It is there to be alerted on, so that
        // an absent series is not taken for a good one.
        let fail_open: Counter = Counter::default();
        registry.register("fail_open", "Changes forwarded undecided in enforce; stays 0", fail_open);
        let custody_leaks = Counter::default();
        registry.register(
            "custody_leaks",
            "Minted credentials that could not be rewritten",
            custody_leaks.clone(),
        );
        let histogram = || Histogram::new(MICROSECONDS);
        let (decision_duration, upstream_duration, append_duration) = (histogram(), histogram(), histogram());
        let mut timed = |name: &str, help: &str, metric: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        };
        timed("decision_duration", "From held body to verdict", &decision_duration);
        timed("upstream_duration", "From sending to the head of the answer", &upstream_duration);
        timed("ledger_append_duration", "From verdict to durable record", &append_duration);
        let (ledger_size, connections, held_bytes) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("ledger_size", "Entries in the ledger", ledger_size.clone());
        registry.register("connections", "Open client connections", connections.clone());
        registry.register("held_bytes", "Bytes of bodies held", held_bytes.clone());
        let streams = Gauge::default();
        registry.register("streams", "Connections that carry a stream", streams.clone());
        let ways = Ways::registered(&mut registry);
        let counted = CountedState::registered(&mut registry);
        let logins = Family::default();
        registry.register("logins", "Logins of people to the admin address", logins.clone());
        let model = Family::default();
        let holds = Holds::registered(&mut registry);
        registry.register("model_info", "The model and the rules in force, by their digests", model.clone());
        Self {
            registry,
            decisions,
            reads,
            refused,
            undecoded,
            shadow_unrecorded,
            custody_leaks,
            decision_duration,
            upstream_duration,
            append_duration,
            ledger_size,
            connections,
            held_bytes,
            streams,
            ways,
            model,
            counted,
            holds,
            logins,
        }
    }

    /// All metrics in the OpenMetrics text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(),
        }
    }

    /// A connection carries a stream now.
    pub fn stream_opened(&self) {
        self.streams.inc();
    }

    /// It does no more.
    pub fn stream_ended(&self) {
        self.streams.dec();
    }

    /// What is read when asked for.
    pub fn observe(&self, ledger: &LedgerStatus, connections: &ListenCounts, held_bytes: u64) {
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.ledger_size, ledger.entries);
        set(&self.connections, connections.open());
        set(&self.held_bytes, held_bytes);
        set(&self.ways.tunnels_open, ledger.open_tunnels);
        let reach = |counter: &Counter, value: u64| {
            counter.inc_by(value.saturating_sub(counter.get()));
        };
        reach(&self.ways.tunnels, ledger.tunnels);
        reach(&self.ways.accepted, connections.accepted());
        reach(&self.ways.turned_away, connections.turned_away());
        reach(&self.ways.handshakes_failed, connections.handshakes_failed());
    }

    /// How the counted state is.
    pub fn counted_state(&self, available: bool, unsettled: usize) {
        self.counted.available.set(i64::from(available));
        self.counted.unsettled.set(i64::try_from(unsettled).unwrap_or(i64::MAX));
    }

    /// A decision is judged again: what it was reached on has changed.
    pub fn judged_again(&self) {
        self.counted.judged_again.inc();
    }

    /// The model in force; one that was before it is no series any more.
    pub fn model_in_force(&self, digest: Digest, rules: Digest) {
        self.model.clear();
        let labels = ModelLabels { digest: digest.to_hex(), rules: rules.to_hex() };
        self.model.get_or_create(&labels).set(1);
    }
}

impl Metrics {
    /// Counts and logs a decision; a read is counted only.
    pub fn decided(&self, decision: &Decision, verdict: &Verdict, judged_in: Duration) {
        let action = &decision.action;
        let (plane, service, operation) = match &action.reading {
            Reading::Call(call) => {
                let effect = call.effects.first();
                let service = effect.map_or("", |effect| &*effect.service);
                (call.plane, service, effect.map_or("", |effect| &*effect.operation))
            }
            Reading::Undecodable { plane, why } => {
                self.undecoded.get_or_create(&FaultLabels { reason_code: why.reason_code.to_owned() }).inc();
                (*plane, "", "")
            }
        };
        self.decision_duration.observe(judged_in.as_secs_f64());
        let is_read = matches!(&action.reading, Reading::Call(call) if !call.is_change());
        if is_read && verdict.ruling == Ruling::Admit {
            self.reads
                .get_or_create(&ServiceLabels { plane: plane.as_str(), service: service.to_owned() })
                .inc();
            return;
        }
        let reason_code = verdict.reasons.first().map_or("", |reason| reason.code.as_str());
        self.decisions
            .get_or_create(&DecisionLabels {
                plane: plane.as_str(),
                service: service.to_owned(),
                verdict: verdict.ruling.as_str(),
                mode: verdict.mode.as_str(),
                reason_code: reason_code.to_owned(),
            })
            .inc();
        event!(
            Level::INFO,
            decision = %decision.id,
            actor = %action.actor.party.name,
            kind = action.actor.party.kind.as_str(),
            plane = plane.as_str(),
            service,
            operation,
            verdict = verdict.ruling.as_str(),
            mode = verdict.mode.as_str(),
            reason_code,
            "decided"
        );
    }

    /// Counts and logs a request that was refused: before a decision, or by one.
    pub fn refused(&self, peer: SocketAddr, fault: &Fault) {
        let reason_code = fault.reason_code().as_str();
        self.refused.get_or_create(&FaultLabels { reason_code: reason_code.to_owned() }).inc();
        event!(Level::WARN, %peer, reason_code, text = fault.log_text(), "refused");
    }

    /// Something happened to a hold.
    pub fn hold(&self, kind: EventKind) {
        self.holds.happened.get_or_create(&HoldLabels { what: kind.as_str() }).inc();
    }

    /// Something became of a notice; `why` where it was not taken.
    pub fn hold_notice(&self, telling: &Telling<'_>, result: &'static str, why: &str) {
        let Telling { hold, kind, form, to } = telling;
        self.holds.notices.get_or_create(&NoticeLabels { form, result }).inc();
        let what = kind.as_str();
        if why.is_empty() {
            event!(Level::INFO, %hold, what, to, result, "notice of a hold");
        } else {
            event!(Level::WARN, %hold, what, to, result, why, "notice of a hold");
        }
    }

    /// So many holds wait.
    pub fn holds_waiting(&self, waiting: u64) {
        self.holds.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// The ledger took a record, or failed to.
    pub fn appended(&self, took: Duration) {
        self.append_duration.observe(took.as_secs_f64());
    }

    /// The upstream answered.
    pub fn answered(&self, took: Duration) {
        self.upstream_duration.observe(took.as_secs_f64());
    }

    /// A change went out without a record, in shadow or warn, because the ledger failed.
    pub fn shadow_unrecorded(&self, decision: DecisionId, why: &str) {
        self.shadow_unrecorded.inc();
        event!(Level::ERROR, %decision, why, "forwarded unrecorded: the ledger failed and the mode is not enforce");
    }

    /// An answer carried a credential that could not be rewritten; it was withheld.
    pub fn custody_leak(&self, decision: DecisionId, operation: &str) {
        self.custody_leaks.inc();
        event!(Level::ERROR, %decision, operation, "withheld an answer: its credential could not be rewritten");
    }
}

impl Metrics {
    /// Counts a login, whatever became of it.
    pub fn login(&self, how: LoginHow, result: LoginResult) {
        self.logins.get_or_create(&LoginLabels { how: how.as_str(), result: result.as_str() }).inc();
    }

    /// A person is logged in.
    pub fn logged_in(&self, person: &str, by: &str) {
        event!(Level::INFO, person, by, "logged in");
    }

    /// A person has logged out.
    pub fn logged_out(&self, person: &str) {
        event!(Level::INFO, person, "logged out");
    }

    /// Logins fail, so many in a row by now. Never a name: people type passwords where names belong.
    pub fn logins_failed(&self, how: LoginHow, result: LoginResult, peer: IpAddr, in_a_row: u64) {
        event!(Level::WARN, how = how.as_str(), result = result.as_str(), %peer, in_a_row, "logins fail");
    }
}

/// The span of one request, for the collector that the `OTEL_…` variables name. Costs nothing without one.
#[must_use]
pub fn request_span(method: &http::Method, path: &str) -> tracing::Span {
    tracing::info_span!(target: REQUEST_SPAN, "request", otel.kind = "server", http.request.method = %method, url.path = path)
}

/// What spans are told apart from log lines by.
pub const REQUEST_SPAN: &str = "ordain::request::span";

/// The gate is listening.
pub fn serving(data: SocketAddr, admin: SocketAddr, egress: Option<SocketAddr>, mode: &str) {
    let egress = egress.map(tracing::field::display);
    event!(Level::INFO, %data, %admin, egress, mode, "serving");
}

/// The gate takes connections that the system sends on to it.
pub fn taking(transparent: SocketAddr) {
    event!(Level::INFO, %transparent, "taking redirected connections");
}

/// The account of an upstream is known now, and it is served.
pub fn upstream_verified(name: &str, account: &str) {
    event!(Level::INFO, name, account, "upstream verified");
}

/// A credential of ours could not be had anew, and the one in hand is used.
pub fn credential_kept(why: &str) {
    event!(Level::WARN, why, "credential not refreshed");
}

/// The model or the configuration was loaded again.
pub fn reloaded(what: &str, digest: &str) {
    event!(Level::INFO, what, digest, "reloaded");
}

/// A change of the configuration was recorded and is in force.
pub fn reconfigured(kind: &str, summary: &str) {
    event!(Level::WARN, kind, summary, "reconfigured");
}

/// A reload failed; the old snapshot stays in force.
pub fn reload_failed(what: &str, why: &str) {
    event!(Level::ERROR, what, why, "reload failed: the old one stays in force");
}

/// What could not be taken up before has no fault any more.
pub fn mended(what: &str) {
    event!(Level::INFO, what, "the files are right again, and in force");
}

/// The evidence of an outcome could not be written.
pub fn outcome_unwritten(decision: DecisionId, why: &str) {
    event!(Level::ERROR, %decision, why, "the outcome of a recorded change could not be recorded");
}

/// The counted state could not be used; what has to be counted is denied.
pub fn counted_state_lost(why: &str) {
    event!(Level::ERROR, why, "the counted state cannot be used: what has to be counted is denied");
}

/// What a decision reserved could not be settled; it stays reserved, and is tried again.
pub fn not_settled(decision: DecisionId, why: &str) {
    event!(Level::WARN, %decision, why, "a reservation stays reserved until it can be settled");
}

/// Decisions that an earlier run left are settled from the ledger.
pub fn settling_left_over(decisions: usize) {
    event!(Level::INFO, decisions, "settling from the ledger what was left reserved");
}

/// Something happened to what waits for its owners.
pub fn hold(kind: EventKind, hold: Uuid, by: &str, what: &str) {
    event!(Level::INFO, %hold, by, what, "hold {}", kind.as_str());
}

/// That a hold was opened could not be recorded.
pub fn hold_unrecorded(hold: Uuid, why: &str) {
    event!(Level::ERROR, %hold, why, "a hold was opened and could not be recorded");
}

/// What is to be told of holds was missed, and is looked for.
pub fn hold_notices_behind(why: &str) {
    event!(Level::WARN, why, "notices of holds are looked for where they are kept");
}

/// The gate stops taking requests and lets those in flight end.
pub fn draining(seconds: u64) {
    event!(Level::INFO, seconds, "draining");
}

/// The gate has stopped.
pub fn stopped() {
    event!(Level::INFO, "stopped");
}

/// Something the operator should know that stops nothing.
pub fn notice(what: &str, detail: &str) {
    event!(Level::WARN, what, detail, "notice");
}
