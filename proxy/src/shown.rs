//! An issued token where clients of a plane put theirs, moved to the one place where all of ours stand.
//!
//! Clients of Vault send `X-Vault-Token`, those of OpenStack and Redfish `X-Auth-Token`, those of vSphere a cookie, others a
//! password or a scheme of their own, those of PAN-OS a parameter; those of Keystone sign in with one in a body. Only what
//! begins as our tokens do is moved, and what it stood in is taken out with it, but for a member of a body; whose it is, and
//! whether it is right, is looked at where every token is. Leaves out that (`identity`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use hyper::body::Body as _;
use ordain_action::DenialKind;
use ordain_decode::card;

use crate::fault::Fault;
use crate::gate::Gate;
use crate::held::{Held, Need};
use crate::keys::token;
use crate::listen::{ConnectionInfo, RequestBody};
use crate::named;

/// Headers in which clients of some plane carry their credential.
static HEADERS: [HeaderName; 6] = [
    HeaderName::from_static("x-vault-token"),
    HeaderName::from_static("x-auth-token"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-pan-key"),
    HeaderName::from_static("private-token"),
    HeaderName::from_static("vmware-api-session-id"),
];

/// The longest body by which one signs in with a token, in bytes.
const SIGNING_IN_MAX: u64 = 8 * 1024;

/// The longest form in which a token is looked for, in bytes: nobody is known yet. Those that are longer show it in the head.
const FORM_MAX: u64 = 64 * 1024;

/// The cookie by which clients of vim25 carry their session.
const SESSION: &str = "vmware_soap_session";

/// Schemes of `Authorization` under which clients of some plane carry a token as it is.
const SCHEMES: [&str; 2] = ["SSWS", "token"];

/// Schemes that some client writes with nothing between them and the token.
const UNSPACED: [&str; 2] = ["SSWS", "Bearer"];

/// The parameters in which clients of what is served here show their tokens.
#[must_use]
pub fn parameters(gate: &Gate) -> Vec<&'static str> {
    let config = gate.config();
    config.upstreams.iter().filter_map(|upstream| card(upstream.kind.plane()).token_parameter).collect()
}

/// Moves an issued token to `Authorization: Bearer`, where it stands elsewhere in the head: in a header, or in one of the
/// parameters of the query.
///
/// # Errors
/// There is a credential in `Authorization` too.
pub fn settle<B>(request: &mut Request<B>, parameters: &[&str]) -> Result<(), Fault> {
    query(request, parameters)?;
    let headers = request.headers_mut();
    cookie(headers)?;
    // One that stayed where it is would leave with the request.
    let own = HEADERS.iter().filter(|name| headers.get_all(*name).iter().any(is_ours));
    let token = match (own.collect::<Vec<_>>().as_slice(), headers.get_all(AUTHORIZATION).iter().count()) {
        ([], 1) => headers.get(AUTHORIZATION).and_then(in_scheme),
        ([], _) => None,
        ([name], 0) if headers.get_all(*name).iter().count() == 1 => headers.remove(*name),
        _ => return Err(two()),
    };
    let Some(token) = token else { return Ok(()) };
    put(headers, &token).ok_or_else(|| {
        let text = "the token cannot be read; send it as `ordain key create --bearer` printed it";
        Fault::new(DenialKind::Malformed, "malformed_credential", text)
    })
}

/// Finds an issued token in the body, where nothing is shown in the head, and shows it in `Authorization: Bearer`.
///
/// A body by which clients of a plane sign in with one keeps it: it is exchanged there when the request leaves. A form loses
/// the parameter that it stood in. Only of a body as short as such are: nobody is known yet.
///
/// # Errors
/// The body does not arrive whole, or there is no room for it.
pub async fn in_body(
    gate: &Gate,
    connection: &ConnectionInfo,
    request: Request<RequestBody>,
) -> Result<Request<RequestBody>, Fault> {
    let length = request.size_hint().exact().filter(|length| *length > 0 && connection.refused.is_none());
    let found = place(gate, &request).filter(|place| length.is_some_and(|length| length <= place.cap()));
    let Some(place) = found else { return Ok(request) };
    let held = Held::take(request, Need::Whole { cap: place.cap() }, &gate.budget).await?;
    let mut bytes = held.bytes().cloned().unwrap_or_default();
    let (mut head, _) = held.into_parts();
    match place {
        Place::Member(member) => {
            if let Some(shown) = named::shown_in(&bytes, member) {
                head.headers.insert(AUTHORIZATION, shown);
            }
        }
        Place::Form(name) => {
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            if let Some((rest, token)) = without(text, &[name])? {
                put(&mut head.headers, &token).ok_or_else(two)?;
                head.headers.insert(CONTENT_LENGTH, HeaderValue::from(rest.len()));
                bytes = rest.into();
            }
        }
    }
    Ok(Request::from_parts(head, RequestBody::whole(bytes)))
}

/// Where a body may show a token.
enum Place {
    /// In a member of a document.
    Member(&'static str),
    /// In a parameter of a form.
    Form(&'static str),
}

impl Place {
    const fn cap(&self) -> u64 {
        match self {
            Self::Member(_) => SIGNING_IN_MAX,
            Self::Form(_) => FORM_MAX,
        }
    }
}

/// Where this body may show a token: it is a form of a plane whose clients do that, or a request by which clients of a plane
/// sign in, of those that are served here.
fn place<B>(gate: &Gate, request: &Request<B>) -> Option<Place> {
    let headers = request.headers();
    let shows = headers.contains_key(AUTHORIZATION) || HEADERS.iter().any(|name| headers.contains_key(name));
    if request.method() != Method::POST || shows {
        return None;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let config = gate.config();
    config.upstreams.iter().find_map(|upstream| {
        let card = card(upstream.kind.plane());
        if let Some(name) = card.token_parameter.filter(|_| is_form) {
            return Some(Place::Form(name));
        }
        let (path, member) = card.token_in_body?;
        request.uri().path().ends_with(path).then_some(Place::Member(member))
    })
}

/// Takes a token out of the query.
fn query<B>(request: &mut Request<B>, parameters: &[&str]) -> Result<(), Fault> {
    let Some(said) = request.uri().query().filter(|_| !parameters.is_empty()) else { return Ok(()) };
    let Some((rest, token)) = without(said, parameters)? else { return Ok(()) };
    if request.headers().contains_key(AUTHORIZATION) {
        return Err(two());
    }
    let mut target = request.uri().path().to_owned();
    if !rest.is_empty() {
        target = format!("{target}?{rest}");
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target.parse().map_err(|_| two())?);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| two())?;
    put(request.headers_mut(), &token).ok_or_else(two)
}

/// Parameters without the one that is a token of ours, and that token; none where none is.
///
/// # Errors
/// There are two.
fn without(said: &str, parameters: &[&str]) -> Result<Option<(String, HeaderValue)>, Fault> {
    let token = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = HeaderValue::from_str(value).ok().filter(is_ours)?;
        parameters.contains(&name).then_some(value)
    };
    let mut found = said.split('&').filter_map(token);
    let Some(first) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(two());
    }
    let rest: Vec<&str> = said.split('&').filter(|pair| token(pair).is_none()).collect();
    Ok(Some((rest.join("&"), first)))
}

/// Takes a token out of the one cookie that there is, for that to be found among the headers.
fn cookie(headers: &mut HeaderMap) -> Result<(), Fault> {
    let is_ours = |value: &HeaderValue| {
        value.as_bytes().windows(token::BEGINNING.len()).any(|part| part == token::BEGINNING.as_bytes())
    };
    if !headers.get_all(COOKIE).iter().any(is_ours) {
        return Ok(());
    }
    let found = headers.get(COOKIE).and_then(in_cookie);
    let alone = headers.get_all(COOKIE).iter().count() == 1 && !headers.contains_key(AUTHORIZATION);
    let elsewhere = HEADERS.iter().any(|name| headers.contains_key(name));
    match found.filter(|_| alone && !elsewhere) {
        Some(token) => {
            headers.remove(COOKIE);
            put(headers, &token).ok_or_else(two)
        }
        None => Err(two()),
    }
}

/// Our token as a cookie, which clients write with quotes around it or without, and with attributes behind it or without.
fn in_cookie(value: &HeaderValue) -> Option<HeaderValue> {
    let mut parts = value.to_str().ok()?.split(';').map(str::trim);
    let (name, token) = parts.next()?.split_once('=')?;
    let attribute = |part: &str| {
        let name = part.split('=').next().unwrap_or_default();
        ["", "path", "httponly", "secure", "samesite"].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let token = token.trim_matches('"');
    HeaderValue::from_str(token)
        .ok()
        .filter(|token| name == SESSION && parts.all(attribute) && is_ours(token))
}

fn put(headers: &mut HeaderMap, token: &HeaderValue) -> Option<()> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.to_str().ok()?)).ok()?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Some(())
}

fn is_ours(value: &HeaderValue) -> bool {
    value.as_bytes().starts_with(token::BEGINNING.as_bytes())
}

/// Our token under another scheme: as it is, or as the password of whatever user. Okta's SDK for Python has no blank between.
fn in_scheme(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    if let Some(at) = text.find(token::BEGINNING)
        && let Some((scheme, rest)) = text.split_at_checked(at)
        && UNSPACED.iter().any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return HeaderValue::from_str(rest).ok();
    }
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest).ok()?;
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        return HeaderValue::from_str(password).ok().filter(is_ours);
    }
    let known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    HeaderValue::from_str(rest).ok().filter(|token| known && is_ours(token))
}

fn two() -> Fault {
    let text = "there are two credentials; send one of them, once";
    Fault::new(DenialKind::Malformed, "two_credentials", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], expected: Result<Option<&str>, &str>) {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
        }
        let settled = settle(&mut request, &[]).map_err(|fault| fault.reason_code().as_str().to_owned());
        let found = settled.map(|()| {
            let value = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
            // Where it was moved from, nothing stays.
            let bearer = value.as_deref().is_some_and(|value| value.starts_with("Bearer ordain."));
            let elsewhere =
                request.headers().iter().any(|(name, value)| name != AUTHORIZATION && is_ours(value));
            assert!(!(bearer && elsewhere), "{headers:?}");
            value
        });
        assert_eq!(found.as_ref().map(Option::as_deref).map_err(String::as_str), expected, "{headers:?}");
    }

    #[test]
    fn a_token_of_ours_is_found_where_a_plane_has_its_own() {
        for name in ["x-vault-token", "x-auth-token", "x-api-key", "vmware-api-session-id"] {
            check(&[(name, "ordain.T.s")], Ok(Some("Bearer ordain.T.s")));
            check(&[(name, "hvs.real")], Ok(None));
        }
        let basic = format!("Basic {}", STANDARD.encode("admin:ordain.T.s"));
        check(&[("authorization", &basic)], Ok(Some("Bearer ordain.T.s")));
        check(&[("authorization", "SSWS ordain.T.s")], Ok(Some("Bearer ordain.T.s")));
        check(&[("authorization", "SSWSordain.T.s")], Ok(Some("Bearer ordain.T.s")));
        check(&[("authorization", "Bearerordain.T.s")], Ok(Some("Bearer ordain.T.s")));
        check(&[("authorization", "token ordain.T.s")], Ok(Some("Bearer ordain.T.s")));
        for cookie in ["\"ordain.T.s\"", "ordain.T.s", "\"ordain.T.s\"; Path=/; HttpOnly; Secure;"] {
            let cookie = format!("vmware_soap_session={cookie}");
            check(&[("cookie", &cookie)], Ok(Some("Bearer ordain.T.s")));
        }
    }

    #[test]
    fn whatever_else_is_there_stays_as_it_is() {
        let basic = format!("Basic {}", STANDARD.encode("admin:secret"));
        for value in [basic.as_str(), "Bearer ordain.T.s", "Digest ordain.T.s", "SSWS real", "Basic !"] {
            check(&[("authorization", value)], Ok(Some(value)));
        }
    }

    #[test]
    fn two_credentials_are_none() {
        check(&[("x-vault-token", "ordain.T.s"), ("authorization", "Bearer x")], Err("two_credentials"));
        check(&[("x-vault-token", "ordain.T.s"), ("x-vault-token", "hvs.x")], Err("two_credentials"));
        check(&[("x-vault-token", "ordain.T.s"), ("x-auth-token", "ordain.U.s")], Err("two_credentials"));
        check(
            &[("vmware-api-session-id", "ordain.T.s"), ("authorization", "Bearer x")],
            Err("two_credentials"),
        );
        for cookie in [
            "vmware_soap_session=ordain.T.s; vmware_soap_session=52d9",
            "other=ordain.T.s",
            "a=b; vmware_soap_session=ordain.T.s",
        ] {
            check(&[("cookie", cookie)], Err("two_credentials"));
        }
        let cookie = ("cookie", "vmware_soap_session=ordain.T.s");
        check(&[cookie, ("authorization", "Bearer x")], Err("two_credentials"));
        check(&[cookie, ("cookie", "vmware_soap_session=52d9")], Err("two_credentials"));
        check(&[cookie, ("x-vault-token", "hvs.x")], Err("two_credentials"));
    }

    #[test]
    fn a_token_of_ours_is_found_in_the_query_where_clients_of_a_plane_put_theirs() {
        let check = |target: &str, parameters: &[&str], expected: Result<(&str, bool), &str>| {
            let mut request = Request::builder().uri(target).body(()).unwrap();
            let settled = settle(&mut request, parameters);
            let bearer =
                request.headers().get(AUTHORIZATION).is_some_and(|value| value == "Bearer ordain.T.s");
            let found = settled.map(|()| (request.uri().to_string(), bearer));
            let found = found.as_ref().map(|(target, bearer)| (target.as_str(), *bearer));
            assert_eq!(found.map_err(|fault| fault.reason_code().as_str()), expected, "{target}");
        };
        check("/api/?key=ordain.T.s&type=op", &["key"], Ok(("/api/?type=op", true)));
        check(
            "/api/?type=op&key=ordain.T.s&cmd=%3Cshow%2F%3E",
            &["key"],
            Ok(("/api/?type=op&cmd=%3Cshow%2F%3E", true)),
        );
        check("/api/?key=ordain.T.s", &["key"], Ok(("/api/", true)));
        // The firewall's own key, a name of another plane's or in another spelling, and where no such plane is served.
        for target in [
            "/api/?key=LUFRPT1&type=op",
            "/api/?token=ordain.T.s",
            "/api/?Key=ordain.T.s",
            "/api/?key=%6Frdain.T.s",
        ] {
            check(target, &["key"], Ok((target, false)));
        }
        check("/api/?key=ordain.T.s", &[], Ok(("/api/?key=ordain.T.s", false)));
        check("/api/?key=ordain.T.s&key=ordain.T.s", &["key"], Err("two_credentials"));
    }

    #[test]
    fn a_token_in_the_query_and_one_in_the_head_are_two() {
        for (name, value) in [("authorization", "Bearer x"), ("x-pan-key", "ordain.T.s")] {
            let mut request =
                Request::builder().uri("/api/?key=ordain.T.s").header(name, value).body(()).unwrap();
            let fault = settle(&mut request, &["key"]).unwrap_err();
            assert_eq!(fault.reason_code().as_str(), "two_credentials", "{name}");
        }
    }

    #[test]
    fn a_form_loses_the_token_and_nothing_else() {
        let (rest, token) =
            without("type=config&key=ordain.T.s&element=%3Ca%2F%3E&x=", &["key"]).unwrap().unwrap();
        assert_eq!(
            (rest.as_str(), token.to_str().unwrap()),
            ("type=config&element=%3Ca%2F%3E&x=", "ordain.T.s")
        );
        assert!(without("type=config&key=LUFRPT1", &["key"]).unwrap().is_none());
        assert!(without("key=ordain.T.s&key=ordain.U.s", &["key"]).is_err());
    }
}
