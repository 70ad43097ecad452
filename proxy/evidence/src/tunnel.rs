//! Tunnels that are passed on unopened: recorded before their first byte, and at their end.
//!
//! Whoever passes bytes on needs a [`TunnelOpened`], which the ledger alone makes, and owes the end with it; to drop it
//! says so. Leaves out which tunnels may be opened, and every socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use ordain_action::{Digest, Party};
use ordain_proof::record::{PartyRecord, Record, TunnelActorRecord, TunnelEndRecord, TunnelRecord};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::durable::{Frames, NotWritten};
use crate::inner::{Inner, NotRecorded, Sequence};

/// A tunnel that is about to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its name.
    pub id: Uuid,
    /// When.
    pub now: Timestamp,
    /// Who asks for it, by address.
    pub peer: SocketAddr,
    /// Who asks, where that is proven: the party, the id of its credential, and for whom it acts.
    pub actor: Option<(Party, Arc<str>, Vec<Party>)>,
    /// How it comes in: `connect` or `transparent`.
    pub way: &'static str,
    /// The host it leads to.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The setting that lets it pass.
    pub rule: String,
    /// The addresses that the host's name stands for, and no others are connected to; none where another proxy looks it
    /// up.
    pub addresses: Vec<SocketAddr>,
    /// The proxy it goes through.
    pub through: Option<String>,
}

impl Opening {
    fn digest(&self) -> Digest {
        Digest::of(format!("{}:{}", self.host, self.port).as_bytes())
    }

    pub(crate) fn frames(&self) -> Result<Frames, NotWritten> {
        let party = |party: &Party| PartyRecord {
            name: party.name.to_string().into(),
            kind: party.kind.as_str().into(),
        };
        let actor = self.actor.as_ref().map(|(who, credential, behalf)| TunnelActorRecord {
            party: party(who),
            credential: credential.as_ref().into(),
            on_behalf_of: behalf.iter().map(party).collect(),
        });
        Frames::entry(&Record::Tunnel(TunnelRecord {
            id: self.id.to_string().into(),
            digest: self.digest().to_hex().into(),
            time: self.now.to_string().into(),
            peer: self.peer.ip().to_string().into(),
            actor,
            way: self.way.into(),
            host: self.host.as_str().into(),
            port: self.port,
            rule: self.rule.as_str().into(),
            addresses: self.addresses.iter().map(|address| address.to_string().into()).collect(),
            through: self.through.as_deref().map(Into::into),
        }))
    }
}

/// A tunnel whose opening is durable. Bytes are passed on with it, and counted in it; its end is owed.
///
/// Dropped, it says that the tunnel was cut, through a slot reserved before it was recorded.
#[derive(Debug)]
#[must_use]
pub struct TunnelOpened {
    owed: Option<Owed>,
    opening: Opening,
    sent: AtomicU64,
    received: AtomicU64,
}

#[derive(Debug)]
struct Owed {
    ledger: Arc<Inner>,
    slot: OwnedSemaphorePermit,
    entry: Option<u64>,
    since: Instant,
}

impl TunnelOpened {
    // INVARIANT: only `Ledger::tunnel` calls this, and gives it away only once the opening is durable.
    pub(crate) fn owing(ledger: Arc<Inner>, slot: OwnedSemaphorePermit, opening: Opening) -> Self {
        let owed = Owed { ledger, slot, entry: None, since: Instant::now() };
        Self { owed: Some(owed), opening, sent: AtomicU64::new(0), received: AtomicU64::new(0) }
    }

    pub(crate) const fn recorded(&mut self, entry: u64) {
        if let Some(owed) = &mut self.owed {
            owed.entry = Some(entry);
        }
    }

    /// There is no record after all, so that nothing is owed.
    pub(crate) fn disarm(mut self) {
        self.owed = None;
    }

    /// What was recorded.
    #[must_use]
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The entry of its opening.
    #[must_use]
    pub const fn entry(&self) -> Option<Sequence> {
        match &self.owed {
            Some(Owed { entry: Some(entry), .. }) => Some(Sequence(*entry)),
            Some(Owed { entry: None, .. }) | None => None,
        }
    }

    /// So many bytes went to the host.
    pub fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes came from the host.
    pub fn received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many bytes went through, in both directions.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.sent.load(Ordering::Relaxed).wrapping_add(self.received.load(Ordering::Relaxed))
    }

    /// Says why it ended, and waits for nothing.
    ///
    /// # Errors
    /// [`NotRecorded`] when it cannot be written.
    pub fn end(mut self, why: &'static str) -> Result<(), NotRecorded> {
        self.say(why)
    }

    fn say(&mut self, why: &'static str) -> Result<(), NotRecorded> {
        let Some(Owed { ledger, slot, entry, since }) = self.owed.take() else { return Ok(()) };
        let frames = end(&End {
            id: &self.opening.id.to_string(),
            digest: &self.opening.digest(),
            entry,
            now: ledger.settings.clock.now(),
            why,
            counted: Some([
                self.sent.load(Ordering::Relaxed),
                self.received.load(Ordering::Relaxed),
                u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            ]),
        })
        .map_err(|error| NotRecorded(error.to_string()))?;
        let sealed = ledger.shared.sealed().map(str::to_owned);
        ledger.queue.append_outcome(frames, slot);
        sealed.map_or(Ok(()), |why| Err(NotRecorded(why)))
    }
}

impl Drop for TunnelOpened {
    fn drop(&mut self) {
        let _sealed = self.say("cut");
    }
}

/// The end of a tunnel.
pub(crate) struct End<'a> {
    pub(crate) id: &'a str,
    pub(crate) digest: &'a Digest,
    pub(crate) entry: Option<u64>,
    pub(crate) now: Timestamp,
    pub(crate) why: &'a str,
    /// Bytes sent, bytes received, milliseconds.
    pub(crate) counted: Option<[u64; 3]>,
}

/// The frame of an end.
pub(crate) fn end(end: &End<'_>) -> Result<Frames, NotWritten> {
    let counted = end.counted;
    Frames::entry(&Record::TunnelEnd(TunnelEndRecord {
        tunnel: end.id.into(),
        entry: end.entry,
        digest: end.digest.to_hex().into(),
        time: end.now.to_string().into(),
        why: end.why.into(),
        sent: counted.map(|[sent, _, _]| sent),
        received: counted.map(|[_, received, _]| received),
        milliseconds: counted.map(|[_, _, milliseconds]| milliseconds),
    }))
}
