//! What of the settings is about clients that take us for their proxy: hosts that are let through, who has to say who
//! asks, and the proxy behind us.
//!
//! Leaves out looking names up and connecting.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ordain_decode::Rooms;
use ordain_decode::form::http1::is_host;

use super::ConfigError;
use crate::settings;

/// How clients that take us for their proxy are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// Hosts whose tunnels are passed on unopened.
    pub pass: Vec<PassRule>,
    /// Whoever asks for anything has to show an issued key.
    pub authenticate: bool,
    /// The proxy that everything leaves by.
    pub proxy: Option<Chain>,
}

/// A proxy that everything leaves by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Where it is, as `http://host:port`.
    pub uri: http::Uri,
    /// A file of one line, `name:password`.
    pub credentials: Option<PathBuf>,
    /// What is connected to without it: hosts, `.domains`, addresses and ranges.
    pub direct: Vec<String>,
}

/// A host, or all below a domain, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassRule {
    /// Not the host itself, but all below it.
    below: bool,
    host: String,
    port: u16,
}

impl PassRule {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "give a host such as `pypi.org`, all below one such as `*.crates.io`, or one with a port";
        let lower = text.to_ascii_lowercase();
        let (below, rest) = lower.strip_prefix("*.").map_or((false, lower.as_str()), |rest| (true, rest));
        let (host, port) = rest.split_once(':').unwrap_or((rest, "443"));
        let port = port.parse().ok().filter(|port| *port > 0).ok_or(FORM)?;
        // A whole ending such as `*.org` is more than anybody means.
        if !is_host(host.as_bytes()) || host.parse::<IpAddr>().is_ok() || !host.contains('.') {
            return Err(FORM);
        }
        Ok(Self { below, host: host.to_owned(), port })
    }

    /// Whether a host, in lower case, and a port are let through by it.
    #[must_use]
    pub fn lets(&self, host: &str, port: u16) -> bool {
        self.port == port && self.names(host)
    }

    /// The same, whatever the port.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        if !self.below {
            return host == self.host;
        }
        host.strip_suffix(self.host.as_str()).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
    }

    /// Whether it lets through anything of a domain, or the domain is all of what it lets through.
    fn touches(&self, domain: &str) -> bool {
        let within = |name: &str, domain: &str| {
            name.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        within(&self.host, domain) || (self.below && within(domain, &self.host))
    }
}

impl fmt::Display for PassRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.below { "*." } else { "" };
        write!(f, "{below}{}", self.host)?;
        if self.port == 443 { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// Resolves them. What is a control plane's, or ours, is `taken`.
pub(super) fn resolve(written: settings::Egress, taken: &[String]) -> Result<Egress, ConfigError> {
    let mut pass = Vec::with_capacity(written.pass.len());
    for text in written.pass {
        let wrong = |fix: &str| ConfigError::new("`egress.pass`", text.as_str(), fix);
        let rule = PassRule::parse(&text).map_err(wrong)?;
        let planes = Rooms::domains().into_iter().chain(taken.iter().map(String::as_str));
        if planes.into_iter().any(|domain| rule.touches(domain)) {
            return Err(wrong("that is a control plane's, or the gate's own; what goes there is judged"));
        }
        pass.push(rule);
    }
    let chain = |text: String| -> Result<Chain, ConfigError> {
        let fix =
            "give the proxy's address such as `http://proxy.example:3128`, with no name, password or path";
        let wrong = || ConfigError::new("`egress.proxy`", text.as_str(), fix);
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
        if !plain || authority.as_str().contains('@') || authority.port_u16().is_none() {
            return Err(wrong());
        }
        Ok(Chain { uri, credentials: written.proxy_credentials.clone(), direct: written.no_proxy.clone() })
    };
    let proxy = match written.proxy {
        Some(text) => Some(chain(text)?),
        None if written.proxy_credentials.is_some() || !written.no_proxy.is_empty() => {
            return Err(ConfigError::new(
                "`egress.proxy`",
                "",
                "there is no proxy that its credentials or `egress.no_proxy` could be for; name one",
            ));
        }
        None => None,
    };
    Ok(Egress { pass, authenticate: written.authenticate, proxy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pass: &str) -> Result<String, String> {
        let written = settings::Egress { pass: vec![pass.to_owned()], ..settings::Egress::default() };
        let taken = ["cluster.example".to_owned(), "10.0.0.1".to_owned()];
        match resolve(written, &taken) {
            Ok(egress) => Ok(egress.pass.iter().map(ToString::to_string).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_is_judged_is_never_let_through() {
        for pass in [
            "amazonaws.com",
            "*.amazonaws.com",
            "ec2.us-east-1.amazonaws.com",
            "EC2.us-east-1.AMAZONAWS.com:8443",
            "*.us-east-1.amazonaws.com",
            "cluster.example",
            "a.cluster.example",
            "*.cluster.example",
        ] {
            assert!(check(pass).is_err_and(|why| why.contains("what goes there is judged")), "{pass}");
        }
        for pass in [
            "",
            "*",
            "*.com",
            "*.",
            "10.0.0.2",
            "[::1]",
            "localhost",
            "https://a.example",
            "a.example/x",
            "a.example:0",
            "a.example:x",
            "a.*.example",
            ".example.com",
        ] {
            assert!(check(pass).is_err(), "{pass}");
        }
        assert_eq!(check("PyPI.org").as_deref(), Ok("pypi.org"));
        assert_eq!(check("*.crates.io:8443").as_deref(), Ok("*.crates.io:8443"));
        assert_eq!(check("notamazonaws.com").as_deref(), Ok("notamazonaws.com"));
    }

    #[test]
    fn a_domain_is_not_what_merely_ends_in_it() {
        let rule = PassRule::parse("*.crates.io").unwrap();
        for (host, port, expected) in [
            ("static.crates.io", 443, true),
            ("a.b.crates.io", 443, true),
            ("crates.io", 443, false),
            ("evilcrates.io", 443, false),
            (".crates.io", 443, false),
            ("static.crates.io", 80, false),
            ("static.crates.io.evil.example", 443, false),
        ] {
            assert_eq!(rule.lets(host, port), expected, "{host}:{port}");
        }
        let rule = PassRule::parse("pypi.org").unwrap();
        assert!(rule.lets("pypi.org", 443) && !rule.lets("a.pypi.org", 443));
    }

    #[test]
    fn another_proxy_is_an_address_and_no_secret() {
        for proxy in [
            "http://name:password@a.example:3128",
            "https://a.example:3128",
            "a.example:3128",
            "http://a.example",
            "http://a.example:3128/x",
        ] {
            let written = settings::Egress { proxy: Some(proxy.to_owned()), ..settings::Egress::default() };
            assert!(resolve(written, &[]).is_err(), "{proxy}");
        }
        let alone =
            settings::Egress { no_proxy: vec!["a.example".to_owned()], ..settings::Egress::default() };
        assert!(resolve(alone, &[]).is_err());
    }
}
