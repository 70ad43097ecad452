//! Identity by the client certificate of a TLS connection: a SPIFFE ID, a DNS name, or a common name where that was asked
//! for.
//!
//! That it comes from a trusted authority and was not revoked was verified in the handshake (`listen`); that it is in time
//! is looked at again for each request. Leaves out both.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::grant::{Grant, Pattern, Said};
use super::presented::unauthenticated;
use super::vouched::Vouched;
use crate::fault::Fault;

/// Whose certificates are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates {
    /// The authorities that they must come from.
    pub trust: PathBuf,
    /// Lists of those that were revoked.
    pub revoked: Option<PathBuf>,
    /// Who they are.
    pub rules: Vec<CertificateRule>,
}

/// Who a certificate with a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRule {
    /// Which of its names is read.
    pub of: NameKind,
    /// What it must be.
    pub is: Pattern,
    /// Who it is then.
    pub grant: Grant,
}

/// A kind of name in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// Its SPIFFE ID.
    Spiffe,
    /// A DNS name.
    Dns,
    /// The subject's common name.
    Common,
}

impl NameKind {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spiffe => "SPIFFE ID",
            Self::Dns => "DNS name",
            Self::Common => "common name",
        }
    }
}

/// What a certificate says.
struct Names {
    spiffe: Option<String>,
    dns: Vec<String>,
    common: Option<String>,
}

/// The rule that a certificate fits, and the name by which it does.
pub(super) fn rule<'r>(rules: &'r [CertificateRule], der: &[u8]) -> Option<(&'r CertificateRule, String)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = Names::of(&certificate)?;
    rules.iter().find_map(|rule| {
        let known: Vec<&String> = match rule.of {
            NameKind::Spiffe => names.spiffe.iter().collect(),
            NameKind::Dns => names.dns.iter().collect(),
            NameKind::Common => names.common.iter().collect(),
        };
        let mut fitting = known.into_iter().filter(|name| rule.is.fits(name));
        // Two names that fit are two actors.
        let only = fitting.next().filter(|_| fitting.next().is_none())?;
        Some((rule, only.clone()))
    })
}

/// Who a certificate is.
///
/// # Errors
/// A [`Fault`] in words that tell the caller what to do.
pub(super) fn claim<'r>(
    rules: &'r [CertificateRule],
    der: &[u8],
    now: Timestamp,
) -> Result<(Vouched, &'r Grant), Fault> {
    let unreadable =
        || unauthenticated("bad_certificate", "the client certificate cannot be read; get another");
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unreadable())?;
    let time = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| unreadable());
    let validity = certificate.validity();
    let (begins, ends) = (time(validity.not_before.timestamp())?, time(validity.not_after.timestamp())?);
    if now < begins || now > ends {
        let text = format!("the client certificate is good from `{begins}` to `{ends}`; get another");
        return Err(unauthenticated("certificate_expired", text));
    }
    let (rule, name) = rule(rules, der).ok_or_else(|| {
        let text = "nobody here is what the client certificate names; ask the operator for a rule under `identity.mtls`";
        unauthenticated("certificate_not_allowed", text)
    })?;
    let credential = format!("mtls:{}", hex::encode(Sha256::digest(der)));
    let parties = rule.grant.parties(&said(&name))?;
    // Its last second is one of it (RFC 5280 section 4.1.2.5).
    let until = ends.checked_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    Ok((Vouched::new(parties, &credential, &name, Some(until)), &rule.grant))
}

/// What a name says: itself, and the parts of a SPIFFE ID as clusters give them out.
fn said(name: &str) -> Said {
    let mut said = Said::from([("name".to_owned(), name.to_owned())]);
    if let Some((domain, path)) = name.strip_prefix("spiffe://").and_then(|id| id.split_once('/')) {
        said.insert("trust_domain".to_owned(), domain.to_owned());
        if let ["ns", namespace, "sa", account] = path.split('/').collect::<Vec<_>>().as_slice() {
            said.insert("namespace".to_owned(), (*namespace).to_owned());
            said.insert("service_account".to_owned(), (*account).to_owned());
        }
    }
    said
}

impl Names {
    /// `None` where the certificate cannot be read in one way only.
    fn of(certificate: &X509Certificate<'_>) -> Option<Self> {
        let alternative = certificate.subject_alternative_name().ok()?;
        let all = alternative.iter().flat_map(|extension| extension.value.general_names.iter());
        let (mut uris, mut dns) = (Vec::new(), Vec::new());
        for name in all {
            match name {
                GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                // A wildcard is nobody's name.
                GeneralName::DNSName(name) if !name.contains('*') => dns.push(name.to_ascii_lowercase()),
                _ => {}
            }
        }
        // X509-SVID section 2: exactly one URI.
        let spiffe = match uris.as_slice() {
            [only] if only.starts_with("spiffe://") => Some(only.clone()),
            _ => None,
        };
        let mut common =
            certificate.subject().iter_common_name().map(|name| name.as_str().ok().map(str::to_owned));
        let common = common.next().flatten().filter(|_| common.next().is_none());
        Some(Self { spiffe, dns, common })
    }
}
