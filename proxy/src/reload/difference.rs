//! What is different between two configurations, in words for the ledger and for who reads it.
//!
//! Leaves out putting any of it in force.

use std::path::PathBuf;

use ordain_evidence::ChangeKind;
use ordain_rules::Mode;

use crate::config::{Config, Reach, UpstreamConfig, UpstreamKind};
use crate::listen::Redirection;
use crate::state::Kept;

/// Refuses a configuration that differs in what cannot change while the gate runs.
///
/// # Errors
/// What that is, and what to do.
pub(super) fn needs_restart(old: &Config, new: &Config) -> Result<(), String> {
    let differs = |(old, new): &(Fixed, Fixed)| old.1 != new.1;
    let found: Vec<String> = fixed(old)
        .into_iter()
        .zip(fixed(new))
        .filter(differs)
        .map(|(old, new)| format!("`{}` from `{}` to `{}`", old.0, old.1, new.1))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the settings change {}, which takes a restart; nothing of them is in force until then",
        found.join(" and ")
    ))
}

type Fixed = (&'static str, String);

fn fixed(config: &Config) -> [Fixed; 20] {
    let overlay = config.overlay.as_ref().map_or_else(String::new, |path| path.display().to_string());
    let addresses = |by: Redirection| {
        let those = config.transparent.iter().filter(|(_, how)| *how == by);
        let those: Vec<String> = those.map(|(address, _)| address.to_string()).collect();
        if those.is_empty() { "none".to_owned() } else { those.join(", ") }
    };
    [
        ("state", config.state.display().to_string()),
        ("listen.data", config.data.to_string()),
        ("listen.admin", config.admin.to_string()),
        ("listen.egress", config.egress.map_or_else(|| "none".to_owned(), |egress| egress.to_string())),
        ("listen.transparent", addresses(Redirection::Rewritten)),
        ("listen.tproxy", addresses(Redirection::Kept)),
        ("egress.proxy", format!("{:?}", config.outward.proxy)),
        ("listen.tls", if config.tls.is_some() { "on" } else { "off" }.to_owned()),
        (
            "listen.admin_tls",
            config.admin_tls.as_ref().map_or_else(
                || "off".to_owned(),
                |(certificate, key)| format!("{} with {}", certificate.display(), key.display()),
            ),
        ),
        ("listen.names", config.names.join(", ")),
        (
            "listen.unix",
            config.unix.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string()),
        ),
        ("model.directory", config.model.display().to_string()),
        ("ledger.directory", config.ledger.display().to_string()),
        ("counted", counted(&config.counted)),
        ("holds.parked", config.holds.parked.to_string()),
        ("holds.webhook", webhooks(config)),
        ("ledger.origin", config.origin.clone()),
        ("catalogue.overlay", overlay),
        ("upstream.descriptors, upstream.description, upstream.methods and upstream.mounts", apis(config)),
        ("log.format", config.log.format.clone().unwrap_or_else(|| "text".to_owned())),
    ]
}

/// The file goes with the state directory, and is not said twice.
fn counted(kept: &Kept) -> String {
    match kept {
        Kept::File(_) => "a file of the state directory".to_owned(),
        Kept::Server(server) => format!("{server:?}"),
    }
}

/// Who is told of holds, without the addresses, which are secrets of their own.
fn webhooks(config: &Config) -> String {
    let webhooks: Vec<String> = config.holds.webhooks.iter().map(|webhook| format!("{webhook:?}")).collect();
    if webhooks.is_empty() { "none".to_owned() } else { webhooks.join(", ") }
}

/// What changes, one entry of the ledger each.
pub(super) fn changes(old: &Config, new: &Config) -> Vec<(ChangeKind, String)> {
    let mut changes = Vec::new();
    if old.mode != new.mode {
        changes.push((ChangeKind::Mode, format!("mode {}", from_to(old.mode, new.mode))));
    }
    for upstream in &new.upstreams {
        match old.upstreams.iter().find(|known| known.name == upstream.name) {
            Some(known) => changes.extend(upstream_changes((known, old.mode), (upstream, new.mode))),
            None => changes.extend(added(upstream, new.mode)),
        }
    }
    for gone in &old.upstreams {
        if !new.upstreams.iter().any(|upstream| upstream.name == gone.name) {
            changes.push((ChangeKind::Configuration, format!("remove upstream `{}`", gone.name)));
        }
    }
    changes.extend(believed("identity", &old.identity.lines(), &new.identity.lines()));
    changes.extend(believed("login", &old.login.lines(), &new.login.lines()));
    let words: Vec<String> = plain(old)
        .into_iter()
        .zip(plain(new))
        .filter(|(old, new)| old.1 != new.1)
        .map(|(old, new)| format!("`{}` from {} to {}", old.0, old.1, new.1))
        .chain(looser(old, new).map(str::to_owned))
        .collect();
    if !words.is_empty() {
        changes.push((ChangeKind::Configuration, words.join(", ")));
    }
    changes
}

/// Who is believed, or is not any more. Whoever is believed beside the others may do more.
fn believed(of: &str, old: &[String], new: &[String]) -> Vec<(ChangeKind, String)> {
    let added = new.iter().filter(|line| !old.contains(line));
    let removed = old.iter().filter(|line| !new.contains(line));
    let added = added.map(|line| format!("{of}: {line}: loosened"));
    let removed = removed.map(|line| format!("{of}: no more that {line}"));
    let mut changes: Vec<String> = added.chain(removed).collect();
    if changes.is_empty() && old != new {
        // The first that fits counts.
        changes.push(format!("{of}: another order, now {}: loosened", new.join("; then ")));
    }
    changes.into_iter().map(|summary| (ChangeKind::Configuration, summary)).collect()
}

/// What of the gateway is looser, in words that stand out among the rest.
fn looser(old: &Config, new: &Config) -> Option<&'static str> {
    let (old, new) = (&old.outward, &new.outward);
    let more = new.pass.iter().any(|rule| !old.pass.contains(rule));
    (more || (old.authenticate && !new.authenticate)).then_some("the gateway lets more through: loosened")
}

/// What is new about an upstream that was not there, with what is looser in it than in the rest.
fn added(upstream: &UpstreamConfig, general: Mode) -> Vec<(ChangeKind, String)> {
    let (name, mode) = (&upstream.name, upstream.mode.unwrap_or(general));
    let loosened = if mode < general || upstream.kind.passes() { ": loosened" } else { "" };
    let parts = parts(upstream);
    let parts = parts.iter().filter(|(_, value)| !value.is_empty());
    let parts: Vec<String> = parts.map(|(part, value)| format!("`{part}` `{value}`")).collect();
    let summary =
        format!("add upstream `{name}` in {} mode{loosened}, with {}", mode.as_str(), parts.join(", "));
    let mut changes = vec![(ChangeKind::Configuration, summary)];
    if upstream.control_only {
        let summary = format!("data-level changes on upstream `{name}` are not judged: loosened");
        changes.push((ChangeKind::Mode, summary));
    }
    changes
}

fn from_to(old: Mode, new: Mode) -> String {
    let loosened = if new < old { ": loosened" } else { "" };
    format!("from {} to {}{loosened}", old.as_str(), new.as_str())
}

fn upstream_changes(
    (old, old_mode): (&UpstreamConfig, Mode),
    (new, new_mode): (&UpstreamConfig, Mode),
) -> Vec<(ChangeKind, String)> {
    let (mut changes, name) = (Vec::new(), &new.name);
    if old.mode != new.mode {
        let modes = from_to(old.mode.unwrap_or(old_mode), new.mode.unwrap_or(new_mode));
        changes.push((ChangeKind::Mode, format!("mode of upstream `{name}` {modes}")));
    }
    if old.control_only != new.control_only {
        let are = if new.control_only { "not judged: loosened" } else { "judged" };
        changes.push((ChangeKind::Mode, format!("data-level changes on upstream `{name}` are {are}")));
    }
    let parts: Vec<String> = parts(old)
        .into_iter()
        .zip(parts(new))
        .filter(|(old, new)| old.1 != new.1)
        .map(|(old, new)| format!("`{}` from `{}` to `{}`", old.0, old.1, new.1))
        .collect();
    if !parts.is_empty() {
        let loosened = if new.kind.passes() && !old.kind.passes() { ": loosened" } else { "" };
        let summary = format!("upstream `{name}`: {}{loosened}", parts.join(", "));
        changes.push((ChangeKind::Configuration, summary));
    }
    changes
}

/// What the rooms of described APIs are set up with, which they are once.
fn apis(config: &Config) -> String {
    let apis = config.upstreams.iter().filter_map(|upstream| {
        let (described, methods) = match &upstream.kind {
            UpstreamKind::Grpc(api) => (Some(&api.descriptors), &api.methods),
            UpstreamKind::Openapi(api) => (Some(&api.description), &api.methods),
            UpstreamKind::Single(single) => (single.description.as_ref(), &single.methods),
            UpstreamKind::Aws(_) | UpstreamKind::Kubernetes(_) => return None,
        };
        if let UpstreamKind::Single(single) = &upstream.kind
            && !single.mounts.is_empty()
        {
            let mounts: Vec<String> =
                single.mounts.iter().map(|(path, kind)| format!("{path} is {kind}")).collect();
            return Some(format!("{}: {}", upstream.name, mounts.join(", ")));
        }
        if described.is_none() && methods.is_none() {
            return None;
        }
        let shown = |path: Option<&PathBuf>| {
            path.map_or_else(|| "none".to_owned(), |path| path.display().to_string())
        };
        Some(format!("{}: {} and {}", upstream.name, shown(described), shown(methods.as_ref())))
    });
    let apis: Vec<String> = apis.collect();
    if apis.is_empty() { "none".to_owned() } else { apis.join(", ") }
}

fn parts(upstream: &UpstreamConfig) -> [(&'static str, String); 10] {
    let text = |part: Option<&String>| part.cloned().unwrap_or_default();
    let (aws, cluster) = match &upstream.kind {
        UpstreamKind::Aws(aws) => (Some(aws), None),
        UpstreamKind::Grpc(_) | UpstreamKind::Openapi(_) | UpstreamKind::Single(_) => (None, None),
        UpstreamKind::Kubernetes(cluster) => (None, Some(cluster)),
    };
    let trust = match upstream.kind.reach() {
        Some(Reach::At { trust, .. } | Reach::Provider { trust, .. }) => trust.as_ref(),
        Some(Reach::Kubeconfig { .. }) | None => None,
    };
    [
        ("plane", upstream.kind.plane().to_string()),
        ("account", text(upstream.account.as_ref())),
        ("names", upstream.names.join(", ")),
        ("endpoint", upstream.kind.endpoint().map_or_else(String::new, ToString::to_string)),
        ("region", text(aws.and_then(|aws| aws.region.as_ref()))),
        ("credentials", upstream.kind.credentials()),
        ("role", text(aws.and_then(|aws| aws.role.as_ref()))),
        ("uid", text(cluster.and_then(|cluster| cluster.uid.as_ref()))),
        ("pass_through", if upstream.kind.passes() { "true" } else { "" }.to_owned()),
        ("trust", trust.map_or_else(String::new, |path| path.display().to_string())),
    ]
}

fn plain(config: &Config) -> [(&'static str, String); 20] {
    let limits = &config.limits;
    let passes: Vec<String> = config.outward.pass.iter().map(ToString::to_string).collect();
    let (certificate, key) = config.tls.as_ref().map_or_else(Default::default, |(certificate, key)| {
        (certificate.display().to_string(), key.display().to_string())
    });
    [
        ("egress.pass", if passes.is_empty() { "none".to_owned() } else { passes.join(", ") }),
        ("egress.authenticate", config.outward.authenticate.to_string()),
        ("limits.body", limits.body.to_string()),
        ("limits.held", limits.held.to_string()),
        ("limits.unproven", limits.unproven.to_string()),
        ("limits.connections", limits.connections.to_string()),
        ("limits.connections_per_peer", limits.connections_per_peer.to_string()),
        ("limits.actor_requests", limits.actor_requests.to_string()),
        (
            "limits.actor_requests_per_second",
            limits.actor_requests_per_second.map_or_else(|| "any".to_owned(), |rate| rate.to_string()),
        ),
        ("limits.header_timeout", format!("{:?}", limits.header_timeout)),
        ("limits.body_timeout", format!("{:?}", limits.body_timeout)),
        ("limits.idle_timeout", format!("{:?}", limits.idle_timeout)),
        ("limits.upstream_timeout", format!("{:?}", limits.upstream_timeout)),
        ("limits.drain", format!("{:?}", limits.drain)),
        ("holds.lasts", format!("{:?}", config.holds.lasts)),
        ("holds.granted", format!("{:?}", config.holds.granted)),
        ("holds.park", format!("{:?}", config.holds.park.unwrap_or_default())),
        ("holds.per_actor", config.holds.per_actor.to_string()),
        ("listen.tls", format!("{certificate} {key}")),
        ("log.filter", config.log.filter.clone().unwrap_or_else(|| "info".to_owned())),
    ]
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::settings::Settings;

    fn config(text: &str) -> Config {
        Config::resolve(Settings::parse("gate.toml", text).unwrap()).unwrap()
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(old: &str, new: &str, expected: Expect) {
        let (old, new) = (config(old), config(new));
        let said = match needs_restart(&old, &new) {
            Err(why) => why,
            Ok(()) => {
                let lines = changes(&old, &new).into_iter();
                lines.map(|(kind, text)| format!("{}: {text}\n", kind.as_str())).collect()
            }
        };
        expected.assert_eq(&said);
    }

    const UPSTREAM: &str = "[[upstream]]\nname = \"prod\"\nplane = \"aws\"\n";

    #[test]
    fn nothing_different_is_nothing_to_record() {
        check("mode = \"warn\"", "mode = \"warn\"", expect![""]);
    }

    #[test]
    fn a_mode_that_goes_down_is_marked() {
        check(
            "mode = \"enforce\"",
            "",
            expect![[r"
            mode: mode from enforce to shadow: loosened
        "]],
        );
        check(
            "",
            "mode = \"enforce\"",
            expect![[r"
            mode: mode from shadow to enforce
        "]],
        );
        check(
            &format!("mode = \"enforce\"\n{UPSTREAM}"),
            &format!(
                "mode = \"enforce\"\n{UPSTREAM}mode = \"warn\"\ncontrol_only = true\nrole = \"arn:aws:iam::123456789012:role/{{actor}}\""
            ),
            expect![[r"
                mode: mode of upstream `prod` from enforce to warn: loosened
                mode: data-level changes on upstream `prod` are not judged: loosened
                configuration: upstream `prod`: `role` from `` to `arn:aws:iam::123456789012:role/{actor}`
            "]],
        );
    }

    #[test]
    fn limits_and_upstreams_are_said_with_what_they_were() {
        check(
            "[limits]\nbody = \"1MiB\"\ndrain = \"5s\"",
            &format!("[limits]\nbody = \"2MiB\"\n{UPSTREAM}"),
            expect![[r#"
                configuration: add upstream `prod` in shadow mode, with `plane` `aws`, `credentials` `default`
                configuration: remove upstream `default`
                configuration: `limits.body` from 1048576 to 2097152, `limits.drain` from 5s to 25s
            "#]],
        );
    }

    const CLUSTER: &str = r#"
[[upstream]]
name = "live"
plane = "kubernetes"
endpoint = "https://10.0.0.1:6443"
credentials = { token_file = "t" }
"#;

    const RULE: &str = r#"
[[identity.oidc]]
issuer = "https://ci"
audience = "ordain"
algorithms = ["RS256"]
actor = "a"
kind = "agent"
upstreams = ["live"]
"#;

    #[test]
    fn whoever_is_believed_beside_the_others_is_marked() {
        let other = RULE.replace("\"a\"", "\"b\"");
        let (one, both) = (format!("{CLUSTER}{RULE}"), format!("{CLUSTER}{RULE}{other}"));
        check(
            &one,
            &both,
            expect![[r#"
            configuration: identity: tokens of `https://ci` for `ordain` signed with RS256 under the keys of its discovery document where nothing is asked are agent `b` on live: loosened
        "#]],
        );
        check(
            &both,
            &one,
            expect![[r#"
            configuration: identity: no more that tokens of `https://ci` for `ordain` signed with RS256 under the keys of its discovery document where nothing is asked are agent `b` on live
        "#]],
        );
        check(
            &both,
            &format!("{CLUSTER}{other}{RULE}"),
            expect![[r#"
            configuration: identity: another order, now tokens of `https://ci` for `ordain` signed with RS256 under the keys of its discovery document where nothing is asked are agent `b` on live; then tokens of `https://ci` for `ordain` signed with RS256 under the keys of its discovery document where nothing is asked are agent `a` on live: loosened
        "#]],
        );
    }

    #[test]
    fn what_takes_a_restart_is_said() {
        check(
            "state = \"/here\"",
            "state = \"/elsewhere\"\n[listen]\ndata = \"127.0.0.1:9\"\n[model]\ndirectory = \"/m\"\n[ledger]\ndirectory = \"/l\"",
            expect![
                "the settings change `state` from `/here` to `/elsewhere` and `listen.data` from `127.0.0.1:7070` to `127.0.0.1:9` and `model.directory` from `/here/model` to `/m` and `ledger.directory` from `/here/ledger` to `/l`, which takes a restart; nothing of them is in force until then"
            ],
        );
    }
}
