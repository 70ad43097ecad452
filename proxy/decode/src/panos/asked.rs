//! The parameters of a request, wherever they stand, and what it is by them.
//!
//! The API takes them from the query and from a form alike: one that is given twice, or in another spelling, could be either.
//! Leaves out what they say.

use ordain_action::{Completeness, Parameters, Scalar, Undecodable};

use super::words;
use crate::form::Fields;
use crate::form::fields::{clip, duplicate};
use crate::form::query::{self, Pair, Plus};
use crate::form::xml::{self, Form};
use crate::rest::Whole;

/// Attributes of elements. `xpath` is that of what is moved or copied.
const ATTRIBUTES: &[&str] = &[
    "admin",
    "blockstart",
    "dirtyId",
    "fromport",
    "ip",
    "loc",
    "name",
    "persistent",
    "port",
    "substitute",
    "time",
    "timeout",
    "toport",
    "urldb",
    "user",
    "uuid",
    "value",
    "version",
    "xpath",
];

/// Elements that there may be any number of.
const LISTS: &[&str] = &["entry", "member", "source"];

/// What is asked for, as far as the head says: the API's own key may be handed out.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(super) is_post: bool,
    /// It hands out a key, or a form may say so.
    pub(super) may_hand_out: bool,
}

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Said<'w, 'a> {
    pub(super) whole: &'w Whole<'a>,
    pairs: Vec<(String, String)>,
    /// A file came with it.
    pub(super) has_file: bool,
}

impl<'w, 'a> Said<'w, 'a> {
    /// Reads the query and the form.
    ///
    /// # Errors
    /// A name is given twice, or none that there is; or a credential stands among them.
    pub(super) fn read(whole: &'w Whole<'a>) -> Result<Self, Undecodable> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut has_file = false;
        let own = |pair: &Pair<'_>| (pair.name.to_string(), pair.value.to_string());
        pairs.extend(whole.line.query.iter().map(own));
        if !whole.body.is_empty() {
            match whole.media_type()?.as_str() {
                // A firewall may look at one of them alone: what stands in the other would be said to nobody.
                "application/x-www-form-urlencoded" if !pairs.is_empty() => {
                    return Err(bad("there are parameters in the query and in a form; send them in one"));
                }
                "application/x-www-form-urlencoded" => {
                    let text = std::str::from_utf8(whole.body).map_err(|_| {
                        Undecodable::new("not_utf8", "the form is not UTF-8; percent-encode it")
                    })?;
                    query::refuse_semicolons(text)?;
                    pairs.extend(query::parse(text, Plus::Space)?.iter().map(own));
                }
                "multipart/form-data" => {
                    super::multipart::only_a_file(whole.line.head.header("content-type"), whole.body)?;
                    has_file = true;
                }
                other => {
                    return Err(Undecodable::new(
                        "unread_media_type",
                        format!("a body of the type `{}` is not read here; send a form", clip(other)),
                    ));
                }
            }
        }
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some((name, _)) = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
            return Err(duplicate(name));
        }
        if let Some((name, _)) = pairs.iter().find(|(name, _)| is_credential(name)) {
            return Err(Undecodable::new(
                "misplaced_credential",
                format!("`{}` carries a credential where others read it; send it as `X-PAN-KEY`", clip(name)),
            ));
        }
        Ok(Self { whole, pairs, has_file })
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn need(&self, name: &str) -> Result<&str, Undecodable> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| bad(&format!("`{name}` is missing; name it")))
    }

    /// Refuses parameters that this type of request does not have.
    ///
    /// # Errors
    /// The first of them.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Undecodable> {
        let own = |name: &str| matches!(name, "type" | "target" | "vsys") || known.contains(&name);
        match self.pairs.iter().find(|(name, _)| !own(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Undecodable::new(
                "unread_parameter",
                format!("`{}` is no parameter of this request; take it out", clip(name)),
            )),
        }
    }

    /// All parameters, with those of XML by their elements and secrets as tokens.
    pub(super) fn parameters(&self, parsed: &[(&str, &Fields)]) -> Parameters {
        let mut parameters = Parameters::new();
        let mut too_many = false;
        let mut keep = |path: &str, value: Scalar<'_>| {
            let mut token = String::new();
            let secret = || path.split('.').any(words::is_secret);
            let value = self.whole.tokens.cover(value, secret, &mut token);
            too_many |= parameters.push(path, value).is_err();
        };
        for (name, value) in &self.pairs {
            if !parsed.iter().any(|(of, _)| of == name) {
                keep(&name.replace('.', "\\."), Scalar::Text(value));
            }
        }
        for (name, fields) in parsed {
            for (path, value) in fields.iter() {
                keep(&format!("{name}.{path}"), value);
            }
        }
        if too_many {
            parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
        }
        parameters
    }

    /// The serial number of another firewall that it is for.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn target(&self) -> Result<Option<&str>, Undecodable> {
        let Some(serial) = self.get("target") else { return Ok(None) };
        let plain =
            !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain { Ok(Some(serial)) } else { Err(bad("`target` is no serial number; name one firewall")) }
    }
}

/// Parameters by which clients carry their credential.
fn is_credential(name: &str) -> bool {
    ["key", "x-pan-key", "rest_api_token", "sessionid"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Reads elements, as many as there are, below one that is put around them.
///
/// # Errors
/// They are not exactly XML.
pub(super) fn elements(text: &str) -> Result<Fields, Undecodable> {
    let mut fields = Fields::new();
    document(&format!("<element>{text}</element>"), &mut fields)?;
    if fields.iter().any(|(path, _)| path.is_empty()) {
        return Err(bad("`element` is text alone; send an element"));
    }
    Ok(fields)
}

/// Reads a command: the name of its root, and what is in it.
///
/// # Errors
/// It is not exactly one document.
pub(super) fn command(text: &str) -> Result<(String, Fields), Undecodable> {
    let mut fields = Fields::new();
    let root = document(text, &mut fields)?;
    Ok((root, fields))
}

fn document(text: &str, fields: &mut Fields) -> Result<String, Undecodable> {
    let is_list = |path: &str| path.rsplit('.').next().is_some_and(|last| LISTS.contains(&last));
    let form = Form { is_list: &is_list, prefix: None, attributes: ATTRIBUTES };
    let root = xml::read_as(text.as_bytes(), form, fields)?;
    if fields.overflowed() {
        return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
    }
    Ok(root)
}

/// What a request says that it should not, or does not say.
pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_panos", what.to_owned())
}
