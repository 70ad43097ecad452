//! `CONNECT`: the one request that a proxy alone understands, read as strictly as any other.
//!
//! Leaves out which hosts may be connected to, and everything that goes through the tunnel.

use std::borrow::Cow;

use ordain_action::DenialKind;

use super::fields::Wire;
use super::target::{host_name, is_host};
use super::{Framing, HEAD_MAX, Refusal, field, read_fields, request_line, take_line};

/// The method.
pub const CONNECT: &[u8] = b"CONNECT";

/// A tunnel that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The name or address, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// What `proxy-authorization` says; the only one.
    pub authorization: Option<&'a [u8]>,
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
    /// Nobody is named as who asks, and somebody has to be.
    AskerMissing,
    /// Who asks is named by no issued key that is valid.
    CredentialRefused,
    /// A host that is let through stands for an address of this machine, or for one that is never reached.
    Inside(String),
    /// A host that is let through cannot be reached, and why.
    Unreached(String, String),
    /// A tunnel that cannot be recorded, and why.
    Unrecorded(String),
    /// A handshake that names another host than the tunnel to this one leads to.
    Fronted(String),
    /// Plain text to a host that is let through, which is let through by TLS alone.
    PassedInPlain(String),
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
            | Self::NoServerName
            | Self::Inside(_)
            | Self::PassedInPlain(_) => DenialKind::Forbidden,
            Self::AskerMissing | Self::CredentialRefused => DenialKind::ProxyUnauthenticated,
            Self::Unreached(..) => DenialKind::BadGateway,
            Self::Unrecorded(_) => DenialKind::Unrecordable,
            Self::Fronted(_) => DenialKind::Misdirected,
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
            Self::AskerMissing => "proxy_authentication_missing",
            Self::CredentialRefused => "proxy_credential_refused",
            Self::Inside(_) => "pass_address_forbidden",
            Self::Unreached(..) => "pass_unreachable",
            Self::Unrecorded(_) => "tunnel_unrecorded",
            Self::Fronted(_) => "server_name_disagrees",
            Self::PassedInPlain(_) => "pass_plain_text",
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
            Self::AskerMissing => {
                "this proxy asks who you are; give it an issued key's id as name and its secret as password, as \
                 `ordain env --proxy` prints them"
                    .into()
            }
            Self::CredentialRefused => {
                "the proxy's name and password are no issued key's that is valid; use one as `ordain env --proxy` \
                 prints it"
                    .into()
            }
            Self::Inside(host) => {
                format!("`{host}` stands for an address that is never reached from here; tell the operator").into()
            }
            Self::Unreached(host, why) => format!("`{host}` cannot be reached: {why}; try again").into(),
            Self::Unrecorded(why) => {
                format!("the tunnel cannot be recorded, and so is not opened: {why}").into()
            }
            Self::Fronted(host) => {
                format!("the tunnel leads to `{host}`, and the handshake in it names another host").into()
            }
            Self::PassedInPlain(host) => {
                format!("`{host}` is let through by TLS alone; use `https://{host}`").into()
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
    let mut connect = authority(target).ok_or(Refusal::Proxy(ProxyRefusal::Target))?;
    connect.authorization = value_of(rest, b"proxy-authorization");
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
    Some(Connect { host: host_name(target), port: port.parse().ok()?, authorization: None })
}

/// The value of a field, in lines that were read as fields already.
fn value_of<'a>(mut rest: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    loop {
        let (line, after) = take_line(rest).ok().filter(|(line, _)| !line.is_empty())?;
        let (name, value) = field(line).ok()?;
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
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
            Ok(Connect { host, port, authorization: None }) => format!("{host} {port}"),
            Ok(Connect { host, port, authorization: Some(value) }) => {
                format!("{host} {port} by {}", String::from_utf8_lossy(value))
            }
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
    fn who_asks_is_said_once() {
        check(
            "CONNECT a.example:443 HTTP/1.1\nhost: a.example\nPROXY-Authorization:  Basic YTpi \nx: y\n\n",
            expect!["a.example 443 by Basic YTpi"],
        );
        check(
            "CONNECT a.example:443 HTTP/1.0\nproxy-authorization: Basic YTpi\nproxy-authorization: Basic YzpkCg\n\n",
            expect!["framing_given_twice"],
        );
        check(
            "CONNECT a.example:443 HTTP/1.0\nproxy_authorization: Basic YTpi\n\n",
            expect!["framing_underscore_twin"],
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
