//! A certificate authority with its key: made, written down, read again, and signing.
//!
//! Leaves out which of several signs ([`crate::Authorities`]) and what is signed ([`crate::Leaves`]).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PublicKeyData as _, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::constraints::Constraints;
use crate::key::Key;
use crate::trust::{Certificate, CertificateError};

/// How long before it is made a certificate holds already: clients' clocks are late now and then.
pub(crate) const BACKDATED: SignedDuration = SignedDuration::from_hours(1);

/// The longest an authority may hold.
pub const AUTHORITY_MAX: SignedDuration = SignedDuration::from_hours(24 * 3_653);

/// The longest common name there may be (RFC 5280, `ub-common-name`).
const NAME_MAX: usize = 64;

/// Why an authority cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The name cannot stand in a certificate.
    #[error("`{0}` cannot name an authority; use 1 to 64 characters of printable text")]
    Name(String),
    /// It would hold for no time, or for too long.
    #[error("an authority cannot be valid for `{0}`; choose up to ten years")]
    Validity(String),
    /// No key, no randomness or no signature.
    #[error("the authority could not be made: {0}; try again")]
    Crypto(String),
}

/// Why an authority cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is the certificate that is wrong.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It is the key that is wrong.
    #[error("the key is not an ECDSA P-256 key in PEM (PKCS #8); restore it from where it was kept")]
    Key,
    /// Both are right, and they are not of one authority.
    #[error("the key does not belong to the certificate of `{0}`; restore the key that was made with it")]
    OtherKey(String),
    /// It has ended.
    #[error(
        "the certificate of `{name}` ended at `{not_after}` and the time is `{now}`; make a new authority"
    )]
    Expired {
        /// Whose it is.
        name: String,
        /// Its last second.
        not_after: Timestamp,
        /// The time it is.
        now: Timestamp,
    },
    /// It has not begun.
    #[error("the certificate of `{name}` begins at `{not_before}` and the time is `{now}`; set the clock")]
    Early {
        /// Whose it is.
        name: String,
        /// Its first second.
        not_before: Timestamp,
        /// The time it is.
        now: Timestamp,
    },
}

/// A certificate authority that can sign: its certificate and the key to it.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, Key>,
}

impl Authority {
    /// Makes an authority with a key of its own, which may name the permitted hosts and no others.
    pub fn create(
        name: &str,
        constraints: &Constraints,
        now: Timestamp,
        valid_for: SignedDuration,
    ) -> Result<Self, CreateError> {
        if name.trim().is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(CreateError::Name(name.to_owned()));
        }
        let refused = || CreateError::Validity(format!("{}h", valid_for.as_hours()));
        if !(SignedDuration::from_secs(1)..=AUTHORITY_MAX).contains(&valid_for) {
            return Err(refused());
        }
        let mut params =
            params(now, now.checked_add(valid_for).map_err(|_| refused())?).ok_or_else(refused)?;
        params.distinguished_name.push(DnType::CommonName, name);
        // It signs leaves and never another authority.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // Whoever steals the key gains servers of the permitted names: no mail, no code, no clients.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(constraints.to_extension());
        params.serial_number = Some(serial().map_err(crypto)?);

        let key = Key::generate().map_err(crypto)?;
        let der = CertificateDer::from(params.self_signed(&key).map_err(crypto)?);
        // Read back, so that what it says of itself is what is in the certificate.
        let certificate = Certificate::from_der(der).map_err(crypto)?;
        Self::new(certificate, key).map_err(crypto)
    }

    /// Reads an authority that holds at this time.
    pub fn read(certificate_pem: &str, key_pem: &str, now: Timestamp) -> Result<Self, ReadError> {
        let certificate = Certificate::read(certificate_pem)?;
        let name = || certificate.name().to_owned();
        let key = Key::read(key_pem).ok_or(ReadError::Key)?;
        if key.subject_public_key_info() != certificate.public_key() {
            return Err(ReadError::OtherKey(name()));
        }
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        if now > not_after {
            return Err(ReadError::Expired { name: name(), not_after, now });
        }
        if now < not_before {
            return Err(ReadError::Early { name: name(), not_before, now });
        }
        Self::new(certificate, key).map_err(|_| ReadError::Certificate(CertificateError::Form))
    }

    fn new(certificate: Certificate, key: Key) -> Result<Self, rcgen::Error> {
        let issuer = Issuer::from_ca_cert_der(certificate.der(), key)?;
        Ok(Self { certificate, issuer })
    }

    /// What clients see of it, and are to trust.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificate as clients read it.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        self.certificate.pem()
    }

    /// The key, for whoever has to seal it.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.issuer.key().pem()
    }

    /// Whether it may name a host: a DNS name or an IP address.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.certificate.covers(host)
    }

    /// The hosts it does not cover: for these, clients have to be given another authority to trust.
    #[must_use]
    pub fn missing<T: AsRef<str>>(&self, hosts: impl IntoIterator<Item = T>) -> Vec<String> {
        self.certificate.missing(hosts)
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, Key> {
        &self.issuer
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A certificate's parameters with nothing but its time in them. None if no calendar has that time.
pub(crate) fn params(now: Timestamp, not_after: Timestamp) -> Option<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date(now.checked_sub(BACKDATED).ok()?)?;
    params.not_after = date(not_after)?;
    Some(params)
}

pub(crate) fn date(at: Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.as_second()).ok()
}

/// A serial number that nobody can guess and that no two certificates share.
pub(crate) fn serial() -> Result<SerialNumber, aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    // Positive, and never shortened: the first bit is clear and the second is set.
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}

fn crypto(error: impl fmt::Display) -> CreateError {
    CreateError::Crypto(error.to_string())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use rcgen::CustomExtension;
    use x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00.25Z".parse().unwrap()
    }

    fn days(days: i64) -> SignedDuration {
        SignedDuration::from_hours(24 * days)
    }

    fn authority() -> Authority {
        let constraints = Constraints::permitting([
            "amazonaws.com",
            "API.aws.",
            "10.0.0.0/8",
            "2001:db8::/32",
            "127.0.0.1",
        ])
        .unwrap();
        Authority::create("Ordain test", &constraints, now(), days(365)).unwrap()
    }

    fn check_refused(certificate: &str, key: &str, at: Timestamp, expected: &Expect) {
        expected.assert_eq(&Authority::read(certificate, key, at).unwrap_err().to_string());
    }

    /// A certificate as somebody else would make it.
    fn foreign(change: impl FnOnce(&mut CertificateParams)) -> (String, Zeroizing<String>) {
        let key = Key::generate().unwrap();
        let mut params = params(now(), now() + days(30)).unwrap();
        params.distinguished_name.push(DnType::CommonName, "foreign");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.name_constraints = Some(Constraints::permitting(["example.com"]).unwrap().to_extension());
        change(&mut params);
        (params.self_signed(&key).unwrap().pem(), key.pem())
    }

    #[test]
    fn an_authority_is_read_as_it_was_made() {
        let made = authority();
        let read = Authority::read(made.certificate_pem(), &made.key_pem(), now()).unwrap();
        assert_eq!(read.certificate(), made.certificate());
        assert_eq!(read.key_pem(), made.key_pem());
        let certificate = read.certificate();
        assert_eq!(certificate.not_before().to_string(), "2026-03-01T11:00:00Z");
        assert_eq!(certificate.not_after().to_string(), "2027-03-01T12:00:00Z");
        expect!["amazonaws.com, api.aws, 10.0.0.0/8, 127.0.0.1/32, 2001:db8::/32"]
            .assert_eq(&certificate.constraints().to_string());
    }

    #[test]
    fn what_is_missing_is_said_as_it_was_asked() {
        let hosts = ["EC2.amazonaws.com", "example.com", "10.0.0.1", "[2001:db9::1]", "*.amazonaws.com"];
        assert_eq!(authority().missing(hosts), ["example.com", "[2001:db9::1]", "*.amazonaws.com"]);
        assert_eq!(authority().missing(["api.aws"]), Vec::<String>::new());
    }

    #[test]
    fn an_error_says_which_of_the_two_is_wrong() {
        let (ours, other) = (authority(), authority());
        let (certificate, key) = (ours.certificate_pem(), ours.key_pem());
        check_refused(
            "",
            &key,
            now(),
            &expect![
                "the text is not one certificate in PEM; give the file with the one `BEGIN CERTIFICATE`"
            ],
        );
        check_refused(
            &key,
            certificate,
            now(),
            &expect![
                "the text is not one certificate in PEM; give the file with the one `BEGIN CERTIFICATE`"
            ],
        );
        check_refused(
            &certificate.repeat(2),
            &key,
            now(),
            &expect![
                "the text is not one certificate in PEM; give the file with the one `BEGIN CERTIFICATE`"
            ],
        );
        check_refused(
            certificate,
            certificate,
            now(),
            &expect!["the key is not an ECDSA P-256 key in PEM (PKCS #8); restore it from where it was kept"],
        );
        check_refused(
            certificate,
            "",
            now(),
            &expect!["the key is not an ECDSA P-256 key in PEM (PKCS #8); restore it from where it was kept"],
        );
        check_refused(
            certificate,
            &other.key_pem(),
            now(),
            &expect![
                "the key does not belong to the certificate of `Ordain test`; restore the key that was made with it"
            ],
        );
        check_refused(
            certificate,
            &key,
            now() + days(366),
            &expect![
                "the certificate of `Ordain test` ended at `2027-03-01T12:00:00Z` and the time is `2027-03-02T12:00:00.25Z`; make a new authority"
            ],
        );
        check_refused(
            certificate,
            &key,
            now() - days(1),
            &expect![
                "the certificate of `Ordain test` begins at `2026-03-01T11:00:00Z` and the time is `2026-02-28T12:00:00.25Z`; set the clock"
            ],
        );
    }

    #[test]
    fn a_certificate_that_clients_could_not_trust_for_this_is_refused() {
        let refused = |change: fn(&mut CertificateParams), expected: &Expect| {
            let (certificate, key) = foreign(change);
            check_refused(&certificate, &key, now(), expected);
        };
        let (certificate, key) = foreign(|_| ());
        Authority::read(&certificate, &key, now()).unwrap();
        refused(
            |params| params.is_ca = IsCa::ExplicitNoCa,
            &expect![
                "the certificate of `foreign` is not a certificate authority's; give the one that signs the others"
            ],
        );
        refused(
            |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature],
            &expect![
                "the certificate of `foreign` is not a certificate authority's; give the one that signs the others"
            ],
        );
        refused(
            |params| params.name_constraints = None,
            &expect![
                "the certificate of `foreign` is not held to domains and addresses in the form this gate writes; make a new one"
            ],
        );
        // Addresses are not spoken of, and so any would be permitted.
        refused(
            |params| {
                if let Some(constraints) = &mut params.name_constraints {
                    constraints.excluded_subtrees.pop();
                }
            },
            &expect![
                "the certificate of `foreign` is not held to domains and addresses in the form this gate writes; make a new one"
            ],
        );
        refused(
            |params| {
                if let Some(constraints) = &mut params.name_constraints {
                    let below = rcgen::GeneralSubtree::DnsName("secret.example.com".to_owned());
                    constraints.excluded_subtrees.push(below);
                }
            },
            &expect![
                "the certificate of `foreign` is not held to domains and addresses in the form this gate writes; make a new one"
            ],
        );
    }

    #[test]
    fn constraints_that_a_client_may_pass_over_are_none() {
        let uncritical = |params: &mut CertificateParams| {
            let (strict, _) = foreign(|_| ());
            let strict = Certificate::read(&strict).unwrap();
            let (_, read) = x509_parser::parse_x509_certificate(strict.der()).unwrap();
            let written =
                read.extensions().iter().find(|extension| extension.oid == OID_X509_EXT_NAME_CONSTRAINTS);
            let content = written.unwrap().value.to_vec();
            params.name_constraints = None;
            params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 30], content));
        };
        let (certificate, key) = foreign(uncritical);
        check_refused(
            &certificate,
            &key,
            now(),
            &expect![
                "the certificate of `foreign` is not held to domains and addresses in the form this gate writes; make a new one"
            ],
        );
        let (certificate, key) = foreign(|params| {
            uncritical(params);
            params.custom_extensions[0].set_criticality(true);
        });
        Authority::read(&certificate, &key, now()).unwrap();
    }

    #[test]
    fn a_certificate_that_another_key_signed_is_refused() {
        let ours = authority();
        let mut params = params(now(), now() + days(30)).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Ordain test");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.name_constraints = Some(Constraints::permitting(["example.com"]).unwrap().to_extension());
        let key = Key::generate().unwrap();
        let certificate = params.signed_by(&key, ours.issuer()).unwrap().pem();
        check_refused(
            &certificate,
            &key.pem(),
            now(),
            &expect![
                "the certificate of `Ordain test` is not signed by its own key; give a root that was made for this gate"
            ],
        );
    }

    #[test]
    fn what_cannot_be_an_authority_is_not_made() {
        let constraints = Constraints::permitting(["example.com"]).unwrap();
        let made = |name: &str, valid_for| Authority::create(name, &constraints, now(), valid_for);
        let errors: Vec<String> = [
            made(" ", days(1)),
            made("two\nlines", days(1)),
            made("a", SignedDuration::ZERO),
            made("a", -days(1)),
            made("a", days(4_000)),
            made("a", SignedDuration::MAX),
        ]
        .into_iter()
        .map(|refused| format!("{}\n", refused.unwrap_err()))
        .collect();
        expect![[r"
            ` ` cannot name an authority; use 1 to 64 characters of printable text
            `two
            lines` cannot name an authority; use 1 to 64 characters of printable text
            an authority cannot be valid for `0h`; choose up to ten years
            an authority cannot be valid for `-24h`; choose up to ten years
            an authority cannot be valid for `96000h`; choose up to ten years
            an authority cannot be valid for `2562047788015215h`; choose up to ten years
        "]]
        .assert_eq(&errors.concat());
        made(&"ä".repeat(64), AUTHORITY_MAX).unwrap();
        assert!(made(&"ä".repeat(65), days(1)).is_err());
        // Beyond 2049 certificates write their dates in another form.
        let late = "2049-12-31T12:00:00Z".parse().unwrap();
        let authority = Authority::create("a", &constraints, late, days(10)).unwrap();
        assert_eq!(authority.certificate().not_after().to_string(), "2050-01-10T12:00:00Z");
    }

    #[test]
    fn no_two_authorities_share_a_key_or_a_serial_number() {
        let (one, other) = (authority(), authority());
        assert_ne!(one.key_pem(), other.key_pem());
        let serial = |authority: &Authority| {
            let (_, read) = x509_parser::parse_x509_certificate(authority.certificate().der()).unwrap();
            read.raw_serial().to_vec()
        };
        assert_ne!(serial(&one), serial(&other));
        // Of its own, and not the hash of the key.
        assert_eq!(serial(&one).len(), 16);
    }

    #[test]
    fn the_key_does_not_show() {
        let authority = authority();
        let shown = format!("{authority:?}").replace(&authority.certificate().fingerprint().to_string(), "…");
        expect![[r#"Authority { certificate: Certificate { name: "Ordain test", fingerprint: …, constraints: amazonaws.com, api.aws, 10.0.0.0/8, 127.0.0.1/32, 2001:db8::/32, not_before: 2026-03-01T11:00:00Z, not_after: 2027-03-01T12:00:00Z, .. }, .. }"#]].assert_eq(&shown);
    }
}
