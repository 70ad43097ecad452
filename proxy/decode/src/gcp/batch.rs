//! Several requests in one (`multipart/mixed` of `application/http`): the effects of each.
//!
//! Leaves out answers. A batch in a batch is refused, and so is a request to another host or API than the batch is for.

use http::HeaderValue;
use ordain_action::{Answer, Call, Minted, Undecodable};

use super::host::Host;
use super::multipart::{self, Piece};
use super::path::{Media, route};
use super::{Gcp, call};
use crate::form::fields::clip;
use crate::rest::{Grammar, Line, Whole};
use crate::{Head, WayIn};

/// Reads every request of a batch.
///
/// # Errors
/// One of them cannot be read: then none is.
pub(super) fn call(host: &Host, path: &str, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let boundary = multipart::boundary(whole.line.head.header("content-type"), "multipart/mixed")?;
    let pieces = multipart::pieces(whole.body, boundary)?;
    if pieces.is_empty() {
        return Err(bad("has no request"));
    }
    let (mut effects, mut touched) = (Vec::new(), 0);
    let mut answer = Answer::default();
    for piece in &pieces {
        let one = request(host, path, whole, piece)?;
        touched += call::touched(&one.effects);
        effects.extend(one.effects);
        // The answers come in one, which is not taken apart.
        answer.mints = answer.mints.or(one.answer.mints.map(|_| Minted::Unrewritable));
        call::check(effects.len(), touched)?;
    }
    Ok(Call { answer, ..whole.names().call(effects) })
}

fn request(host: &Host, path: &str, whole: &Whole<'_>, piece: &Piece<'_>) -> Result<Call, Undecodable> {
    if piece.media() != "application/http" {
        return Err(bad("has a part that is no request"));
    }
    let end = memchr::memchr(b'\n', piece.body).ok_or_else(|| bad("has a part that is no request"))?;
    let (line, rest) =
        piece.body.split_at_checked(end + 1).ok_or_else(|| bad("has a part that is no request"))?;
    let line = std::str::from_utf8(line).map_err(|_| bad("has a part that is no request"))?;
    let mut words = line.trim_end_matches(['\r', '\n']).split(' ');
    let (Some(method), Some(target), version, None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad("has a part that is no request"));
    };
    if version.is_some_and(|version| version != "HTTP/1.1")
        || !target.starts_with('/')
        || target.starts_with("//")
    {
        return Err(bad(&format!("asks for `{}`, which is no path", clip(target))));
    }
    let inner = multipart::cut(rest)?;
    if inner.headers.contains_key("authorization") {
        return Err(Undecodable::new(
            "second_credential",
            "a request in the batch has a credential of its own; send the batch with one",
        ));
    }
    let own = HeaderValue::from_str(&host.name).ok();
    if inner.headers.get("host").is_some_and(|said| Some(said) != own.as_ref()) {
        return Err(bad("has a request to another host"));
    }
    let head = Head {
        method,
        target,
        authority: &host.name,
        headers: &inner.headers,
        way_in: WayIn::Egress,
        plane: None,
        upstream: None,
    };
    let line = Line::read(&head, &Gcp::RULES)?;
    super::system::check_credentials(&head, &line.query)?;
    super::system::check_headers(&head)?;
    super::system::check(&line.query, &host.sites)?;
    let found = route(&line, host)?;
    let api = found.site.apis().get(found.method.api);
    if found.media != Media::None || api.is_none_or(|api| *api.batch != *path) {
        return Err(bad(&format!("asks for `{}`, which is not of the API that it is sent to", clip(target))));
    }
    let body = inner.body.trim_ascii();
    let whole = Whole { line: &line, body, ..*whole };
    call::call(&found, host.place(), &whole)
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_batch", format!("the batch {what}; send each request on its own"))
}
