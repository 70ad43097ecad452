//! Services that hand out the gate's own credentials: a secret store (`vault`), an OAuth authorization server (`oauth`),
//! Google's (`google`), Keystone (`keystone`) and a vCenter (`vsphere`).
//!
//! What they are sent and what they answer is secret, and stands in no error and no log. Leaves out keeping what they hand
//! out (`plain::credential`, `aws::cached`).

mod assertion;
pub(super) mod google;
pub(super) mod keystone;
pub(super) mod oauth;
pub(super) mod vault;
pub(super) mod vsphere;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use ordain_sigv4::Secret;
use zeroize::Zeroizing;

use super::plain::certificates;
use crate::answer::HeldAnswer;
use crate::forward::{Asking, Asks, Messenger, Outward, Trust};

/// How long such a service is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was refused is not shown again for this time: users are locked whose password is wrong again and again.
const REFUSED: SignedDuration = SignedDuration::from_secs(300);

/// Nothing was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// Why, without what is secret.
    pub(super) why: String,
    /// The service could not be asked: what it handed out before is none the worse for it.
    pub(super) passing: bool,
}

impl Failed {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self { why: why.into(), passing: false }
    }

    fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), passing: true }
    }
}

/// What is wrong here is no passing trouble of a service.
impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self::refused(why)
    }
}

/// One such service.
#[derive(Debug)]
struct Service {
    // Such as `secret store`.
    what: &'static str,
    address: Uri,
    trust: Option<PathBuf>,
    outward: Outward,
}

impl Service {
    /// Asks it something: a form or a document is posted, else something is got.
    async fn ask(
        &self,
        uri: Uri,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Option<(&'static str, Zeroizing<String>)>,
    ) -> Result<(StatusCode, Bytes), Failed> {
        let asks = body.map_or(Asks::Get, |(kind, body)| Asks::Post(kind, body));
        let answer = self.answer(Asking { uri, headers, asks }).await?;
        match answer.head.status {
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.away(&format!("answers with status {}", status.as_u16())))
            }
            status => Ok((status, answer.body)),
        }
    }

    /// The whole answer, whatever it says.
    async fn answer(&self, asking: Asking) -> Result<HeldAnswer, Failed> {
        let messenger = self.messenger().map_err(|why| self.away(&format!("cannot be asked: {why}")))?;
        match tokio::time::timeout(PATIENCE, messenger.ask(asking)).await {
            Err(_) => Err(self.away("does not answer")),
            Ok(Err(why)) => Err(self.away(&format!("cannot be asked: {why}"))),
            Ok(Ok(answer)) => Ok(answer),
        }
    }

    /// It cannot be asked now.
    fn away(&self, why: &str) -> Failed {
        Failed::passing(format!("the {} `{}` {why}", self.what, self.address))
    }

    /// Made for each time that it is asked: its authorities may have been replaced where they lie.
    fn messenger(&self) -> Result<Messenger, String> {
        let roots = self.trust.as_deref().map(certificates).transpose()?;
        self.outward.messenger(Trust { roots, ..Trust::default() })
    }

    /// A header whose value is not to be shown.
    fn header(&self, name: &'static str, value: &str) -> Result<(HeaderName, HeaderValue), Failed> {
        let wrong = || Failed::refused(format!("what the {} is shown cannot stand in a header", self.what));
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok((HeaderName::from_static(name), value))
    }
}

/// The secret that was refused last where an upstream is signed in to.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<ArcSwapOption<Refused>>);

#[derive(Debug)]
struct Refused {
    secret: Secret,
    failed: Failed,
    until: Timestamp,
}

impl Refusals {
    /// What stands in a file, unless that was refused a short time ago: then why.
    fn in_file(&self, path: &Path, now: Timestamp) -> Result<Zeroizing<String>, Failed> {
        let secret = in_file(path)?;
        match self.0.load().as_ref() {
            Some(last) if now < last.until && last.secret.is(&secret) => Err(last.failed.clone()),
            Some(_) | None => Ok(secret),
        }
    }

    /// Keeps that a secret was refused, and why.
    fn keep(&self, secret: &str, now: Timestamp, failed: Failed) -> Failed {
        let until = now.checked_add(REFUSED).unwrap_or(Timestamp::MAX);
        let secret = Secret::new(secret.to_owned());
        self.0.store(Some(Arc::new(Refused { secret, failed: failed.clone(), until })));
        failed
    }

    /// Has what was refused tried again.
    pub(super) fn forget(&self) {
        self.0.store(None);
    }
}

/// What stands in a file, without the end of its line.
fn in_file(path: &Path) -> Result<Zeroizing<String>, Failed> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text =
        text.map_err(|error| Failed::refused(format!("`{}` cannot be read: {error}", path.display())))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
