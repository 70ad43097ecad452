//! Services that hand out the gate's own credentials: a secret store (`vault`), an OAuth authorization server (`oauth`) and
//! Google's (`google`).
//!
//! What they are sent and what they answer is secret, and stands in no error and no log. Leaves out keeping what they hand
//! out (`plain::credential`, `aws::cached`).

mod assertion;
pub(super) mod google;
pub(super) mod oauth;
pub(super) mod vault;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use zeroize::Zeroizing;

use super::plain::certificates;
use crate::forward::{Asking, Messenger, Outward, Trust};

/// How long such a service is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

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
    // `secret store` or `authorization server`.
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
        let at = |why: String| Failed::passing(format!("the {} `{}` {why}", self.what, self.address));
        let messenger = self.messenger().map_err(|why| at(format!("cannot be asked: {why}")))?;
        let asked = messenger.ask(Asking { uri, headers, body });
        match tokio::time::timeout(PATIENCE, asked).await {
            Err(_) => Err(at("does not answer".to_owned())),
            Ok(Err(why)) => Err(at(format!("cannot be asked: {why}"))),
            Ok(Ok((status, _))) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(at(format!("answers with status {}", status.as_u16())))
            }
            Ok(Ok(answer)) => Ok(answer),
        }
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

/// What stands in a file, without the end of its line.
fn in_file(path: &Path) -> Result<Zeroizing<String>, Failed> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text =
        text.map_err(|error| Failed::refused(format!("`{}` cannot be read: {error}", path.display())))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
