//! Where an answer leads: addresses of the upstream's own that its clients follow are made the gate's.
//!
//! On a listener of its own the gate is all that a client knows: one that went on to the provider's host, for the next
//! page or to ask how an operation goes, would leave it, with a token that means nothing there. Whatever comes back is
//! judged like any request. Leaves out which places of an answer hold such addresses (the rooms), and the egress gateway,
//! where hosts are what they are.

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Frame};
use memchr::memmem;
use ordain_decode::{Claim, Leads as Places, card};

use crate::gate::Gate;
use crate::identity::Identified;
use crate::listen::WayIn;
use crate::payload::BodyError;
use crate::place::Arrival;
use crate::reply::ReplyBody;

/// How far behind the beginning of a member's name the host ends that it leads to, at the most, in bytes. One that ends
/// farther is left as it came.
const WINDOW: usize = 512;

/// What is rewritten in the answer to one request.
#[derive(Debug)]
pub struct Leads {
    places: Places,
    theirs: Theirs,
    ours: Ours,
}

/// Whose addresses are made ours.
#[derive(Debug)]
enum Theirs {
    /// The upstream's own, at that authority and below that path. Where the gate was asked for a provider's host, the
    /// upstream stands for those too, and may name them.
    At { authority: String, path: String, stands_for: &'static [&'static str] },
    /// The provider's.
    Of(&'static [&'static str]),
}

/// The address that was asked.
#[derive(Debug)]
struct Ours {
    scheme: &'static str,
    authority: String,
    // What follows a provider's host in a name of ours that begins with one.
    behind: Option<String>,
}

impl Leads {
    /// What has to be rewritten, as far as a client can follow it.
    #[must_use]
    pub fn of(
        gate: &Gate,
        arrival: &Arrival,
        claim: &Claim<'_>,
        identified: &Identified,
        headers: &HeaderMap,
    ) -> Option<Self> {
        let places = claim.leads();
        if arrival.connection.way_in != WayIn::Reverse || places.are_none() {
            return None;
        }
        let authority = headers.get(HOST)?.to_str().ok()?.to_ascii_lowercase();
        let domains = card(claim.plane()).domains;
        let behind = domains.iter().find_map(|domain| {
            let (_, behind) = authority.split_once(&format!("{domain}."))?;
            Some(behind.to_owned())
        });
        let theirs = match gate.upstreams.base(&identified.actor.upstream.name) {
            Ok(base) => Theirs::At {
                authority: base.authority()?.as_str().to_ascii_lowercase(),
                path: base.path().trim_end_matches('/').to_owned(),
                stands_for: if behind.is_some() { domains } else { &[] },
            },
            Err(_) => Theirs::Of(domains),
        };
        let scheme = if arrival.connection.tls.is_some() { "https" } else { "http" };
        Some(Self { places, theirs, ours: Ours { scheme, authority, behind } })
    }

    /// Whether bodies have to be read for it.
    #[must_use]
    pub const fn are_in_bodies(&self) -> bool {
        !self.places.members.is_empty()
    }

    /// Rewrites an answer: its head now, and its body as it comes.
    #[must_use]
    pub fn rewrite(self, answer: Response<ReplyBody>) -> Response<ReplyBody> {
        let (mut head, body) = answer.into_parts();
        for name in self.places.headers {
            if let Some(value) = head.headers.get(*name)
                && let Some(rewritten) = value.to_str().ok().and_then(|value| self.in_header(value))
                && let Ok(rewritten) = HeaderValue::from_str(&rewritten)
            {
                head.headers.insert(*name, rewritten);
            }
        }
        if !self.are_in_bodies() || !is_plain_json(&head.headers) || body.is_end_stream() {
            return Response::from_parts(head, body);
        }
        // What is put in is longer or shorter than what stood there.
        head.headers.remove(CONTENT_LENGTH);
        let rewriting = Rewriting { leads: self, body, kept: Vec::new(), after: None, over: false };
        let frames = stream::unfold(rewriting, |mut rewriting| async {
            rewriting.next().await.map(|frame| (frame, rewriting))
        });
        Response::from_parts(head, StreamBody::new(frames).boxed_unsync())
    }

    /// A header's value with what leads to the upstream made ours: an address, or several in angle brackets (RFC 8288).
    fn in_header(&self, value: &str) -> Option<String> {
        if let Some((base, end)) = self.replaced(value.as_bytes()) {
            return Some(base + value.get(end..)?);
        }
        let mut rewritten = String::with_capacity(value.len());
        let mut rest = value;
        let mut any = false;
        while let Some((before, after)) = rest.split_once('<') {
            rewritten.push_str(before);
            rewritten.push('<');
            rest = after;
            if let Some((base, end)) = self.replaced(after.as_bytes()) {
                rewritten.push_str(&base);
                rest = after.get(end..)?;
                any = true;
            }
        }
        rewritten.push_str(rest);
        any.then_some(rewritten)
    }

    /// The beginning of a body of JSON, its members that lead to the upstream made ours, and how much of `body` that is. It
    /// is `sure` of it or a little more: up to there enough follows for a member to be known.
    fn in_body(&self, body: &[u8], sure: usize) -> (Vec<u8>, usize) {
        let mut found: Vec<(usize, usize, String)> = Vec::new();
        for member in self.places.members {
            let quoted = format!("\"{member}\"");
            // In JSON these bytes are a whole text: what stands inside of another has its quotes escaped.
            for at in memmem::find_iter(body, &quoted).take_while(|at| *at < sure) {
                let within = body.get(..body.len().min(at + WINDOW)).unwrap_or(body);
                let Some(start) = value_of(within, at + quoted.len()) else { continue };
                let Some((base, length)) = within.get(start..).and_then(|rest| self.replaced(rest)) else {
                    continue;
                };
                found.push((start, start + length, base));
            }
        }
        found.sort_unstable();
        let mut rewritten = Vec::with_capacity(body.len());
        let mut done = 0;
        for (start, end, base) in found {
            rewritten.extend_from_slice(body.get(done..start).unwrap_or_default());
            rewritten.extend_from_slice(base.as_bytes());
            done = end;
        }
        let end = done.max(sure);
        rewritten.extend_from_slice(body.get(done..end).unwrap_or_default());
        (rewritten, end)
    }

    /// What to put before the path of an address, and how many bytes that is in the place of; none where it is not the
    /// upstream's.
    fn replaced(&self, address: &[u8]) -> Option<(String, usize)> {
        let (authority, mut end) = authority(address)?;
        let domains = match &self.theirs {
            Theirs::At { authority: theirs, path, .. } if authority == *theirs => {
                let within = address.get(end..)?.strip_prefix(path.as_bytes())?;
                if !matches!(within.first(), None | Some(b'/' | b'\\' | b'?' | b'#' | b'"' | b'>')) {
                    return None;
                }
                end += path.len();
                return Some((format!("{}://{}", self.ours.scheme, self.ours.authority), end));
            }
            Theirs::At { stands_for: domains, .. } | Theirs::Of(domains) => domains,
        };
        let is_in = |domain: &&str| {
            authority.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        domains.iter().find(|domain| is_in(domain))?;
        let ours = match &self.ours.behind {
            Some(behind) => format!("{authority}.{behind}"),
            None => self.ours.authority.clone(),
        };
        Some((format!("{}://{ours}", self.ours.scheme), end))
    }
}

/// The authority that an address begins with, in lower case, and where its path begins. The slashes may be escaped, as some
/// writers of JSON do.
fn authority(address: &[u8]) -> Option<(String, usize)> {
    let after = |prefix: &[u8]| {
        let given = address.get(..prefix.len())?;
        given.eq_ignore_ascii_case(prefix).then_some(prefix.len())
    };
    let schemes: [&[u8]; 4] = [b"https://", b"http://", b"https:\\/\\/", b"http:\\/\\/"];
    let start = schemes.into_iter().find_map(after)?;
    let rest = address.get(start..)?;
    let length = rest
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b"-.:[]".contains(byte)))
        .unwrap_or(rest.len());
    let authority = std::str::from_utf8(rest.get(..length)?).ok()?.to_ascii_lowercase();
    (!authority.is_empty()).then_some((authority, start + length))
}

/// Where the text begins that is the value of a member whose name ends there.
fn value_of(body: &[u8], end_of_name: usize) -> Option<usize> {
    let mut rest = body.iter().enumerate().skip(end_of_name).filter(|(_, byte)| !byte.is_ascii_whitespace());
    rest.next().filter(|(_, byte)| **byte == b':')?;
    rest.next().filter(|(_, byte)| **byte == b'"').map(|(at, _)| at + 1)
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.to_ascii_lowercase().contains("json") && !headers.contains_key(CONTENT_ENCODING)
}

/// A body that is rewritten as it comes. What it holds back is less than a piece and [`WINDOW`] bytes.
struct Rewriting {
    leads: Leads,
    body: ReplyBody,
    kept: Vec<u8>,
    // What comes behind what is kept.
    after: Option<Result<Frame<Bytes>, BodyError>>,
    over: bool,
}

impl Rewriting {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        loop {
            if self.over {
                return self.after.take();
            }
            let mut hold = 0;
            match self.body.frame().await {
                None => self.over = true,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.kept.extend_from_slice(&data);
                        hold = WINDOW;
                    }
                    // Trailers are the last of a body.
                    Err(trailers) => (self.after, self.over) = (Some(Ok(trailers)), true),
                },
                Some(Err(error)) => (self.after, self.over) = (Some(Err(error)), true),
            }
            let (ready, end) = self.leads.in_body(&self.kept, self.kept.len().saturating_sub(hold));
            self.kept.drain(..end);
            if !ready.is_empty() {
                return Some(Ok(Frame::data(Bytes::from(ready))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places = Places { headers: &["location"], members: &["nextLink", "upload_url"] };

    fn leads(theirs: Theirs, authority: &str, behind: Option<&str>) -> Leads {
        let ours =
            Ours { scheme: "https", authority: authority.to_owned(), behind: behind.map(str::to_owned) };
        Leads { places: PLACES, theirs, ours }
    }

    fn at(authority: &str, path: &str) -> Leads {
        let theirs = Theirs::At { authority: authority.to_owned(), path: path.to_owned(), stands_for: &[] };
        leads(theirs, "gate:7070", None)
    }

    #[track_caller]
    fn header(leads: &Leads, value: &str, expected: Option<&str>) {
        assert_eq!(leads.in_header(value).as_deref(), expected, "{value}");
    }

    #[track_caller]
    fn body(leads: &Leads, value: &str, expected: Option<&str>) {
        let (rewritten, end) = leads.in_body(value.as_bytes(), value.len());
        assert_eq!((rewritten, end), (expected.unwrap_or(value).as_bytes().to_vec(), value.len()), "{value}");
    }

    #[test]
    fn an_address_of_the_upstream_becomes_the_gates() {
        let own = at("10.0.0.7:8080", "/identity");
        header(&own, "http://10.0.0.7:8080/identity/v3/users?x=1", Some("https://gate:7070/v3/users?x=1"));
        header(&own, "HTTP://10.0.0.7:8080/identity", Some("https://gate:7070"));
        for other in [
            "/v3/users",
            "http://10.0.0.7:8080/identityx/v3",
            "http://10.0.0.7/identity/v3",
            "http://10.0.0.7:8080@evil.example/identity/v3",
            "http://10.0.0.7:8080.evil.example/identity/",
            "ftp://10.0.0.7:8080/identity",
        ] {
            header(&own, other, None);
        }
    }

    #[test]
    fn each_of_several_in_angle_brackets_is_told_apart() {
        let github = leads(Theirs::Of(&["api.github.com"]), "gate:7070", None);
        header(
            &github,
            "<https://api.github.com/x?page=2>; rel=\"next\", <https://docs.example/y>; rel=\"help\"",
            Some("<https://gate:7070/x?page=2>; rel=\"next\", <https://docs.example/y>; rel=\"help\""),
        );
        header(&github, "<https://docs.example/y>; rel=\"help\"", None);
        header(&github, "<", None);
    }

    #[test]
    fn a_host_of_the_providers_stays_before_the_gates_name_where_it_was_asked_so() {
        let google = leads(Theirs::Of(&["googleapis.com"]), "storage.googleapis.com.gate", Some("gate"));
        header(
            &google,
            "https://www.googleapis.com/upload?upload_id=1",
            Some("https://www.googleapis.com.gate/upload?upload_id=1"),
        );
        header(&google, "https://www.googleapis.com.evil.example/upload", None);
        header(&google, "https://evilgoogleapis.com/upload", None);
    }

    #[test]
    fn what_stands_for_a_provider_may_name_its_hosts() {
        let theirs =
            |stands_for| Theirs::At { authority: "10.0.0.7".to_owned(), path: String::new(), stands_for };
        let google = leads(theirs(&["googleapis.com"]), "storage.googleapis.com.gate", Some("gate"));
        header(
            &google,
            "http://10.0.0.7/upload?id=1",
            Some("https://storage.googleapis.com.gate/upload?id=1"),
        );
        header(
            &google,
            "https://www.googleapis.com/upload?id=1",
            Some("https://www.googleapis.com.gate/upload?id=1"),
        );
        header(&google, "https://docs.example/upload", None);
        header(&leads(theirs(&[]), "gate", None), "https://www.googleapis.com/upload?id=1", None);
    }

    #[test]
    fn of_a_body_only_the_members_that_lead_on_are_others() {
        let azure = leads(Theirs::Of(&["management.azure.com"]), "gate:7070", None);
        body(
            &azure,
            r#"{"value":[{"audience":"https://management.azure.com/"}], "nextLink" : "https://management.azure.com/x?a=1\u0026b=2"}"#,
            Some(
                r#"{"value":[{"audience":"https://management.azure.com/"}], "nextLink" : "https://gate:7070/x?a=1\u0026b=2"}"#,
            ),
        );
        body(
            &azure,
            r#"{"a":{"upload_url":"https:\/\/management.azure.com\/x"},"nextLink":null}"#,
            Some(r#"{"a":{"upload_url":"https://gate:7070\/x"},"nextLink":null}"#),
        );
        for same in [
            r#"{"nextLink":"https://other.example/x"}"#,
            r#"["nextLink","https://management.azure.com/x"]"#,
            r#"{"note":"\"nextLink\":\"https://management.azure.com/x\""}"#,
            r#"{"nextLink":"#,
            "",
        ] {
            body(&azure, same, None);
        }
    }

    /// Wherever a body is divided, and however long it is, it is rewritten as it would be whole.
    #[tokio::test]
    async fn a_body_is_rewritten_as_it_comes() {
        let link = r#"{"nextLink" : "https://management.azure.com/x"}"#;
        let long = format!("{}{link}{}{link}", " ".repeat(1000), "-".repeat(WINDOW));
        let expected = long.replace("management.azure.com", "gate:7070");
        for size in [1, 7, 40, 511, 513, long.len()] {
            let azure = leads(Theirs::Of(&["management.azure.com"]), "gate:7070", None);
            let pieces =
                long.as_bytes().chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))));
            let trailers =
                Ok(Frame::trailers(HeaderMap::from_iter([(HOST, HeaderValue::from_static("end"))])));
            let sent: Vec<_> = pieces.chain([trailers]).collect();
            let mut answer = Response::new(StreamBody::new(stream::iter(sent)).boxed_unsync());
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(long.len()));
            let answer = azure.rewrite(answer);
            assert!(!answer.headers().contains_key(CONTENT_LENGTH));
            let (mut body, mut shown, mut ended) = (answer.into_body(), Vec::new(), false);
            while let Some(frame) = body.frame().await {
                match frame.unwrap().into_data() {
                    Ok(data) => shown.extend_from_slice(&data),
                    Err(_) => ended = true,
                }
            }
            assert_eq!(std::str::from_utf8(&shown).unwrap(), expected, "{size}");
            assert!(ended, "what comes behind a body comes behind it");
        }
    }

    #[tokio::test]
    async fn what_was_broken_off_is_shown_as_far_as_it_came_and_as_broken() {
        let azure = leads(Theirs::Of(&["management.azure.com"]), "gate:7070", None);
        let sent = [Ok(Frame::data(Bytes::from_static(b"{\"value\":["))), Err(BodyError::from("broken off"))];
        let mut answer = Response::new(StreamBody::new(stream::iter(sent)).boxed_unsync());
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut body = azure.rewrite(answer).into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "{\"value\":[");
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }
}
