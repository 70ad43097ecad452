//! Which method a path means.
//!
//! A path is matched whole, against every method that the host has. Leaves out what the method does.

use ordain_action::Undecodable;
use ordain_catalog::{GoogleMethod, GooglePath, GoogleSegment, GoogleSite};

use super::host::Host;
use super::system;
use crate::form::fields::clip;
use crate::rest::Line;

/// A part of a path: a word that the API has there, or what the caller put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) literal: bool,
    /// A slash in it is a part of the name.
    pub(super) slashed: bool,
}

/// How the bytes of something come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// They do not.
    None,
    /// The body is what is uploaded.
    Simple,
    /// The body is what it is called, and then what is uploaded.
    Multipart,
    /// An upload begins; the body says what it is called.
    Begin,
    /// An upload goes on, or is ended.
    Continue,
}

/// A method, and the path that asks for it.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) site: &'static GoogleSite,
    pub(super) method: &'static GoogleMethod,
    pub(super) parts: Vec<Part>,
    pub(super) media: Media,
    /// The method stands elsewhere than in the request line.
    pub(super) overridden: bool,
}

impl Route {
    /// The first word of the method's name.
    pub(super) fn service(&self) -> &'static str {
        self.method.id.split('.').next().unwrap_or_default()
    }

    /// The rest of it.
    pub(super) fn operation(&self) -> &'static str {
        self.method.id.split_once('.').map_or(&*self.method.id, |(_, rest)| rest)
    }

    /// The last word of it.
    pub(super) fn word(&self) -> &'static str {
        self.method.id.rsplit('.').next().unwrap_or_default()
    }
}

/// The word after the last colon of a path, where it is one of a method's.
enum Verb<'a> {
    None,
    Named(&'a str, &'a str),
}

/// Finds the method.
///
/// # Errors
/// The host has none such, or more than one.
pub(super) fn route(line: &Line<'_>, host: &Host) -> Result<Route, Undecodable> {
    let (http, overridden) = system::method(line.method, line.head, &line.query)?;
    let path = line.path();
    let (prefix, rest) = match path.as_slice() {
        ["upload", rest @ ..] => ("upload", rest),
        ["resumable", "upload", rest @ ..] => ("resumable", rest),
        ["download", rest @ ..] => ("download", rest),
        all => ("", all),
    };
    let raw = line.head.target.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let mut found = best(host, http, &path, raw)?;
    // Whoever does not look at the override must not be made to do something else by it.
    if overridden && best(host, "POST", &path, raw)?.is_some_and(|(_, other, _)| !other.body) {
        return Err(Undecodable::new(
            "bad_method_override",
            "the method override stands before a method that POST asks for too; send the request by its own method",
        ));
    }
    let mut media = Media::None;
    if found.is_none() && !prefix.is_empty() {
        let (asked, how) = match prefix {
            "download" => (http, Media::None),
            _ => upload(line, http, prefix)?,
        };
        media = how;
        // An upload that goes on is asked for by another method than it began with.
        let methods: &[&'static str] =
            if how == Media::Continue { &["POST", "PUT", "PATCH"] } else { std::slice::from_ref(&asked) };
        for http in methods {
            let fits = best(host, http, rest, raw)?.filter(|(_, method, _)| match prefix {
                "download" => method.download,
                _ => method.upload,
            });
            found = found.or(fits);
        }
    }
    let (site, method, parts) = found.ok_or_else(|| line.unknown())?;
    // A method with an upload, asked for without one, writes what its body says alone.
    Ok(Route { site, method, parts, media, overridden })
}

/// What an upload is, by its parameters.
fn upload(line: &Line<'_>, http: &'static str, prefix: &str) -> Result<(&'static str, Media), Undecodable> {
    // Said otherwise, or a second time in other words, it may be another upload to the server.
    let other = |name: &str| {
        matches!(system::fold(name).as_str(), "uploadtype" | "uploadid" | "uploadprotocol")
            && !matches!(name, "uploadType" | "upload_id")
    };
    if let Some(pair) = line.query.iter().find(|pair| other(&pair.name)) {
        return Err(Undecodable::new(
            "unread_upload",
            format!("`{}` says in another way how to upload; use `uploadType` alone", clip(&pair.name)),
        ));
    }
    let goes_on = line.query("upload_id").is_some();
    match line.query("uploadType") {
        Some("media") if !goes_on && prefix == "upload" => Ok((http, Media::Simple)),
        Some("multipart") if !goes_on && prefix == "upload" => Ok((http, Media::Multipart)),
        Some("resumable") if goes_on => Ok((http, Media::Continue)),
        Some("resumable") => Ok((http, Media::Begin)),
        other => Err(Undecodable::new(
            "unread_upload",
            format!(
                "`uploadType={}` is no way to upload that is read here; use `media`, `multipart` or `resumable`",
                clip(other.unwrap_or_default())
            ),
        )),
    }
}

type Found = (&'static GoogleSite, &'static GoogleMethod, Vec<Part>);

/// The method of those that are `meant` which a path without its verb asks for.
///
/// # Errors
/// More than one fits.
pub(super) fn meant(
    host: &Host,
    http: &'static str,
    (path, verb): (&[&str], Option<&str>),
    meant: impl Fn(&GoogleMethod) -> bool,
) -> Result<Option<Route>, Undecodable> {
    let last = path.last().copied().unwrap_or_default();
    let verb = verb.map_or(Verb::None, |verb| Verb::Named(last, verb));
    let found = best_of(host, http, (path, &verb), meant)?;
    let route = |(site, method, parts)| Route { site, method, parts, media: Media::None, overridden: false };
    Ok(found.map(route))
}

/// The method that fits best: the more words of a path are the API's own, the better, from the left.
fn best(host: &Host, http: &'static str, path: &[&str], raw: &str) -> Result<Option<Found>, Undecodable> {
    let verb = verb(host, path.last().copied().unwrap_or_default(), raw)?;
    best_of(host, http, (path, &verb), |_| true)
}

fn best_of(
    host: &Host,
    http: &'static str,
    (path, verb): (&[&str], &Verb<'_>),
    meant: impl Fn(&GoogleMethod) -> bool,
) -> Result<Option<Found>, Undecodable> {
    let mut best: Option<(Vec<u8>, Found)> = None;
    let mut equal = false;
    for site in &host.sites {
        for (_, method) in site.candidates(http, path.len()).filter(|(_, method)| meant(method)) {
            let Some((weights, parts)) = fit(&method.path, path, verb) else { continue };
            match &best {
                Some((known, _)) if *known > weights => {}
                Some((known, (_, other, _))) if *known == weights => equal |= other.id != method.id,
                Some(_) | None => {
                    best = Some((weights, (site, method, parts)));
                    equal = false;
                }
            }
        }
    }
    if equal {
        return Err(Undecodable::new(
            "ambiguous_operation",
            "the path is that of two methods; name what is meant in the API's own words",
        ));
    }
    let Some((_, found)) = best else { return Ok(None) };
    for part in &found.2 {
        if !part.slashed
            && let Some(character) = part.text.chars().find(|one| matches!(one, '/' | ';' | '%' | '\\'))
        {
            return Err(Undecodable::new(
                "bad_path",
                format!(
                    "the path has `{character}` in `{}`, which servers take for two things; leave it out",
                    clip(&part.text)
                ),
            ));
        }
    }
    Ok(Some(found))
}

/// Reads what stands after the last colon of a path.
///
/// # Errors
/// It looks like a word of the API's and is none, or is one and is escaped: servers differ over both.
fn verb<'a>(host: &Host, last: &'a str, raw: &str) -> Result<Verb<'a>, Undecodable> {
    let Some((before, word)) = last.rsplit_once(':') else { return Ok(Verb::None) };
    let plain = raw.rsplit_once(':').is_some_and(|(_, raw)| raw == word);
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    match (host.sites.iter().any(|site| site.is_verb(word)), plain) {
        (true, true) => Ok(Verb::Named(before, word)),
        (true, false) => Err(Undecodable::new(
            "ambiguous_colon",
            format!(
                "`:{}` is written with an escaped colon, which servers take for two things; write it plainly",
                clip(word)
            ),
        )),
        (false, true) if is_word => Err(Undecodable::new(
            "unknown_operation",
            format!(
                "`:{}` is no method of this API; escape the colon as `%3A` where it is part of a name",
                clip(word)
            ),
        )),
        (false, true | false) => Ok(Verb::None),
    }
}

fn fit(template: &GooglePath, path: &[&str], verb: &Verb<'_>) -> Option<(Vec<u8>, Vec<Part>)> {
    let mut path = path.to_vec();
    match (verb, &template.verb) {
        (Verb::None, None) => {}
        (Verb::Named(before, word), Some(wanted)) if **wanted == **word => *path.last_mut()? = before,
        (Verb::None | Verb::Named(..), _) => return None,
    }
    let mut weights = Vec::with_capacity(path.len());
    let mut parts = Vec::with_capacity(path.len());
    let mut given = path.as_slice();
    for (at, segment) in template.segments.iter().enumerate() {
        let part = |text: &str, literal, slashed| Part { text: text.to_owned(), literal, slashed };
        let (first, rest) = given.split_first()?;
        match segment {
            GoogleSegment::Literal(word) if **word == **first => {
                weights.push(3);
                parts.push(part(first, true, false));
            }
            GoogleSegment::Literal(_) => return None,
            GoogleSegment::One | GoogleSegment::Slashed if first.is_empty() => return None,
            GoogleSegment::One => {
                weights.push(2);
                parts.push(part(first, false, false));
            }
            GoogleSegment::Slashed => {
                weights.push(2);
                parts.push(part(first, false, true));
            }
            GoogleSegment::Many => {
                let after = template.segments.len().checked_sub(at + 1)?;
                let take = given.len().checked_sub(after).filter(|take| *take > 0)?;
                let (taken, left) = given.split_at_checked(take)?;
                weights.push(1);
                parts.extend(taken.iter().map(|text| part(text, false, false)));
                given = left;
                continue;
            }
        }
        given = rest;
    }
    given.is_empty().then_some((weights, parts))
}
