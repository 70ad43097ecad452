//! Credentials of the cluster that stand in its own objects: a token in a secret, a certificate that was signed for a
//! client. Whoever gets one needs no gate any more, so that in answers something else stands in their place.
//!
//! Bytes in, bytes out, as an answer arrives: what cannot be read exactly is not given away. A secret of the token type
//! may be made, since its making tells nothing; what the cluster then puts into it is withheld from whoever reads it.
//! Leaves out tokens that the cluster is asked for and that are exchanged (`answer.rs`), and copies that somebody keeps
//! in objects of other types, which nobody can tell from data.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use http::{HeaderMap, HeaderValue, header};
use memchr::memmem;
use ordain_action::Undecodable;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::path::{ObjectPath, Place};
use super::pieces::{Piece, Pieces, bad};
use super::request::{Form, Request, Verb};
use crate::answer::AnswerHead;

/// What stands in the place of a credential, as whoever decodes it reads it.
const INSTEAD: &[u8] = b"withheld by ordain: kubectl create token makes one that works through it";

/// The same, as it stands in an answer.
const WRITTEN: &str =
    "d2l0aGhlbGQgYnkgb3JkYWluOiBrdWJlY3RsIGNyZWF0ZSB0b2tlbiBtYWtlcyBvbmUgdGhhdCB3b3JrcyB0aHJvdWdoIGl0";

/// So long that what is equal to it elsewhere in an object is the same credential.
const TELLING: usize = 20;

/// The objects that credentials stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objects {
    Secrets,
    /// Requests for certificates, whose keys their makers have.
    Certificates,
}

impl Objects {
    fn of(object: &ObjectPath) -> Option<Self> {
        match (object.group.as_str(), object.resource.as_str()) {
            ("", "secrets") => Some(Self::Secrets),
            ("certificates.k8s.io", "certificatesigningrequests" | "podcertificaterequests") => {
                Some(Self::Certificates)
            }
            _ => None,
        }
    }
}

/// Whether an answer may show a credential of the cluster.
pub(super) fn objects(request: &Request) -> Option<Objects> {
    match &request.place {
        Place::Object(object) if request.connect.is_none() => Objects::of(object),
        Place::Object(_) | Place::Url(_) => None,
    }
}

/// Whether a body holds what stands in the place of a credential: it would be written over the real one.
pub(super) fn writes_back(body: &[u8]) -> bool {
    [INSTEAD, WRITTEN.as_bytes()].into_iter().any(|text| memmem::find(body, text).is_some())
}

/// Whether a patch may put a credential where nothing tells that it is one: by moving or copying it, which only a JSON
/// patch does. What cannot be read as one that does not, may.
pub(super) fn moves(request: &Request, body: &[u8]) -> bool {
    let others = [Form::MergePatch, Form::StrategicPatch, Form::ApplyYaml, Form::ApplyCbor];
    if request.verb != Verb::Patch || request.form.as_ref().is_ok_and(|form| others.contains(form)) {
        return false;
    }
    let plain = |operation: &&RawValue| {
        let name = members(operation.get()).ok()?.get("op").map(RawValue::get)?;
        // A name that is written in another way is none of these.
        Some(matches!(name, "\"add\"" | "\"remove\"" | "\"replace\"" | "\"test\""))
    };
    let operations = std::str::from_utf8(body).ok().and_then(|text| read::<Vec<&RawValue>>(text).ok());
    !operations.is_some_and(|all| all.iter().all(|operation| plain(operation) == Some(true)))
}

/// Of the forms in which an answer is asked for, those that are read here. The server looks at the first header alone.
pub(super) fn accept(headers: &HeaderMap) -> HeaderValue {
    let asked = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let json = |form: &&str| {
        let media = form.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/json")
    };
    let kept: Vec<&str> = asked.split(',').map(str::trim).filter(json).collect();
    let kept = HeaderValue::from_str(&kept.join(",")).ok().filter(|kept| !kept.is_empty());
    kept.unwrap_or_else(|| HeaderValue::from_static("application/json"))
}

/// An answer on its way, whose credentials are withheld.
#[derive(Debug)]
pub struct Withholding {
    objects: Objects,
    pieces: Pieces,
    watches: bool,
}

impl Withholding {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let watches = request.verb == Verb::Watch;
        objects(request).map(|objects| Self { objects, pieces: Pieces::new(watches), watches })
    }

    /// One event follows another: the answer has begun before the first of them is there.
    #[must_use]
    pub const fn watches(&self) -> bool {
        self.watches
    }

    /// Looks at the head of a success.
    ///
    /// # Errors
    /// The answer is in a form that is not read here, and must not reach the caller.
    pub fn begin(&self, head: &AnswerHead<'_>) -> Result<(), Undecodable> {
        let text = |name| head.headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
        let media = text(header::CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default();
        if !media.trim().eq_ignore_ascii_case("application/json") {
            return Err(bad("it is no JSON"));
        }
        match text(header::CONTENT_ENCODING) {
            None | Some("" | "identity") => Ok(()),
            Some(_) => Err(bad("it is compressed")),
        }
    }

    /// Takes what has arrived, and adds to `out` what may go on.
    ///
    /// # Errors
    /// Something cannot be read exactly: nothing more must reach the caller.
    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
        let Self { objects, pieces, .. } = self;
        pieces.take(bytes, |piece, text| {
            match piece {
                Piece::Value => out.extend_from_slice(&without(*objects, text)?),
                Piece::Before => out.extend_from_slice(around(*objects, text, [b"", text, b"]}"])?),
                Piece::Behind => out.extend_from_slice(around(*objects, text, [b"{\"\":[", text, b""])?),
                Piece::Between => out.extend_from_slice(text),
            }
            Ok(())
        })
    }

    /// Everything has arrived.
    ///
    /// # Errors
    /// What arrived is not whole.
    pub fn end(&self) -> Result<(), Undecodable> {
        self.pieces.end()
    }
}

/// What stands around the items of a list holds no credential.
fn around<'t>(objects: Objects, text: &'t [u8], whole: [&[u8]; 3]) -> Result<&'t [u8], Undecodable> {
    let whole = whole.concat();
    let members = members(std::str::from_utf8(&whole).map_err(|_| bad("it is not UTF-8"))?)?;
    let told = ["data", "stringData", "object", "spec", "status", "type"];
    let filled =
        |list: &str| members.get(list).is_some_and(|list| list.get() != "[]" && list.get() != "null");
    if told.iter().any(|name| members.get(name).is_some()) || filled("items") || filled("rows") {
        return Err(bad("an object is a list too"));
    }
    match without(objects, &whole)? {
        Cow::Borrowed(_) => Ok(text),
        Cow::Owned(_) => Err(bad("an object is a list too")),
    }
}

/// A piece without its credentials.
fn without(objects: Objects, piece: &[u8]) -> Result<Cow<'_, [u8]>, Undecodable> {
    let text = std::str::from_utf8(piece).map_err(|_| bad("it is not UTF-8"))?;
    let mut found = Vec::new();
    find(objects, text, text, &mut found)?;
    if found.is_empty() {
        return Ok(Cow::Borrowed(piece));
    }
    let mut replaced = text.to_owned();
    // From behind, so that the places before stay what they are.
    found.sort_by_key(|place: &Range<usize>| std::cmp::Reverse(place.start));
    for place in &found {
        if replaced.get(place.clone()).is_none() {
            return Err(bad("a credential in it is nowhere"));
        }
        replaced.replace_range(place.clone(), WRITTEN);
    }
    // A copy of it may stand in an annotation.
    for credential in found.iter().filter_map(|place| text.get(place.clone())) {
        if credential.len() >= TELLING {
            replaced = replaced.replace(credential, WRITTEN);
        }
    }
    // The proof is in the result, not in how it was made.
    let mut left = Vec::new();
    find(objects, &replaced, &replaced, &mut left)?;
    if left.is_empty() { Ok(Cow::Owned(replaced.into_bytes())) } else { Err(bad("a credential is left")) }
}

/// Finds the places of credentials in an object, and in the objects within.
fn find(
    objects: Objects,
    text: &str,
    object: &str,
    found: &mut Vec<Range<usize>>,
) -> Result<(), Undecodable> {
    let members = members(object)?;
    for list in ["items", "rows"] {
        let items = members.get(list).filter(|items| items.get().starts_with('['));
        let items: Vec<&RawValue> = items.map_or(Ok(Vec::new()), |items| read(items.get()))?;
        for item in items {
            find(objects, text, item.get(), found)?;
        }
    }
    if let Some(inner) = members.get("object").filter(|inner| inner.get() != "null") {
        find(objects, text, inner.get(), found)?;
    }
    match objects {
        Objects::Secrets => secret(text, &members, found),
        Objects::Certificates => certificate(text, &members, found),
    }
}

/// The members of a secret that hold a credential of the cluster, by its type.
fn secret(text: &str, members: &Members<'_>, found: &mut Vec<Range<usize>>) -> Result<(), Undecodable> {
    for part in ["data", "stringData"] {
        let Some(data) = members.filled(part) else { continue };
        let kind = members.get("type").map(|kind| read::<Cow<'_, str>>(kind.get())).transpose()?;
        let names: &[&str] = match kind.as_deref() {
            Some("kubernetes.io/service-account-token") => &["token"],
            Some("bootstrap.kubernetes.io/token") => &["token-secret"],
            Some(_) => &[],
            None => return Err(bad("a secret says no type")),
        };
        if names.is_empty() {
            continue;
        }
        let data = self::members(data.get())?;
        for name in names {
            if let Some(value) = data.get(name) {
                place(text, value, found)?;
            }
        }
    }
    Ok(())
}

/// A certificate that was signed for a client of the cluster. One for serving, and one by a signer of somebody else's,
/// is no credential of the cluster's.
fn certificate(text: &str, members: &Members<'_>, found: &mut Vec<Range<usize>>) -> Result<(), Undecodable> {
    let Some(status) = members.filled("status").filter(|status| status.get().starts_with('{')) else {
        // A `Status` has a text there.
        return Ok(());
    };
    let status = self::members(status.get())?;
    let signer = match members.filled("spec") {
        None => None,
        Some(spec) => {
            let spec = self::members(spec.get())?;
            spec.get("signerName")
                .map(|name| read::<Cow<'_, str>>(name.get()).map(Cow::into_owned))
                .transpose()?
        }
    };
    let others = signer.is_some_and(|name| {
        name == "kubernetes.io/kubelet-serving" || !name.is_empty() && !name.starts_with("kubernetes.io/")
    });
    for name in ["certificate", "certificateChain"] {
        if let Some(value) = status.get(name).filter(|_| !others) {
            place(text, value, found)?;
        }
    }
    Ok(())
}

/// Where the text of a value stands, between its quotes; nowhere where it is nothing.
fn place(text: &str, value: &RawValue, found: &mut Vec<Range<usize>>) -> Result<(), Undecodable> {
    let inner = match value.get() {
        "null" => return Ok(()),
        text => text.strip_prefix('"').and_then(|text| text.strip_suffix('"')),
    };
    let inner = inner.ok_or_else(|| bad("a credential in it is no text"))?;
    if inner.is_empty() || inner == WRITTEN {
        return Ok(());
    }
    let start = inner.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    found.push(start..start.saturating_add(inner.len()));
    Ok(())
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Undecodable> {
    serde_json::from_str(text).map_err(|_| bad("its JSON is damaged"))
}

fn members(object: &str) -> Result<Members<'_>, Undecodable> {
    read(object)
}

/// The members of an object, each there once, as they stand.
struct Members<'t>(BTreeMap<Cow<'t, str>, &'t RawValue>);

impl<'t> Members<'t> {
    fn get(&self, name: &str) -> Option<&'t RawValue> {
        self.0.get(name).copied()
    }

    fn filled(&self, name: &str) -> Option<&'t RawValue> {
        self.get(name).filter(|value| value.get() != "null")
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[derive(Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

#[cfg(test)]
#[path = "withheld_tests.rs"]
mod tests;
