//! `ordain serve`: runs the gate until it is told to stop.
//!
//! Leaves out what a gate is (`gate.rs`) and how it listens (`listen/`).

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Context, Exit};
use crate::config::Config;
use crate::gate::{Gate, Started};
use crate::settings::Settings;
use crate::{admin, events, reload, telemetry};

/// Run the gate.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(context: &Context, _: Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::read(context.settings.as_deref())?;
    let log = settings.log.clone();
    let config = Config::resolve(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // The exporter's own tasks need a runtime to run on.
        let _telemetry = telemetry::start(&log)?;
        serve(context, config).await
    })
}

async fn serve(context: &Context, config: Config) -> anyhow::Result<Exit> {
    let data = TcpListener::bind(config.data)
        .await
        .with_context(|| format!("cannot listen on `{}`; choose another `listen.data`", config.data))?;
    let admin = TcpListener::bind(config.admin)
        .await
        .with_context(|| format!("cannot listen on `{}`; choose another `listen.admin`", config.admin))?;
    let drain = config.limits.drain;
    let Started { gate, first_key } = Gate::start(config, data.local_addr()?).await?;
    context.output.raw(gate.greeting(first_key.as_ref(), admin.local_addr()?).as_bytes())?;
    events::serving(data.local_addr()?, admin.local_addr()?, gate.config.mode.as_str());
    let (stop, stopped) = watch::channel(false);
    let health = tokio::spawn(admin::run(admin, Arc::clone(&gate), wait_for(stopped.clone())));
    let reloading = tokio::spawn(reload::run(Arc::clone(&gate), wait_for(stopped.clone())));
    // Under systemd the unit is ready only now; elsewhere nobody listens to this.
    drop(sd_notify::notify(&[sd_notify::NotifyState::Ready]));
    let serving = tokio::spawn(gate.listen(data, wait_for(stopped)));
    until_told_to_stop().await?;
    events::draining(drain.as_secs());
    gate.drain();
    stop.send_replace(true);
    drop(sd_notify::notify(&[sd_notify::NotifyState::Stopping]));
    serving.await?;
    reloading.await?;
    gate.changes.finish(Duration::from_secs(5)).await;
    gate.ledger.clone().close().await;
    health.await??;
    events::stopped();
    Ok(Exit::Ok)
}

async fn until_told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender has gone, and with it the program.
    drop(stopped.wait_for(|stopped| *stopped).await);
}
