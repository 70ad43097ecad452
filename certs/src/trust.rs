//! A certificate authority as its clients see it: the certificate that they are given to trust.
//!
//! Leaves out the private key ([`crate::Authority`] has it) and how a client is told.

use std::fmt;

use aws_lc_rs::digest;
use jiff::Timestamp;
use pem_rfc7468::LineEnding;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;

use crate::constraints::Constraints;
use crate::host::Host;

/// Why a certificate is not one that clients can be given to trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not a certificate at all, or more than one.
    #[error("the text is not one certificate in PEM; give the file with the one `BEGIN CERTIFICATE`")]
    Form,
    /// A certificate of something else.
    #[error("the certificate of `{0}` is not a certificate authority's; give the one that signs the others")]
    NotAuthority(String),
    /// It may be an authority's, but another one signed it, or it was changed.
    #[error("the certificate of `{0}` is not signed by its own key; give a root that was made for this gate")]
    NotRoot(String),
    /// Nothing holds it to names, or something that is not understood does.
    #[error(
        "the certificate of `{0}` is not held to domains and addresses in the form this gate writes; make a new one"
    )]
    Constraints(String),
}

/// The SHA-256 of a certificate, in the form `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// A certificate authority's certificate: self-signed, and held to names.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    name: String,
    fingerprint: Fingerprint,
    constraints: Constraints,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: Vec<u8>,
}

impl Certificate {
    /// Reads the certificate of an authority, whatever its time: see [`Self::is_valid_at`].
    pub fn read(pem: &str) -> Result<Self, CertificateError> {
        let mut blocks = CertificateDer::pem_slice_iter(pem.as_bytes());
        let (Some(Ok(der)), None) = (blocks.next(), blocks.next()) else {
            return Err(CertificateError::Form);
        };
        Self::from_der(der)
    }

    pub(crate) fn from_der(der: CertificateDer<'static>) -> Result<Self, CertificateError> {
        let (rest, read) = parse_x509_certificate(&der).map_err(|_| CertificateError::Form)?;
        let common_name = read.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let name = common_name.unwrap_or_default().to_owned();
        if !rest.is_empty() {
            return Err(CertificateError::Form);
        }
        if !is_authority(&read) {
            return Err(CertificateError::NotAuthority(name));
        }
        if read.subject().as_raw() != read.issuer().as_raw() || read.verify_signature(None).is_err() {
            return Err(CertificateError::NotRoot(name));
        }
        let constraints = read
            .name_constraints()
            .ok()
            .flatten()
            .filter(|extension| extension.critical)
            .and_then(|extension| Constraints::from_extension(extension.value));
        let Some(constraints) = constraints else { return Err(CertificateError::Constraints(name)) };
        let time = |at: i64| Timestamp::from_second(at).map_err(|_| CertificateError::Form);
        let (not_before, not_after) =
            (time(read.validity().not_before.timestamp())?, time(read.validity().not_after.timestamp())?);
        let public_key = read.public_key().raw.to_vec();
        drop(read);
        let fingerprint = Fingerprint::of(&der);
        let pem = pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, &der)
            .map_err(|_| CertificateError::Form)?;
        Ok(Self { der, pem, name, fingerprint, constraints, not_before, not_after, public_key })
    }

    /// The certificate as clients read it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is known by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What it may name, as read back from the certificate.
    #[must_use]
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// When it begins to hold.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// When it ends: the last second in which it holds.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether it holds at a time.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether a client that trusts it accepts it for a host: a DNS name or an IP address.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        Host::parse(host).is_ok_and(|host| self.constraints.permit(&host))
    }

    /// The hosts it does not cover, as they were given: for these, clients have to be given another to trust.
    #[must_use]
    pub fn missing<T: AsRef<str>>(&self, hosts: impl IntoIterator<Item = T>) -> Vec<String> {
        hosts.into_iter().map(|host| host.as_ref().to_owned()).filter(|host| !self.covers(host)).collect()
    }

    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The public key with its algorithm, as the certificate has it.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("name", &self.name)
            .field("fingerprint", &self.fingerprint)
            .field("constraints", &format_args!("{}", self.constraints))
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Fingerprint {
    fn of(der: &CertificateDer<'_>) -> Self {
        let mut bytes = [0; 32];
        for (byte, hashed) in bytes.iter_mut().zip(digest::digest(&digest::SHA256, der).as_ref()) {
            *byte = *hashed;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether clients let it sign certificates: it says that it is an authority and that its key signs them.
fn is_authority(read: &X509Certificate<'_>) -> bool {
    let is_authority = read.basic_constraints().ok().flatten().is_some_and(|basic| basic.value.ca);
    is_authority && read.key_usage().ok().flatten().is_some_and(|usage| usage.value.key_cert_sign())
}
