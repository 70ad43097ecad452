//! Networks and ports that a firewall rule would let in.
//!
//! Leaves out outgoing rules, which open nothing of ours to others.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ordain_action::{Effect, Scalar};

use super::{Facts, is_position, member, of_type};

/// Ports that administer a machine.
const ADMIN_PORTS: [u16; 6] = [22, 23, 3389, 5900, 5985, 5986];

/// A network this wide or wider is the whole internet: it takes two halves to make one, or sixteen.
const WORLD_V4: u32 = 7;
const WORLD_V6: u32 = 15;

#[derive(Debug, Default)]
struct Rule<'e> {
    from: Option<&'e str>,
    to: Option<&'e str>,
    protocol: Option<&'e str>,
    networks: Vec<&'e str>,
    lists: bool,
}

pub(super) fn read(effect: &Effect, facts: &mut Facts) {
    if !lets_in(effect) {
        return;
    }
    let mut rules: BTreeMap<String, Rule<'_>> = BTreeMap::new();
    for leaf in effect.parameters.iter() {
        let (Scalar::Text(text) | Scalar::Number(text)) = leaf.value else { continue };
        // What a group lets out stands beside what it lets in.
        if leaf.path.contains("SecurityGroupEgress") {
            continue;
        }
        let rule = rules.entry(rule_of(leaf.path)).or_default();
        match member(leaf.path).as_str() {
            "fromport" => rule.from = Some(text),
            "toport" => rule.to = Some(text),
            "ipprotocol" => rule.protocol = Some(text),
            "cidrip" | "cidripv4" | "cidripv6" | "cidr" | "cidripaddress" => rule.networks.push(text),
            "prefixlistid" | "prefixlistids" | "sourceprefixlistid" => rule.lists = true,
            _ => {}
        }
    }
    for rule in rules.values() {
        if rule.lists {
            facts.exposes.insert("prefix_list");
        }
        if rule.networks.iter().any(|network| is_world(network)) {
            facts.exposes.insert("world");
            if rule.reaches_admin_port() {
                facts.exposes.insert("world_admin_port");
            }
        }
    }
}

fn lets_in(effect: &Effect) -> bool {
    let operation = effect.operation.as_ref();
    const GROUPS: [&str; 6] = [
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::ElastiCache::SecurityGroupIngress",
        "AWS::RDS::DBSecurityGroup",
        "AWS::RDS::DBSecurityGroupIngress",
        "AWS::Redshift::ClusterSecurityGroupIngress",
    ];
    operation.ends_with("Ingress") && operation.starts_with("Authorize")
        || operation == "ModifySecurityGroupRules"
        || of_type(effect).is_some_and(|name| GROUPS.contains(&name))
}

/// The part of a path that one rule shares: `IpPermissions.1` of `IpPermissions.1.IpRanges.1.CidrIp`.
fn rule_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let mut kept = parts.len().saturating_sub(1);
    let ranges = |part: &str| {
        matches!(part, "IpRanges" | "Ipv6Ranges" | "PrefixListIds" | "Groups" | "UserIdGroupPairs")
    };
    if let Some(at) = parts.iter().position(|part| ranges(part)) {
        kept = at;
    }
    let kept = parts.get(..kept).unwrap_or_default();
    // `SecurityGroupRule.1.SecurityGroupRule` and `.1` are the same rule.
    let end = kept.iter().rposition(|part| is_position(part)).map_or(kept.len(), |at| at + 1);
    kept.get(..end).unwrap_or_default().join(".")
}

impl Rule<'_> {
    fn reaches_admin_port(&self) -> bool {
        let protocol = self.protocol.unwrap_or("-1").to_ascii_lowercase();
        if matches!(protocol.as_str(), "icmp" | "icmpv6" | "1" | "58") {
            return false;
        }
        let all = matches!(protocol.as_str(), "-1" | "all");
        let port = |text: Option<&str>, unread: u16| {
            text.filter(|text| *text != "-1").and_then(|text| text.parse::<u16>().ok()).unwrap_or(unread)
        };
        let (from, to) = (port(self.from, 0), port(self.to, u16::MAX));
        all || ADMIN_PORTS.iter().any(|admin| (from..=to).contains(admin))
    }
}

/// How much of the internet some networks are together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    v4: u64,
    v6: u128,
    unread: bool,
}

impl Span {
    /// Adds a network; what cannot be read as one is taken to be all there is.
    pub(super) fn add(&mut self, network: &str) {
        let network = network.trim();
        let (address, length) =
            network.split_once('/').map_or((network, None), |(address, length)| (address, Some(length)));
        let length = |most: u32| match length.map(str::parse::<u32>) {
            None => Some(most),
            Some(length) => length.ok().filter(|length| *length <= most),
        };
        if address.parse::<Ipv4Addr>().is_ok() {
            match length(32) {
                Some(length) => self.v4 = self.v4.saturating_add(1 << (32 - length)),
                None => self.unread = true,
            }
        } else if let Ok(address) = address.parse::<Ipv6Addr>() {
            // The old addresses lie in the new ones, below ten bytes of nothing.
            let old = address.octets().iter().take(10).all(|byte| *byte == 0);
            match length(128) {
                Some(length @ 104..) if old => self.v4 = self.v4.saturating_add(1 << (128 - length)),
                Some(length @ 1..) if !old => self.v6 = self.v6.saturating_add(1 << (128 - length)),
                Some(_) | None => self.unread = true,
            }
        } else {
            self.unread = true;
        }
    }

    /// Adds all that another spans.
    pub(super) fn join(&mut self, other: Self) {
        self.v4 = self.v4.saturating_add(other.v4);
        self.v6 = self.v6.saturating_add(other.v6);
        self.unread |= other.unread;
    }

    /// Together as much as one network that is the whole internet.
    pub(super) const fn is_world(self) -> bool {
        self.unread || self.v4 >= 1 << (32 - WORLD_V4) || self.v6 >= 1 << (128 - WORLD_V6)
    }
}

/// A network that is the internet, or that cannot be read as one.
pub(super) fn is_world(network: &str) -> bool {
    let mut span = Span::default();
    span.add(network);
    span.is_world()
}

#[cfg(test)]
mod tests {
    use super::is_world;

    #[test]
    fn a_network_is_the_world_when_it_is_wide_or_cannot_be_read() {
        for network in
            ["0.0.0.0/0", "::/0", "0::/0", "0.0.0.0/00", "128.0.0.0/1", "2000::/3", "0/0", "", "any"]
        {
            assert!(is_world(network), "{network}");
        }
        for network in ["10.0.0.0/8", "192.0.2.1/32", "192.0.2.1", "fd00::/48", "2001:db8::/32"] {
            assert!(!is_world(network), "{network}");
        }
    }
}
