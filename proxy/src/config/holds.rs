//! What waits for its owners, as resolved.
//!
//! Leaves out the settings as written (`settings::holds`).

use std::time::Duration;

use super::webhook::{self, Webhook};
use super::{ConfigError, duration};
use crate::settings;

/// The longest that anybody is kept waiting.
const PARK_MAX: Duration = Duration::from_secs(30);

/// The longest that a hold is: what nobody has answered in a month nobody will.
const LASTS_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// What waits for its owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// How long a request waits for an answer.
    pub lasts: Duration,
    /// How long what was approved may be carried out.
    pub granted: Duration,
    /// How long whoever asks is kept waiting, where they are.
    pub park: Option<Duration>,
    /// The most that are kept waiting at once.
    pub parked: usize,
    /// The most that waits of one actor.
    pub per_actor: u64,
    /// Who is told what happens to them.
    pub webhooks: Vec<Webhook>,
}

/// Resolves the table `holds`.
pub(super) fn resolve(written: &settings::Holds) -> Result<Holds, ConfigError> {
    let time = |key: &str, value: &Option<String>, default: u64| {
        let Some(text) = value else { return Ok(Duration::from_secs(default)) };
        let lasts = duration(&format!("`holds.{key}`"), text)?;
        if lasts.is_zero() || lasts > LASTS_MAX {
            let fix = "give a time from a second to 31 days, such as `24h`";
            return Err(ConfigError::new(format!("`holds.{key}`"), text, fix));
        }
        Ok(lasts)
    };
    let park = match &written.park {
        None => None,
        Some(text) => {
            let lasts = duration("`holds.park`", text)?;
            if lasts > PARK_MAX {
                let fix = "clients give up by then; give 30 s at most, such as `20s`";
                return Err(ConfigError::new("`holds.park`", text, fix));
            }
            (!lasts.is_zero()).then_some(lasts)
        }
    };
    Ok(Holds {
        lasts: time("lasts", &written.lasts, 24 * 3600)?,
        granted: time("granted", &written.granted, 3600)?,
        park,
        parked: written.parked.unwrap_or(64),
        per_actor: written.per_actor.unwrap_or(100),
        webhooks: webhook::all(&written.webhooks)?,
    })
}
