//! `CONNECT`: the one request that a proxy alone understands, read as strictly as any other.
//!
//! Leaves out which hosts may be connected to, and everything that goes through the tunnel.

use std::borrow::Cow;

use ordain_action::DenialKind;

use super::fields::Wire;
use super::target::{host_name, is_host};
use super::{Framing, HEAD_MAX, Refusal, read_fields, request_line, take_line};

/// The method.
pub const CONNECT: &[u8] = b"CONNECT";

/// A tunnel that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The name or address, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

/// Why a proxy refuses what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyRefusal {
    /// `CONNECT` without a host and a port.
    Target,
    /// `CONNECT` with a body.
    Body,
    /// It is asked for a path and not for a URL.
    NotAbsolute,
    /// A tunnel to a host that is no control plane's.
    HostUnknown(String),
    /// A tunnel to a port that no control plane is served on.
    Port(u16),
    /// A tunnel to a host that our own certificates cannot stand for.
    Uncertified(String),
    /// A connection that was on its way to nobody but us, where only those are taken that were sent on to us.
    NotRedirected,
    /// A handshake that names no host, on its way to an address that is nobody's we know.
    NoServerName,
    /// Bytes that are neither TLS nor HTTP.
    OtherProtocol,
}

impl ProxyRefusal {
    /// The sort of denial, and so the status.
    #[must_use]
    pub const fn kind(&self) -> DenialKind {
        match self {
            Self::Target | Self::Body | Self::NotAbsolute | Self::OtherProtocol => DenialKind::Malformed,
            Self::HostUnknown(_)
            | Self::Port(_)
            | Self::Uncertified(_)
            | Self::NotRedirected
            | Self::NoServerName => DenialKind::Forbidden,
        }
    }

    /// The machine-readable reason.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        match self {
            Self::Target => "framing_connect_target",
            Self::Body => "framing_connect_body",
            Self::NotAbsolute => "framing_not_absolute",
            Self::HostUnknown(_) => "unknown_host",
            Self::Port(_) => "tunnel_port",
            Self::Uncertified(_) => "host_uncertified",
            Self::NotRedirected => "not_redirected",
            Self::NoServerName => "server_name_missing",
            Self::OtherProtocol => "other_protocol",
        }
    }

    /// What is wrong and what to do, for whoever asked.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Target => "`CONNECT` names no host and port; send `CONNECT host:443`".into(),
            Self::Body => "`CONNECT` comes with a body; send it without one".into(),
            Self::NotAbsolute => {
                "this is a proxy, and the target is a path; send the whole URL, or use the gate's endpoint"
                    .into()
            }
            Self::HostUnknown(host) => format!(
                "`{host}` is no control plane's host that this gate knows; nothing else is let through here"
            )
            .into(),
            Self::Port(port) => {
                format!("no control plane is served on port {port}; connect to port 443").into()
            }
            Self::Uncertified(host) => format!(
                "the gate's certificate authority cannot stand for `{host}`; have the operator make another \
                 (`ordain ca rotate`)"
            )
            .into(),
            Self::NotRedirected => {
                "this address takes connections that were on their way to a control plane, and none that are made \
                 to it; connect to the control plane, or to the gate's endpoint"
                    .into()
            }
            Self::NoServerName => {
                "the handshake names no host, and its address is no configured control plane's; connect by name"
                    .into()
            }
            Self::OtherProtocol => "this is neither TLS nor HTTP; nothing else is let through here".into(),
        }
    }
}

/// Reads a whole `CONNECT` head, its empty line included (RFC 9110 section 9.3.6). Some clients ask in HTTP/1.0 and
/// send no `host`; one that is sent must name what the target names.
///
/// # Errors
/// [`Refusal`] for the first rule it breaks.
pub fn read_connect(bytes: &[u8]) -> Result<Connect<'_>, Refusal> {
    if bytes.len() > HEAD_MAX {
        return Err(Refusal::HeadTooLong);
    }
    let (first, rest) = take_line(bytes)?;
    let (method, target, wire) = request_line(first)?;
    if method != CONNECT {
        return Err(Refusal::Method);
    }
    let fields = read_fields(wire, rest)?;
    let target = std::str::from_utf8(target).map_err(|_| Refusal::Proxy(ProxyRefusal::Target))?;
    let connect = authority(target).ok_or(Refusal::Proxy(ProxyRefusal::Target))?;
    let meaning = fields.meaning()?;
    if meaning.upgrades {
        return Err(Refusal::Upgrade);
    }
    if !matches!(meaning.framing, Framing::None | Framing::Length(0)) {
        return Err(Refusal::Proxy(ProxyRefusal::Body));
    }
    let Some(host) = meaning.host.and_then(|host| std::str::from_utf8(host).ok()) else {
        return if wire == Wire::Http10 { Ok(connect) } else { Err(Refusal::HostMissing) };
    };
    let agrees = host.eq_ignore_ascii_case(target)
        || (host_name(host).eq_ignore_ascii_case(connect.host) && !has_port(host));
    if agrees { Ok(connect) } else { Err(Refusal::HostDisagrees) }
}

/// `host:port`, both given.
fn authority(target: &str) -> Option<Connect<'_>> {
    if !is_host(target.as_bytes()) || !has_port(target) {
        return None;
    }
    let (_, port) = target.rsplit_once(':')?;
    Some(Connect { host: host_name(target), port: port.parse().ok()? })
}

fn has_port(host: &str) -> bool {
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after.contains(':')
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(head: &str, expected: Expect) {
        let shown = match read_connect(head.replace('\n', "\r\n").as_bytes()) {
            Ok(connect) => format!("{} {}", connect.host, connect.port),
            Err(refusal) => refusal.reason_code().to_owned(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_tunnel_is_asked_for_by_host_and_port() {
        check(
            "CONNECT ec2.eu-west-1.amazonaws.com:443 HTTP/1.0\n\n",
            expect!["ec2.eu-west-1.amazonaws.com 443"],
        );
        check(
            "CONNECT a.example:443 HTTP/1.1\nHost: A.example:443\nProxy-Connection: keep-alive\n\n",
            expect!["a.example 443"],
        );
        check("CONNECT a.example:443 HTTP/1.1\nhost: a.example\n\n", expect!["a.example 443"]);
        check("CONNECT [2001:db8::1]:443 HTTP/1.0\n\n", expect!["2001:db8::1 443"]);
        check(
            "CONNECT a.example:443 HTTP/1.1\nhost: a.example:443\ncontent-length: 0\n\n",
            expect!["a.example 443"],
        );
    }

    #[test]
    fn what_could_name_two_hosts_is_refused() {
        check("CONNECT a.example:443 HTTP/1.1\nhost: b.example:443\n\n", expect!["host_disagrees"]);
        check("CONNECT a.example:443 HTTP/1.0\nhost: b.example\n\n", expect!["host_disagrees"]);
        check("CONNECT a.example:443 HTTP/1.1\nhost: a.example:80\n\n", expect!["host_disagrees"]);
        check("CONNECT a.example:443 HTTP/1.1\nhost: a.example\nhost: a.example\n\n", expect!["host_twice"]);
        check("CONNECT a.example:443 HTTP/1.1\n\n", expect!["host_missing"]);
    }

    #[test]
    fn what_is_no_authority_is_no_target() {
        for target in [
            "a.example",
            "http://a.example:443",
            "/path",
            "a.example:0",
            "u@a.example:443",
            "a.example:443/x",
            ":443",
        ] {
            check(&format!("CONNECT {target} HTTP/1.0\n\n"), expect!["framing_connect_target"]);
        }
    }

    #[test]
    fn a_tunnel_has_no_body_before_it() {
        check(
            "CONNECT a.example:443 HTTP/1.1\nhost: a.example\ncontent-length: 4\n\n",
            expect!["framing_connect_body"],
        );
        check(
            "CONNECT a.example:443 HTTP/1.1\nhost: a.example\ntransfer-encoding: chunked\n\n",
            expect!["framing_connect_body"],
        );
        check("CONNECT a.example:443 HTTP/1.0\ncontent-length: 4\n\n", expect!["framing_connect_body"]);
    }
}
