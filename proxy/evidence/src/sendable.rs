//! What may be sent, and what is owed once it was: proof types, made in this crate only.
//!
//! A request goes in with its permit and comes out bound to its record; whoever sends needs a
//! [`Sendable`], and whoever has one owes an outcome. Dropping any of them says so in the ledger. Leaves
//! out how that is written.

use std::fmt;
use std::sync::Arc;

use ordain_action::{DecisionId, Digest, Outcome};
use ordain_rules::{CarriedOut, Judged, Mode, PermitKind, ShadowScope, Verdict};
use tokio::sync::OwnedSemaphorePermit;

use crate::durable;
use crate::inner::{Inner, NotRecorded, Sequence};
use crate::writer::Then;

/// A request in hand that says of itself what it is, by what was read of it: the digest that its permit is bound to.
///
/// The digest belongs to what is sent and is not carried beside it. Whoever implements it gives nobody a way to change
/// the request and keep the digest.
pub trait Digested {
    /// The digest.
    fn digest(&self) -> Digest;
}

/// Something counted only once that a decision holds. Dropping it gives it back.
pub trait Reservation: Send + Sync + fmt::Debug {
    /// Spends it, keeps it or gives it back, as the outcome says. Must not block.
    fn settle(self: Box<Self>, outcome: &Outcome);
}

/// A verdict with what was reserved for it. Dropping it gives the reservation back.
#[derive(Debug)]
#[must_use]
pub struct Reserved {
    judged: Judged,
    reservation: Option<Box<dyn Reservation>>,
}

impl Reserved {
    /// A verdict and, where something is counted, what was reserved.
    pub fn new(judged: Judged, reservation: Option<Box<dyn Reservation>>) -> Self {
        Self { judged, reservation }
    }

    /// What was said.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.judged.verdict
    }

    pub(crate) fn into_parts(self) -> (Judged, Option<Box<dyn Reservation>>) {
        (self.judged, self.reservation)
    }
}

/// What a recorded decision comes to.
#[derive(Debug)]
#[must_use]
pub enum Recorded<R> {
    /// It may be sent.
    Sendable(Sendable<R>),
    /// It may not.
    Refused(Refused),
}

/// A request that may not be sent.
#[derive(Debug)]
pub struct Refused {
    decision: DecisionId,
    verdict: Verdict,
    entry: Option<Sequence>,
}

impl Refused {
    pub(crate) const fn new(decision: DecisionId, verdict: Verdict, entry: Option<Sequence>) -> Self {
        Self { decision, verdict, entry }
    }

    /// The decision's name.
    #[must_use]
    pub const fn decision(&self) -> DecisionId {
        self.decision
    }

    /// What was said.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Its entry; `None` when it was only counted, or the ledger is sealed.
    #[must_use]
    pub const fn entry(&self) -> Option<Sequence> {
        self.entry
    }
}

/// Why a request may be sent. A request for a stream is a change like any other: admitted, or shadowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendableKind {
    /// It changes nothing.
    Read,
    /// It is admitted and recorded.
    Admitted,
    /// It is not admitted, recorded, and the mode lets it pass.
    Shadowed,
    /// It could not be recorded, and the mode lets it pass.
    ShadowedUnrecorded,
    /// It changes data only, where only control is judged.
    PassThrough,
}

impl SendableKind {
    /// The word used in evidence and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Admitted => "admitted",
            Self::Shadowed => "shadowed",
            Self::ShadowedUnrecorded => "shadowed_unrecorded",
            Self::PassThrough => "pass_through",
        }
    }

    pub(crate) const fn of(kind: PermitKind) -> Self {
        match kind {
            PermitKind::Read => Self::Read,
            PermitKind::Admitted => Self::Admitted,
            PermitKind::Shadowed => Self::Shadowed,
            PermitKind::PassThrough => Self::PassThrough,
        }
    }
}

/// A request that may be sent, once. Dropping it says in the ledger that it was not.
#[must_use]
pub struct Sendable<R> {
    kind: SendableKind,
    digest: Digest,
    verdict: Option<Verdict>,
    request: R,
    closing: Closing,
}

impl<R> fmt::Debug for Sendable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sendable")
            .field("kind", &self.kind)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// The request in hand is not the one that was judged. Nothing is sent, and the ledger says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request to be sent is not the one that was judged; report this, it must not happen")]
pub struct Mismatch {
    /// The digest that was judged.
    pub judged: Digest,
    /// The digest of what was about to be sent.
    pub held: Digest,
}

impl<R> Sendable<R> {
    // INVARIANT: only `Ledger::record`, `Ledger::read` and `Unrecorded::shadow` call this.
    pub(crate) const fn new(
        kind: SendableKind,
        digest: Digest,
        verdict: Option<Verdict>,
        request: R,
        closing: Closing,
    ) -> Self {
        Self { kind, digest, verdict, request, closing }
    }

    /// Why it may be sent.
    #[must_use]
    pub const fn kind(&self) -> SendableKind {
        self.kind
    }

    /// What was said; `None` for what passes without a record.
    #[must_use]
    pub const fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// The entry of its decision; `None` for what passes without a record.
    #[must_use]
    pub const fn entry(&self) -> Option<Sequence> {
        self.closing.entry()
    }

    /// The request, to be sent, with what is owed for it.
    ///
    /// # Errors
    /// [`Mismatch`] when the request in hand is not the one that was judged.
    pub fn release(self) -> Result<(Released<R>, Closing), Mismatch>
    where
        R: Digested,
    {
        let held = self.request.digest();
        if held != self.digest {
            // What the caller is told of is the mismatch; a ledger that is sealed says so by itself.
            let _sealed = self.closing.end(&Outcome::NotSent { why: "digest_mismatch" });
            return Err(Mismatch { judged: self.digest, held });
        }
        Ok((Released { request: self.request, kind: self.kind }, self.closing))
    }
}

/// A request that came out of a [`Sendable`], and nothing else: what sends takes only this.
///
/// Not `Clone`: it is sent once. Of a read there may be [another](Released::again), since nothing is done by it.
#[derive(Debug)]
#[must_use]
pub struct Released<R> {
    request: R,
    kind: SendableKind,
}

impl<R> Released<R> {
    /// The request, to be looked at.
    pub const fn get(&self) -> &R {
        &self.request
    }

    /// The same request in another form: signed, for one.
    ///
    /// # Errors
    /// What `change` says; nothing is sent then.
    pub fn try_map<S, E>(self, change: impl FnOnce(R) -> Result<S, E>) -> Result<Released<S>, E> {
        let request = change(self.request)?;
        Ok(Released { request, kind: self.kind })
    }

    /// The same request once more, for when it is not answered: of a read, and of nothing that was recorded or that
    /// changes anything. `copy` makes it, where it can be made.
    pub fn again(&self, copy: impl FnOnce(&R) -> Option<R>) -> Option<Self> {
        match self.kind {
            SendableKind::Read => copy(&self.request).map(|request| Self { request, kind: self.kind }),
            SendableKind::Admitted
            | SendableKind::Shadowed
            | SendableKind::ShadowedUnrecorded
            | SendableKind::PassThrough => None,
        }
    }

    /// The request, to be sent now.
    pub fn send(self) -> R {
        self.request
    }
}

/// The permit is for something that must be recorded; record it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a change must be recorded before it is sent; report this, it must not happen")]
pub struct WrongPermit;

/// A request that was permitted and could not be recorded. In enforce there is no way on.
#[must_use]
pub struct Unrecorded<R> {
    why: String,
    mode: Mode,
    decision: DecisionId,
    digest: Digest,
    /// Boxed: what is returned on the way on should not be large for what goes wrong seldom.
    verdict: Box<Verdict>,
    reservation: Option<Box<dyn Reservation>>,
    request: R,
}

impl<R> fmt::Debug for Unrecorded<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unrecorded").field("why", &self.why).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl<R> Unrecorded<R> {
    pub(crate) fn new(
        why: String,
        mode: Mode,
        decision: DecisionId,
        digest: Digest,
        verdict: Verdict,
        reservation: Option<Box<dyn Reservation>>,
        request: R,
    ) -> Self {
        Self { why, mode, decision, digest, verdict: Box::new(verdict), reservation, request }
    }

    /// Why it could not be recorded.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The decision's name.
    #[must_use]
    pub const fn decision(&self) -> DecisionId {
        self.decision
    }

    /// What was said.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The mode of its decision, from which a [`ShadowScope`] can be had; enforce where there is no way on.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Lets it pass without a record, where the mode of its own decision is shadow or warn too.
    ///
    /// # Errors
    /// Itself, when its decision was made in enforce: a scope of another place does not count here.
    pub fn shadow(self, _scope: ShadowScope) -> Result<Sendable<R>, Self> {
        if ShadowScope::of(self.mode).is_none() {
            return Err(self);
        }
        let closing = Closing::of_nothing(self.reservation);
        let kind = SendableKind::ShadowedUnrecorded;
        Ok(Sendable::new(kind, self.digest, Some(*self.verdict), self.request, closing))
    }
}

/// What is owed for a request that was released: its outcome.
///
/// Dropped before [`Closing::started`], the ledger says that it was not sent; after it, that what became
/// of it is not known. Either way through a slot reserved before it was recorded, so that dropping never
/// waits and never fails for want of room.
#[must_use]
pub struct Closing {
    record: Option<Open>,
    reservation: Option<Box<dyn Reservation>>,
    started: bool,
    change: Option<CarriedOut>,
}

struct Open {
    ledger: Arc<Inner>,
    slot: OwnedSemaphorePermit,
    decision: DecisionId,
    request: Digest,
    entry: Option<u64>,
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = self.record.as_ref().map(|open| open.decision);
        f.debug_struct("Closing").field("decision", &decision).field("started", &self.started).finish()
    }
}

impl Closing {
    pub(crate) const fn of_record(
        ledger: Arc<Inner>,
        slot: OwnedSemaphorePermit,
        decision: DecisionId,
        request: Digest,
        reservation: Option<Box<dyn Reservation>>,
    ) -> Self {
        let open = Open { ledger, slot, decision, request, entry: None };
        Self { record: Some(open), reservation, started: false, change: None }
    }

    pub(crate) const fn of_nothing(reservation: Option<Box<dyn Reservation>>) -> Self {
        Self { record: None, reservation, started: false, change: None }
    }

    pub(crate) const fn recorded(&mut self, entry: u64) {
        if let Some(open) = &mut self.record {
            open.entry = Some(entry);
        }
    }

    /// There is no record after all, so nothing is owed but the reservation.
    pub(crate) fn disarm(mut self) -> Option<Box<dyn Reservation>> {
        self.record = None;
        self.reservation.take()
    }

    const fn entry(&self) -> Option<Sequence> {
        match &self.record {
            Some(Open { entry: Some(entry), .. }) => Some(Sequence(*entry)),
            Some(Open { entry: None, .. }) | None => None,
        }
    }

    pub(crate) fn carries_out(&mut self, change: Option<CarriedOut>) {
        self.change = change;
    }

    /// What of a change the request carries out.
    #[must_use]
    pub const fn change(&self) -> Option<&CarriedOut> {
        self.change.as_ref()
    }

    /// The first byte is about to leave: from now on nobody can say that nothing happened.
    pub const fn started(&mut self) {
        self.started = true;
    }

    /// Says how it ended, and waits until that is durable. Returns the entry that says so; `None` for what
    /// passes without a record. `first` is called with it before anyone is answered whose record comes after: what
    /// is folded from outcomes is folded in their order.
    ///
    /// # Errors
    /// [`NotRecorded`] when it could not be made durable; it is settled all the same.
    pub async fn close(
        mut self,
        outcome: &Outcome,
        first: impl FnOnce(Sequence) + Send + 'static,
    ) -> Result<Option<Sequence>, NotRecorded> {
        self.settle(outcome);
        let Some(open) = self.record.take() else { return Ok(None) };
        let (frames, slot, ledger) = open.frames(outcome)?;
        let first: Then = Box::new(|sequence| first(Sequence(sequence)));
        match ledger.queue.append(frames, Some(slot), Some(first)).await {
            Ok(Ok(sequence)) => Ok(Some(Sequence(sequence))),
            Ok(Err(why)) => Err(NotRecorded(why)),
            Err(_gone) => Err(NotRecorded("the ledger is closed".to_owned())),
        }
    }

    /// Says how it ended, and waits for nothing: it is written next, and synced with what comes after or a moment
    /// later.
    ///
    /// # Errors
    /// [`NotRecorded`] when it cannot be written; it is settled all the same.
    pub fn end(mut self, outcome: &Outcome) -> Result<(), NotRecorded> {
        self.say(outcome)
    }

    fn say(&mut self, outcome: &Outcome) -> Result<(), NotRecorded> {
        self.settle(outcome);
        let Some(open) = self.record.take() else { return Ok(()) };
        let (frames, slot, ledger) = open.frames(outcome)?;
        let sealed = ledger.shared.sealed().map(str::to_owned);
        ledger.queue.append_outcome(frames, slot);
        sealed.map_or(Ok(()), |why| Err(NotRecorded(why)))
    }

    fn settle(&mut self, outcome: &Outcome) {
        if let Some(reservation) = self.reservation.take() {
            reservation.settle(outcome);
        }
    }
}

impl Open {
    fn frames(
        self,
        outcome: &Outcome,
    ) -> Result<(durable::Frames, OwnedSemaphorePermit, Arc<Inner>), NotRecorded> {
        let now = self.ledger.settings.clock.now();
        let frames = durable::outcome(self.decision, self.request, self.entry, outcome, now)
            .map_err(|error| NotRecorded(error.to_string()))?;
        Ok((frames, self.slot, self.ledger))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if self.record.is_none() && self.reservation.is_none() {
            return;
        }
        let outcome = if self.started {
            Outcome::Unknown { why: "dropped" }
        } else {
            Outcome::NotSent { why: "dropped" }
        };
        let _sealed = self.say(&outcome);
    }
}
