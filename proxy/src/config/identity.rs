//! Who is believed about whom, as resolved.
//!
//! Leaves out the settings as written (`identity::settings`) and what the rules do (`identity`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jsonwebtoken::Algorithm;
use ordain_action::{ActorKind, Plane};

use super::{ConfigError, UpstreamConfig};
use crate::identity::settings::{Certified, Identity, Kubernetes, Mtls, Oidc, SingleUser, Unix};
use crate::identity::{
    ALGORITHMS, CertificateRule, Certificates, Form, Grant, IssuerRule, NameKind, Pattern, Rules,
    SingleUserRule, Source, Template, UserRule, is_safe,
};
use crate::settings::Listen;

/// What a service account's token says that conditions may name.
const OF_ACCOUNT: [&str; 3] = ["namespace", "service_account", "uid"];

/// Resolves the table `identity`.
pub(super) fn rules(
    written: Identity,
    upstreams: &[UpstreamConfig],
    (data, listen): (SocketAddr, &Listen),
) -> Result<Rules, ConfigError> {
    let mut issuers = Vec::new();
    for one in &written.oidc {
        issuers.push(issuer(one, upstreams)?);
    }
    for one in &written.kubernetes {
        issuers.push(cluster(one, upstreams)?);
    }
    agree(&issuers)?;
    let certificates = written.mtls.map(|one| certificates(one, upstreams)).transpose()?;
    let users = written.unix.iter().map(|one| user(one, upstreams)).collect::<Result<Vec<_>, _>>()?;
    if !users.is_empty() && listen.unix.is_none() {
        let fix = "users of this machine are known on a socket: give `listen.unix` a path, or take `identity.unix` out";
        return Err(ConfigError::new("`listen.unix`", "", fix));
    }
    let single_user =
        written.single_user.map(|one| single_user(one, upstreams, (data, listen))).transpose()?;
    Ok(Rules { issuers, certificates, users, single_user })
}

fn issuer(one: &Oidc, upstreams: &[UpstreamConfig]) -> Result<IssuerRule, ConfigError> {
    let of = format!("of the issuer `{}`", one.issuer);
    let keys = keys_of(("identity.oidc", &of), &one.issuer, one.jwks.as_deref(), one.trust.as_ref())?;
    Ok(IssuerRule {
        audience: audience(&of, &one.audience)?,
        keys,
        algorithms: algorithms(&of, &one.algorithms)?,
        form: Form::Plain,
        matches: conditions(&one.matches),
        act: one.act.as_deref().map(|word| kind(&format!("`act` {of}"), word)).transpose()?,
        grant: grant(&of, (&one.actor, &one.kind), &one.upstreams, &one.on_behalf_of, upstreams)?,
        issuer: one.issuer.clone(),
    })
}

fn cluster(one: &Kubernetes, upstreams: &[UpstreamConfig]) -> Result<IssuerRule, ConfigError> {
    let of = format!("of the cluster `{}`", one.upstream);
    let known = upstreams.iter().find(|upstream| upstream.name == one.upstream);
    if known.is_none_or(|upstream| upstream.kind.plane() != Plane::Kubernetes) {
        let fix = "there is no upstream of the plane `kubernetes` of that name; configure it";
        return Err(ConfigError::new("`upstream` of `identity.kubernetes`", &one.upstream, fix));
    }
    if let Some(name) = one.matches.keys().find(|name| !OF_ACCOUNT.contains(&name.as_str())) {
        let fix = "use `namespace`, `service_account` and `uid`";
        return Err(ConfigError::new(format!("`match` {of}"), name, fix));
    }
    let keys = match &one.jwks {
        Some(text) => source(&format!("`jwks` {of}"), text, one.trust.clone())?,
        None => Source::Upstream(one.upstream.as_str().into()),
    };
    let own = [one.upstream.clone()];
    let allowed = if one.upstreams.is_empty() { own.as_slice() } else { one.upstreams.as_slice() };
    let kind = one.kind.as_deref().unwrap_or("pipeline");
    Ok(IssuerRule {
        issuer: one.issuer.clone(),
        audience: audience(&of, &one.audience)?,
        keys,
        algorithms: algorithms(&of, &[])?,
        form: Form::ServiceAccount,
        matches: conditions(&one.matches),
        act: None,
        grant: grant(&of, ("{sub}", kind), allowed, &[], upstreams)?,
    })
}

/// An issuer has its keys in one place, whichever entry a token comes to.
fn agree(rules: &[IssuerRule]) -> Result<(), ConfigError> {
    let mut known: BTreeMap<&str, &IssuerRule> = BTreeMap::new();
    for rule in rules {
        let first = known.entry(rule.issuer.as_str()).or_insert(rule);
        if first.keys != rule.keys || first.form != rule.form {
            let fix =
                "its entries differ in where its keys are; give all of them the same `jwks` and `trust`";
            return Err(ConfigError::new("`issuer` under `identity`", &rule.issuer, fix));
        }
    }
    Ok(())
}

fn certificates(one: Mtls, upstreams: &[UpstreamConfig]) -> Result<Certificates, ConfigError> {
    if one.rules.is_empty() {
        let fix = "no certificate is anybody's without one; add `[[identity.mtls.rule]]`";
        return Err(ConfigError::new("`identity.mtls.rule`", "", fix));
    }
    let rules = one.rules.iter().map(|rule| certified(rule, upstreams)).collect::<Result<_, _>>()?;
    Ok(Certificates { trust: one.trust, revoked: one.revoked, rules })
}

fn certified(one: &Certified, upstreams: &[UpstreamConfig]) -> Result<CertificateRule, ConfigError> {
    let (of, is) = match (&one.spiffe, &one.dns, &one.common_name) {
        (Some(id), None, None) if id.starts_with("spiffe://") => (NameKind::Spiffe, Pattern::new(id)),
        (Some(id), None, None) => {
            return Err(ConfigError::new(
                "`spiffe` of `identity.mtls.rule`",
                id,
                "begin it with `spiffe://`",
            ));
        }
        (None, Some(name), None) => (NameKind::Dns, Pattern::of_dns(name)),
        (None, None, Some(name)) => (NameKind::Common, Pattern::new(name)),
        _ => {
            let fix = "give exactly one of `spiffe`, `dns` and `common_name`";
            return Err(ConfigError::new("`identity.mtls.rule`", "", fix));
        }
    };
    let shown = format!("of the certificates `{}`", is.as_str());
    let actor = one.actor.as_deref().unwrap_or("{name}");
    let grant = grant(&shown, (actor, &one.kind), &one.upstreams, &one.on_behalf_of, upstreams)?;
    Ok(CertificateRule { of, is, grant })
}

fn user(one: &Unix, upstreams: &[UpstreamConfig]) -> Result<UserRule, ConfigError> {
    let of = format!("of the user {}", one.uid);
    let grant = grant(&of, (&one.actor, &one.kind), &one.upstreams, &one.on_behalf_of, upstreams)?;
    Ok(UserRule { uid: one.uid, grant: said_by_nobody(&of, grant)? })
}

fn single_user(
    one: SingleUser,
    upstreams: &[UpstreamConfig],
    (data, listen): (SocketAddr, &Listen),
) -> Result<SingleUserRule, ConfigError> {
    if !data.ip().is_loopback() {
        let fix = "with `identity.single_user` everybody who connects is that user: listen on a loopback address, or take \
                   it out";
        return Err(ConfigError::new("`listen.data`", data.to_string(), fix));
    }
    let unsigned = upstreams.iter().filter(|upstream| upstream.kind.plane() != Plane::Aws);
    let unsigned: Vec<String> = unsigned.map(|upstream| upstream.name.clone()).collect();
    let allowed = if one.upstreams.is_empty() { unsigned } else { one.upstreams };
    let of = "of the single user";
    let grant = said_by_nobody(of, grant(of, (&one.actor, &one.kind), &allowed, &[], upstreams)?)?;
    let names = listen.names.iter().chain(upstreams.iter().flat_map(|upstream| &upstream.names));
    Ok(SingleUserRule { grant, names: names.map(|name| name.to_ascii_lowercase()).collect() })
}

/// Refuses names made of what nobody says.
fn said_by_nobody(of: &str, grant: Grant) -> Result<Grant, ConfigError> {
    let others = grant.on_behalf_of.iter().map(|(_, name)| name);
    let asked = std::iter::once(&grant.actor).chain(others).flat_map(Template::asks_for).next();
    match asked.map(str::to_owned) {
        Some(name) => {
            let fix = "nothing is said there that a name could be made of; write the name itself";
            Err(ConfigError::new(format!("`actor` {of}"), format!("{{{name}}}"), fix))
        }
        None => Ok(grant),
    }
}

fn grant(
    of: &str,
    (actor, word): (&str, &str),
    allowed: &[String],
    behalf: &[String],
    upstreams: &[UpstreamConfig],
) -> Result<Grant, ConfigError> {
    if allowed.is_empty() {
        let fix = "name at least one upstream whose requests are not signed";
        return Err(ConfigError::new(format!("`upstreams` {of}"), "", fix));
    }
    for name in allowed {
        let key = || format!("`upstreams` {of}");
        let Some(known) = upstreams.iter().find(|upstream| upstream.name == *name) else {
            return Err(ConfigError::new(key(), name, "there is no upstream of that name; configure it"));
        };
        if known.kind.plane() == Plane::Aws {
            let fix =
                "requests to AWS are signed, which only the holder of an issued key pair can; take it out";
            return Err(ConfigError::new(key(), name, fix));
        }
    }
    let template = |key: &str, text: &str| {
        Template::parse(text).map_err(|fix| ConfigError::new(format!("`{key}` {of}"), text, fix))
    };
    let mut on_behalf_of = Vec::new();
    for text in behalf {
        let (word, name) = text.split_once(':').ok_or_else(|| {
            ConfigError::new(format!("`on_behalf_of` {of}"), text, "write it as `person:alice`")
        })?;
        on_behalf_of.push((kind(&format!("`on_behalf_of` {of}"), word)?, template("on_behalf_of", name)?));
    }
    Ok(Grant {
        actor: template("actor", actor)?,
        kind: kind(&format!("`kind` {of}"), word)?,
        upstreams: allowed.iter().map(|name| Arc::from(name.as_str())).collect(),
        on_behalf_of,
    })
}

/// Where the keys of an issuer are that is named under `table`.
pub(super) fn keys_of(
    (table, of): (&str, &str),
    issuer: &str,
    jwks: Option<&str>,
    trust: Option<&PathBuf>,
) -> Result<Source, ConfigError> {
    let url: Result<http::Uri, _> = issuer.parse();
    match jwks {
        Some(text) => source(&format!("`jwks` {of}"), text, trust.cloned()),
        None if url.as_ref().is_ok_and(is_safe) => {
            Ok(Source::Discovery { issuer: issuer.to_owned(), trust: trust.cloned() })
        }
        None => {
            let fix = "it is no `https` URL, so that its keys cannot be found; give a `jwks`";
            Err(ConfigError::new(format!("`issuer` of `{table}`"), issuer, fix))
        }
    }
}

fn source(key: &str, text: &str, trust: Option<PathBuf>) -> Result<Source, ConfigError> {
    if !text.contains("://") {
        return Ok(Source::File(PathBuf::from(text)));
    }
    let url: Option<http::Uri> = text.parse().ok().filter(is_safe);
    let fix = "give a file, or a URL with `https`; `http` is taken of this machine alone";
    url.map(|url| Source::Url { url, trust }).ok_or_else(|| ConfigError::new(key, text, fix))
}

pub(super) fn algorithms(of: &str, names: &[String]) -> Result<Vec<Algorithm>, ConfigError> {
    if names.is_empty() {
        return Ok(ALGORITHMS.into_iter().map(|(_, algorithm)| algorithm).collect());
    }
    let known = |name: &String| {
        let found = ALGORITHMS.into_iter().find(|(known, _)| known == name);
        found.map(|(_, algorithm)| algorithm).ok_or_else(|| {
            let all = ALGORITHMS.map(|(name, _)| format!("`{name}`")).join(", ");
            ConfigError::new(format!("`algorithms` {of}"), name, format!("use {all}"))
        })
    };
    names.iter().map(known).collect()
}

pub(super) fn audience(of: &str, text: &str) -> Result<String, ConfigError> {
    if text.trim().is_empty() {
        let fix = "give the audience that tokens for this gate are asked for with";
        return Err(ConfigError::new(format!("`audience` {of}"), text, fix));
    }
    Ok(text.to_owned())
}

pub(super) fn conditions(written: &BTreeMap<String, String>) -> BTreeMap<String, Pattern> {
    written.iter().map(|(name, value)| (name.clone(), Pattern::new(value))).collect()
}

fn kind(key: &str, word: &str) -> Result<ActorKind, ConfigError> {
    ActorKind::parse(word).ok_or_else(|| ConfigError::new(key, word, "use `person`, `pipeline` or `agent`"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::config::Config;
    use crate::settings::Settings;

    const BEFORE: &str = r#"
        [[upstream]]
        name = "live"
        plane = "kubernetes"
        endpoint = "https://10.0.0.1:6443"
        credentials = { token_file = "token" }
        [[upstream]]
        name = "prod"
        plane = "aws"
    "#;

    /// What is in force, or what is wrong.
    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(text: &str, expected: Expect) {
        let settings = Settings::parse("gate.toml", &format!("{text}{BEFORE}"));
        let said = settings.map_err(|error| error.to_string()).and_then(|settings| {
            let config = Config::resolve(settings).map_err(|error| error.to_string())?;
            Ok(config.identity.lines().join("\n"))
        });
        expected.assert_eq(&said.unwrap_or_else(|error| error));
    }

    const GITHUB: &str = r#"
[[identity.oidc]]
issuer = "https://token.example"
audience = "ordain"
match = { repository = "acme/*", ref = "refs/heads/main" }
actor = "{repository}"
kind = "pipeline"
upstreams = ["live"]
"#;

    const ACCOUNTS: &str = r#"
[[identity.kubernetes]]
upstream = "live"
issuer = "https://kubernetes.default.svc"
audience = "ordain"
match = { namespace = "ci" }
"#;

    const CERTIFIED: &str = r#"
[identity.mtls]
trust = "ca.pem"
[[identity.mtls.rule]]
spiffe = "spiffe://acme/ns/*/sa/*"
kind = "pipeline"
upstreams = ["live"]
"#;

    const USER: &str = r#"
[[identity.unix]]
uid = 7
actor = "bot"
kind = "agent"
upstreams = ["live"]
on_behalf_of = ["person:alice"]
"#;

    const SINGLE: &str = "[identity]\nsingle_user = { actor = \"me\", kind = \"person\" }\n";

    #[test]
    fn every_scheme_is_told_of_in_a_line() {
        check(
            &format!("{GITHUB}algorithms = [\"RS256\"]\n"),
            expect![
                "tokens of `https://token.example` for `ordain` signed with RS256 under the keys of its discovery document where ref=refs/heads/main and repository=acme/* are pipeline `{repository}` on live"
            ],
        );
        check(
            ACCOUNTS,
            expect![
                "tokens of `https://kubernetes.default.svc` for `ordain` signed with RS256 or RS384 or RS512 or PS256 or PS384 or PS512 or ES256 or ES384 or EdDSA under the keys of the upstream `live` where namespace=ci are pipeline `{sub}` on live"
            ],
        );
        let listen = "[listen]\nunix = \"gate.sock\"\ntls = { certificate = \"c\", key = \"k\" }\n";
        check(
            &format!("{listen}{USER}{CERTIFIED}"),
            expect![[r#"
            client certificates under `ca.pem` whose SPIFFE ID is `spiffe://acme/ns/*/sa/*` are pipeline `{name}` on live
            the user 7 on the Unix socket is agent `bot` on behalf of person `alice` on live"#]],
        );
        check(SINGLE, expect!["ADVISORY: everybody on this machine is person `me` on live, unproven"]);
    }

    #[test]
    fn what_would_believe_too_much_or_nobody_is_refused() {
        check(
            &GITHUB.replace("live", "prod"),
            expect![
                "`upstreams` of the issuer `https://token.example` is `prod`: requests to AWS are signed, which only the holder of an issued key pair can; take it out"
            ],
        );
        check(
            &GITHUB.replace("live", "gone"),
            expect![
                "`upstreams` of the issuer `https://token.example` is `gone`: there is no upstream of that name; configure it"
            ],
        );
        check(
            &GITHUB.replace("[\"live\"]", "[]"),
            expect![
                "`upstreams` of the issuer `https://token.example` is ``: name at least one upstream whose requests are not signed"
            ],
        );
        check(
            &GITHUB.replace("https:", "http:"),
            expect![
                "`issuer` of `identity.oidc` is `http://token.example`: it is no `https` URL, so that its keys cannot be found; give a `jwks`"
            ],
        );
        check(
            &format!("{GITHUB}jwks = \"http://keys.example/\"\n"),
            expect![
                "`jwks` of the issuer `https://token.example` is `http://keys.example/`: give a file, or a URL with `https`; `http` is taken of this machine alone"
            ],
        );
        check(
            &format!("{GITHUB}algorithms = [\"HS256\"]\n"),
            expect![
                "`algorithms` of the issuer `https://token.example` is `HS256`: use `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `EdDSA`"
            ],
        );
        check(
            &format!("{GITHUB}{GITHUB}jwks = \"keys.json\"\n"),
            expect![
                "`issuer` under `identity` is `https://token.example`: its entries differ in where its keys are; give all of them the same `jwks` and `trust`"
            ],
        );
        check(
            &GITHUB.replace("{repository}", "{repository"),
            expect![
                "`actor` of the issuer `https://token.example` is `{repository`: close each `{` with a `}`"
            ],
        );
        check(
            &GITHUB.replace("kind =", "kinds ="),
            expect!["`gate.toml` line 7, column 1: unknown key `kinds`; did you mean `kind`"],
        );
        check(
            &GITHUB.replace("\"pipeline\"", "\"robot\""),
            expect![
                "`kind` of the issuer `https://token.example` is `robot`: use `person`, `pipeline` or `agent`"
            ],
        );
        check(
            &GITHUB.replace("\"ordain\"", "\"\""),
            expect![
                "`audience` of the issuer `https://token.example` is ``: give the audience that tokens for this gate are asked for with"
            ],
        );
        check(
            &ACCOUNTS.replace("live", "prod"),
            expect![
                "`upstream` of `identity.kubernetes` is `prod`: there is no upstream of the plane `kubernetes` of that name; configure it"
            ],
        );
        check(
            &ACCOUNTS.replace("namespace", "pod"),
            expect!["`match` of the cluster `live` is `pod`: use `namespace`, `service_account` and `uid`"],
        );
    }

    #[test]
    fn what_a_scheme_needs_beside_it_is_asked_for() {
        check(
            USER,
            expect![
                "`listen.unix` is ``: users of this machine are known on a socket: give `listen.unix` a path, or take `identity.unix` out"
            ],
        );
        let tls = "[listen]\ntls = { certificate = \"c\", key = \"k\" }\n";
        check(
            &format!("{tls}{}", CERTIFIED.replace("kind", "dns = \"x\"\nkind")),
            expect!["`identity.mtls.rule` is ``: give exactly one of `spiffe`, `dns` and `common_name`"],
        );
        check(
            &format!("{tls}{}", CERTIFIED.replace("spiffe://", "https://")),
            expect![
                "`spiffe` of `identity.mtls.rule` is `https://acme/ns/*/sa/*`: begin it with `spiffe://`"
            ],
        );
        check(
            &format!("[listen]\ndata = \"0.0.0.0:7070\"\n{SINGLE}"),
            expect![
                "`listen.data` is `0.0.0.0:7070`: with `identity.single_user` everybody who connects is that user: listen on a loopback address, or take it out"
            ],
        );
        check(
            &SINGLE.replace("\"me\"", "\"{name}\""),
            expect![
                "`actor` of the single user is `{name}`: nothing is said there that a name could be made of; write the name itself"
            ],
        );
    }
}
