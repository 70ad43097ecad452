//! Networks in CIDR notation: whether one lies in another, and how wide it is.
//!
//! Leaves out names of networks, such as prefix lists: what they hold is not in the request.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

/// The bits that an old address has before its own when it is written as a new one.
const MAPPED: u8 = 96;

/// A network, or one address. Bits behind its length count for nothing, as providers have it.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    // The reader of networks takes numbers that begin with zeros, which others read as octal ones.
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address = address.parse::<IpAddr>().ok()?;
    let net = match length {
        Some(length) => IpNet::new(address, length).ok()?.trunc(),
        None => IpNet::from(address),
    };
    Some(plain(net))
}

/// An old network that is written as a new one is the old one.
fn plain(net: IpNet) -> IpNet {
    let IpNet::V6(new) = net else { return net };
    let is_mapped = |address: Ipv6Addr| address.to_ipv4_mapped();
    match (is_mapped(new.network()), new.prefix_len().checked_sub(MAPPED)) {
        (Some(address), Some(length)) => Ipv4Net::new(address, length).map_or(net, IpNet::V4),
        (Some(_), None) | (None, _) => net,
    }
}

/// How wide networks may be: the shortest prefix of each family; none of the family where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Widest {
    pub(crate) ipv4: Option<u8>,
    pub(crate) ipv6: Option<u8>,
}

impl Widest {
    pub(crate) fn allows(self, net: IpNet) -> bool {
        let widest = match net {
            IpNet::V4(_) => self.ipv4,
            IpNet::V6(_) => self.ipv6,
        };
        widest.is_some_and(|widest| net.prefix_len() >= widest)
    }

    pub(crate) fn told(self) -> String {
        let told = |length: Option<u8>, family: &str| length.map(|length| format!("{family} `/{length}`"));
        let all: Vec<String> =
            [told(self.ipv4, "IPv4"), told(self.ipv6, "IPv6")].into_iter().flatten().collect();
        format!("networks no wider than {}", all.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Widest, parse};

    #[track_caller]
    fn within(inner: &str, outer: &str, expected: bool) {
        let found = parse(inner).is_some_and(|inner| parse(outer).unwrap().contains(&inner));
        assert_eq!(found, expected, "{inner} in {outer}");
    }

    #[test]
    fn a_network_lies_in_another_by_its_bits() {
        within("10.1.0.0/16", "10.0.0.0/8", true);
        within("10.1.2.3", "10.0.0.0/8", true);
        within("10.0.0.0/8", "10.0.0.0/8", true);
        within("10.0.0.0/7", "10.0.0.0/8", false);
        within("10.9.9.9/0", "10.0.0.0/8", false);
        within("fd00:1::/32", "fd00::/8", true);
        within("::/0", "fd00::/8", false);
        within("::ffff:10.1.0.0/112", "10.0.0.0/8", true);
        within("::ffff:0.0.0.0/96", "10.0.0.0/8", false);
        within("10.0.0.0/8", "fd00::/8", false);
        for text in ["", "*", "any", "10.0.0.0/33", "010.0.0.0/8", "10.0.0/8", "10.0.0.0/8 "] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_family_without_a_width_is_none_that_is_allowed() {
        let widest = Widest { ipv4: Some(24), ipv6: None };
        let allows = |text| widest.allows(parse(text).unwrap());
        assert!(allows("192.0.2.0/24") && allows("192.0.2.1"));
        assert!(!allows("192.0.2.0/23") && !allows("fd00::1"));
        assert!(!allows("::ffff:0.0.0.0/96"), "all the old addresses, written as new ones");
    }
}
