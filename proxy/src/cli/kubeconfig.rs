//! A kubeconfig that sends Kubernetes' clients through the gate: one context for each cluster.
//!
//! Leaves out whose credentials stand in it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use ordain_action::{Party, Plane};
use serde::Serialize;

use super::way::own_address;
use crate::config::{Config, UpstreamConfig};
use crate::{egress, files};

/// What a client presents.
pub(super) enum User<'a> {
    /// What a program prints when it is asked: the gate's own, for this party.
    Asks { party: &'a Party, settings: Option<&'a Path> },
    /// A token, by upstream.
    Holds(&'a BTreeMap<String, String>),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Kubeconfig {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: Vec<Named<Inside>>,
    users: Vec<Named<Inside>>,
    contexts: Vec<Named<Inside>>,
    current_context: String,
}

#[derive(Serialize)]
struct Named<T> {
    name: String,
    #[serde(flatten)]
    what: T,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Inside {
    Cluster(Cluster),
    User(Presents),
    Context(Pair),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_authority: Option<String>,
}

/// One of the two.
#[derive(Serialize)]
struct Presents {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exec: Option<Exec>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exec {
    api_version: &'static str,
    command: String,
    args: Vec<String>,
    interactive_mode: &'static str,
}

#[derive(Serialize)]
struct Pair {
    cluster: String,
    user: String,
}

/// The clusters of a configuration.
pub(super) fn clusters(config: &Config) -> impl Iterator<Item = &UpstreamConfig> {
    // Where actors' own credentials go on, their clients are set up with those.
    config
        .upstreams
        .iter()
        .filter(|upstream| upstream.kind.plane() == Plane::Kubernetes && !upstream.kind.passes())
}

/// The text of the file.
///
/// # Errors
/// There is no cluster, or nothing to trust the gate by yet.
pub(super) fn text(config: &Config, user: &User<'_>) -> anyhow::Result<String> {
    let current = clusters(config).next().context("no upstream is a Kubernetes cluster that tokens are issued for; configure one without `pass_through`")?;
    // A certificate that was given to us is one that clients trust as they do others.
    let trust = match &config.tls {
        Some(_) => None,
        None => {
            let bundle = egress::bundle_path(&config.state);
            anyhow::ensure!(
                bundle.exists(),
                "`{}` is not there yet; start the gate, or run `ordain ca create`",
                bundle.display()
            );
            Some(bundle.display().to_string())
        }
    };
    let mut file = Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: Vec::new(),
        users: Vec::new(),
        contexts: Vec::new(),
        current_context: current.name.clone(),
    };
    for upstream in clusters(config) {
        let presents = match user {
            User::Holds(tokens) => match tokens.get(&upstream.name) {
                Some(token) => Presents { token: Some(token.clone()), exec: None },
                None => continue,
            },
            User::Asks { party, settings } => {
                Presents { token: None, exec: Some(asking(party, *settings, &upstream.name)?) }
            }
        };
        let name = || upstream.name.clone();
        let server = format!("https://{}", own_address(config, upstream.names.first()));
        let cluster = Cluster { server, certificate_authority: trust.clone() };
        file.clusters.push(Named { name: name(), what: Inside::Cluster(cluster) });
        file.users.push(Named { name: name(), what: Inside::User(presents) });
        let pair = Pair { cluster: name(), user: name() };
        file.contexts.push(Named { name: name(), what: Inside::Context(pair) });
    }
    Ok(yaml_serde::to_string(&file)?)
}

/// Has a client ask `ordain credentials` for a token of the party's.
fn asking(party: &Party, settings: Option<&Path>, upstream: &str) -> anyhow::Result<Exec> {
    let program = std::env::current_exe().context("this program cannot be found again")?;
    let mut args = Vec::new();
    if let Some(settings) = settings {
        let whole = std::path::absolute(settings)?;
        args.extend(["--config".to_owned(), whole.display().to_string()]);
    }
    args.extend(
        ["credentials", "--actor", &*party.name, "--kind", party.kind.as_str(), "--upstream", upstream]
            .map(str::to_owned),
    );
    Ok(Exec {
        api_version: "client.authentication.k8s.io/v1",
        command: program.display().to_string(),
        args,
        interactive_mode: "Never",
    })
}

/// Writes such a file for its owner alone.
///
/// # Errors
/// What the system says.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    files::replace_secret(path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))
}
