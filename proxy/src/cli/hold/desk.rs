//! Whom `ordain hold` asks: the gate that somebody is logged in to, in their name; else that of this machine, with the
//! operator's token.
//!
//! Leaves out what is asked and how it is told (`mod.rs`, `show.rs`).

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::admin::Answering;
use crate::cli::Context;
use crate::cli::session::{Session, runtime};
use crate::clock::Clock;
use crate::config::Config;
use crate::holds::Shown;
use crate::own;

/// Whom to ask.
pub(super) enum Desk {
    /// In the name of who is logged in.
    Session(Box<Session>),
    /// With the token of a state directory.
    Token(Box<Config>),
}

impl Desk {
    /// The session that is kept, unless it is over; else the gate of the configuration.
    pub(super) fn of(context: &Context) -> anyhow::Result<Self> {
        match Session::kept()? {
            Some(session) if session.expires > Clock::system().now() => {
                let (person, url) = (&session.person, session.server.url());
                context.output.complain(&format!("as `{person}`, who is logged in at `{url}`"));
                Ok(Self::Session(Box::new(session)))
            }
            Some(over) => {
                let text = format!(
                    "the session of `{}` is over; this is asked with the operator's token",
                    over.person
                );
                context.output.complain(&text);
                Ok(Self::Token(Box::new(context.config()?)))
            }
            None => Ok(Self::Token(Box::new(context.config()?))),
        }
    }

    /// Who is logged in.
    pub(super) fn person(&self) -> Option<&str> {
        match self {
            Self::Session(session) => Some(&session.person),
            Self::Token(_) => None,
        }
    }

    pub(super) fn list(&self, all: bool) -> anyhow::Result<Vec<Shown>> {
        self.ask(&format!("{}{}", own::HOLDS, if all { "?all=true" } else { "" }), None)
    }

    pub(super) fn one(&self, id: Uuid) -> anyhow::Result<Shown> {
        self.ask(&format!("{}/{id}", own::HOLDS), None)
    }

    pub(super) fn answer(&self, id: Uuid, answering: &Answering) -> anyhow::Result<Shown> {
        self.ask(&format!("{}/{id}/answers", own::HOLDS), Some(serde_json::to_vec(answering)?))
    }

    fn ask<T: DeserializeOwned>(&self, path: &str, posted: Option<Vec<u8>>) -> anyhow::Result<T> {
        let text = match self {
            Self::Session(session) => {
                let (status, text) = runtime()?.block_on(session.ask(path, posted))?;
                if !status.is_success() {
                    // Whoever answers may be anybody whose address was given.
                    bail!(
                        "{}",
                        text.chars().flat_map(char::escape_debug).collect::<String>().replace("\\'", "'")
                    );
                }
                text
            }
            Self::Token(config) => own::asked(config, request(path, posted)?)?,
        };
        serde_json::from_str(&text)
            .context("the gate answers in a form of another version; run the same version")
    }
}

fn request(path: &str, posted: Option<Vec<u8>>) -> anyhow::Result<Request<Full<Bytes>>> {
    Ok(match posted {
        None => Request::get(path).body(Full::default())?,
        Some(body) => {
            Request::post(path).header(CONTENT_TYPE, "application/json").body(Full::new(Bytes::from(body)))?
        }
    })
}
