//! A request in the hands of this room: claimed from its head, read with its body, denied in its own form.
//!
//! Leaves out each of the steps, which have files of their own.

use http::HeaderMap;
use ordain_action::{Call, Created, Denial, Plane, Undecodable, Upstream};

use super::api::{Api, Method};
use super::operation::Several;
use super::path::Fit;
use super::{Room, call, deny};
use crate::Head;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::described;
use crate::form::fields::{clip, duplicate};
use crate::form::uri::Target;
use crate::rest::{self, BODY_MAX, Line, Location, Rules};
use crate::room::Claimed;

/// How heads are written: a slash at the end of a path is for the templates to know.
const RULES: Rules = Rules {
    methods: &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
    trailing_slash: true,
    ..Rules::USUAL
};

/// A request that this room has claimed.
#[derive(Debug)]
pub(super) struct Claim<'r> {
    room: &'r Room,
    api: Option<&'r Api>,
    is_head: bool,
    // What the head says, or why it cannot be read; it is claimed and denied all the same.
    reading: Result<Asked<'r>, Undecodable>,
}

/// What a head asks for.
#[derive(Debug)]
pub(super) struct Asked<'r> {
    /// The upstream whose API it is.
    upstream: &'r str,
    pub(super) api: &'r Api,
    pub(super) method: &'r Method,
    pub(super) fit: Fit,
    /// The path is for all that stands below it, or for something to do.
    pub(super) ends_in_literal: bool,
    pub(super) form: Form,
}

/// What a body is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// There is none.
    Nothing,
    /// JSON.
    Json,
    /// JSON whose members say what is done to others (RFC 6902).
    Operations,
    /// A form of names and values.
    Pairs,
    /// It is not looked into.
    Opaque,
    /// One of several, and the head does not say which: it has to be empty.
    Unsaid,
    /// None that the document has: it has to be empty.
    Undeclared,
}

impl Asked<'_> {
    /// It is read by the description of the API that it goes to.
    fn belongs_to(&self, upstream: &Upstream) -> Result<(), Undecodable> {
        if self.upstream == &*upstream.name {
            return Ok(());
        }
        Err(Undecodable::new(
            "other_api",
            "the credential is for another upstream than the API that was asked; send it to that one's own name",
        ))
    }

    fn mints(&self) -> bool {
        self.method.says.as_ref().is_some_and(|says| says.mints)
    }
}

impl<'r> Claim<'r> {
    /// Claims a request that came to a place of this plane.
    pub(super) fn make(room: &'r Room, head: &Head<'_>) -> Self {
        let found = room.api(head.upstream);
        let api = found.as_ref().ok().map(|(_, api)| *api);
        let reading = found.and_then(|(upstream, api)| read(upstream, api, head));
        Self { room, api, is_head: head.method == "HEAD", reading }
    }

    fn asked(&self) -> Result<&Asked<'r>, Undecodable> {
        self.reading.as_ref().map_err(Undecodable::clone)
    }
}

impl Claimed for Claim<'_> {
    fn needs(&self) -> Needs {
        match self.reading.as_ref().map(|asked| asked.form) {
            Ok(Form::Nothing) => Needs::Nothing,
            Ok(Form::Opaque) => Needs::Payload,
            Ok(Form::Json | Form::Operations | Form::Pairs | Form::Unsaid | Form::Undeclared) | Err(_) => {
                Needs::Held { cap: BODY_MAX }
            }
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
        let line = Line::read_repeating(head, &RULES, |_| true)?;
        call::make(&self.room.tokens, asked, &line, body, &upstream.account)
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        let own = self.reading.as_ref().ok().map(|asked| &asked.method.operation.refuses);
        let refuses = own.or(self.api.map(|api| &api.refuses)).cloned().unwrap_or_default();
        let mut response = deny::response(&refuses, denial);
        if self.is_head {
            response.body.clear();
        }
        response
    }

    fn destination(&self, _upstream: &Upstream, _call: &Call) -> Result<Destination, Undecodable> {
        Ok(Destination::at_its_address(&self.asked()?.method.service))
    }

    /// What cannot be read goes nowhere where its answer hands out a credential, or where it is of another API than its
    /// credential.
    fn destination_unread(&self, upstream: &Upstream, _head: &Head<'_>) -> Result<Destination, Undecodable> {
        let asked = self.asked()?;
        asked.belongs_to(upstream)?;
        if asked.mints() {
            return Err(Undecodable::new(
                "custody_leak",
                "the request cannot be read, and its answer hands out a credential; send it in a form that can",
            ));
        }
        Ok(Destination::at_its_address(&asked.method.service))
    }

    fn goes_on(&self) -> bool {
        self.reading.as_ref().is_ok_and(|asked| asked.method.says.as_ref().is_some_and(|says| says.stream))
    }

    fn read_answer(
        &self,
        answer: &AnswerHead<'_>,
        _body: &[u8],
        _trailers: Option<&HeaderMap>,
    ) -> AnswerRead {
        let request_id = rest::request_id(answer, &["x-request-id", "x-correlation-id", "request-id"]);
        AnswerRead { request_id, error_code: None, status: None }
    }

    fn read_created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        let places =
            [Location::Member("/id"), Location::Member("/Id"), Location::Member("/ID"), Location::Header];
        rest::identifier(&new.kind, &new.member, answer, body, &places)
    }
}

fn read<'r>(upstream: &'r str, api: &'r Api, head: &Head<'_>) -> Result<Asked<'r>, Undecodable> {
    let line = Line::read_repeating(head, &RULES, |_| true)?;
    let path = Target::split(head.target)?.path;
    let trailing_slash = path.len() > 1 && path.ends_with('/');
    let found = api.find(line.method, &line.path(), trailing_slash).ok_or_else(|| {
        let text = format!(
            "`{} {}` is no operation in the description of `{}`; give the gate that of its present version",
            clip(line.method),
            clip(path),
            described::whole((Plane::Openapi, upstream)).name
        );
        Undecodable::new("unknown_operation", text)
    })?;
    let (method, route, fit) = found?;
    check_query(api, method, &line)?;
    check_credentials(api, head)?;
    let mut declared = method.operation.headers.iter();
    if let Some(name) = declared.find(|name| head.headers.get_all(name.as_str()).iter().nth(1).is_some()) {
        let text = format!("`{name}` is given twice and may stand once; send it once");
        return Err(Undecodable::new("header_twice", text));
    }
    let form = form(method, &line)?;
    let ends_in_literal = route.template.ends_in_literal();
    Ok(Asked { upstream, api, method, fit, ends_in_literal, form })
}

/// Refuses what the operation does not have, or has once.
fn check_query(api: &Api, method: &Method, line: &Line<'_>) -> Result<(), Undecodable> {
    let mut names: Vec<&str> = line.query.iter().map(|pair| pair.name.as_ref()).collect();
    for name in &names {
        if api.is_credential("query", name) {
            return Err(second_credential(name));
        }
        if method.operation.several(name).is_none() && !api.knows_query(name) {
            return Err(Undecodable::new(
                "unknown_parameter",
                format!(
                    "`{}` is no parameter of `{}` in the description of the API, and could change what it does; leave it out",
                    clip(name),
                    method.operation.name
                ),
            ));
        }
    }
    names.retain(|name| method.operation.several(name) != Some(Several::Repeated));
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
        Some((name, _)) => Err(duplicate(name)),
        None => Ok(()),
    }
}

/// Refuses a credential of the API itself: whoever asks has shown one of ours.
fn check_credentials(api: &Api, head: &Head<'_>) -> Result<(), Undecodable> {
    let header =
        api.credentials("header").find(|name| *name != "authorization" && head.headers.contains_key(*name));
    if let Some(name) = header {
        return Err(second_credential(name));
    }
    let cookies = head.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut sent =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.split('=').next());
    match sent.find(|name| api.is_credential("cookie", name.trim())) {
        Some(name) => Err(second_credential(name.trim())),
        None => Ok(()),
    }
}

fn second_credential(name: &str) -> Undecodable {
    Undecodable::new(
        "second_credential",
        format!(
            "`{}` is a credential of the API itself, which the gate has its own of; leave it out",
            clip(name)
        ),
    )
}

/// What the body is read as: what the document has, and the head names of that.
fn form(method: &Method, line: &Line<'_>) -> Result<Form, Undecodable> {
    let declared = &method.operation.body;
    let forms: Vec<Form> = declared.iter().map(|(media, _)| form_of(media)).collect();
    if forms.is_empty() {
        return Ok(Form::Nothing);
    }
    let said = line.media_type()?;
    let is_declared = || declared.iter().any(|(media, _)| takes(media, &said));
    if forms.iter().all(|form| *form == Form::Opaque) {
        // Servers put the members of a form among the parameters of the query, and before them.
        let is_form = matches!(said.as_str(), "application/x-www-form-urlencoded" | "multipart/form-data");
        return Ok(if is_form && !is_declared() { Form::Undeclared } else { Form::Opaque });
    }
    if !line.head.headers.contains_key("content-type") {
        let first = forms.first().copied().unwrap_or(Form::Unsaid);
        return Ok(if forms.iter().all(|form| *form == first) { first } else { Form::Unsaid });
    }
    Ok(match declared.iter().find(|(media, _)| takes(media, &said)) {
        Some((media, _)) if media.contains('*') => form_of(&said),
        Some((media, _)) => form_of(media),
        None => Form::Undeclared,
    })
}

fn form_of(media: &str) -> Form {
    let media = media.split(';').next().unwrap_or_default().trim();
    if media.ends_with("json-patch+json") {
        Form::Operations
    } else if media.ends_with("/json") || media.ends_with("+json") {
        Form::Json
    } else if media == "application/x-www-form-urlencoded" {
        Form::Pairs
    } else {
        Form::Opaque
    }
}

/// Whether a media type of a document takes one of a request.
fn takes(declared: &str, said: &str) -> bool {
    let declared = declared.split(';').next().unwrap_or_default().trim();
    match declared.strip_suffix('*') {
        Some("*/") => true,
        Some(kind) => said.starts_with(kind),
        None => declared == said,
    }
}
