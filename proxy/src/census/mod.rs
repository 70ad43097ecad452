//! What an upstream has, asked of it page by page with the gate's own credential, in the forms that importers read.
//!
//! Leaves out what can be asked at all (`upstream::Ask`) and what the answers mean (`ordain_rules::import`). Nothing is kept
//! between two askings: a page that cannot be had is asked for again, and then the whole is given up, so that no half of an
//! estate is taken for all of it.

mod aws;
mod azure;
mod google;
mod kubernetes;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use ordain_action::{Plane, Upstream};
use ordain_rules::Source;
use serde_json::Value;

use crate::clock::Clock;
use crate::upstream::{Ask, Upstreams};

/// How often something is asked for before it is given up.
const TRIES: u32 = 5;

/// How long it is waited before it is asked for again; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Where in an upstream what is asked for lies.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// On AWS, the regions whose Resource Explorer is asked; one that has an aggregator knows all.
    pub regions: Vec<String>,
    /// On Google Cloud, the organization, folder or project, for example `organizations/123`.
    pub parent: Option<String>,
    /// On Azure, the subscriptions; all that the credential sees, where none is said.
    pub subscriptions: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The answers, in the forms that importers read.
    pub sources: Vec<Source>,
    /// What could not be asked for, and why, a sentence each.
    pub left_out: Vec<String>,
}

/// Somebody who asks one upstream.
struct Asker<'a> {
    upstreams: &'a Upstreams,
    name: &'a str,
    clock: &'a Clock,
    // Told after every page: what is asked for, and how many there are so far.
    progress: &'a (dyn Fn(&str, usize) + Sync),
}

/// Asks an upstream for all that it has. `progress` is told of each page what it is of, and how many things have come so far.
///
/// # Errors
/// Why it cannot be had whole.
pub async fn take(
    upstreams: &Upstreams,
    upstream: &Upstream,
    scope: &Scope,
    clock: &Clock,
    progress: &(dyn Fn(&str, usize) + Sync),
) -> Result<Found, String> {
    let asker = Asker { upstreams, name: &upstream.name, clock, progress };
    match upstream.plane {
        Plane::Aws => aws::take(&asker, scope).await,
        Plane::Azure => azure::take(&asker, scope).await,
        Plane::Gcp => google::take(&asker, scope).await,
        Plane::Kubernetes => kubernetes::take(&asker).await,
        other => Err(format!("`{other}` cannot be asked for all that it has; import an export of it")),
    }
}

impl Asker<'_> {
    /// An answer, whatever its status says but that it may be had later, which is waited for.
    async fn ask(&self, ask: &Ask) -> Result<(StatusCode, Bytes), String> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.upstreams.inquire(self.name, ask, self.clock.now()).await {
                Ok((status, body)) if !is_for_later(status) => return Ok((status, body)),
                Ok(_) | Err(_) => tokio::time::sleep(wait).await,
            }
            wait *= 2;
        }
        self.upstreams.inquire(self.name, ask, self.clock.now()).await
    }

    /// An answer that is one.
    async fn page(&self, ask: &Ask) -> Result<Value, String> {
        let (status, body) = self.ask(ask).await?;
        if !status.is_success() {
            return Err(format!("it answers with status {}: {}", status.as_u16(), said(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| format!("its answer is no JSON: {error}"))
    }

    fn told(&self, what: &str, count: usize) {
        (self.progress)(what, count);
    }
}

/// It is too much at once, or the server is not well.
fn is_for_later(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// The beginning of what an answer says, for a person.
fn said(body: &[u8]) -> String {
    const SHOWN_MAX: usize = 200;
    let text = String::from_utf8_lossy(body);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // What a server sends is not to move a terminal's cursor.
    line.chars().filter(|letter| !letter.is_control()).take(SHOWN_MAX).collect()
}

/// The next page, where there is one; a server that leads back to where it was leads nowhere.
fn next(page: Option<&Value>, after: Option<&str>) -> Result<Option<String>, String> {
    let next = page.and_then(Value::as_str).filter(|next| !next.is_empty());
    match next {
        Some(next) if Some(next) == after => Err("its pages lead in a circle".to_owned()),
        next => Ok(next.map(str::to_owned)),
    }
}

/// A page as what an importer reads.
fn source(what: &str, page: &Value) -> Source {
    Source { path: what.to_owned(), text: page.to_string() }
}
