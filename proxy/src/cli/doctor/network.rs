//! What others say: the upstreams, whose account they are, what time it is there, and the gate that runs here.
//!
//! Leaves out what lies on disk.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::chain::Outlet;
use crate::clock::Clock;
use crate::config::{Config, UpstreamConfig, UpstreamKind};
use crate::forward::{Outward, Trust};
use crate::own;
use crate::upstream::{Own, Source, Upstreams};

/// How long an upstream is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The provider refuses what is signed a quarter of an hour off; a clock is put right long before.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let clock = Clock::system();
    let own = Own::of(config, config.data);
    let mut findings = Vec::new();
    let outlet = match Outlet::new(config.outward.proxy.as_ref()) {
        Ok(outlet) => outlet,
        Err(error) => return vec![Finding::new("proxy", Err(format!("{error:#}")))],
    };
    for upstream in &config.upstreams {
        findings.push(Finding::new("upstream", account(upstream, &own, &outlet, clock.now()).await));
        if let Some(found) = time(upstream, &outlet, &clock).await {
            findings.push(Finding::new("clock", found));
        }
    }
    findings.extend(running(config).await);
    findings
}

async fn account(
    upstream: &UpstreamConfig,
    own: &Own,
    outlet: &Outlet,
    now: Timestamp,
) -> Result<String, String> {
    let name = &upstream.name;
    let outward = Outward::new(own.addresses.clone(), PATIENCE).leaving_by(outlet.clone());
    let started = Upstreams::start(vec![Source::from(upstream)], own, &outward, now);
    let upstreams = started.await.map_err(|error| error.to_string())?;
    let found = upstreams.verify(name, now).await.map_err(|error| error.to_string());
    upstreams.end().await;
    let found = found?;
    let mut text = format!("`{name}` is {} {}", found.plane.whole(), found.account);
    if !found.partition.is_empty() {
        text.push_str(&format!(" in partition {}", found.partition));
    }
    Ok(text)
}

/// What an upstream's clock says of ours; nothing where it cannot be asked, which its account has said already.
async fn time(upstream: &UpstreamConfig, outlet: &Outlet, clock: &Clock) -> Option<Result<String, String>> {
    // Of the planes, only this one refuses what is signed at another time.
    let UpstreamKind::Aws(aws) = &upstream.kind else { return None };
    let region = aws.region.as_deref().unwrap_or("us-east-1");
    let uri = match &aws.endpoint {
        Some(endpoint) => endpoint.to_string(),
        None => format!("https://sts.{region}.amazonaws.com/"),
    };
    let outward = Outward::new(Vec::new(), PATIENCE).leaving_by(outlet.clone());
    let forwarder = outward.forwarder(Trust::default()).ok()?;
    let date = forwarder.date_at(uri.parse().ok()?).await?;
    let there = DateTimeParser::new().parse_timestamp(&date).ok()?;
    Some(skew(&upstream.name, clock.now().duration_since(there)))
}

fn skew(upstream: &str, ahead: SignedDuration) -> Result<String, String> {
    let seconds = ahead.as_secs();
    if ahead.abs() > SKEW {
        let way = if seconds > 0 { "ahead of" } else { "behind" };
        return Err(format!(
            "this clock is {} s {way} that of upstream `{upstream}`, which refuses signatures of another time; set it",
            seconds.abs()
        ));
    }
    Ok(format!("within {} s of upstream `{upstream}`", seconds.abs().max(1)))
}

/// What a gate that runs on the same state says of itself.
async fn running(config: &Config) -> Option<Finding> {
    let status = own::status(config).await?;
    let mode = status.mode;
    Some(Finding::new(
        "running",
        match status.not_taken_up.as_slice() {
            [] => Ok(format!("a gate runs here in {mode} mode")),
            faults => {
                Err(format!("a gate runs here in {mode} mode; not taken up are {}", faults.join(" and ")))
            }
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_right_within_minutes() {
        let said = |seconds| skew("prod", SignedDuration::from_secs(seconds));
        assert_eq!(said(3), Ok("within 3 s of upstream `prod`".to_owned()));
        assert!(said(-299).is_ok());
        assert_eq!(
            said(-301).unwrap_err(),
            "this clock is 301 s behind that of upstream `prod`, which refuses signatures of another time; set it"
        );
        assert!(said(900).unwrap_err().contains("900 s ahead of"));
    }
}
