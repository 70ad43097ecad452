//! What a certificate authority may name: DNS subtrees and ranges of IP addresses (RFC 5280 §4.2.1.10).
//!
//! Leaves out every other kind of name: our leaf certificates carry none. webpki and OpenSSL hold a root that they
//! trust to its constraints; Java's trust manager does not look at a root's, so that there only the key's safety
//! counts.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rcgen::{CidrSubnet, GeneralSubtree};
use x509_parser::extensions::GeneralName;

use crate::host::{Host, Kind};

/// Why a list of subtrees is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// Nothing is permitted.
    #[error("the authority may name no host; permit at least one domain or range of addresses")]
    Empty,
    /// Neither a domain nor a range.
    #[error("`{0}` is neither a domain nor a range of addresses; write `example.com` or `192.0.2.0/24`")]
    Subtree(String),
    /// An address inside a range where the range is wanted.
    #[error("`{given}` is an address and not a range; write `{range}`")]
    HostBits {
        /// What was given.
        given: String,
        /// The range it lies in.
        range: String,
    },
}

/// The hosts an authority may name, and no others: domains with all below them, and ranges of IP addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraints(BTreeSet<Subtree>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subtree {
    /// A domain and all below it; the empty one is all of DNS.
    Name(Box<str>),
    Range(IpNet),
}

impl Constraints {
    /// Permits domains (`amazonaws.com`: itself and all below it), ranges (`10.0.0.0/8`) and single addresses.
    pub fn permitting<T: AsRef<str>>(subtrees: impl IntoIterator<Item = T>) -> Result<Self, ConstraintError> {
        let permitted = subtrees
            .into_iter()
            .map(|text| Subtree::parse(text.as_ref()))
            .collect::<Result<BTreeSet<_>, _>>()?;
        if permitted.is_empty() {
            return Err(ConstraintError::Empty);
        }
        Ok(Self(permitted))
    }

    /// Whether a host may be named.
    #[must_use]
    pub fn permit(&self, host: &Host) -> bool {
        self.0.iter().any(|subtree| subtree.holds(host))
    }

    /// What an X.509 certificate says of it.
    pub(crate) fn to_extension(&self) -> rcgen::NameConstraints {
        rcgen::NameConstraints {
            permitted_subtrees: self.0.iter().map(Subtree::to_general).collect(),
            excluded_subtrees: self.excluded().iter().map(Subtree::to_general).collect(),
        }
    }

    /// Reads what a certificate says. None for anything that [`Self::to_extension`] does not write: a constraint
    /// that is half understood would let [`Self::permit`] say yes where a client says no.
    pub(crate) fn from_extension(extension: &x509_parser::extensions::NameConstraints<'_>) -> Option<Self> {
        let read = |subtrees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
            subtrees
                .iter()
                .flatten()
                .map(|subtree| Subtree::from_general(&subtree.base))
                .collect::<Option<_>>()
        };
        let constraints = Self(read(&extension.permitted_subtrees)?);
        let excluded: BTreeSet<Subtree> = read(&extension.excluded_subtrees)?;
        (!constraints.0.is_empty() && excluded == constraints.excluded()).then_some(constraints)
    }

    /// Each form of name of which nothing is permitted, as a whole: a form that no constraint speaks of is free
    /// (RFC 5280 §4.2.1.10), and then an authority for `example.com` could name every address.
    fn excluded(&self) -> BTreeSet<Subtree> {
        Subtree::wholes()
            .into_iter()
            .filter(|whole| !self.0.iter().any(|permitted| permitted.is_of_the_form_of(whole)))
            .collect()
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, subtree) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match subtree {
                Subtree::Name(name) => f.write_str(name)?,
                Subtree::Range(range) => range.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Subtree {
    fn parse(text: &str) -> Result<Self, ConstraintError> {
        if text.contains('/') {
            let range: IpNet = text.parse().map_err(|_| ConstraintError::Subtree(text.to_owned()))?;
            if range != range.trunc() {
                let range = range.trunc().to_string();
                return Err(ConstraintError::HostBits { given: text.to_owned(), range });
            }
            return Ok(Self::Range(range));
        }
        let host = Host::parse(text).map_err(|_| ConstraintError::Subtree(text.to_owned()))?;
        Ok(match host.kind() {
            Kind::Name(name) => Self::Name(name.clone()),
            Kind::Address(address) => Self::Range(IpNet::from(*address)),
        })
    }

    fn holds(&self, host: &Host) -> bool {
        match (self, host.kind()) {
            (Self::Name(domain), Kind::Name(name)) => name
                .strip_suffix(domain.as_ref())
                .is_some_and(|below| below.is_empty() || below.ends_with('.')),
            // Never across the families, as a client compares them: an IPv4 address is not the IPv6 one it maps to.
            (Self::Range(range), Kind::Address(address)) => range.contains(address),
            (Self::Name(_), Kind::Address(_)) | (Self::Range(_), Kind::Name(_)) => false,
        }
    }

    /// All names of each form there is.
    fn wholes() -> [Self; 3] {
        let (v4, v6) = (Ipv4Net::default(), Ipv6Net::default());
        [Self::Name("".into()), Self::Range(v4.into()), Self::Range(v6.into())]
    }

    fn is_of_the_form_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(_), Self::Name(_))
            | (Self::Range(IpNet::V4(_)), Self::Range(IpNet::V4(_)))
            | (Self::Range(IpNet::V6(_)), Self::Range(IpNet::V6(_))) => true,
            (Self::Name(_) | Self::Range(_), Self::Name(_) | Self::Range(_)) => false,
        }
    }

    fn to_general(&self) -> GeneralSubtree {
        match self {
            Self::Name(name) => GeneralSubtree::DnsName(name.to_string()),
            Self::Range(range) => {
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(range.addr(), range.prefix_len()))
            }
        }
    }

    fn from_general(name: &GeneralName<'_>) -> Option<Self> {
        match name {
            GeneralName::DNSName("") => Some(Self::Name("".into())),
            // A constraint with a leading dot or in other letters is not one that we write.
            GeneralName::DNSName(name) => {
                Self::parse(name).ok().filter(|subtree| *subtree == Self::Name((*name).into()))
            }
            GeneralName::IPAddress(octets) => range_from(octets).map(Self::Range),
            _ => None,
        }
    }
}

/// The range that an address and its mask give, where the mask is a prefix and the address its first.
fn range_from(octets: &[u8]) -> Option<IpNet> {
    let (address, mask) = octets.split_at(octets.len() / 2);
    let range = IpNet::with_netmask(address_from(address)?, address_from(mask)?).ok()?;
    (range == range.trunc()).then_some(range)
}

fn address_from(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .ok()
        .or_else(|| <[u8; 16]>::try_from(octets).map(IpAddr::from).ok())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_list_is_kept_in_one_order_and_one_spelling() {
        let constraints = Constraints::permitting([
            "b.test",
            "10.0.0.0/8",
            "A.test.",
            "192.0.2.7",
            "2001:DB8::/32",
            "a.test",
        ])
        .unwrap();
        expect!["a.test, b.test, 10.0.0.0/8, 192.0.2.7/32, 2001:db8::/32"]
            .assert_eq(&constraints.to_string());
    }

    #[test]
    fn an_error_says_what_to_write() {
        let errors: Vec<String> = [
            &[][..],
            &["*.example.com"],
            &[".example.com"],
            &["a.test", "10.0.0.1/8"],
            &["10.0.0.0/33"],
            &[""],
        ]
        .into_iter()
        .map(|given| format!("{}\n", Constraints::permitting(given).unwrap_err()))
        .collect();
        expect![[r"
            the authority may name no host; permit at least one domain or range of addresses
            `*.example.com` is neither a domain nor a range of addresses; write `example.com` or `192.0.2.0/24`
            `.example.com` is neither a domain nor a range of addresses; write `example.com` or `192.0.2.0/24`
            `10.0.0.1/8` is an address and not a range; write `10.0.0.0/8`
            `10.0.0.0/33` is neither a domain nor a range of addresses; write `example.com` or `192.0.2.0/24`
            `` is neither a domain nor a range of addresses; write `example.com` or `192.0.2.0/24`
        "]].assert_eq(&errors.concat());
    }

    #[test]
    fn each_form_of_name_without_a_permitted_one_is_excluded_whole() {
        let excluded = |permitted: &[&str]| {
            let excluded = Constraints(Constraints::permitting(permitted).unwrap().excluded());
            format!("{excluded}")
        };
        assert_eq!(excluded(&["a.test"]), "0.0.0.0/0, ::/0");
        assert_eq!(excluded(&["10.0.0.0/8"]), ", ::/0");
        assert_eq!(excluded(&["a.test", "::1"]), "0.0.0.0/0");
        assert_eq!(excluded(&["a.test", "::1", "127.0.0.1"]), "");
    }
}
