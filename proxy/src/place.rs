//! Which plane, and which upstream of it, a request came to: by the name it was sent to, or by what its credential is
//! bound to.
//!
//! Several planes and clusters share one address. Where a name of theirs is configured it decides; else an issued token
//! does, which is bound to one upstream, or what else its sender would be shown by; else the head alone, which every room
//! reads in its own way. Leaves out reading the request (the rooms) and who asks (`identity`).

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Request;
use http::header::{AUTHORIZATION, HOST};
use ordain_action::Plane;
use ordain_decode::form::http1::host_name;
use ordain_decode::{Head, Rooms, WayIn as Asked};

use crate::config::UpstreamConfig;
use crate::identity::Schemes;
use crate::keys::{KeyStore, token};
use crate::listen::{ConnectionInfo, WayIn};
use crate::upstream::Upstreams;

/// What a request came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The plane; none where only the head can say.
    pub plane: Option<Plane>,
    /// The upstream, where the name says which.
    pub upstream: Option<Arc<str>>,
}

/// A request's connection, and what it came to.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The connection.
    pub connection: ConnectionInfo,
    /// What it came to.
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    upstream: Arc<str>,
    plane: Plane,
}

/// The places of all upstreams.
#[derive(Debug, Default)]
pub struct Places {
    // By names of ours.
    names: BTreeMap<String, Known>,
    planes: BTreeMap<Arc<str>, Plane>,
}

impl Places {
    /// The places of a configuration.
    #[must_use]
    pub fn new(upstreams: &[UpstreamConfig]) -> Self {
        let mut places = Self::default();
        for upstream in upstreams {
            let known = Known { upstream: upstream.name.as_str().into(), plane: upstream.kind.plane() };
            places.planes.insert(Arc::clone(&known.upstream), known.plane);
            for name in &upstream.names {
                places.names.insert(name.clone(), known.clone());
            }
        }
        places
    }

    /// What a request came to.
    #[must_use]
    pub fn of<B>(
        &self,
        rooms: &Rooms,
        (keys, schemes): (&KeyStore, &Schemes),
        upstreams: &Upstreams,
        connection: &ConnectionInfo,
        request: &Request<B>,
    ) -> Place {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let port = if connection.tls.is_some() { 443 } else { 80 };
        let known = match &connection.way_in {
            WayIn::Reverse => self.named(host).or_else(|| self.bound(keys, request)),
            WayIn::Tunnel(..) | WayIn::Forward | WayIn::Transparent(_) => upstreams.at_host(host, port),
        };
        if let Some((upstream, plane)) = known {
            return Place { plane: Some(plane), upstream: Some(upstream) };
        }
        let vouched = self.vouched(schemes, connection, request);
        if connection.way_in == WayIn::Reverse && vouched.plane.is_some() {
            return vouched;
        }
        // Without a name and without a token of ours the head is all there is; where it looks like a plane that is
        // served here, that plane says no in its own words.
        let looks = (connection.way_in == WayIn::Reverse).then(|| rooms.looks_like(&bare(request))).flatten();
        let mut of_plane = self.planes.iter().filter(|(_, plane)| Some(**plane) == looks);
        let first = of_plane.next().map(|(name, _)| Arc::clone(name));
        let plane = looks.filter(|_| first.is_some());
        if plane.is_none() && connection.way_in == WayIn::Reverse && !is_of_aws(request) {
            return self.the_other();
        }
        Place { plane, upstream: first.filter(|_| of_plane.next().is_none()) }
    }

    /// The only upstream beside those of AWS: clients look at what has an address of its own before they show who they are,
    /// and have to be told so as it tells them.
    fn the_other(&self) -> Place {
        let mut others = self.planes.iter().filter(|(_, plane)| **plane != Plane::Aws);
        match (others.next(), others.next()) {
            (Some((name, plane)), None) => Place { plane: Some(*plane), upstream: Some(Arc::clone(name)) },
            _ => Place::default(),
        }
    }

    /// Where somebody who holds no key of ours may send requests: to one upstream, or to those of one plane.
    fn vouched<B>(&self, schemes: &Schemes, connection: &ConnectionInfo, request: &Request<B>) -> Place {
        let upstreams = schemes.upstreams(connection, request.headers(), request.uri());
        let mut planes: Vec<Plane> =
            upstreams.iter().filter_map(|name| self.planes.get(name).copied()).collect();
        planes.dedup();
        let plane = match planes.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let mut all = upstreams.into_iter();
        let upstream = all.next().filter(|_| plane.is_some() && all.next().is_none());
        Place { plane, upstream }
    }

    /// What a name of ours stands for.
    fn named(&self, host: &str) -> Option<(Arc<str>, Plane)> {
        let known = self.names.get(&host_name(host).to_ascii_lowercase())?;
        Some((Arc::clone(&known.upstream), known.plane))
    }

    /// What the issued token of a request is bound to. It is proven later, like everything of a head.
    fn bound<B>(&self, keys: &KeyStore, request: &Request<B>) -> Option<(Arc<str>, Plane)> {
        let key = keys.find(token::id_of(token::presented(request.headers())?)?)?;
        let plane = *self.planes.get(&key.upstream)?;
        Some((Arc::clone(&key.upstream), plane))
    }
}

/// Whether something in a head is of AWS alone: a signature, or a header or a parameter of its own.
fn is_of_aws<B>(request: &Request<B>) -> bool {
    let signed = request.headers().get_all(AUTHORIZATION).iter();
    let own = request.headers().keys().any(|name| name.as_str().starts_with("x-amz-"));
    let query = request.uri().query().unwrap_or_default().to_ascii_lowercase();
    own || query.contains("x-amz-") || signed.into_iter().any(|value| value.as_bytes().starts_with(b"AWS"))
}

/// The head of a request to an address of ours of which nothing more is known yet.
fn bare<B>(request: &Request<B>) -> Head<'_> {
    Head {
        method: request.method().as_str(),
        target: request.uri().path_and_query().map_or("/", |target| target.as_str()),
        authority: request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
        headers: request.headers(),
        way_in: Asked::Reverse,
        plane: None,
        upstream: None,
    }
}
