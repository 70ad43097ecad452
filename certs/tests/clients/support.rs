//! Authorities, leaves that an honest gate would not sign, and clients, all at one fixed time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ordain_certs::{Authority, Constraints, Host, Leaves};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use time::OffsetDateTime;

pub(crate) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn authority(permitted: &[&str]) -> Authority {
    let constraints = Constraints::permitting(permitted).unwrap();
    Authority::create("Ordain test", &constraints, now(), SignedDuration::from_hours(24 * 365)).unwrap()
}

pub(crate) fn leaves() -> Leaves {
    Leaves::new(NonZeroUsize::new(16).unwrap()).unwrap()
}

pub(crate) fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

/// A leaf that the gate mints.
pub(crate) fn minted(authority: &Authority, name: &str) -> CertificateDer<'static> {
    leaves().leaf(authority, &host(name), now()).unwrap().cert[0].clone()
}

/// A leaf that whoever has the authority's key signs, for any name.
pub(crate) fn by_hand(authority: &Authority, name: &str) -> CertificateDer<'static> {
    let key = KeyPair::from_pem(&authority.key_pem()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(authority.certificate_pem(), key).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.subject_alt_names = vec![match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.strip_suffix('.').unwrap_or(name).try_into().unwrap()),
    }];
    params.not_before = OffsetDateTime::from_unix_timestamp(now().as_second() - 60).unwrap();
    params.not_after = OffsetDateTime::from_unix_timestamp(now().as_second() + 3_600).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().into()
}

/// What webpki says of a leaf for a name; `Ok` if it accepts it.
pub(crate) fn webpki(
    authority: &Authority,
    leaf: &CertificateDer<'_>,
    name: &str,
) -> Result<(), rustls::Error> {
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots(authority)), Arc::new(default_provider()))
            .build()
            .unwrap();
    let name = ServerName::try_from(name).map_err(|_| rustls::Error::General("no name".to_owned()))?;
    verifier.verify_server_cert(leaf, &[], &name, &[], unix(now())).map(|_| ())
}

/// A client that trusts the authority and lives at the fixed time.
pub(crate) fn client(authority: &Authority) -> ClientConfig {
    ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(Fixed))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(authority))
        .with_no_client_auth()
}

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap()).unwrap();
    roots
}

fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.as_second().try_into().unwrap()))
}

#[derive(Debug)]
struct Fixed;

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(now()))
    }
}
