//! The room of OpenStack: Keystone, Nova, Neutron, Cinder, Glance and Ironic at one address.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the paths of the six services, below their type (`/compute/v2.1`) or below their version alone where
//!   that and what follows it belong to one of them; action bodies, JSON Patches, lists that make several at once,
//!   microversions. Tokens that Keystone hands out are exchanged under custody, and so is the one that a login is made
//!   with or that `X-Subject-Token` names; whatever else an answer hands out is denied: application credentials, EC2 keys.
//! - **Catalogue**: the tables in `routes/`, written from what the services' own packages say of themselves.
//! - **Denies as** the service that was asked.
//! - **Absent on purpose**: other services; names of things that have ids too, which are all of their kind here; names
//!   that differ in case alone, which some databases take for one; what a service does on its own beside what it is
//!   asked, such as the snapshots of volumes that an image of a server brings with it.
//!
//! Sources: the packages in `routes/SOURCE.toml`.

mod body;
mod call;
mod deny;
mod header;
mod kind;
mod member;
mod route;
mod service;

use ordain_action::{Call, Created, Denial, Plane, Undecodable};
use serde_json::Value;

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead, TokenPlace};
use crate::contract::{Leads, NativeResponse, Needs};
use crate::form::fields::clip;
use crate::rest::{self, BODY_MAX, Ends, Grammar, Handed, Line, Location, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use route::{Flag, Found, Routes};
use service::{Place, Places, Service};

/// What is known of the plane without the room. Which path only those may read whom it knows says each service for
/// itself, and an upstream may have any of them.
pub(crate) const CARD: Card = Card {
    variables: &[
        ("OS_AUTH_TYPE", "admin_token"),
        ("OS_ENDPOINT", "{gate}"),
        ("OS_TOKEN", "{token}"),
        ("OS_IDENTITY_ENDPOINT_OVERRIDE", "{gate}/identity/v3"),
        ("OS_COMPUTE_ENDPOINT_OVERRIDE", "{gate}/compute/v2.1"),
        ("OS_NETWORK_ENDPOINT_OVERRIDE", "{gate}/networking/v2.0"),
        ("OS_IMAGE_ENDPOINT_OVERRIDE", "{gate}/image/v2"),
        ("OS_BAREMETAL_ENDPOINT_OVERRIDE", "{gate}/baremetal/v1"),
    ],
    token: Some("x-auth-token"),
    token_in_body: Some(("/v3/auth/tokens", SIGNED_IN_BY)),
    ..Card::PLAIN
};

/// Where a token stands that one signs in with.
const SIGNED_IN_BY: &str = "auth.identity.token.id";

/// The header in which Keystone hands out a token, and in which a request names one beside the one it is made with.
const SUBJECT: &str = "x-subject-token";

/// Where the token stands that a login hands out, with its end.
const SIGNED_IN: Handed = Handed {
    at: TokenPlace::Header(SUBJECT),
    ends: Some(Ends::At("token.expires_at")),
    principal: Some("token.user.id"),
};

/// The room.
pub(crate) type Room = RestRoom<OpenStack>;

/// What the requests of OpenStack mean.
#[derive(Debug)]
pub(crate) struct OpenStack {
    routes: Routes,
}

/// What a head asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The service, where the path says which.
    service: Option<Service>,
    what: What,
}

/// What is asked of a service.
#[derive(Debug)]
enum What {
    /// Which versions there are.
    Versions,
    /// A path that is known.
    Known(Found),
    /// It cannot be said: the service alone is known, which says no in its own form.
    Unread(Undecodable),
}

impl Asked {
    /// The service's type.
    fn name(&self) -> &'static str {
        self.service.map_or("versions", Service::as_str)
    }

    /// What is asked for, where no body has to say.
    fn operation(&self) -> Option<&route::Operation> {
        match &self.what {
            What::Known(found) => found.operation(),
            What::Versions | What::Unread(_) => None,
        }
    }
}

/// Parameters of a query by which lists are narrowed, each of several values.
const REPEATS: [&str; 32] = [
    "created_at",
    "device_id",
    "device_owner",
    "direction",
    "ethertype",
    "fields",
    "fixed_ips",
    "floating_ip_address",
    "floating_network_id",
    "host",
    "id",
    "in",
    "ip_version",
    "mac_address",
    "member_status",
    "name",
    "network_id",
    "os_hidden",
    "port_id",
    "project_id",
    "protocol",
    "router_id",
    "security_group_id",
    "security_groups",
    "sort_dir",
    "sort_key",
    "status",
    "subnet_id",
    "tag",
    "tags",
    "tenant_id",
    "updated_at",
];

impl Grammar for OpenStack {
    type Asked = Asked;

    const PLANE: Plane = Plane::Openstack;

    const RULES: Rules =
        Rules { repeats: &REPEATS, trailing_slash: true, credentials: &[SUBJECT], ..Rules::USUAL };

    // Pages: `next` of Keystone, Glance and Ironic, the links of the others; and which versions there are, by links too.
    const LEADS: Leads = Leads { headers: &["location", "link"], members: &["next", "previous", "href"] };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self { routes: Routes::new() })
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Openstack,
            reads: "Keystone, Nova, Neutron, Cinder, Glance, Ironic: actions, JSON Patch, bulk creates, microversions",
            known: vec![(Service::ALL.len(), "services"), (self.routes.len(), "paths")],
            sources: include_str!("routes/SOURCE.toml"),
            page: include_str!("README.md"),
            absent: &[
                "services other than these six",
                "credentials that an answer hands out, under custody, beside tokens: they cannot be rewritten",
                "whose a name is where there are ids too: it is read as all of its kind",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(Routes::digest().to_hex())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        header::check(line)?;
        let subject = header::named(line, SUBJECT)?;
        let asked = self.asked(line)?;
        match (subject, asked.operation().is_some_and(|operation| operation.has(&Flag::Subject))) {
            (true, false) => Err(header::subject(true)),
            (false, true) => Ok(Asked { what: What::Unread(header::subject(false)), ..asked }),
            (true, true) | (false, false) => Ok(asked),
        }
    }

    fn needs(&self, asked: &Asked) -> Needs {
        match &asked.what {
            What::Versions => Needs::Nothing,
            What::Unread(_) => Needs::Held { cap: BODY_MAX },
            What::Known(found) => match found.operation() {
                Some(operation) if operation.has(&Flag::Stream) => Needs::Payload,
                Some(operation) if operation.has(&Flag::Call) || operation.has(&Flag::Body) => {
                    Needs::Held { cap: BODY_MAX }
                }
                Some(_) if matches!(found.method, "GET" | "DELETE") => Needs::Nothing,
                Some(_) | None => Needs::Held { cap: BODY_MAX },
            },
        }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        asked.name()
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        call::call(asked, whole)
    }

    /// What is not known of Keystone may hand out a token: much of it does.
    fn hands_out(&self, asked: &Asked) -> bool {
        match &asked.what {
            What::Versions => false,
            What::Known(found) => found.operation().is_some_and(|operation| operation.has(&Flag::Mints)),
            What::Unread(_) => matches!(asked.service, None | Some(Service::Identity | Service::Baremetal)),
        }
    }

    fn handed(&self, asked: &Asked) -> Option<Handed> {
        let operation = asked.operation()?;
        let shown = operation.has(&Flag::Subject).then_some(Handed { ends: None, ..SIGNED_IN });
        shown.or_else(|| operation.has(&Flag::Token).then_some(SIGNED_IN))
    }

    fn names_token(&self, asked: &Asked) -> Option<TokenPlace> {
        let operation = asked.operation()?;
        let subject = operation.has(&Flag::Subject).then_some(TokenPlace::Header(SUBJECT));
        subject.or_else(|| operation.has(&Flag::Token).then_some(TokenPlace::Member(SIGNED_IN_BY)))
    }

    /// A catalogue says where the services are; elsewhere `url` is what somebody wrote.
    fn leads(&self, asked: &Asked) -> Leads {
        match asked.operation() {
            Some(operation) if operation.has(&Flag::Catalog) => {
                Leads { members: &["next", "previous", "href", "url"], ..Self::LEADS }
            }
            Some(_) | None => Self::LEADS,
        }
    }

    fn deny(&self, asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        deny::response(asked.and_then(|asked| asked.service), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["x-openstack-request-id", "x-compute-request-id"], error_code)
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        let place = new.path.iter().map(|part| format!("/{part}")).collect::<String>();
        let one = rest::identifier(&new.kind, &new.member, answer, body, &[Location::Member(&place)]);
        if !one.is_empty() {
            return one;
        }
        let many = several(new.path.first().map(AsRef::as_ref), &new.member, body);
        if many == 0 {
            return rest::identifier(&new.kind, &new.member, answer, body, &[Location::Header]);
        }
        (0..many)
            .flat_map(|at| {
                let place = format!(
                    "/{}/{at}/{}",
                    new.path.first().map(AsRef::as_ref).unwrap_or_default(),
                    new.member
                );
                rest::identifier(&new.kind, &new.member, answer, body, &[Location::Member(&place)])
            })
            .collect()
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        let marks =
            ["openstack-api-version", "x-openstack-nova-api-version", "x-openstack-ironic-api-version"];
        marks.iter().any(|name| head.headers.contains_key(*name))
            && !head.headers.contains_key("authorization")
    }
}

impl OpenStack {
    fn asked(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        let path = line.path();
        let slash = line.head.target.split('?').next().is_some_and(|path| path.ends_with('/'));
        match service::places(&path) {
            Places::Versions(service) => {
                let what = if line.is_safe() { What::Versions } else { What::Unread(line.unknown()) };
                Ok(Asked { service, what })
            }
            Places::Below(places) => self.below(line, &places, slash),
        }
    }

    /// What a path below a version asks for: it has to be known of one service alone.
    fn below(&self, line: &Line<'_>, places: &[Place<'_>], slash: bool) -> Result<Asked, Undecodable> {
        let only = match places {
            [only] => Some(only.service),
            _ => None,
        };
        let unread = |service, why| Ok(Asked { service, what: What::Unread(why) });
        if let [Place { service, project: Some(_), rest: [] }] = places
            && line.is_safe()
        {
            return Ok(Asked { service: Some(*service), what: What::Versions });
        }
        let mut known =
            places.iter().filter_map(|place| Some((place, self.routes.find(place.service, place.rest)?)));
        let Some((place, (route, values))) = known.next() else { return unread(only, line.unknown()) };
        if known.next().is_some() {
            let path = line.head.target.split('?').next().unwrap_or_default();
            return unread(
                None,
                Undecodable::new(
                    "ambiguous_service",
                    format!(
                        "`{}` is a path of Keystone and of Cinder; write the service's type before its version, \
                         as `/identity/v3` or `/volume/v3`",
                        clip(path)
                    ),
                ),
            );
        }
        let service = Some(place.service);
        let method = match line.method {
            "GET" | "HEAD" => "GET",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => return unread(service, line.unknown()),
        };
        let is_known = route.operation(method).is_some() || (method == "POST" && route.has_actions());
        // Servers differ in what a slash at the end is; lists of Ironic are asked for with one.
        let is_list = route.operation(method).is_some_and(|one| one.reads() && one.verb == "list");
        if !is_known || (slash && !is_list) {
            return unread(service, line.unknown());
        }
        // What acts on a `GET` is asked for by no other method.
        let looks = |one: &route::Operation| one.reads() || one.has(&Flag::Subject);
        if line.method == "HEAD" && !route.operation(method).is_some_and(looks) {
            return unread(service, line.unknown());
        }
        let project = place.project.map(str::to_owned);
        let found = Found { route: route.clone(), method, values, project };
        match call::check(&found) {
            Ok(()) => Ok(Asked { service, what: What::Known(found) }),
            Err(why) => unread(service, why),
        }
    }
}

/// How many an answer has of what was made.
fn several(wrapper: Option<&str>, member: &str, body: &[u8]) -> usize {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let list = value.as_ref().and_then(|value| value.get(wrapper?)?.as_array());
    list.filter(|list| list.iter().all(|one| one.get(member).is_some())).map_or(0, Vec::len)
}

/// What a service calls its error.
fn error_code(error: &Value) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let (name, inner) = error.as_object()?.iter().next()?;
    match name.as_str() {
        "error" => text(inner.get("title")),
        "NeutronError" => text(inner.get("type")),
        "error_message" => {
            let inner: Option<Value> = inner.as_str().and_then(|inner| serde_json::from_str(inner).ok());
            text(inner.as_ref()?.get("faultcode"))
        }
        _ => inner.get("code").map(|_| name.clone()),
    }
}
