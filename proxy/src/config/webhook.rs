//! Who is told what happens to holds, as resolved.
//!
//! Leaves out telling them (`holds::notices`).

use std::fmt;
use std::path::PathBuf;

use http::Uri;
use ordain_action::Digest;

use super::ConfigError;
use crate::holds::EventKind;
use crate::identity::is_safe;
use crate::settings;

/// The most that are told: each has a task and a queue of its own.
const MANY: usize = 16;

/// The form that a notice has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CloudEvents 1.0, in HTTP's structured mode.
    CloudEvents,
    /// A message for people, as incoming webhooks of Slack take it.
    Slack,
}

impl Form {
    /// The word used in settings and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudEvents => "cloudevents",
            Self::Slack => "slack",
        }
    }
}

/// An address that is told what happens to holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is posted to: of many services a secret.
    pub url: Uri,
    /// The file of the key that what is posted is signed with.
    pub secret: PathBuf,
    /// The form of what is posted.
    pub form: Form,
    /// The authorities that its certificate must come from, where not the system's.
    pub trust: Option<PathBuf>,
    /// What it is told of.
    pub on: Vec<EventKind>,
    /// The teams that it is told for; all where there are none.
    pub owners: Vec<String>,
}

impl Webhook {
    /// The host, and so much of a hash that two addresses there are told apart: what logs may show.
    #[must_use]
    pub fn shown(&self) -> String {
        let digest: String = self.digest().chars().take(8).collect();
        format!("{} ({digest})", self.url.host().unwrap_or_default())
    }

    /// The SHA-256 of the address, by which it is known where it is not to be kept.
    #[must_use]
    pub fn digest(&self) -> String {
        Digest::of(self.url.to_string().as_bytes()).to_hex()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on: Vec<&str> = self.on.iter().map(|kind| kind.as_str()).collect();
        write!(f, "{} as {} on {}", self.shown(), self.form.as_str(), on.join("+"))?;
        if !self.owners.is_empty() {
            write!(f, " for {}", self.owners.join("+"))?;
        }
        if let Some(trust) = &self.trust {
            write!(f, " trusting {}", trust.display())?;
        }
        write!(f, " signed by {}", self.secret.display())
    }
}

/// Resolves the tables `holds.webhook`.
pub(super) fn all(written: &[settings::Webhook]) -> Result<Vec<Webhook>, ConfigError> {
    if written.len() > MANY {
        let fix = format!("give {MANY} at most, and have one of them pass on what it is told");
        return Err(ConfigError::new("`holds.webhook`", format!("{} tables", written.len()), fix));
    }
    let mut all: Vec<Webhook> = Vec::with_capacity(written.len());
    for one in written {
        let resolved = resolve(one)?;
        if all.iter().any(|known| known.url == resolved.url) {
            let fix = "another table has it; say in one of them what it is told";
            return Err(ConfigError::new("`holds.webhook.url`", resolved.shown(), fix));
        }
        all.push(resolved);
    }
    Ok(all)
}

fn resolve(written: &settings::Webhook) -> Result<Webhook, ConfigError> {
    let parsed: Option<Uri> = written.url.parse().ok();
    let url = parsed.filter(is_safe).ok_or_else(|| {
        // Whoever knows such an address can post there: it is not repeated.
        let fix = "give a URL with `https`; `http` is taken of this machine alone";
        ConfigError::new("`holds.webhook.url`", "…", fix)
    })?;
    let form = match written.form.as_deref() {
        None | Some("cloudevents") => Form::CloudEvents,
        Some("slack") => Form::Slack,
        Some(other) => {
            return Err(ConfigError::new("`holds.webhook.form`", other, "use `cloudevents` or `slack`"));
        }
    };
    let on = match &written.on {
        None => EventKind::ALL.to_vec(),
        Some(words) => words.iter().map(|word| kind(word)).collect::<Result<Vec<_>, _>>()?,
    };
    if on.is_empty() {
        let fix = "name one of `opened`, `approved` and `denied`, or leave it out";
        return Err(ConfigError::new("`holds.webhook.on`", "[]", fix));
    }
    let owners = written.owners.clone().unwrap_or_default();
    if written.owners.is_some() && owners.is_empty() {
        let fix = "name a team, or leave it out for all";
        return Err(ConfigError::new("`holds.webhook.owners`", "[]", fix));
    }
    Ok(Webhook { url, secret: written.secret_file.clone(), form, trust: written.trust.clone(), on, owners })
}

fn kind(word: &str) -> Result<EventKind, ConfigError> {
    let found = EventKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| ConfigError::new("`holds.webhook.on`", word, "use `opened`, `approved` or `denied`"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::config::Config;
    use crate::settings::Settings;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(text: &str, expected: Expect) {
        let resolved = Settings::parse("gate.toml", text).map_err(|error| error.to_string());
        let resolved = resolved.and_then(|all| Config::resolve(all).map_err(|error| error.to_string()));
        let said = resolved.map_or_else(|error| error, |config| format!("{:?}", config.holds.webhooks));
        expected.assert_eq(&said);
    }

    #[test]
    fn an_address_is_shown_by_its_host_alone() {
        check(
            "[[holds.webhook]]\nurl = \"https://hooks.example/services/T0/B0/secret\"\nsecret_file = \"k\"\nform = \"slack\"\non = [\"opened\"]\nowners = [\"web\"]\ntrust = \"ca.pem\"",
            expect!["[hooks.example (10e2f7c1) as slack on opened for web trusting ca.pem signed by k]"],
        );
        check(
            "[[holds.webhook]]\nurl = \"http://127.0.0.1:9/\"\nsecret_file = \"k\"",
            expect!["[127.0.0.1 (0aaac992) as cloudevents on opened+approved+denied signed by k]"],
        );
    }

    #[test]
    fn what_makes_no_sense_is_said_without_the_address() {
        let table = |more: &str| format!("[[holds.webhook]]\nsecret_file = \"k\"\n{more}");
        check(
            &table("url = \"http://hooks.example/secret\""),
            expect![
                "`holds.webhook.url` is `…`: give a URL with `https`; `http` is taken of this machine alone"
            ],
        );
        check(
            &table("url = \"https://user:secret@hooks.example/\""),
            expect![
                "`holds.webhook.url` is `…`: give a URL with `https`; `http` is taken of this machine alone"
            ],
        );
        check(
            &table("url = \"https://a.example/\"\nform = \"teams\""),
            expect!["`holds.webhook.form` is `teams`: use `cloudevents` or `slack`"],
        );
        check(
            &table("url = \"https://a.example/\"\non = [\"closed\"]"),
            expect!["`holds.webhook.on` is `closed`: use `opened`, `approved` or `denied`"],
        );
        check(
            &table("url = \"https://a.example/\"\non = []"),
            expect![
                "`holds.webhook.on` is `[]`: name one of `opened`, `approved` and `denied`, or leave it out"
            ],
        );
        check(
            &table("url = \"https://a.example/\"\nowners = []"),
            expect!["`holds.webhook.owners` is `[]`: name a team, or leave it out for all"],
        );
        check(
            &table("url = \"https://a.example/\"\nsecret = \"x\""),
            expect!["`gate.toml` line 4, column 1: unknown key `secret`; did you mean `secret_file`"],
        );
        check(
            "[[holds.webhook]]\nurl = \"https://a.example/\"",
            expect!["`gate.toml` line 1, column 1: `secret_file` is missing; add it"],
        );
        let twice = table("url = \"https://a.example/secret\"\n");
        check(
            &[twice.as_str(), &twice].concat(),
            expect![
                "`holds.webhook.url` is `a.example (eac2bd36)`: another table has it; say in one of them what it is told"
            ],
        );
    }
}
