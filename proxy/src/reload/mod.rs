//! Takes up a changed model and changed settings while the gate runs: on SIGHUP, and when the files change.
//!
//! What has a problem changes nothing: the old stays in force, and the gate says so. What is new is in the ledger before
//! it is in force. Leaves out keys, which have a watch of their own.

mod difference;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use ordain_evidence::ChangeKind;
use tokio::signal::unix::Signal;

use crate::egress::Egress;
use crate::events;
use crate::gate::Gate;
pub use settings::Watched;

/// How often the files are looked at. Looking is cheap, works on every file system, and an editor that
/// writes in two steps is seen whole one look later.
const LOOK: Duration = Duration::from_secs(1);

/// Watches until told to stop.
pub async fn run(
    gate: Arc<Gate>,
    egress: Option<Arc<Egress>>,
    mut watched: Watched,
    mut hangup: Option<Signal>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let asked = tokio::select! {
            () = stop.as_mut() => return,
            _ = look.tick() => false,
            () = received(hangup.as_mut()) => true,
        };
        if asked {
            gate.model.look_anew();
            gate.upstreams.look_anew();
        }
        heard(&gate, "model", model(&gate, asked).await);
        heard(&gate, "settings", watched.look(&gate, asked).await);
        if let Some(egress) = &egress {
            egress.reconfigure(&gate.config());
            heard(&gate, "authorities", authorities(egress));
        }
    }
}

/// Notes how a look ended; says a fault once, and not once a second.
fn heard(gate: &Gate, of: &'static str, outcome: Result<Look, String>) {
    match outcome {
        Ok(Look::Same) => {}
        Ok(Look::TakenUp) => {
            // Files that are again what is in force bring nothing new to say, and somebody waits to hear of them.
            if gate.faults().contains_key(of) {
                events::mended(of);
            }
            gate.note_fault(of, None);
        }
        Err(why) => {
            if gate.faults().get(of) != Some(&why) {
                events::reload_failed(of, &why);
            }
            gate.note_fault(of, Some(&why));
        }
    }
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The files are as they were.
    Same,
    /// They were read, and what they say is in force.
    TakenUp,
}

async fn received(hangup: Option<&mut Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Looks at the certificate authorities once. That there is another was recorded by whoever made it.
fn authorities(egress: &Egress) -> Result<Look, String> {
    let changed = egress.look().map_err(|error| format!("{error:#}"))?;
    Ok(if changed { Look::TakenUp } else { Look::Same })
}

/// Looks at the model once, and takes up what has changed: at once when `asked` to, else when it has come to rest.
///
/// # Errors
/// What is wrong with the model, or why the change could not be recorded; the old one stays in force.
pub async fn model(gate: &Arc<Gate>, asked: bool) -> Result<Look, String> {
    // A model of many resources is read for seconds, and who serves requests does not wait for that.
    let read = aside(gate, move |gate| gate.model.read_again(asked)).await?;
    let Some(read) = read.map_err(|error| error.to_string())? else {
        return Ok(Look::Same);
    };
    let Some(read) = read.changed() else { return Ok(Look::TakenUp) };
    let summary = format!("model {} with rules {}", read.digest(), read.rules_digest());
    let before = gate.model.snapshot().digest();
    let recorded = gate
        .record_change_by("operator", ChangeKind::Model, summary, Some(before), Some(read.digest()))
        .await;
    if let Err(why) = recorded {
        // It is read again, until it can be recorded.
        gate.model.look_anew();
        return Err(why);
    }
    let digest = read.digest().to_hex();
    aside(gate, move |gate| gate.model.replace(&read)).await?;
    events::reloaded("model", &digest);
    Ok(Look::TakenUp)
}

/// Does what takes long on a thread of its own.
async fn aside<T: Send + 'static>(
    gate: &Arc<Gate>,
    long: impl FnOnce(&Gate) -> T + Send + 'static,
) -> Result<T, String> {
    let gate = Arc::clone(gate);
    tokio::task::spawn_blocking(move || long(&gate)).await.map_err(|error| error.to_string())
}
