//! The methods of Google's APIs, host by host, as the discovery documents and the `.proto` files have them, and what
//! of it is served over gRPC.
//!
//! Leaves out which method a request means: the room decides that. A host's block is decoded on first use.

mod rpc;
mod site;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{LazyLock, OnceLock};

pub use rpc::{
    GoogleCall, GoogleField, GoogleKind, GooglePart, GoogleRpc, GoogleRule, GoogleType, GoogleTypeOf,
};
pub use site::{GoogleApi, GoogleMethod, GooglePath, GoogleSegment, GoogleSite};

include!(concat!(env!("OUT_DIR"), "/sites.rs"));

/// What all of Google's hosts end in.
const DOMAIN: &str = ".googleapis.com";

/// What is served over gRPC on many hosts, in the place of one.
const EVERYWHERE: &str = "everywhere";

/// Every API that is known, read once.
#[must_use]
pub fn google() -> &'static Google {
    static ALL: LazyLock<Google> = LazyLock::new(Google::new);
    &ALL
}

/// Every API that is known.
pub struct Google {
    heads: Vec<Head>,
    by_host: HashMap<&'static str, Vec<usize>>,
    by_form: HashMap<&'static str, Vec<(usize, usize)>>,
    // Every place that some API has a host of its own in.
    places: BTreeSet<&'static str>,
    decoded: Vec<OnceLock<Option<GoogleSite>>>,
    rpcs: Vec<OnceLock<Option<GoogleRpc>>>,
}

/// What is known of a host before its block is decoded.
#[derive(Debug)]
struct Head {
    host: &'static str,
    names: &'static str,
    forms: Vec<BTreeSet<&'static str>>,
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Google").field("hosts", &self.heads.len()).finish_non_exhaustive()
    }
}

impl Default for Google {
    fn default() -> Self {
        Self::new()
    }
}

impl Google {
    /// The catalogue as built in.
    #[must_use]
    pub fn new() -> Self {
        let mut all = Self {
            heads: Vec::with_capacity(SITES.len()),
            by_host: HashMap::new(),
            by_form: HashMap::new(),
            places: BTreeSet::new(),
            decoded: SITES.iter().map(|_| OnceLock::new()).collect(),
            rpcs: RPCS.iter().map(|_| OnceLock::new()).collect(),
        };
        for (at, (text, ..)) in SITES.iter().enumerate() {
            let mut head = Head { host: "", names: "", forms: Vec::new() };
            for line in text.lines() {
                let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
                match word {
                    "host" => {
                        (head.host, head.names) = (rest, rest);
                        all.by_host.entry(rest).or_default().push(at);
                    }
                    "names" => head.names = rest,
                    "also" => rest.split(' ').for_each(|host| all.by_host.entry(host).or_default().push(at)),
                    _ => {
                        let (form, places) = rest.split_once(' ').unwrap_or((rest, ""));
                        all.by_form.entry(form).or_default().push((at, head.forms.len()));
                        all.places.extend(places.split(' '));
                        head.forms.push(places.split(' ').collect());
                    }
                }
            }
            all.heads.push(head);
        }
        all
    }

    /// What a host serves, which has to be one of those that the documents name: an API's own, one for a place, or one for
    /// clients with certificates. Nothing where it is none of them; several where APIs share it.
    pub fn sites(&self, host: &str) -> Vec<&GoogleSite> {
        let found = match self.by_host.get(host) {
            Some(found) => found.clone(),
            None => self.in_a_place(host).into_iter().collect(),
        };
        found.into_iter().filter_map(|at| self.site(at)).collect()
    }

    /// The one whose own host that is.
    #[must_use]
    pub fn own(&self, host: &str) -> Option<&GoogleSite> {
        let at = self.heads.iter().position(|head| head.host == host)?;
        self.site(at)
    }

    /// Every host that an API has as its first.
    pub fn hosts(&self) -> impl Iterator<Item = &'static str> {
        self.heads.iter().map(|head| head.host)
    }

    fn site(&self, at: usize) -> Option<&GoogleSite> {
        let (_, packed, size) = SITES.get(at)?;
        let head = self.heads.get(at)?;
        let decode = || GoogleSite::parse(head.host, head.names, &unpack(packed, *size)?);
        self.decoded.get(at)?.get_or_init(decode).as_ref()
    }

    /// What an API's first host serves over gRPC.
    #[must_use]
    pub fn rpc(&self, host: &str) -> Option<&GoogleRpc> {
        let at = RPCS.iter().position(|(known, ..)| *known == host)?;
        let (_, packed, size) = RPCS.get(at)?;
        let decode = || GoogleRpc::parse(&unpack(packed, *size)?);
        self.rpcs.get(at)?.get_or_init(decode).as_ref()
    }

    /// What is served over gRPC on many hosts beside their own.
    #[must_use]
    pub fn rpc_everywhere(&self) -> Option<&GoogleRpc> {
        self.rpc(EVERYWHERE)
    }

    /// Every host that serves something over gRPC.
    pub fn rpc_hosts(&self) -> impl Iterator<Item = &'static str> {
        RPCS.iter().map(|(host, ..)| *host).filter(|host| *host != EVERYWHERE)
    }

    /// How many methods there are over gRPC.
    #[must_use]
    pub fn rpc_calls(&self) -> usize {
        CALLS
    }

    /// `service.PLACE.rep.googleapis.com` and `PLACE-service.googleapis.com`.
    fn in_a_place(&self, host: &str) -> Option<usize> {
        let found = |form: &str, place: &str| {
            let known = self.by_form.get(form)?;
            let known = known.iter().find(|(at, form)| {
                self.heads
                    .get(*at)
                    .and_then(|head| head.forms.get(*form))
                    .is_some_and(|in_| in_.contains(place))
            });
            known.map(|(at, _)| *at)
        };
        let label = host.strip_suffix(DOMAIN)?;
        if let Some((service, place)) = label.strip_suffix(".rep").and_then(|label| label.rsplit_once('.')) {
            return found(&format!("{service}.{{}}.rep{DOMAIN}"), place);
        }
        label.match_indices('-').find_map(|(at, _)| {
            let (place, service) = (label.get(..at)?, label.get(at + 1..)?);
            if !self.places.contains(place) {
                return None;
            }
            let own = || self.heads.iter().position(|head| head.host.strip_suffix(DOMAIN) == Some(service));
            found(&format!("{{}}-{service}{DOMAIN}"), place).or_else(own)
        })
    }

    /// How many APIs there are, each version for itself.
    #[must_use]
    pub fn apis(&self) -> usize {
        APIS
    }

    /// How many methods.
    #[must_use]
    pub fn methods(&self) -> usize {
        METHODS
    }

    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> &'static str {
        DIGEST
    }
}

fn unpack(packed: &[u8], size: usize) -> Option<String> {
    String::from_utf8(zstd::bulk::decompress(packed, size).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_read_and_each_method_stands_once() {
        let google = Google::new();
        let (mut apis, mut methods) = (0, 0);
        for at in 0..SITES.len() {
            let site = google.site(at).unwrap_or_else(|| panic!("{:?} cannot be read", google.heads[at]));
            apis += site.apis().len();
            methods += site.methods().len();
            let mut known = HashMap::new();
            for method in site.methods() {
                let same = known.insert((method.http, method.path.to_string()), &method.id);
                assert!(same.is_none(), "{same:?} and {} are asked for in one way", method.id);
            }
        }
        assert_eq!((apis, methods), (google.apis(), google.methods()));
        assert!(apis >= 700 && methods >= 30_000, "{apis} {methods}");
    }

    #[test]
    fn every_block_of_grpc_is_read_and_each_rule_is_that_of_a_method() {
        let google = Google::new();
        let mut calls = 0;
        for host in google.rpc_hosts().chain([EVERYWHERE]) {
            let rpc = google.rpc(host).unwrap_or_else(|| panic!("{host} cannot be read"));
            calls += rpc.calls().count();
            for rule in rpc.calls().flat_map(|call| &call.rules) {
                let Some(id) = &rule.id else { continue };
                let site = google.own(host).unwrap();
                let methods = site.methods().iter();
                let same = methods.filter(|method| method.id == *id && method.http == rule.http);
                assert!(same.count() > 0, "{host}: {id}");
            }
        }
        assert_eq!(calls, google.rpc_calls());
        assert!(calls >= 10_500, "{calls}");
    }

    #[test]
    fn a_host_is_one_of_those_that_there_are() {
        let google = Google::new();
        let of =
            |host: &str| google.sites(host).iter().map(|site| site.host().to_owned()).collect::<Vec<_>>();
        for host in [
            "compute.googleapis.com",
            "compute.mtls.googleapis.com",
            "compute.us-central1.rep.googleapis.com",
        ] {
            assert_eq!(of(host), ["compute.googleapis.com"], "{host}");
        }
        assert_eq!(of("us-central1-aiplatform.googleapis.com"), ["aiplatform.googleapis.com"]);
        assert_eq!(of("europe-west1-run.googleapis.com"), ["run.googleapis.com"]);
        assert_eq!(of("www.googleapis.com").len(), 4);
        for host in [
            "",
            "googleapis.com",
            ".googleapis.com",
            "compute.evil.rep.googleapis.com",
            "evil-run.googleapis.com",
            "us-central1-.googleapis.com",
            "us-central1-evil.googleapis.com",
            "compute.googleapis.com.evil.example",
            "compute.us-central1.googleapis.com",
            "Compute.googleapis.com",
        ] {
            assert!(of(host).is_empty(), "{host}");
        }
    }
}
