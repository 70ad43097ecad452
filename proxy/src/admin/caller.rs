//! Who asks on the admin address: the one place that says so, for every endpoint.
//!
//! A caller is shown by a bearer token and by nothing that a browser sends by itself. Leaves out how people log in
//! (`people`) and what each endpoint asks for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::container::only;
use super::listener::Peer;
use crate::gate::Gate;
use crate::keys::token;
use crate::people::{People, Person, Role};

/// Who asks. An endpoint takes it as an argument, and with that refuses whoever is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Whoever holds the token of the state directory: the command line on the gate's own machine.
    // INVARIANT: it is nobody in particular, and approves nothing.
    Token,
    /// A person who logged in.
    Person(Person),
}

impl Caller {
    /// Whether the caller has a role.
    pub(crate) fn may(&self, role: Role) -> bool {
        match (self, role) {
            (Self::Token, Role::Viewer | Role::Operator | Role::Admin) => true,
            (Self::Token, Role::Approver) => false,
            (Self::Person(person), role) => person.roles.cover(role),
        }
    }

    /// Refuses a caller who has not the role.
    ///
    /// # Errors
    /// A [`Refusal`] that says which role is needed.
    pub(crate) fn needs(&self, role: Role) -> Result<(), Refusal> {
        if self.may(role) {
            return Ok(());
        }
        let word = role.as_str();
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            match self {
                Self::Token => format!(
                    "the token of the state directory is no person, and only people have the role `{word}`; log in with \
                     `ordain login`"
                ),
                Self::Person(person) => format!(
                    "`{}` has not the role `{word}`; ask whoever manages accounts for it",
                    person.name
                ),
            },
        ))
    }

    /// The person who asks, by the name that the model knows; nobody for the token of the state directory.
    pub(crate) fn person(&self) -> Option<&str> {
        match self {
            Self::Token => None,
            Self::Person(person) => Some(&person.name),
        }
    }

    /// How the caller was shown, for evidence.
    pub(crate) fn shown_by(&self) -> String {
        match self {
            Self::Token => "the token of the state directory".to_owned(),
            Self::Person(person) => person.how.shown(),
        }
    }

    /// Whose changes of the gate those of the caller are, in evidence.
    pub(crate) fn author(&self) -> &str {
        self.person().unwrap_or("operator")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            let text =
                "log in with `ordain login`, or present the token of `admin.token` in the state directory";
            Refusal::new(StatusCode::UNAUTHORIZED, text)
        })
    }
}

/// What is answered to who may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    /// A status, and a text that ends with what to do.
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.text)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Where callers are told apart.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) gate: Arc<Gate>,
    pub(super) people: People,
    address: SocketAddr,
}

impl Desk {
    /// That of a gate whose admin address is `address`.
    pub(super) fn new(gate: Arc<Gate>, people: People, address: SocketAddr) -> Self {
        Self { gate, people, address }
    }

    async fn caller(&self, peer: Peer, headers: &HeaderMap) -> Option<Caller> {
        let shown = token::presented(headers)?;
        if bool::from(shown.as_bytes().ct_eq(self.gate.admin_token.as_bytes())) {
            return Some(Caller::Token);
        }
        // A session that somebody on the way has seen by now is not asked by.
        if !peer.is_private() {
            return None;
        }
        self.people.find(shown).await.map(Caller::Person)
    }

    /// Whether a request says that it comes from a page, and not from one of the admin address itself.
    fn is_foreign(&self, peer: Peer, headers: &HeaderMap) -> bool {
        if !headers.contains_key(header::ORIGIN) {
            return false;
        }
        let (origin, host) = (only(headers, &header::ORIGIN), only(headers, &header::HOST));
        let names = &self.gate.config().names;
        origin.zip(host).is_none_or(|page| !is_own_page(page, self.address, peer.is_encrypted, names))
    }
}

/// Finds out who asks before any endpoint is asked, and turns away what a page of another site sends.
pub(super) async fn who_asks(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = if desk.is_foreign(peer, request.headers()) {
        let text = "the request comes from a page of another site (`origin`), which may ask nothing here; use the admin \
                    address itself";
        Refusal::new(StatusCode::FORBIDDEN, text).into_response()
    } else {
        if let Some(caller) = desk.caller(peer, request.headers()).await {
            request.extensions_mut().insert(caller);
        }
        next.run(request).await
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether a page is one of the address that it asks, under a name that no other site can have.
fn is_own_page(
    (origin, host): (&str, &str),
    address: SocketAddr,
    is_encrypted: bool,
    names: &[String],
) -> bool {
    let scheme = if is_encrypted { "https://" } else { "http://" };
    if origin.strip_prefix(scheme) != Some(host) {
        return false;
    }
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let default = if is_encrypted { 443 } else { 80 };
    let name = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    // A name of somebody else's that was made to lead here is another site.
    let is_ours = match name.parse::<IpAddr>() {
        Ok(named) => {
            named == address.ip()
                || address.ip().is_unspecified()
                || (named.is_loopback() && address.ip().is_loopback())
        }
        Err(_) => name == "localhost" || names.iter().any(|own| own.eq_ignore_ascii_case(name)),
    };
    is_ours && uri.port_u16().unwrap_or(default) == address.port()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::How;

    fn person(roles: &[Role]) -> Caller {
        Caller::Person(Person {
            name: "alice".into(),
            roles: roles.iter().copied().collect(),
            how: How::Oidc("https://login.example".into()),
            expires: jiff::Timestamp::MAX,
        })
    }

    #[test]
    fn the_token_may_all_but_approve_and_is_no_person() {
        let may: Vec<bool> = Role::ALL.into_iter().map(|role| Caller::Token.may(role)).collect();
        assert_eq!(may, [true, false, true, true]);
        assert_eq!((Caller::Token.person(), Caller::Token.author()), (None, "operator"));
        let refused = Caller::Token.needs(Role::Approver).unwrap_err();
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.text.contains("is no person"), "{}", refused.text);
    }

    #[test]
    fn a_person_may_what_the_roles_cover() {
        let viewer = person(&[Role::Viewer]);
        assert!(viewer.needs(Role::Viewer).is_ok());
        let refused = viewer.needs(Role::Operator).unwrap_err().text;
        assert_eq!(refused, "`alice` has not the role `operator`; ask whoever manages accounts for it");
        assert!(person(&[Role::Operator]).needs(Role::Approver).is_err(), "who operates approves nothing");
        assert!(person(&[Role::Admin]).needs(Role::Approver).is_err(), "who gives roles has none of them");
        assert!(person(&[Role::Approver]).needs(Role::Viewer).is_ok());
        assert_eq!((viewer.person(), viewer.author()), (Some("alice"), "alice"));
        assert_eq!(viewer.shown_by(), "a token of `https://login.example`");
    }

    #[test]
    fn a_page_is_our_own_at_the_address_itself_only() {
        let at: SocketAddr = "127.0.0.1:7071".parse().unwrap();
        let names = ["gate.acme.example".to_owned()];
        let check = |origin: &str, host: &str| is_own_page((origin, host), at, false, &names);
        for host in ["127.0.0.1:7071", "localhost:7071", "[::1]:7071", "gate.acme.example:7071"] {
            assert!(check(&format!("http://{host}"), host), "{host}");
        }
        for (origin, host) in [
            ("null", "127.0.0.1:7071"),
            ("https://127.0.0.1:7071", "127.0.0.1:7071"),
            ("http://evil.example", "127.0.0.1:7071"),
            ("http://127.0.0.1:8080", "127.0.0.1:7071"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://evil.example:7071", "evil.example:7071"),
            ("http://127.0.0.1.evil.example:7071", "127.0.0.1.evil.example:7071"),
            ("http://192.0.2.1:7071", "192.0.2.1:7071"),
            ("http://x@127.0.0.1:7071", "127.0.0.1:7071"),
            ("", "127.0.0.1:7071"),
        ] {
            assert!(!check(origin, host), "{origin} {host}");
        }
    }
}
