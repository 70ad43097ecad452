//! The name of a host, as a certificate carries it: a DNS name or an IP address.
//!
//! Leaves out ports and looking names up.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rustls_pki_types::DnsName;

/// Why a text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a DNS name nor an IP address; give one host, without scheme, port or wildcard")]
pub struct HostError(String);

/// A host in its one spelling: a DNS name in lower case without the dot of the root, or an IP address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Name(Box<str>),
    Address(IpAddr),
}

impl Host {
    /// Reads a host. An IPv6 address may stand in the brackets of a URL.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let refused = || HostError(text.to_owned());
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(refused)?;
            return inner.parse::<Ipv6Addr>().map(IpAddr::from).map(Self::from).map_err(|_| refused());
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::from(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        // INVARIANT: what rustls takes for a DNS name, without the final dot that no certificate may carry.
        if name.ends_with('.') || DnsName::try_from(name).is_err() {
            return Err(refused());
        }
        Ok(Self(Kind::Name(name.to_ascii_lowercase().into())))
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self(Kind::Address(address))
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Name(name) => f.write_str(name),
            Kind::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(texts: &[&str], expected: &Expect) {
        let read: Vec<String> = texts
            .iter()
            .map(|text| match Host::parse(text) {
                Ok(host) => format!("{text} -> {host}\n"),
                Err(error) => format!("{error}\n"),
            })
            .collect();
        expected.assert_eq(&read.concat());
    }

    #[test]
    fn a_host_has_one_spelling() {
        check(
            &["EC2.Amazonaws.COM", "sts.amazonaws.com.", "10.0.0.1", "2001:DB8:0::1", "[::1]", "a_b.s3.test"],
            &expect![[r"
                EC2.Amazonaws.COM -> ec2.amazonaws.com
                sts.amazonaws.com. -> sts.amazonaws.com
                10.0.0.1 -> 10.0.0.1
                2001:DB8:0::1 -> 2001:db8::1
                [::1] -> ::1
                a_b.s3.test -> a_b.s3.test
            "]],
        );
    }

    #[test]
    fn what_could_be_read_as_two_hosts_is_none() {
        let refused = [
            "",
            ".",
            "a..",
            ".a",
            "*.a.test",
            "a.test:443",
            "127.1",
            "0x7f000001",
            "010.0.0.1",
            "[10.0.0.1]",
            "[::1",
            "::1%eth0",
            "é.test",
            "a b",
        ];
        for text in refused {
            assert!(Host::parse(text).is_err(), "{text}");
        }
        check(
            &["*.a.test"],
            &expect![[r"
                `*.a.test` is neither a DNS name nor an IP address; give one host, without scheme, port or wildcard
            "]],
        );
    }
}
