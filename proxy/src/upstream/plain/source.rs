//! One upstream with one address, as configured.
//!
//! Leaves out reading kubeconfig files (`kubeconfig`) and credentials (`credential`).

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{StatusCode, Uri};
use ordain_action::Plane;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::credential::Fetch;
use super::{Place, kubeconfig};
use crate::config::{
    GrpcUpstream, KubernetesUpstream, OpenApiUpstream, PlainCredential, Reach, SingleUpstream,
};
use crate::forward::{Protocol, Trust};
use crate::settings::environment;

/// Where a pod finds its own credential.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// One such upstream, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The name that keys are bound to.
    pub name: Arc<str>,
    /// The plane.
    pub plane: Plane,
    account: Option<String>,
    pub(super) uid: Option<String>,
    /// Each actor's own credential goes on in place of ours.
    pub(in crate::upstream) passes: bool,
    /// Clients sign in before they are known.
    pub(in crate::upstream) signs_in: bool,
    reach: Reach,
}

impl Source {
    /// What configuration says of a cluster.
    pub fn kubernetes(name: &str, account: Option<&str>, config: &KubernetesUpstream) -> Self {
        Self {
            name: name.into(),
            plane: Plane::Kubernetes,
            account: account.map(str::to_owned),
            uid: config.uid.clone(),
            passes: config.passes,
            signs_in: false,
            reach: config.reach.clone(),
        }
    }

    /// What configuration says of an API over gRPC.
    pub fn grpc(name: &str, account: Option<&str>, config: &GrpcUpstream) -> Self {
        Self {
            name: name.into(),
            plane: Plane::Grpc,
            account: account.map(str::to_owned),
            uid: None,
            reach: config.reach.clone(),
            passes: false,
            signs_in: false,
        }
    }

    /// What configuration says of an API that an `OpenAPI` document describes.
    pub fn openapi(name: &str, account: Option<&str>, config: &OpenApiUpstream) -> Self {
        Self {
            name: name.into(),
            plane: Plane::Openapi,
            account: account.map(str::to_owned),
            uid: None,
            reach: config.reach.clone(),
            passes: false,
            signs_in: false,
        }
    }

    /// What configuration says of any other plane that has one address.
    pub fn single(name: &str, account: Option<&str>, config: &SingleUpstream) -> Self {
        Self {
            name: name.into(),
            plane: config.plane,
            account: account.map(str::to_owned),
            uid: None,
            reach: config.reach.clone(),
            passes: false,
            signs_in: config.signs_in,
        }
    }

    /// Where it is asked whether it takes the credential; nowhere where that cannot be asked.
    pub(super) fn anchor(&self) -> Option<Cow<'static, str>> {
        let path = match self.plane {
            Plane::Kubernetes => Some(super::ANCHOR),
            other => ordain_decode::card(other).anchor,
        }?;
        // A token of Vault's is known in its namespace alone, and a namespace may stand in a path.
        Some(match (self.namespace(), path.strip_prefix("/v1")) {
            (Some(namespace), Some(rest)) => format!("/v1/{namespace}{rest}").into(),
            _ => path.into(),
        })
    }

    fn namespace(&self) -> Option<&str> {
        match &self.reach {
            Reach::At { credential: PlainCredential::VaultToken(token), .. } => token.0.namespace.as_deref(),
            Reach::At { .. } | Reach::Provider { .. } | Reach::Kubeconfig { .. } => None,
        }
    }

    /// The status by which it is told there that it does not.
    pub(super) fn stranger(&self) -> StatusCode {
        StatusCode::from_u16(ordain_decode::card(self.plane).stranger).unwrap_or(StatusCode::UNAUTHORIZED)
    }

    /// The HTTP that is spoken to it, where that base URL is.
    pub(super) fn protocol(&self, base: Option<&Uri>) -> Protocol {
        match (self.plane, base.and_then(Uri::scheme_str)) {
            (Plane::Grpc, _) => Protocol::Http2,
            // There is no handshake to choose another in.
            (_, Some("http")) => Protocol::Http1,
            _ => Protocol::Negotiated,
        }
    }

    /// Whether we have no credential of our own there.
    pub(super) const fn is_anonymous(&self) -> bool {
        matches!(
            &self.reach,
            Reach::At { credential: PlainCredential::Nothing, .. }
                | Reach::Provider { credential: PlainCredential::Nothing, .. }
        )
    }

    /// The cluster's or the API's name.
    pub(super) fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.name)
    }

    /// Where it is, as far as configuration says.
    pub const fn endpoint(&self) -> Option<&Uri> {
        match &self.reach {
            Reach::At { endpoint, .. } => Some(endpoint),
            Reach::Kubeconfig { .. } | Reach::Provider { .. } => None,
        }
    }

    /// Its base URL, wherever that is said; none where it is at its provider's hosts.
    pub fn base(&self) -> Result<Option<Uri>, String> {
        self.place().map(|place| place.base)
    }

    /// Reads what is configured: files, and the environment.
    pub(super) fn place(&self) -> Result<Place, String> {
        match &self.reach {
            Reach::At { trust, credential, .. } | Reach::Provider { trust, credential } => {
                let mut trusted = Trust::default();
                if let Some(path) = trust {
                    trusted.roots = Some(certificates(path)?);
                }
                let fetch = match credential {
                    PlainCredential::TokenFile(path) => Fetch::TokenFile(path.clone()),
                    PlainCredential::TokenVariable(name) => Fetch::TokenVariable(name.clone()),
                    PlainCredential::Command(words) => Fetch::command(words),
                    PlainCredential::Basic(basic) => {
                        Fetch::Basic { user: basic.user.clone(), password: basic.password_file.clone() }
                    }
                    PlainCredential::Header(header) => {
                        Fetch::Header { name: header.name.clone(), value: header.file.clone() }
                    }
                    PlainCredential::Certificate(files) => {
                        trusted.client = Some(identity(&files.certificate, &files.key)?);
                        Fetch::Nothing
                    }
                    PlainCredential::Nothing => Fetch::Nothing,
                    PlainCredential::Vault(secret) => Fetch::Vault(secret.clone()),
                    PlainCredential::OAuth(client) => Fetch::OAuth(client.clone()),
                    PlainCredential::Google(google) => Fetch::Google(google.clone()),
                    PlainCredential::Keystone(login) => Fetch::Keystone(login.clone()),
                    PlainCredential::Vsphere(login) => Fetch::Vsphere(login.clone()),
                    PlainCredential::VaultToken(token) => Fetch::VaultToken(token.clone()),
                };
                Ok(Place { base: self.endpoint().cloned(), trust: trusted, fetch })
            }
            Reach::Kubeconfig { file: None, context: None } => match in_cluster()? {
                Some(place) => Ok(place),
                None => kubeconfig::place(None, None),
            },
            Reach::Kubeconfig { file, context } => kubeconfig::place(file.as_deref(), context.as_deref()),
        }
    }
}

/// What a pod is told of the cluster it runs in.
fn in_cluster() -> Result<Option<Place>, String> {
    let (Some(host), Some(port)) =
        (environment("KUBERNETES_SERVICE_HOST"), environment("KUBERNETES_SERVICE_PORT"))
    else {
        return Ok(None);
    };
    let folder = PathBuf::from(SERVICE_ACCOUNT);
    if !folder.join("token").exists() {
        return Ok(None);
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let base = format!("https://{host}:{port}/");
    Ok(Some(Place {
        base: Some(base.parse().map_err(|_| format!("`{base}` is no URL"))?),
        trust: Trust { roots: Some(certificates(&folder.join("ca.crt"))?), ..Trust::default() },
        fetch: Fetch::TokenFile(folder.join("token")),
    }))
}

/// The certificates of a PEM file.
pub(in crate::upstream) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let all = all.map_err(|error| format!("`{shown}` cannot be read as PEM certificates: {error}"))?;
    if all.is_empty() { Err(format!("`{shown}` holds no certificate")) } else { Ok(all) }
}

/// A client certificate and its key from PEM files.
pub(super) fn identity(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>), String> {
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("`{}` cannot be read as a PEM private key: {error}", key.display()))?;
    Ok((certificates(certificate)?, Arc::new(secret)))
}
