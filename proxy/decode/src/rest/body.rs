//! A whole request: its head, its body, and whose it is.
//!
//! Leaves out what members mean; secrets among them become tokens here.

use ordain_action::{Completeness, Parameters, Plane, Scalar, Undecodable, Upstream};

use super::{Line, Names};
use crate::form::fields::clip;
use crate::form::{Fields, json, names};
use crate::tokens::{Tokens, looks_secret};

/// A request with its body.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub plane: Plane,
    /// Whose account it is.
    pub upstream: &'a Upstream,
    pub line: &'a Line<'a>,
    /// The body as sent; empty where it is streamed.
    pub body: &'a [u8],
    pub tokens: &'a Tokens,
}

impl<'a> Whole<'a> {
    /// The names of what the upstream has.
    pub(crate) fn names(&self) -> Names<'a> {
        Names { plane: self.plane, account: &self.upstream.account }
    }

    /// See [`Line::media_type`].
    ///
    /// # Errors
    /// A character set other than UTF-8.
    pub(crate) fn media_type(&self) -> Result<String, Undecodable> {
        self.line.media_type()
    }

    /// The body, which has to be JSON of one of these media types; none where it is empty.
    ///
    /// # Errors
    /// It is of another type, or not JSON.
    pub(crate) fn json_of(&self, media: &[&str]) -> Result<Option<Fields>, Undecodable> {
        if self.body.is_empty() {
            return Ok(None);
        }
        let found = self.media_type()?;
        if !media.contains(&found.as_str()) {
            return Err(Undecodable::new(
                "unread_media_type",
                format!(
                    "a body of the type `{}` is not read here; send it as `{}`",
                    clip(&found),
                    media.join("` or `")
                ),
            ));
        }
        self.json().map(Some)
    }

    /// The body, which the plane takes for JSON whatever is said of it.
    ///
    /// # Errors
    /// It is not JSON.
    pub(crate) fn json(&self) -> Result<Fields, Undecodable> {
        self.refuse_method_in_form()?;
        let mut fields = Fields::new();
        json::read(self.body, &mut fields)?;
        Ok(fields)
    }

    /// Refuses a body that is said to be a form in which another method stands: servers may take that before the body is
    /// read as JSON.
    fn refuse_method_in_form(&self) -> Result<(), Undecodable> {
        if self.media_type()? != "application/x-www-form-urlencoded" {
            return Ok(());
        }
        let name = |part: &[u8]| {
            let name = part.split(|byte| *byte == b'=').next().unwrap_or_default();
            let spaced: Vec<u8> = name.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            percent_encoding::percent_decode(&spaced).decode_utf8_lossy().into_owned()
        };
        if self.body.split(|byte| matches!(byte, b'&' | b';')).any(|part| names::rewrites(&name(part))) {
            return Err(Undecodable::new(
                "unread_parameter",
                "`_method` would make the request another than it looks, and the body is said to be a form; take it out, \
                 or send the body as `application/json`",
            ));
        }
        Ok(())
    }

    /// The parameters of the query, and the members of a body, with secrets as tokens: what is named in `secrets` (by the
    /// last part of its path, in lower case) or looks like one. A parameter of the query has `?` before its name.
    pub(crate) fn parameters(&self, body: Option<&Fields>, secrets: &[&str]) -> Parameters {
        let mut parameters = Parameters::new();
        let too_many = Completeness::Partial("there are more parameters than are kept");
        let mut token = String::new();
        for pair in &self.line.query {
            let path = format!("?{}", pair.name);
            let value = Scalar::Text(&pair.value);
            let value = self.tokens.cover(value, || is_secret(&path, secrets), &mut token);
            if parameters.push(&path, value).is_err() {
                parameters.incomplete(too_many);
            }
        }
        let Some(body) = body else { return parameters };
        if body.overflowed() {
            parameters.incomplete(too_many);
        }
        for (path, value) in body.iter() {
            let mut token = String::new();
            let value = self.tokens.cover(value, || is_secret(path, secrets), &mut token);
            if parameters.push(path, value).is_err() {
                parameters.incomplete(too_many);
                break;
            }
        }
        parameters
    }
}

/// Whether what stands at a path is a secret.
pub(crate) fn is_secret(path: &str, secrets: &[&str]) -> bool {
    let in_list = |segment: &&str| segment.bytes().all(|byte| byte.is_ascii_digit());
    let last = path.rsplit('.').find(|segment| !in_list(segment)).unwrap_or(path);
    let last = last.trim_start_matches('?');
    looks_secret(path) || secrets.iter().any(|secret| last.eq_ignore_ascii_case(secret))
}
