//! Takes up a changed model while the gate runs: on SIGHUP, and when the files change.
//!
//! A model with a problem changes nothing: the old one stays in force. A new one is in the ledger before it
//! is in force.

use std::sync::Arc;
use std::time::Duration;

use ordain_evidence::ChangeKind;
use tokio::signal::unix::{SignalKind, signal};

use crate::events;
use crate::gate::Gate;

/// How often the files are looked at. Looking is cheap, works on every file system, and an editor that
/// writes in two steps is seen whole one look later.
const LOOK: Duration = Duration::from_secs(1);

/// Watches until told to stop.
pub async fn run(gate: Arc<Gate>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut hangup = signal(SignalKind::hangup()).ok();
    let mut failed = String::new();
    loop {
        tokio::select! {
            () = stop.as_mut() => return,
            _ = look.tick() => {}
            () = received(hangup.as_mut()) => failed.clear(),
        }
        match once(&gate).await {
            Ok(()) => failed.clear(),
            // Said once for each new fault, not once a second.
            Err(why) if why == failed => {}
            Err(why) => {
                events::reload_failed("model", &why);
                failed = why;
            }
        }
    }
}

async fn received(hangup: Option<&mut tokio::signal::unix::Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Looks once, and takes up what has changed.
///
/// # Errors
/// What is wrong with the model, or why the change could not be recorded; the old one stays in force.
pub async fn once(gate: &Gate) -> Result<(), String> {
    let Some(read) = gate.model.read_again().map_err(|error| error.to_string())? else { return Ok(()) };
    let summary = format!("model {} with rules {}", read.digest(), read.rules_digest());
    gate.record_own_change(ChangeKind::Model, summary, Some(read.digest())).await?;
    gate.model.replace(&read);
    events::reloaded("model", &read.digest().to_hex());
    Ok(())
}
