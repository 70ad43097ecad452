//! The certificates that tunnels show to their clients, minted for one host each and kept for a while.
//!
//! Leaves out which authority signs: the caller says so with each question.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls::sign::{CertifiedKey, SigningKey};

use crate::authority::{Authority, BACKDATED, date, params, serial};
use crate::host::{Host, Kind};
use crate::key::Key;
use crate::trust::Fingerprint;
use crate::tunnel::{self, Resolver};

/// The longest a leaf certificate holds.
pub const LEAF_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long before its end a leaf is minted anew: longer than a client keeps a connection that it has just opened.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// The subject of every leaf, for whoever looks at one. Without a dot, so that nobody takes it for a host's name.
const SUBJECT: &str = "Ordain interception";

/// Why there is no certificate for a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// No client would accept it.
    #[error(
        "the authority `{authority}` does not cover `{host}`, only {permitted}; \
         make an authority that does and give it to the clients"
    )]
    NotCovered {
        /// The name of the authority.
        authority: String,
        /// The host that was asked for.
        host: Host,
        /// What it may name.
        permitted: String,
    },
    /// The authority has ended, or has not begun.
    #[error(
        "the authority `{authority}` holds from `{not_before}` to `{not_after}` and the time is `{now}`; \
         set the clock, or make a new one"
    )]
    NotValid {
        /// The name of the authority.
        authority: String,
        /// When it begins.
        not_before: Timestamp,
        /// When it ends.
        not_after: Timestamp,
        /// The time it is.
        now: Timestamp,
    },
    /// No key, no randomness or no signature.
    #[error("no certificate could be made: {0}; try again")]
    Crypto(String),
}

/// Mints leaf certificates and keeps them, for as many threads as ask.
///
/// All leaves of a process share one key pair. A key for each would protect nothing: every one would lie in the
/// memory in which the authority's own key lies, and TLS takes fresh keys for every connection besides. Shared, a
/// leaf costs one signature and its bytes.
pub struct Leaves {
    key: Key,
    handshakes: Arc<dyn SigningKey>,
    server: ServerConfig,
    kept: Mutex<LruCache<(Host, Fingerprint), Slot>>,
}

/// Where the leaf for a host is, once somebody has minted it: those who ask meanwhile wait here, and nobody else.
type Slot = Arc<Mutex<Option<Leaf>>>;

struct Leaf {
    certified: Arc<CertifiedKey>,
    not_before: Timestamp,
    renewed_from: Timestamp,
}

impl Leaves {
    /// Keeps at most so many; the one that was asked for longest ago goes first.
    pub fn new(kept_max: NonZeroUsize) -> Result<Self, LeafError> {
        let key = Key::generate().map_err(crypto)?;
        let handshakes = key.for_handshakes().map_err(crypto)?;
        let server = tunnel::server_config().map_err(crypto)?;
        Ok(Self { key, handshakes, server, kept: Mutex::new(LruCache::new(kept_max)) })
    }

    /// The certificate for a host with the authority's after it, and the key: kept, or minted now.
    pub fn leaf(
        &self,
        authority: &Authority,
        host: &Host,
        now: Timestamp,
    ) -> Result<Arc<CertifiedKey>, LeafError> {
        check(authority, host, now)?;
        let slot = self.slot(host, authority.certificate().fingerprint());
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = kept.as_ref().filter(|leaf| leaf.serves_at(now)) {
            return Ok(Arc::clone(&leaf.certified));
        }
        let leaf = self.mint(authority, host, now)?;
        let certified = Arc::clone(&leaf.certified);
        *kept = Some(leaf);
        Ok(certified)
    }

    /// What answers the handshake of a tunnel to a host: see [`Resolver`].
    pub fn resolver(
        &self,
        authority: &Authority,
        host: &Host,
        now: Timestamp,
    ) -> Result<Resolver, LeafError> {
        Ok(Resolver::new(host.clone(), self.leaf(authority, host, now)?))
    }

    /// The TLS settings of a tunnel: versions 1.2 and 1.3, with ALPN for HTTP/2 and HTTP/1.1.
    ///
    /// Tunnels share where sessions are kept. Taking one up again asks the tunnel's resolver too.
    #[must_use]
    pub fn server_config(&self, resolver: Resolver) -> Arc<ServerConfig> {
        let mut server = self.server.clone();
        server.cert_resolver = Arc::new(resolver);
        Arc::new(server)
    }

    fn slot(&self, host: &Host, authority: Fingerprint) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(kept.get_or_insert((host.clone(), authority), Slot::default))
    }

    fn mint(&self, authority: &Authority, host: &Host, now: Timestamp) -> Result<Leaf, LeafError> {
        let no_time = || LeafError::Crypto(format!("`{now}` is beyond every calendar"));
        let certificate = authority.certificate();
        let longest = now.checked_add(LEAF_MAX - BACKDATED).map_err(|_| no_time())?;
        let not_after = longest.min(certificate.not_after());
        let mut params = params(now, not_after).ok_or_else(no_time)?;
        params.not_before = params.not_before.max(date(certificate.not_before()).ok_or_else(no_time)?);
        let not_before = Timestamp::from_second(params.not_before.unix_timestamp()).map_err(|_| no_time())?;
        name(&mut params, host).map_err(crypto)?;
        // Random, because all leaves have one key: browsers refuse a serial number that they have seen.
        params.serial_number = Some(serial().map_err(crypto)?);
        let leaf = params.signed_by(&self.key, authority.issuer()).map_err(crypto)?;

        // Where the authority ends first, a new leaf would hold no longer than this one.
        let renewed_from = if not_after < longest { not_after } else { not_after - RENEWED_BEFORE };
        let chain = vec![leaf.into(), certificate.der().clone()];
        let certified = Arc::new(CertifiedKey::new(chain, Arc::clone(&self.handshakes)));
        Ok(Leaf { certified, not_before, renewed_from })
    }
}

impl Leaf {
    fn serves_at(&self, now: Timestamp) -> bool {
        (self.not_before..self.renewed_from).contains(&now)
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Leaves")
            .field("kept", &kept.len())
            .field("kept_max", &kept.cap())
            .finish_non_exhaustive()
    }
}

/// Refuses what no client would accept, before a place is taken for it.
fn check(authority: &Authority, host: &Host, now: Timestamp) -> Result<(), LeafError> {
    let certificate = authority.certificate();
    let name = || certificate.name().to_owned();
    if !certificate.constraints().permit(host) {
        let permitted = format!("`{}`", certificate.constraints());
        return Err(LeafError::NotCovered { authority: name(), host: host.clone(), permitted });
    }
    if !certificate.is_valid_at(now) {
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        return Err(LeafError::NotValid { authority: name(), not_before, not_after, now });
    }
    Ok(())
}

/// A server's certificate for this host alone.
fn name(params: &mut CertificateParams, host: &Host) -> Result<(), rcgen::Error> {
    params.distinguished_name.push(DnType::CommonName, SUBJECT);
    params.subject_alt_names = vec![match host.kind() {
        Kind::Name(name) => SanType::DnsName(name.as_ref().try_into()?),
        Kind::Address(address) => SanType::IpAddress(*address),
    }];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(())
}

fn crypto(error: impl fmt::Display) -> LeafError {
    LeafError::Crypto(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use expect_test::expect;
    use x509_parser::parse_x509_certificate;

    use super::*;
    use crate::constraints::Constraints;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn made() -> Timestamp {
        at("2026-01-01T00:00:00Z")
    }

    fn authority(days: i64) -> Authority {
        let constraints = Constraints::permitting(["example.com", "10.0.0.0/8"]).unwrap();
        Authority::create("test", &constraints, made(), SignedDuration::from_hours(24 * days)).unwrap()
    }

    fn leaves(kept_max: usize) -> Leaves {
        Leaves::new(NonZeroUsize::new(kept_max).unwrap()).unwrap()
    }

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    /// From when to when a leaf holds.
    fn validity(certified: &CertifiedKey) -> (Timestamp, Timestamp) {
        let (_, leaf) = parse_x509_certificate(&certified.cert[0]).unwrap();
        let time = |at: x509_parser::time::ASN1Time| Timestamp::from_second(at.timestamp()).unwrap();
        (time(leaf.validity().not_before), time(leaf.validity().not_after))
    }

    #[test]
    fn a_leaf_is_kept_and_minted_anew_a_day_before_its_end() {
        let (leaves, authority, host) = (leaves(8), authority(365), host("a.example.com"));
        let leaf = |now: &str| leaves.leaf(&authority, &host, at(now)).unwrap();
        let first = leaf("2026-02-01T00:00:00.5Z");
        let (from, to) = validity(&first);
        assert_eq!((from, to), (at("2026-01-31T23:00:00Z"), at("2026-02-07T23:00:00Z")));
        assert_eq!(to.duration_since(from), LEAF_MAX);
        assert!(Arc::ptr_eq(&first, &leaf("2026-02-06T22:59:59Z")));
        let second = leaf("2026-02-06T23:00:01Z");
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &leaf("2026-02-06T23:00:02Z")));
        // A clock that was set back: what was minted in its future does not hold yet.
        let third = leaf("2026-01-20T00:00:00Z");
        assert_eq!(validity(&third).0, at("2026-01-19T23:00:00Z"));
    }

    #[test]
    fn a_leaf_holds_no_longer_than_its_authority() {
        let (leaves, authority, host) = (leaves(8), authority(10), host("a.example.com"));
        let ends = authority.certificate().not_after();
        let near = ends - SignedDuration::from_hours(2);
        let leaf = leaves.leaf(&authority, &host, near).unwrap();
        assert_eq!(validity(&leaf), (near - BACKDATED, ends));
        // Nothing is gained by minting anew what cannot hold longer.
        let again = leaves.leaf(&authority, &host, ends - SignedDuration::from_secs(1)).unwrap();
        assert!(Arc::ptr_eq(&leaf, &again));
        let begins = authority.certificate().not_before();
        let first = leaves.leaf(&authority, &host, begins).unwrap();
        assert_eq!(validity(&first).0, begins);
    }

    #[test]
    fn an_authority_that_does_not_hold_or_does_not_cover_mints_nothing() {
        let (leaves, authority) = (leaves(8), authority(10));
        let (before, after) = (at("2025-12-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let errors: Vec<String> = [
            ("a.example.com", after),
            ("a.example.com", before),
            ("example.org", made()),
            ("192.0.2.1", made()),
        ]
        .into_iter()
        .map(|(name, now)| format!("{}\n", leaves.leaf(&authority, &host(name), now).unwrap_err()))
        .collect();
        expect![[r"
            the authority `test` holds from `2025-12-31T23:00:00Z` to `2026-01-11T00:00:00Z` and the time is `2026-02-01T00:00:00Z`; set the clock, or make a new one
            the authority `test` holds from `2025-12-31T23:00:00Z` to `2026-01-11T00:00:00Z` and the time is `2025-12-01T00:00:00Z`; set the clock, or make a new one
            the authority `test` does not cover `example.org`, only `example.com, 10.0.0.0/8`; make an authority that does and give it to the clients
            the authority `test` does not cover `192.0.2.1`, only `example.com, 10.0.0.0/8`; make an authority that does and give it to the clients
        "]].assert_eq(&errors.concat());
        assert_eq!(leaves.kept.lock().unwrap().len(), 0);
    }

    #[test]
    fn each_authority_has_a_leaf_of_its_own_for_a_host() {
        let (leaves, old, new, host) = (leaves(8), authority(10), authority(10), host("10.0.0.1"));
        let first = leaves.leaf(&old, &host, made()).unwrap();
        let second = leaves.leaf(&new, &host, made()).unwrap();
        assert_eq!(first.cert[1], *old.certificate().der());
        assert_eq!(second.cert[1], *new.certificate().der());
        assert!(Arc::ptr_eq(&first, &leaves.leaf(&old, &host, made()).unwrap()));
    }

    #[test]
    fn no_two_leaves_have_one_serial_number() {
        let (leaves, authority) = (leaves(2), authority(10));
        let serials: std::collections::BTreeSet<Vec<u8>> = (0..100)
            .map(|index| {
                let host = host(&format!("h{index}.example.com"));
                let leaf = leaves.leaf(&authority, &host, made()).unwrap();
                parse_x509_certificate(&leaf.cert[0]).unwrap().1.raw_serial().to_vec()
            })
            .collect();
        assert_eq!(serials.len(), 100);
        assert!(serials.iter().all(|serial| serial.len() == 16));
    }

    #[test]
    fn no_more_are_kept_than_may_be_and_the_one_unused_longest_goes() {
        let (leaves, authority) = (leaves(3), authority(10));
        let leaf = |name: &str| leaves.leaf(&authority, &host(name), made()).unwrap();
        let used = leaf("used.example.com");
        let unused = leaf("unused.example.com");
        for index in 0..50 {
            leaf(&format!("h{index}.example.com"));
            assert!(Arc::ptr_eq(&used, &leaf("USED.example.com.")));
            assert!(leaves.kept.lock().unwrap().len() <= 3);
        }
        assert!(!Arc::ptr_eq(&unused, &leaf("unused.example.com")));
    }

    #[test]
    fn many_threads_that_ask_for_one_host_get_one_certificate() {
        let (leaves, authority) = (leaves(8), authority(10));
        let start = Barrier::new(64);
        let minted: Vec<Arc<CertifiedKey>> = std::thread::scope(|scope| {
            let ask = || {
                start.wait();
                leaves.leaf(&authority, &host("a.example.com"), made()).unwrap()
            };
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(minted.iter().all(|leaf| Arc::ptr_eq(leaf, &minted[0])));
    }

    #[test]
    fn nothing_secret_shows() {
        let (leaves, authority) = (leaves(8), authority(10));
        let resolver = leaves.resolver(&authority, &host("a.example.com"), made()).unwrap();
        let shown = format!("{:?}\n{leaves:?}\n{resolver:?}", leaves.key);
        expect![[r#"
            Key(…)
            Leaves { kept: 1, kept_max: 8, .. }
            Resolver { host: Host(Name("a.example.com")), .. }"#]]
        .assert_eq(&shown);
        let server = format!("{:?}", leaves.server_config(resolver));
        assert!(!server.contains("PRIVATE") && !server.contains("certified"), "{server}");
    }
}
