//! A body as what it says of what: the members of an object, or of the operations of a JSON Patch (RFC 6902).
//!
//! Leaves out what members mean (`member.rs`).

use ordain_action::{Parameters, Scalar, Undecodable};

use super::service::Service;
use crate::form::Fields;
use crate::form::fields::{clip, segments, unescape};
use crate::rest::{Whole, is_secret};

/// The media types of an object.
const OBJECT: [&str; 1] = ["application/json"];

/// The media types of a patch of Glance, and of one of Ironic.
const IMAGE_PATCH: [&str; 1] = ["application/openstack-images-v2.1-json-patch"];
const BAREMETAL_PATCH: [&str; 2] = ["application/json", "application/json-patch+json"];

/// Members that hold secrets beside those that look so: passwords of servers, what a server runs when it begins, keys
/// of transfers, tokens of agents.
const SECRETS: [&str; 17] = [
    "access_secret",
    "adminpass",
    "agent_token",
    "auth_key",
    "blob",
    "configdrive",
    "contents",
    "oauth_verifier",
    "passcode",
    "psk",
    "secret",
    "secret_key",
    "snmp_community",
    "snmp_community_read",
    "snmp_community_write",
    "token",
    "user_data",
];

/// One value of a body.
#[derive(Debug, Clone)]
pub(super) struct Leaf<'f> {
    /// Where it stands in the request.
    path: &'f str,
    /// What it says something of: the members on the way to it. For a patch, those that its operation names.
    pub of: Vec<String>,
    pub value: Scalar<'f>,
    /// It says only how it is said.
    is_form: bool,
}

impl<'f> Leaf<'f> {
    /// The member that it is, or that it is an item of.
    pub(super) fn name(&self) -> &str {
        self.named(0)
    }

    /// The member around [`Leaf::name`].
    pub(super) fn holder(&self) -> &str {
        self.named(1)
    }

    fn named(&self, nth: usize) -> &str {
        let is_item = |part: &&String| part.bytes().all(|byte| byte.is_ascii_digit()) || part.as_str() == "-";
        self.of.iter().rev().filter(|part| !is_item(part)).nth(nth).map(String::as_str).unwrap_or_default()
    }

    /// Whether it stands below that member, or is it.
    pub(super) fn is_below(&self, member: &str) -> bool {
        self.of.iter().any(|part| part == member)
    }

    /// Its text, where it has some.
    pub(super) fn text(&self) -> Option<&'f str> {
        match self.value {
            Scalar::Text(text) | Scalar::Number(text) if !text.is_empty() => Some(text),
            Scalar::Text(_) | Scalar::Number(_) => None,
            Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
        }
    }

    /// It says no, as services read it.
    pub(super) fn is_off(&self) -> bool {
        match self.value {
            Scalar::Bool(said) => !said,
            Scalar::Null | Scalar::Empty => true,
            Scalar::Text(text) => {
                ["", "0", "f", "false", "n", "no", "off"].contains(&text.trim().to_lowercase().as_str())
            }
            Scalar::Number(text) => text == "0",
            Scalar::Token(_) => false,
        }
    }

    /// It is not there at all, or so the caller says.
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self.value, Scalar::Null | Scalar::Empty)
    }
}

/// What a body says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said<'f>(Vec<Leaf<'f>>);

impl<'f> Said<'f> {
    /// The body of a request, where it has one: an object, or a patch.
    ///
    /// # Errors
    /// It is of another form, or longer than what is read.
    pub(super) fn fields(
        whole: &Whole<'_>,
        service: Service,
        is_patch: bool,
    ) -> Result<Option<Fields>, Undecodable> {
        let media: &[&str] = match (is_patch, service) {
            (false, _) => &OBJECT,
            (true, Service::Image) => &IMAGE_PATCH,
            (true, _) => &BAREMETAL_PATCH,
        };
        let Some(fields) = whole.json_of(media)? else { return Ok(None) };
        if fields.overflowed() {
            return Err(Undecodable::new(
                "too_many_parameters",
                "there are more parameters than are read, and what the rest says would count; send fewer",
            ));
        }
        let first = whole.body.iter().find(|byte| !byte.is_ascii_whitespace());
        let wanted = if is_patch { b'[' } else { b'{' };
        if first != Some(&wanted) {
            let what = if is_patch { "no list of operations" } else { "no object" };
            return Err(bad(&format!("is {what}")));
        }
        Ok(Some(fields))
    }

    /// What an object says.
    pub(super) fn object(fields: &'f Fields) -> Self {
        let leaf = |(path, value)| {
            let of = segments(path).map(unescape).collect();
            Leaf { path, of, value, is_form: false }
        };
        Self(fields.iter().map(leaf).collect())
    }

    /// What the operations of a patch say.
    ///
    /// # Errors
    /// One of them names nothing, or is none such.
    pub(super) fn patch(fields: &'f Fields) -> Result<Self, Undecodable> {
        let mut said = Vec::new();
        let number = |path: &str| segments(path).next().map(str::to_owned).unwrap_or_default();
        let mut rest: Vec<(&str, Scalar<'f>)> = fields.iter().collect();
        while let Some((first, _)) = rest.first() {
            let own = number(first);
            let (these, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|(path, _)| number(path) == own);
            said.extend(operation(&these)?);
            rest = others;
        }
        Ok(Self(said))
    }

    /// The values that say something.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Leaf<'f>> + Clone {
        self.0.iter().filter(|leaf| !leaf.is_form)
    }

    /// The members of the object itself.
    pub(super) fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> =
            self.0.iter().filter_map(|leaf| leaf.of.first().map(String::as_str)).collect();
        keys.dedup();
        keys
    }

    /// The member around all the others, where there is one.
    pub(super) fn wrapper(&self) -> Option<&str> {
        let is_around = self.0.iter().all(|leaf| leaf.of.len() > 1);
        let keys = self.keys();
        keys.first().copied().filter(|_| is_around && keys.len() == 1)
    }

    /// The items of the list that is all it has, each for itself; `None` where there is no such list.
    pub(super) fn items(&self) -> Option<Vec<Said<'f>>> {
        let [_only] = self.keys().as_slice() else { return None };
        let mut items: Vec<(&str, Said<'f>)> = Vec::new();
        for leaf in &self.0 {
            let item = leaf.of.get(1).filter(|item| item.bytes().all(|byte| byte.is_ascii_digit()))?;
            match items.last_mut() {
                Some((last, said)) if last == item => said.0.push(leaf.clone()),
                Some(_) | None => items.push((item, Said(vec![leaf.clone()]))),
            }
        }
        Some(items.into_iter().map(|(_, said)| said).collect())
    }

    /// The text of that name which stands least deep, and at most that deep; of several the first by their names.
    pub(super) fn text(&self, name: &str, depth: usize) -> Option<&'f str> {
        let own =
            |leaf: &&Leaf<'f>| leaf.of.last().is_some_and(|last| last == name) && leaf.of.len() <= depth;
        self.leaves().filter(own).min_by_key(|leaf| (leaf.of.len(), &leaf.of)).and_then(Leaf::text)
    }

    /// Puts it to the parameters, secrets as tokens.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn put(&self, whole: &Whole<'_>, parameters: &mut Parameters) -> Result<(), Undecodable> {
        for leaf in self.0.iter().filter(|leaf| !leaf.path.is_empty()) {
            let mut token = String::new();
            let path = leaf.of.join(".");
            let secret = || !leaf.is_form && (is_secret(&path, &SECRETS) || holds_token(leaf));
            let value = whole.tokens.cover(leaf.value, secret, &mut token);
            parameters.push(leaf.path, value).map_err(|_| {
                Undecodable::new("too_many_parameters", "there are too many parameters; send fewer")
            })?;
        }
        Ok(())
    }
}

/// The token that one signs in with, and what is below a secret of several parts.
fn holds_token(leaf: &Leaf<'_>) -> bool {
    let is_token = leaf.holder() == "token" && leaf.name() == "id";
    is_token || SECRETS.iter().any(|secret| *secret != "token" && leaf.is_below(secret))
}

/// What one operation of a patch says.
fn operation<'f>(leaves: &[(&'f str, Scalar<'f>)]) -> Result<Vec<Leaf<'f>>, Undecodable> {
    let (mut what, mut target, mut from) = (None, None, None);
    let mut values: Vec<(&'f str, Vec<String>, Scalar<'f>)> = Vec::new();
    let mut said = Vec::new();
    for (path, value) in leaves {
        let of: Vec<String> = segments(path).map(unescape).collect();
        let own: Vec<&str> = of.iter().skip(1).map(String::as_str).collect();
        match (own.as_slice(), value) {
            (["op"], Scalar::Text(text)) => what = Some(*text),
            (["path"], Scalar::Text(text)) => target = Some(pointer(text)?),
            (["from"], Scalar::Text(text)) => from = Some(pointer(text)?),
            (["value", rest @ ..], value) => {
                values.push((*path, rest.iter().map(|part| (*part).to_owned()).collect(), *value));
                continue;
            }
            _ => return Err(bad("has an operation that is none of RFC 6902")),
        }
        said.push(Leaf { path, of, value: *value, is_form: true });
    }
    let target = target.ok_or_else(|| bad("has an operation without a path"))?;
    let is_whole = matches!(
        (what, from.is_some(), values.is_empty()),
        (Some("add" | "replace" | "test"), false, false)
            | (Some("remove"), false, _)
            | (Some("move" | "copy"), true, true)
    );
    if !is_whole {
        return Err(bad("has an operation that is none of RFC 6902"));
    }
    let nothing = || Leaf { path: "", of: Vec::new(), value: Scalar::Null, is_form: false };
    if let Some(from) = from {
        said.push(Leaf { of: from, ..nothing() });
    }
    if values.is_empty() {
        said.push(Leaf { of: target.clone(), ..nothing() });
    }
    for (path, rest, value) in values {
        said.push(Leaf { path, of: target.iter().cloned().chain(rest).collect(), value, is_form: false });
    }
    Ok(said)
}

/// The members that a pointer names (RFC 6901). The whole document has no name here.
fn pointer(text: &str) -> Result<Vec<String>, Undecodable> {
    let rest = text.strip_prefix('/').filter(|rest| !rest.is_empty());
    let rest = rest.ok_or_else(|| bad(&format!("names `{}`, which is no member", clip(text))))?;
    rest.split('/')
        .map(|part| unpoint(part).ok_or_else(|| bad("has a pointer that RFC 6901 has not")))
        .collect()
}

fn unpoint(part: &str) -> Option<String> {
    let mut plain = String::with_capacity(part.len());
    let mut characters = part.chars();
    while let Some(character) = characters.next() {
        match character {
            '~' => plain.push(match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            }),
            other => plain.push(other),
        }
    }
    (!plain.is_empty() && plain.trim() == plain).then_some(plain)
}

/// What a body that is not there should have said.
pub(super) fn missing() -> Undecodable {
    bad("is missing")
}

pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_body", format!("the body {what}; send it as the API has it"))
}
