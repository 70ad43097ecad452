//! The head of a request, read strictly: what two servers could take for two things is refused.
//!
//! Leaves out what paths and parameters mean.

use std::borrow::Cow;

use ordain_action::Undecodable;

use crate::Head;
use crate::form::REWRITING;
use crate::form::fields::{clip, duplicate};
use crate::form::query::{self, Pair, Plus};
use crate::form::uri::Target;

/// How the heads of a plane are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The methods that it knows, as they are written on the wire.
    pub methods: &'static [&'static str],
    /// Parameters of a query that may stand several times; `*` where the room looks at all of them itself.
    pub repeats: &'static [&'static str],
    /// A path means the same with a slash at its end. Otherwise one is refused.
    pub trailing_slash: bool,
    /// What may stand in a segment of a path besides what is refused on every other plane: an escaped `/`, `;` or `%`,
    /// which servers are known to take for the end of a segment, for a parameter, or for another escape.
    pub in_segments: &'static [char],
    /// Headers by which a request says that it is another than it looks, and which this plane documents.
    pub rewriting: &'static [&'static str],
    /// The parameters in which `;` may stand unescaped, since the plane has a meaning for it there. Elsewhere servers are
    /// known to take it for `&`.
    pub semicolons: &'static [&'static str],
    /// Headers that carry a credential, and which the room looks at itself.
    pub credentials: &'static [&'static str],
}

impl Rules {
    /// Those of most planes.
    pub(crate) const USUAL: Self = Self {
        methods: &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        repeats: &[],
        trailing_slash: false,
        in_segments: &[],
        rewriting: &[],
        semicolons: &[],
        credentials: &[],
    };
}

/// Headers in which clients of some plane carry a credential. Whoever asks has shown one of ours elsewhere: a second one
/// would be for the upstream to choose from.
const CREDENTIALS: [&str; 7] = [
    "private-token",
    "vmware-api-session-id",
    "x-api-key",
    "x-auth-token",
    "x-pan-key",
    "x-subject-token",
    "x-vault-token",
];

/// Headers by which a proxy in front of a server says who somebody is: whoever asks has shown that to the gate.
const AUTHORITY: [&str; 24] = [
    "client-cert",
    "client-cert-chain",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "ssl-client-cert",
    "ssl-client-verify",
    "x-arr-clientcert",
    "x-authenticated-groups",
    "x-authenticated-user",
    "x-authenticated-userid",
    "x-client-cert",
    "x-credential-username",
    "x-forwarded-access-token",
    "x-forwarded-client-cert",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-proxy-user",
    "x-proxy-roles",
    "x-webauth-user",
    "x-webauth-groups",
];

/// What the names of further such headers begin with.
const AUTHORITIES: [&str; 9] = [
    "impersonate-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-forwarded-tls-client-cert",
    "x-goog-authenticated-user-",
    "x-ms-client-principal",
    "x-remote-",
    "x-ssl-client-",
    "x-webauth-",
];

/// Headers that may stand once.
const SINGLE: [&str; 8] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "if-match",
    "if-none-match",
    "range",
];

/// The head of a request, as a room reads it.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The method, one of those of the plane.
    pub method: &'a str,
    /// The decoded segments of the path.
    pub segments: Vec<Cow<'a, str>>,
    /// The decoded parameters of the query, in their order.
    pub query: Vec<Pair<'a>>,
    /// All of it.
    pub head: &'a Head<'a>,
}

impl<'a> Line<'a> {
    /// Reads a head.
    ///
    /// # Errors
    /// Something in it could be taken for two things.
    pub(crate) fn read(head: &'a Head<'a>, rules: &Rules) -> Result<Self, Undecodable> {
        Self::read_repeating(head, rules, |name| ["*", name].iter().any(|name| rules.repeats.contains(name)))
    }

    /// Reads a head where something else says which parameters of its query may stand several times.
    ///
    /// # Errors
    /// As [`Line::read`].
    pub(crate) fn read_repeating(
        head: &'a Head<'a>,
        rules: &Rules,
        repeats: impl Fn(&str) -> bool,
    ) -> Result<Self, Undecodable> {
        if !rules.methods.contains(&head.method) {
            return Err(Undecodable::new(
                "unknown_method",
                format!("`{}` is no method of this API; use one that is", clip(head.method)),
            ));
        }
        if let Some(name) =
            SINGLE.into_iter().find(|name| head.headers.get_all(*name).iter().nth(1).is_some())
        {
            return Err(Undecodable::new(
                "header_twice",
                format!("`{name}` is given twice and may stand once; send it once"),
            ));
        }
        refuse_headers(head, rules)?;
        let target = Target::split(head.target)?;
        let path = target.segments()?;
        if path.trailing_slash && !rules.trailing_slash {
            return Err(bad(head.target, "ends in a slash; leave it out"));
        }
        let ambiguous = ['/', ';', '%', '\\'];
        let ambiguous = ambiguous.iter().filter(|one| !rules.in_segments.contains(one));
        for character in ambiguous {
            if path.decoded.iter().any(|segment| segment.contains(*character)) {
                let what = format!(
                    "has `{character}` in a segment, which servers take for two things; leave it out"
                );
                return Err(bad(head.target, &what));
            }
        }
        for pair in target.query.split('&') {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            if !rules.semicolons.contains(&name) {
                query::refuse_semicolons(pair)?;
            }
        }
        let query = query::parse(target.query, Plus::Space)?;
        let mut names: Vec<&str> = query.iter().map(|pair| pair.name.as_ref()).collect();
        names.retain(|name| !repeats(name));
        names.sort_unstable();
        if let Some((name, _)) = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
            return Err(duplicate(name));
        }
        Ok(Self { method: head.method, segments: path.decoded, query, head })
    }

    /// The segments of the path.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(AsRef::as_ref).collect()
    }

    /// A parameter of the query; the first, where it may stand several times.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|pair| pair.name == name).map(|pair| pair.value.as_ref())
    }

    /// The media type of the body, in lower case and without parameters; empty where none is said.
    ///
    /// # Errors
    /// A character set other than UTF-8.
    pub(crate) fn media_type(&self) -> Result<String, Undecodable> {
        let Some(value) = self.head.header("content-type") else { return Ok(String::new()) };
        let mut parts = value.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if name.trim().eq_ignore_ascii_case("charset")
                && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            {
                return Err(Undecodable::new(
                    "unread_charset",
                    format!("the body is said to be in `{}`; send it in UTF-8", clip(value)),
                ));
            }
        }
        Ok(media)
    }

    /// Whether the method is one by which nothing is changed (RFC 9110, section 9.2.1), on planes that keep to that.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }

    /// A path that the plane does not have, or not with this method.
    pub(crate) fn unknown(&self) -> Undecodable {
        let path = self.head.target.split('?').next().unwrap_or_default();
        Undecodable::new(
            "unknown_operation",
            format!(
                "`{} {}` is no operation of this API as it is written there; send it as the API has it",
                clip(self.method),
                clip(path)
            ),
        )
    }
}

/// Refuses headers that would make a request another than it looks, or somebody else's.
fn refuse_headers(head: &Head<'_>, rules: &Rules) -> Result<(), Undecodable> {
    for name in head.headers.keys().map(http::HeaderName::as_str) {
        // Servers that hand headers on as variables read `_` as `-`.
        let dashed = name.replace('_', "-");
        let is = |known: &str| dashed == known;
        let rewrites = REWRITING.into_iter().any(is) && !rules.rewriting.contains(&name);
        let shows = CREDENTIALS.into_iter().any(is) && !rules.credentials.contains(&name);
        if rewrites || is("content-encoding") || shows {
            return Err(Undecodable::new(
                "unread_header",
                format!("`{name}` would make the request another than it looks; take it out"),
            ));
        }
        if AUTHORITY.into_iter().any(is) || AUTHORITIES.iter().any(|begin| dashed.starts_with(begin)) {
            return Err(Undecodable::new(
                "front_proxy_header",
                format!("`{}` says who somebody is in the place of a proxy; leave it out", clip(name)),
            ));
        }
    }
    // What is no text would be read as if it were not there.
    if head.headers.get("content-type").is_some_and(|media| media.to_str().is_err()) {
        return Err(Undecodable::new("unread_header", "`content-type` is no plain text; send visible ASCII"));
    }
    Ok(())
}

fn bad(target: &str, what: &str) -> Undecodable {
    let path = target.split('?').next().unwrap_or_default();
    Undecodable::new("bad_path", format!("the path `{}` {what}", clip(path)))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::WayIn;

    fn check(target: &str, headers: &[(&'static str, &'static str)], expected: Result<&[&str], &str>) {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(*name, value.parse().unwrap());
        }
        let head = Head {
            method: "GET",
            target,
            authority: "gate.internal",
            headers: &all,
            way_in: WayIn::Reverse,
            plane: None,
            upstream: None,
        };
        let read = Line::read(&head, &Rules::USUAL);
        let read = read.as_ref().map(Line::path).map_err(|why| why.reason_code);
        assert_eq!(read.as_deref(), expected.as_ref().map(|path| *path), "{target}");
    }

    #[test]
    fn what_could_be_two_things_is_refused() {
        check("/a/b%20c?x=1&y=2", &[], Ok(&["a", "b c"]));
        check("/a/b/", &[], Err("bad_path"));
        for target in ["/a%2fb", "/a;x=y", "/a%253b", "/a%5cb", "/a/../b", "/a//b", "/a/%2e%2e/b"] {
            check(target, &[], Err("bad_path"));
        }
        check("/a?x=1&x=2", &[], Err("duplicate_parameter"));
        check("/a?x=1&%78=2", &[], Err("duplicate_parameter"));
        check("/a?x=1;y=2", &[], Err("ambiguous_semicolon"));
        check("/a?x=1%3By=2", &[], Ok(&["a"]));
        check("/a", &[("x-http-method-override", "DELETE")], Err("unread_header"));
        check("/a", &[("x-vault-token", "hvs.x")], Err("unread_header"));
        check("/a", &[("content-encoding", "gzip")], Err("unread_header"));
        check("/a", &[("content-type", "application/json\u{e9}")], Err("unread_header"));
        check("/a", &[("x_http_method_override", "DELETE")], Err("unread_header"));
        for name in [
            "x-remote-user",
            "x-remote-group",
            "x-remote-extra-scopes",
            "x_remote_user",
            "x-forwarded-user",
            "x-forwarded-client-cert",
            "x-ssl-client-s-dn",
            "x-goog-authenticated-user-email",
            "remote-user",
        ] {
            check("/a", &[(name, "admin")], Err("front_proxy_header"));
        }
        check("/a", &[("x-forwarded-for", "10.0.0.1"), ("x-requested-with", "x")], Ok(&["a"]));
        check("/a", &[("content-type", "a/b"), ("content-type", "a/b")], Err("header_twice"));
    }
}
