//! What a kubeconfig file says of a context: the server, whom to trust, and the credential.
//!
//! Leaves out fetching the credential (`credential`). The format is Kubernetes' own `v1` `Config`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Place;
use super::credential::Fetch;
use super::source::{certificates, identity};
use crate::forward::Trust;
use crate::settings::environment;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Config {
    current_context: Option<String>,
    #[serde(default)]
    clusters: Vec<NamedCluster>,
    #[serde(default)]
    users: Vec<NamedUser>,
    #[serde(default)]
    contexts: Vec<NamedContext>,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    #[serde(default)]
    user: User,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<String>,
    username: Option<String>,
    password: Option<String>,
    exec: Option<Exec>,
    auth_provider: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Exec {
    command: String,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    env: Option<Vec<Variable>>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: String,
}

/// Reads a context of a kubeconfig file; the current one of the file that clients read where none is named.
///
/// # Errors
/// A text naming what is wrong, and where.
pub(super) fn place(file: Option<&Path>, context: Option<&str>) -> Result<Place, String> {
    let path = file.map_or_else(default_path, |path| Some(path.to_owned()));
    let path = path.ok_or("no kubeconfig is named and there is no home to look for one in")?;
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let text = Zeroizing::new(text);
    read(&text, path.parent().unwrap_or(Path::new(".")), context).map_err(|why| format!("`{shown}` {why}"))
}

/// The first file of `KUBECONFIG`, else the one in the home directory.
fn default_path() -> Option<PathBuf> {
    let named = environment("KUBECONFIG");
    let first = named.as_deref().and_then(|all| all.split(':').find(|path| !path.is_empty()));
    match first {
        Some(path) => Some(path.into()),
        None => environment("HOME").map(|home| PathBuf::from(home).join(".kube").join("config")),
    }
}

fn read(text: &str, folder: &Path, context: Option<&str>) -> Result<Place, String> {
    // What stands in it is secret: the parser's own words might show some of it.
    let config: Config = yaml_serde::from_str(text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(" at line {}", at.line()));
        format!("is no kubeconfig{place}")
    })?;
    let name = context.or(config.current_context.as_deref()).filter(|name| !name.is_empty());
    let name = name.ok_or("has no current context; name one")?;
    let missing = |what: &str, name: &str| format!("has no {what} `{name}`");
    let found =
        config.contexts.iter().find(|known| known.name == name).ok_or_else(|| missing("context", name))?;
    let named = &found.context.cluster;
    let cluster = config.clusters.iter().find(|known| known.name == *named);
    let cluster = &cluster.ok_or_else(|| missing("cluster", named))?.cluster;
    let named = &found.context.user;
    let user = config.users.iter().find(|known| known.name == *named);
    let user = &user.ok_or_else(|| missing("user", named))?.user;
    if cluster.insecure_skip_tls_verify {
        return Err(format!(
            "has `insecure-skip-tls-verify` for cluster `{}`; the gate verifies its upstreams: give the authority",
            found.context.cluster
        ));
    }
    if cluster.proxy_url.as_deref().is_some_and(|url| !url.is_empty()) {
        return Err(format!(
            "has a `proxy-url` for cluster `{}`, which is not supported",
            found.context.cluster
        ));
    }
    let mut trust = Trust { name: cluster.tls_server_name.clone(), ..Trust::default() };
    trust.roots = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) => Some(pem_certificates(data)?),
        (None, Some(path)) => Some(certificates(&folder.join(path))?),
        (None, None) => None,
    };
    trust.client = match (
        (&user.client_certificate_data, &user.client_certificate),
        (&user.client_key_data, &user.client_key),
    ) {
        ((None, None), (None, None)) => None,
        ((Some(certificate), _), (Some(key), _)) => Some((pem_certificates(certificate)?, pem_key(key)?)),
        ((None, Some(certificate)), (None, Some(key))) => {
            Some(identity(&folder.join(certificate), &folder.join(key))?)
        }
        _ => return Err(format!("has half a client certificate for user `{}`", found.context.user)),
    };
    let base: http::Uri =
        cluster.server.parse().map_err(|_| format!("names `{}`, which is no URL", cluster.server))?;
    let fetch = fetch(user, folder, trust.client.is_some())
        .map_err(|why| format!("has a user `{}` that {why}", found.context.user))?;
    Ok(Place { base: Some(base), trust, fetch })
}

/// In the order in which clients prefer them.
fn fetch(user: &User, folder: &Path, certified: bool) -> Result<Fetch, String> {
    if let Some(provider) = &user.auth_provider {
        return Err(format!(
            "has the auth provider `{}`, which clients no longer have; use `exec`",
            provider.name
        ));
    }
    if let Some(token) = &user.token {
        return Fetch::token(token);
    }
    if let Some(path) = &user.token_file {
        return Ok(Fetch::TokenFile(folder.join(path)));
    }
    if let Some(exec) = &user.exec {
        // A command with a folder in it stands beside the file; a plain name is looked for where programs are.
        let program = match exec.command.contains('/') {
            true => folder.join(&exec.command).display().to_string(),
            false => exec.command.clone(),
        };
        let variables = exec.env.iter().flatten();
        return Ok(Fetch::Command {
            program,
            arguments: exec.args.clone().unwrap_or_default(),
            environment: variables.map(|one| (one.name.clone(), one.value.clone())).collect(),
        });
    }
    match (&user.username, &user.password) {
        (Some(name), Some(password)) => Fetch::basic(name, password),
        _ if certified => Ok(Fetch::Nothing),
        _ => Err("has no credential".to_owned()),
    }
}

fn decoded(data: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    STANDARD.decode(data.trim()).map(Zeroizing::new).map_err(|_| "has data that is not base64".to_owned())
}

fn pem_certificates(data: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = decoded(data)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let all = all.map_err(|error| format!("has certificates that cannot be read: {error}"))?;
    if all.is_empty() { Err("has certificate data with no certificate in it".to_owned()) } else { Ok(all) }
}

fn pem_key(data: &str) -> Result<Arc<PrivateKeyDer<'static>>, String> {
    let pem = decoded(data)?;
    let key = PrivateKeyDer::from_pem_slice(&pem);
    key.map(Arc::new).map_err(|_| "has a client key that cannot be read".to_owned())
}
