//! Variables in the environment that send a client round the gate, and listeners that others can listen to.
//!
//! Leaves out what a client's own configuration files say.

use std::net::SocketAddr;

use super::Finding;
use crate::config::Config;
use crate::keys::is_issued_form;
use crate::settings::{environment, environment_with};

pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let read = |name: &str| environment(name);
    vec![
        Finding::new("listeners", listeners(config)),
        Finding::new("environment", variables(config, &read, &environment_with("AWS_ENDPOINT_URL_"))),
    ]
}

fn listeners(config: &Config) -> Result<String, String> {
    let open = |address: SocketAddr| !address.ip().is_loopback();
    if open(config.data) && config.tls.is_none() {
        return Err(format!(
            "`listen.data` is `{}` without TLS, so that others can read along; set `listen.tls`, or listen on loopback",
            config.data
        ));
    }
    if open(config.admin) {
        return Err(format!(
            "`listen.admin` is `{}`, which has no TLS; listen on loopback, and put what reaches it beside it",
            config.admin
        ));
    }
    Ok(format!("data on `{}`, admin on `{}`", config.data, config.admin))
}

/// Only a shell that is set up for the gate is looked at: elsewhere the same variables are how the gate itself finds
/// its credentials.
fn variables(
    config: &Config,
    read: &dyn Fn(&str) -> Option<String>,
    services: &[(String, String)],
) -> Result<String, String> {
    let endpoint = read("AWS_ENDPOINT_URL");
    let ours = |url: &str| is_ours(config, url);
    let is_client = read("AWS_ACCESS_KEY_ID").is_some_and(|id| is_issued_form(&id))
        || endpoint.as_deref().is_some_and(ours);
    if !is_client {
        return Ok("this shell is no client of the gate".to_owned());
    }
    let mut round = Vec::new();
    if !endpoint.as_deref().is_some_and(ours) {
        round.push("`AWS_ENDPOINT_URL` is not the gate's address; set it with `ordain env`".to_owned());
    }
    let others = services.iter().filter(|(_, url)| !ours(url));
    round.extend(others.map(|(name, url)| format!("`{name}` goes to `{url}` and round the gate; unset it")));
    if read("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        round.push("`AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` has clients ignore the gate; unset it".to_owned());
    }
    let first = |names: [&str; 2]| names.into_iter().find_map(read);
    let proxy = if config.tls.is_some() {
        first(["HTTPS_PROXY", "https_proxy"])
    } else {
        first(["HTTP_PROXY", "http_proxy"])
    };
    let direct = first(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let named = |host: &str| direct.split(',').map(str::trim).any(|one| one == "*" || one == host);
    let host = config.names.first().cloned().unwrap_or_else(|| config.data.ip().to_string());
    if let Some(proxy) = proxy.filter(|_| !named(&host)) {
        round.push(format!(
            "requests to the gate go through the proxy `{proxy}` first; put `{host}` into `NO_PROXY`"
        ));
    }
    if round.is_empty() {
        Ok("this shell's clients go to the gate".to_owned())
    } else {
        Err(round.join("; "))
    }
}

fn is_ours(config: &Config, url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let named = config.names.iter().any(|name| name.eq_ignore_ascii_case(host))
        || host.trim_matches(['[', ']']) == config.data.ip().to_string()
        || (host == "localhost" && (config.data.ip().is_loopback() || config.data.ip().is_unspecified()));
    named && port == config.data.port()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::settings::Settings;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(settings: &str, set: &[(&str, &str)], expected: Expect) {
        let config = Config::resolve(Settings::parse("gate.toml", settings).unwrap()).unwrap();
        let find =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let services: Vec<(String, String)> = set
            .iter()
            .filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL_"))
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let (Ok(said) | Err(said)) = listeners(&config).and_then(|_| variables(&config, &find, &services));
        expected.assert_eq(&said);
    }

    const GATE: (&str, &str) = ("AWS_ENDPOINT_URL", "http://127.0.0.1:7070");

    #[test]
    fn a_shell_that_is_set_up_for_the_gate_is_looked_at() {
        check(
            "",
            &[("AWS_ENDPOINT_URL_STS", "http://elsewhere")],
            expect!["this shell is no client of the gate"],
        );
        check("", &[GATE], expect!["this shell's clients go to the gate"]);
        check(
            "",
            &[("AWS_ENDPOINT_URL", "http://localhost:7070/")],
            expect!["this shell's clients go to the gate"],
        );
    }

    #[test]
    fn what_goes_round_the_gate_is_said() {
        check(
            "",
            &[("AWS_ACCESS_KEY_ID", "AKORABCDEFGHIJKLMNOP")],
            expect!["`AWS_ENDPOINT_URL` is not the gate's address; set it with `ordain env`"],
        );
        check(
            "",
            &[GATE, ("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com")],
            expect!["`AWS_ENDPOINT_URL_S3` goes to `https://s3.amazonaws.com` and round the gate; unset it"],
        );
        check(
            "",
            &[GATE, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")],
            expect!["`AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` has clients ignore the gate; unset it"],
        );
        check(
            "",
            &[GATE, ("http_proxy", "http://proxy:3128"), ("NO_PROXY", "localhost, .internal")],
            expect![
                "requests to the gate go through the proxy `http://proxy:3128` first; put `127.0.0.1` into `NO_PROXY`"
            ],
        );
        check(
            "",
            &[GATE, ("HTTP_PROXY", "http://proxy:3128"), ("NO_PROXY", "localhost,127.0.0.1")],
            expect!["this shell's clients go to the gate"],
        );
    }

    #[test]
    fn a_listener_for_others_has_tls() {
        check(
            "[listen]\ndata = \"0.0.0.0:7070\"",
            &[],
            expect![
                "`listen.data` is `0.0.0.0:7070` without TLS, so that others can read along; set `listen.tls`, or listen on loopback"
            ],
        );
        check(
            "[listen]\nadmin = \"10.0.0.1:7071\"",
            &[],
            expect![
                "`listen.admin` is `10.0.0.1:7071`, which has no TLS; listen on loopback, and put what reaches it beside it"
            ],
        );
    }
}
