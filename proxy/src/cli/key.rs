//! `ordain key`: the keys that actors hold. The kind of an actor is registered with its key, here and nowhere
//! else.
//!
//! Leaves out how keys are kept (`keys/`). Each change is a ledger entry: by the running gate when there is
//! one to write it, else by this command.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use ordain_action::{ActorKind, Party, Plane};
use ordain_evidence::ChangeKind;
use ordain_sigv4::Secret;
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, Format};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, IssuedKey, KeyForm, KeyStore, NewKey};
use crate::own;

/// Create, import, list and revoke keys.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a key for an actor: a key pair for AWS, a token for other planes.
    Create {
        #[command(flatten)]
        new: New,
        /// Make a token, which clients send as `Authorization: Bearer`, in place of a key pair. It ends by itself, after
        /// thirty days unless another time is given.
        #[arg(long)]
        bearer: bool,
    },
    /// Take up a key pair that exists elsewhere; its secret is read from a file.
    Import {
        #[command(flatten)]
        new: New,
        /// The access key id.
        #[arg(long)]
        id: String,
        /// A file that holds the secret and nothing else; `-` is standard input.
        #[arg(long)]
        secret_file: PathBuf,
    },
    /// List all keys, oldest first.
    List,
    /// End a key, and every session that descends from it.
    Revoke {
        /// The id of the key.
        id: String,
    },
}

/// In how many hours a token ends where nothing else is said: whoever finds one can use it.
const TOKEN_LASTS: u32 = 30 * 24;

#[derive(Debug, clap::Args)]
struct New {
    #[command(flatten)]
    holder: Holder,
    /// In how many hours it ends by itself, and every session that descends from it; by default it lasts.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    expires_in_hours: Option<u32>,
}

/// Who holds a key, for whom and of which upstream.
#[derive(Debug, clap::Args)]
pub(super) struct Holder {
    /// Who holds it, by the name the model knows.
    #[arg(long)]
    actor: String,
    /// What the actor is: `person`, `pipeline` or `agent`.
    #[arg(long, value_parser = kind)]
    kind: ActorKind,
    /// Whom the actor acts for, as `person:alice`; nearest first where there are several.
    #[arg(long, value_parser = party)]
    on_behalf_of: Vec<Party>,
    /// The upstream it is bound to; the first configured one when it is not given.
    #[arg(long)]
    upstream: Option<String>,
}

impl Holder {
    /// What is to be made for them.
    pub(super) fn key(self, config: &Config, expires: Option<Timestamp>) -> anyhow::Result<NewKey> {
        Ok(NewKey {
            upstream: upstream(config, self.upstream.as_deref())?,
            party: Party { name: self.actor.into(), kind: self.kind },
            on_behalf_of: self.on_behalf_of,
            expires,
        })
    }
}

pub(super) fn kind(word: &str) -> Result<ActorKind, String> {
    ActorKind::parse(word).ok_or_else(|| "use `person`, `pipeline` or `agent`".to_owned())
}

pub(super) fn party(text: &str) -> Result<Party, String> {
    let (word, name) = text.split_once(':').ok_or("write it as `person:alice`")?;
    Ok(Party { name: name.into(), kind: kind(word)? })
}

/// A key as it is shown once, when it is made.
#[derive(Serialize)]
struct Made<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    actor: &'a str,
    kind: &'a str,
    upstream: &'a str,
}

/// A token as it is shown once, when it is made.
#[derive(Serialize)]
struct MadeToken<'a> {
    id: &'a str,
    token: &'a str,
    actor: &'a str,
    kind: &'a str,
    upstream: &'a str,
    expires: &'a str,
}

/// A key as it is listed.
#[derive(Serialize)]
struct Listed {
    access_key_id: String,
    form: &'static str,
    actor: String,
    kind: &'static str,
    on_behalf_of: Vec<String>,
    upstream: String,
    created: String,
    state: String,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let keys = keys::of(&config)?;
    let clock = Clock::system();
    match arguments.verb {
        Verb::Create { mut new, bearer } if bearer || is_by_token(&config, &new)? => {
            new.holder.upstream = new.holder.upstream.or_else(|| first_by_token(&config));
            new.expires_in_hours = new.expires_in_hours.or(Some(TOKEN_LASTS));
            let new = resolve(&config, new, clock.now())?;
            takes_tokens(&config, &new.upstream)?;
            own::record(&config, &clock, ChangeKind::Key, format!("create a token for {}", describe(&new)))?;
            let (key, token) = keys.create_token(&new, clock.now())?;
            own::keys_changed(&config);
            show_token(context, &key, &token)?;
        }
        Verb::Create { new, bearer: _ } => {
            let new = resolve(&config, new, clock.now())?;
            own::record(&config, &clock, ChangeKind::Key, format!("create a key for {}", describe(&new)))?;
            let key = keys.create(&new, clock.now())?;
            own::keys_changed(&config);
            show_made(context, &key)?;
        }
        Verb::Import { new, id, secret_file } => {
            let new = resolve(&config, new, clock.now())?;
            let secret = read_secret(&secret_file)?;
            own::record(&config, &clock, ChangeKind::Key, format!("import key {id} for {}", describe(&new)))?;
            let key = keys.import(&new, &id, secret, clock.now())?;
            own::keys_changed(&config);
            context.output.line(&format!("imported {} for {}", key.id, key.party.name))?;
        }
        Verb::List => list(context, &keys, clock.now())?,
        Verb::Revoke { id } => {
            own::record(&config, &clock, ChangeKind::Key, format!("revoke key {id}"))?;
            let key = keys.revoke(&id, clock.now())?;
            own::keys_changed(&config);
            context.output.line(&format!("revoked {} of {}", key.id, key.party.name))?;
        }
    }
    Ok(Exit::Ok)
}

/// Whether the upstream that is meant takes nothing but tokens.
fn is_by_token(config: &Config, new: &New) -> anyhow::Result<bool> {
    Ok(takes_tokens(config, &upstream(config, new.holder.upstream.as_deref())?).is_ok())
}

/// The first upstream that takes tokens.
fn first_by_token(config: &Config) -> Option<String> {
    let mut all = config.upstreams.iter().filter(|upstream| upstream.kind.plane() != Plane::Aws);
    all.next().map(|upstream| upstream.name.clone())
}

/// Refuses a token for an upstream whose requests are signed.
pub(super) fn takes_tokens(config: &Config, name: &str) -> anyhow::Result<()> {
    let aws =
        config.upstreams.iter().any(|upstream| upstream.name == name && upstream.kind.plane() == Plane::Aws);
    anyhow::ensure!(
        !aws,
        "requests to the upstream `{name}` are signed, which a token cannot do; leave `--bearer` out, or name another \
         `--upstream`"
    );
    Ok(())
}

fn resolve(config: &Config, new: New, now: Timestamp) -> anyhow::Result<NewKey> {
    let lasts = new.expires_in_hours.map(|hours| SignedDuration::from_hours(hours.into()));
    new.holder.key(config, lasts.map(|lasts| now + lasts))
}

/// The upstream of a name, or the first.
pub(super) fn upstream(config: &Config, name: Option<&str>) -> anyhow::Result<Arc<str>> {
    let known = || {
        config.upstreams.iter().map(|upstream| format!("`{}`", upstream.name)).collect::<Vec<_>>().join(", ")
    };
    let found = match name {
        Some(name) => config
            .upstreams
            .iter()
            .find(|upstream| upstream.name == name)
            .with_context(|| format!("there is no upstream `{name}`; configured are {}", known()))?,
        None => config.upstreams.first().context("no upstream is configured")?,
    };
    Ok(found.name.as_str().into())
}

pub(super) fn describe(new: &NewKey) -> String {
    let mut text = format!("{} {} on upstream {}", new.party.kind.as_str(), new.party.name, new.upstream);
    for party in &new.on_behalf_of {
        text.push_str(&format!(", on behalf of {} {}", party.kind.as_str(), party.name));
    }
    text
}

fn read_secret(path: &std::path::Path) -> anyhow::Result<Secret> {
    let text = if path == std::path::Path::new("-") {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?
    };
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn show_made(context: &Context, key: &IssuedKey) -> anyhow::Result<()> {
    let made = Made {
        access_key_id: &key.id,
        secret_access_key: key.secret().context("the key is a token")?.expose(),
        actor: &key.party.name,
        kind: key.party.kind.as_str(),
        upstream: &key.upstream,
    };
    context.output.show(context.format, &made, || {
        let mut rows = Rows::new(&["what", "value"]);
        rows.push(vec!["actor".to_owned(), format!("{} ({})", made.actor, made.kind)]);
        rows.push(vec!["upstream".to_owned(), made.upstream.to_owned()]);
        rows.push(vec!["AWS_ACCESS_KEY_ID".to_owned(), made.access_key_id.to_owned()]);
        rows.push(vec!["AWS_SECRET_ACCESS_KEY".to_owned(), made.secret_access_key.to_owned()]);
        rows
    })?;
    // A program that asked for JSON knows what it does with it.
    if context.format == Format::Table {
        context.output.complain("the secret is shown this once; it is sealed in the state directory");
    }
    Ok(())
}

fn show_token(context: &Context, key: &IssuedKey, token: &Secret) -> anyhow::Result<()> {
    let expires = key.expires.map_or_else(String::new, |expires| expires.to_string());
    let made = MadeToken {
        id: &key.id,
        token: token.expose(),
        actor: &key.party.name,
        kind: key.party.kind.as_str(),
        upstream: &key.upstream,
        expires: &expires,
    };
    context.output.show(context.format, &made, || {
        let mut rows = Rows::new(&["what", "value"]);
        rows.push(vec!["actor".to_owned(), format!("{} ({})", made.actor, made.kind)]);
        rows.push(vec!["upstream".to_owned(), made.upstream.to_owned()]);
        rows.push(vec!["token".to_owned(), made.token.to_owned()]);
        rows.push(vec!["ends".to_owned(), expires.clone()]);
        rows
    })?;
    if context.format == Format::Table {
        context.output.complain("the token is shown this once; only its hash is kept");
    }
    Ok(())
}

fn list(context: &Context, keys: &KeyStore, now: Timestamp) -> anyhow::Result<()> {
    let listed: Vec<Listed> = keys.list().iter().map(|key| listed(keys, key, now)).collect();
    context.output.show(context.format, &listed, || {
        let mut rows = Rows::new(&["key", "form", "actor", "kind", "for", "upstream", "created", "state"]);
        for key in &listed {
            rows.push(vec![
                key.access_key_id.clone(),
                key.form.to_owned(),
                key.actor.clone(),
                key.kind.to_owned(),
                key.on_behalf_of.join(", "),
                key.upstream.clone(),
                key.created.clone(),
                key.state.clone(),
            ]);
        }
        rows
    })
}

fn listed(keys: &KeyStore, key: &IssuedKey, now: Timestamp) -> Listed {
    let state = match (keys.ended_by(key, now), &key.minted) {
        (Some(by), _) => {
            let word = match (by.revoked, by.inactive) {
                (Some(_), _) => "revoked",
                (None, Some(_)) => "inactive",
                (None, None) => "over",
            };
            if by.id == key.id { word.to_owned() } else { format!("{word} with {}", by.id) }
        }
        (None, Some(minted)) => match minted.expires {
            Some(expires) => format!("session until {expires}"),
            None => "minted".to_owned(),
        },
        (None, None) => {
            key.expires.map_or_else(|| "valid".to_owned(), |expires| format!("valid until {expires}"))
        }
    };
    Listed {
        access_key_id: key.id.to_string(),
        form: match &key.form {
            KeyForm::Pair(_) => "pair",
            KeyForm::Token(_) => "token",
        },
        actor: key.party.name.to_string(),
        kind: key.party.kind.as_str(),
        on_behalf_of: key
            .on_behalf_of
            .iter()
            .map(|party| format!("{}:{}", party.kind.as_str(), party.name))
            .collect(),
        upstream: key.upstream.to_string(),
        created: key.created.to_string(),
        state,
    }
}
