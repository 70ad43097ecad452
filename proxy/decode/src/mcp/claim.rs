//! A request in the hands of this room: claimed from its head, read with its body, denied in its own form.
//!
//! Leaves out each of the steps, which have files of their own.

use std::sync::OnceLock;

use http::{HeaderMap, HeaderValue};
use ordain_action::{Access, Call, Denial, Level, Plane, Resource, Role, Undecodable, Upstream};

use super::message::{self, Id, Kind};
use super::tools::Server;
use super::{Room, call, deny};
use crate::Head;
use crate::answer::{AnswerHead, AnswerRead, Events};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::form::fields::clip;
use crate::rest::{self, BODY_MAX, Line, Names, Rules, Whole};
use crate::room::Claimed;

/// How heads are written: the address of a server may end in a slash.
const RULES: Rules = Rules { methods: &["DELETE", "GET", "POST"], trailing_slash: true, ..Rules::USUAL };

/// A request that this room has claimed.
#[derive(Debug)]
pub(super) struct Claim<'r> {
    room: &'r Room,
    // What the head says, or why it cannot be read; it is claimed and denied all the same.
    reading: Result<Asked<'r>, Undecodable>,
    // Under what the body asks, once that was read, and whether it is a batch: a refusal goes to whoever asked.
    ids: OnceLock<(Vec<Id>, bool)>,
}

/// What a head asks for.
#[derive(Debug)]
struct Asked<'r> {
    /// The upstream whose server it is.
    upstream: &'r str,
    server: &'r Server,
    verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// Messages.
    Send,
    /// What the server says by itself, for as long as somebody listens.
    Listen,
    /// The session is over.
    End,
}

impl<'r> Claim<'r> {
    /// Claims a request that came to a place of this plane.
    pub(super) fn make(room: &'r Room, head: &Head<'_>) -> Self {
        Self { room, reading: read(room, head), ids: OnceLock::new() }
    }

    fn asked(&self) -> Result<&Asked<'r>, Undecodable> {
        self.reading.as_ref().map_err(Undecodable::clone)
    }

    fn messages(&self, head: &Head<'_>, line: &Line<'_>, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let asked = self.asked()?;
        if whole.media_type()? != "application/json" {
            return Err(Undecodable::new(
                "unread_media_type",
                "messages are sent as `application/json`; send it so",
            ));
        }
        let (messages, batch) = message::read(whole.body)?;
        let ids = messages.iter().filter_map(|message| match &message.kind {
            Kind::Asks { id, .. } => id.clone(),
            Kind::Answers => None,
        });
        // INVARIANT: the same body reads the same again, so that what was there first stays true.
        let _same = self.ids.set((ids.collect(), batch));
        for (header, of) in [("mcp-method", "method"), ("mcp-name", "name")] {
            let Some(said) = line.head.headers.get(header) else { continue };
            let agrees = match messages.as_slice() {
                [only] if !batch => {
                    let own = match (&only.kind, of) {
                        (Kind::Asks { method, .. }, "method") => Some(method.as_str()),
                        (Kind::Asks { .. }, _) => only.text("name").or_else(|| only.text("uri")),
                        (Kind::Answers, _) => None,
                    };
                    own.is_some() && own == said.to_str().ok()
                }
                _ => false,
            };
            if !agrees || head.headers.get_all(header).iter().nth(1).is_some() {
                let text = format!("`{header}` says another thing than the body; have them agree");
                return Err(Undecodable::new("two_markers", text));
            }
        }
        let session = session(line, whole)?;
        call::make(whole.tokens, asked.server, &messages, (&whole.upstream.account, &session))
    }
}

fn read<'r>(room: &'r Room, head: &Head<'_>) -> Result<Asked<'r>, Undecodable> {
    let line = Line::read(head, &RULES)?;
    let (upstream, server) = room.server(head.upstream)?;
    // A server has one address, which its base URL names; clients that are given a host alone ask for this one.
    if !matches!(line.path().as_slice(), [] | ["mcp"]) || !line.query.is_empty() {
        let path = line.head.target;
        let text = format!("`{}` is not the server's one address; send messages to `/mcp`", clip(path));
        return Err(Undecodable::new("unknown_path", text));
    }
    let verb = match line.method {
        "POST" => Verb::Send,
        "GET" => Verb::Listen,
        _ => Verb::End,
    };
    Ok(Asked { upstream, server, verb })
}

/// The session that a request is of. Whoever knows what it is called may speak in it, so that it is named by a keyed hash.
fn session(line: &Line<'_>, whole: &Whole<'_>) -> Result<Resource, Undecodable> {
    let mut said = line.head.headers.get_all("mcp-session-id").iter();
    let names: Names<'_> = whole.names();
    match (said.next().map(HeaderValue::to_str), said.next()) {
        (None, _) => Ok(names.one(Role::Target, "session", &["session"])),
        (Some(Ok(id)), None) => Ok(names.one(Role::Target, "session", &["session", &whole.tokens.token(id)])),
        (Some(Ok(_) | Err(_)), _) => Err(Undecodable::new(
            "two_markers",
            "`mcp-session-id` is given twice, or is no text; send it once",
        )),
    }
}

impl Asked<'_> {
    /// It is read by what is known of the server that it goes to.
    fn belongs_to(&self, upstream: &Upstream) -> Result<(), Undecodable> {
        if self.upstream == &*upstream.name {
            return Ok(());
        }
        Err(Undecodable::new(
            "other_api",
            "the credential is for another upstream than the server that was asked; send it to that one's own name",
        ))
    }
}

impl Claimed for Claim<'_> {
    fn needs(&self) -> Needs {
        match self.reading.as_ref().map(|asked| asked.verb) {
            Ok(Verb::Listen | Verb::End) => Needs::Nothing,
            Ok(Verb::Send) | Err(_) => Needs::Held { cap: BODY_MAX },
        }
    }

    fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        _payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        let asked = self.asked()?;
        asked.belongs_to(upstream)?;
        let line = Line::read(head, &RULES)?;
        let tokens = &self.room.tokens;
        let whole = Whole { plane: Plane::Mcp, upstream, line: &line, body, tokens };
        if asked.verb == Verb::Send {
            return self.messages(head, &line, &whole);
        }
        if !body.is_empty() {
            return Err(Undecodable::new("unexpected_body", "the request takes no body; send none"));
        }
        let names: Names<'_> = whole.names();
        let (operation, access, level) = match asked.verb {
            Verb::Send | Verb::Listen => ("listen", Access::Read, Level::Control),
            Verb::End => ("end", Access::Delete, Level::Data),
        };
        let session = session(&line, &whole)?;
        let mut effect =
            rest::effect(("session", operation), access, vec![session], whole.parameters(None, &[]));
        effect.level = level;
        Ok(names.call(vec![effect]))
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        deny::response(self.ids.get(), denial)
    }

    fn destination(&self, _upstream: &Upstream, _call: &Call) -> Result<Destination, Undecodable> {
        self.asked().map(|_| Destination::at_its_address("tools"))
    }

    /// What cannot be read goes nowhere where it may call a tool that hands out a credential, or is for another server than
    /// its credential.
    fn destination_unread(&self, upstream: &Upstream, _head: &Head<'_>) -> Result<Destination, Undecodable> {
        let asked = self.asked()?;
        asked.belongs_to(upstream)?;
        if asked.server.mints() {
            return Err(Undecodable::new(
                "custody_leak",
                "the request cannot be read, and its answer may hand out a credential; send it in a form that can",
            ));
        }
        Ok(Destination::at_its_address("tools"))
    }

    fn goes_on(&self) -> bool {
        self.reading.as_ref().is_ok_and(|asked| asked.verb == Verb::Listen)
    }

    /// An answer may come as events, which end with it; what the server says by itself ends with whoever listens.
    fn events(&self, head: &AnswerHead<'_>) -> Option<Events> {
        let media = head.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        let own = media.split(';').next().unwrap_or_default().trim();
        if !own.eq_ignore_ascii_case("text/event-stream") {
            return None;
        }
        let listens = matches!(&self.reading, Ok(Asked { verb: Verb::Listen, .. }));
        Some(if listens { Events::Lasting } else { Events::Ending })
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8], _trailers: Option<&HeaderMap>) -> AnswerRead {
        let said: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let code = said.and_then(|said| said.get("error")?.get("code")?.as_i64());
        let error_code = code.map(|code| code.to_string());
        AnswerRead { request_id: rest::request_id(answer, &["x-request-id"]), error_code, status: None }
    }
}
