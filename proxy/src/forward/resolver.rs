//! Looks names up, and refuses addresses that no control plane has.
//!
//! Leaves out connecting, and this gate's own addresses (`machine`).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

/// The system's resolver, guarded.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver(pub(super) GaiResolver);

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let shown = name.as_str().to_owned();
        let found = self.0.call(name);
        Box::pin(async move {
            let all: Vec<SocketAddr> = found.await?.collect();
            match all.iter().find(|address| is_forbidden(address.ip())) {
                // One forbidden address among several is a rebinding attempt as likely as a mistake.
                Some(address) => Err(std::io::Error::other(format!(
                    "`{shown}` resolves to `{address}`, which is never an upstream"
                ))),
                None => Ok(all.into_iter()),
            }
        })
    }
}

/// Link-local and metadata addresses are never an upstream.
#[must_use]
pub fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => {
            // fd00:ec2::254 and its neighbours serve instance metadata over IPv6.
            let metadata = v6.segments().starts_with(&[0xfd00, 0x0ec2]);
            let mapped = v6.to_ipv4_mapped().is_some_and(|v4| is_forbidden(IpAddr::V4(v4)));
            metadata
                || mapped
                || v6.is_unicast_link_local()
                || v6 == Ipv6Addr::UNSPECIFIED
                || v6.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_addresses_are_never_an_upstream_in_any_notation() {
        for address in
            ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0", "::"]
        {
            assert!(is_forbidden(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "52.94.76.1", "2600:1f18::1"] {
            assert!(!is_forbidden(address.parse().unwrap()), "{address}");
        }
    }
}
