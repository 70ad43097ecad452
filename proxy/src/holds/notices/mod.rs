//! Telling other programs what happens to holds: a task for each address, with a queue that nobody waits at.
//!
//! A request is never the later or the other for it: what does not fit is counted, said, and looked for where holds are kept.
//! Whose turn it is to tell something is a mark of the counted state (`turn.rs`), so that of several gates one tells it and
//! what was left untold at the end of one is told after it. Leaves out what happens to holds (`mod.rs` above).

mod notice;
mod patience;
mod queue;
mod signature;
mod slack;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use self::notice::Notice;
use self::patience::{Next, Tried};
use self::queue::{Put, Queue, Queued};
use self::signature::Key;
use self::turn::Turn;
use super::Event;
use crate::config::Webhook;
use crate::events::{self, Telling};
use crate::forward::{Asking, Asks, Trust};
use crate::gate::Gate;

/// How much waits to be told to one address.
const ROOM: usize = 256;

/// How long one try may take.
const TRY: Duration = Duration::from_secs(10);

/// For how long another gate is left to go on once it should have tried again.
const SLACK: Duration = Duration::from_secs(5);

/// How often it is looked for what is left untold: by a gate that ended, or where there was no room.
const LATER: Duration = Duration::from_secs(300);

/// The same where something is left.
const SOON: Duration = Duration::from_secs(10);

/// Those who tell.
#[derive(Debug)]
pub struct Notices {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// An address, and what waits to be told there.
#[derive(Debug)]
struct Told {
    webhook: Webhook,
    queue: Queue,
}

impl Notices {
    /// Begins to tell what happens, and what was left untold.
    ///
    /// # Errors
    /// A key cannot be read.
    pub fn start(gate: &Arc<Gate>) -> anyhow::Result<Self> {
        let (stop, mut tasks, mut all) = (CancellationToken::new(), JoinSet::new(), Vec::new());
        let config = gate.config();
        for webhook in &config.holds.webhooks {
            drop(Key::in_file(&webhook.secret).map_err(anyhow::Error::msg)?);
            let (queue, queued) = queue::queue(ROOM);
            tasks.spawn(work(Arc::clone(gate), webhook.clone(), queued, stop.clone()));
            all.push(Told { webhook: webhook.clone(), queue });
        }
        if !all.is_empty() {
            tasks.spawn(feed(Arc::clone(gate), all, gate.holds.watch(), stop.clone()));
        }
        Ok(Self { stop, tasks })
    }

    /// Lets what is sent now be answered, for so long at most. What waits still is told by the next who starts.
    pub async fn finish(mut self, at_most: Duration) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(at_most, all).await.is_err() {
            self.tasks.abort_all();
        }
    }
}

/// Hands what happens on to whom it is to be told.
async fn feed(gate: Arc<Gate>, all: Vec<Told>, mut events: Receiver<Event>, stop: CancellationToken) {
    let mut look = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => match event {
                Ok(event) => {
                    if !put(&gate, &all, &Notice::from(event)) {
                        look = look.min(Instant::now() + SOON);
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    events::hold_notices_behind(&format!("{missed} events were missed"));
                    look = Instant::now();
                }
                Err(RecvError::Closed) => return,
            },
            () = sleep_until(look) => {
                let left = untold(&gate, &all).await;
                look = Instant::now() + if left { SOON } else { LATER };
            }
        }
    }
}

/// Puts something where it is to be told; whether there was room.
fn put(gate: &Gate, all: &[Told], notice: &Notice) -> bool {
    let mut fits = true;
    for Told { webhook, queue } in all.iter().filter(|told| notice.is_for(&told.webhook)) {
        if queue.put(notice.clone()) == Put::Full {
            let why = "too much waits to be told there; it is told later";
            gate.metrics.hold_notice(&telling(webhook, notice, &webhook.shown()), "overflowed", why);
            fits = false;
        }
    }
    fits
}

/// Looks where holds are kept for what nobody has told; whether something is left that cannot be told now.
async fn untold(gate: &Gate, all: &[Told]) -> bool {
    let now = gate.clock.now();
    // Those that wait, whatever else there is; and of all the youngest, for what was answered.
    let found = async {
        let (mut holds, _) = gate.state.open_holds(now).await?;
        for hold in gate.state.holds(now).await?.into_iter().rev() {
            if !holds.iter().any(|known| known.id == hold.id) {
                holds.push(hold);
            }
        }
        Ok::<_, String>(holds)
    };
    let holds = match found.await {
        Ok(holds) => holds,
        Err(why) => {
            events::hold_notices_behind(&why);
            return true;
        }
    };
    let mut left = false;
    // The eldest first.
    for notice in holds.into_iter().flat_map(|hold| Notice::all_of(hold, now)) {
        for Told { webhook, queue } in all.iter().filter(|told| notice.is_for(&told.webhook)) {
            if queue.has(&notice) {
                continue;
            }
            match turn::look(gate, notice.key(webhook)).await {
                Turn::Told => {}
                Turn::Others => left = true,
                Turn::Ours => left |= queue.put(notice.clone()) == Put::Full,
            }
        }
    }
    left
}

/// Tells one address what waits for it, one after the other.
async fn work(gate: Arc<Gate>, webhook: Webhook, mut queued: Queued, stop: CancellationToken) {
    loop {
        let notice = tokio::select! {
            () = stop.cancelled() => return,
            notice = queued.next() => notice,
        };
        let Some(notice) = notice else { return };
        tell(&gate, &webhook, &notice, &stop).await;
        queued.done(&notice);
    }
}

/// Tells something until it is taken, or is given up.
async fn tell(gate: &Gate, webhook: &Webhook, notice: &Notice, stop: &CancellationToken) {
    let (key, to) = (notice.key(webhook), webhook.shown());
    let telling = telling(webhook, notice, &to);
    if turn::take(gate, key.clone(), TRY + SLACK).await != Turn::Ours {
        return;
    }
    let body = notice.body(gate, webhook.form);
    let (began, mut number) = (Instant::now(), 0_u32);
    let (result, why) = loop {
        number = number.saturating_add(1);
        let tried = attempt(gate, webhook, &notice.id(), &body).await;
        let why = match &tried {
            Tried::Answered(status, _) => format!("it answers with status {}", status.as_u16()),
            Tried::Unanswered(why) => why.clone(),
        };
        match patience::next(number, began.elapsed(), &tried) {
            Next::Taken => break ("delivered", String::new()),
            Next::Refused => break ("refused", why),
            Next::GivenUp => break ("given_up", why),
            Next::Again(pause) => {
                gate.metrics.hold_notice(&telling, "retried", &why);
                if turn::keep(gate, key.clone(), pause + TRY + SLACK).await != Turn::Ours {
                    return;
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(pause) => {}
                }
            }
        }
    };
    gate.metrics.hold_notice(&telling, result, &why);
    if let Err(why) = turn::end(gate, key).await {
        events::hold_notices_behind(&why);
    }
}

fn telling<'a>(webhook: &Webhook, notice: &Notice, to: &'a str) -> Telling<'a> {
    Telling { hold: notice.hold.id, kind: notice.kind, form: webhook.form.as_str(), to }
}

/// One try. Key and authorities are read each time, for they may be replaced where they lie.
async fn attempt(gate: &Gate, webhook: &Webhook, id: &str, (kind, body): &(&'static str, String)) -> Tried {
    let (secret, trust, outward) = (webhook.secret.clone(), webhook.trust.clone(), gate.outward().clone());
    let asked = async {
        // Files are read where nobody is served.
        let read = tokio::task::spawn_blocking(move || {
            let roots = trust.as_deref().map(|path| {
                let all =
                    CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                all.map_err(|error| {
                    format!("`{}` cannot be read as PEM certificates: {error}", path.display())
                })
            });
            let messenger = outward.messenger(Trust { roots: roots.transpose()?, ..Trust::default() })?;
            Ok::<_, String>((Key::in_file(&secret)?, messenger))
        });
        let (key, messenger) = read.await.map_err(|error| error.to_string())??;
        let seconds = gate.clock.now().as_second();
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", key.sign(id, seconds, body)),
        ];
        let headers = headers.into_iter().map(|(name, value)| {
            let value = HeaderValue::try_from(value).map_err(|_| "a header cannot be written".to_owned())?;
            Ok((HeaderName::from_static(name), value))
        });
        let asks = Asks::Post(kind, Zeroizing::new(body.clone()));
        let asking =
            Asking { uri: webhook.url.clone(), headers: headers.collect::<Result<_, String>>()?, asks };
        messenger.tell(asking).await
    };
    match timeout(TRY, asked).await {
        Ok(Ok(head)) => Tried::Answered(head.status, patience::asked(&head.headers, gate.clock.now())),
        Ok(Err(why)) => Tried::Unanswered(why),
        Err(_) => Tried::Unanswered("it does not answer".to_owned()),
    }
}
