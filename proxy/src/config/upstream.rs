//! The control planes of a configuration, each with what is asked of its plane.
//!
//! Leaves out fetching what is configured (`upstream`), and APIs that their operators describe (`described.rs`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use ordain_action::Plane;
use ordain_rules::Mode;

use super::credential::{OWN, PlainCredential, of, plain, word};
use super::described::{self, GrpcUpstream, OpenApiUpstream};
use super::secrets::{self, VaultSecret};
use super::{ConfigError, mode};
use crate::settings::{self, Credentials};

/// One control plane and the credential it is reached with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// The name that keys are bound to.
    pub name: String,
    /// The account expected, or the name of the cluster.
    pub account: Option<String>,
    /// The host names by which clients reach it at the data address.
    pub names: Vec<String>,
    /// What its plane asks for.
    pub kind: UpstreamKind,
    /// The mode of this plane.
    pub mode: Option<Mode>,
    /// Data-level changes pass counted, as reads do.
    pub control_only: bool,
}

/// What a plane asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamKind {
    /// AWS.
    Aws(AwsUpstream),
    /// An API over gRPC.
    Grpc(GrpcUpstream),
    /// A Kubernetes cluster.
    Kubernetes(KubernetesUpstream),
    /// An API that an `OpenAPI` document describes.
    Openapi(OpenApiUpstream),
    /// Any other plane that has one address.
    Single(SingleUpstream),
}

/// How AWS is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsUpstream {
    /// A base URL in place of the provider's hosts.
    pub endpoint: Option<http::Uri>,
    /// The region for account verification, where one is given.
    pub region: Option<String>,
    /// Where the real credential comes from.
    pub credentials: AwsCredentials,
    /// A role to assume for each actor.
    pub role: Option<String>,
}

/// Where the real credential of an AWS upstream comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AwsCredentials {
    /// The provider's own chain.
    #[default]
    Chain,
    /// A profile of the provider's configuration files.
    Profile(String),
    /// A key pair in a file.
    File(PathBuf),
    /// A key pair in a secret store.
    Vault(Box<VaultSecret>),
}

/// How a cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesUpstream {
    /// The UID of its `kube-system`, where one is expected.
    pub uid: Option<String>,
    /// Where it is, and with which credential.
    pub reach: Reach,
    /// Each actor's own credential goes on in place of the gate's.
    pub passes: bool,
}

/// A plane of which nothing more is asked than where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleUpstream {
    /// Which it is.
    pub plane: Plane,
    /// For a server of tools the list of them.
    pub description: Option<PathBuf>,
    /// For a server of tools what they do.
    pub methods: Option<PathBuf>,
    /// Where it is, and with which credential.
    pub reach: Reach,
    /// What is mounted where: paths and types, on the one plane that has mounts.
    pub mounts: BTreeMap<String, String>,
    /// Clients sign in before they are known.
    pub signs_in: bool,
}

/// Where a plane is that has one address, and with which credential it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// As a kubeconfig file says; as a pod is told where no file is named and the gate runs in one.
    Kubeconfig {
        /// The file, where one is named.
        file: Option<PathBuf>,
        /// The context, where one is named.
        context: Option<String>,
    },
    /// At the provider's own hosts, which are known beforehand.
    Provider {
        /// The authorities that their certificates must come from, where not the system's.
        trust: Option<PathBuf>,
        /// The credential.
        credential: PlainCredential,
    },
    /// As configured.
    At {
        /// The base URL.
        endpoint: http::Uri,
        /// The authorities that its certificate must come from, where not the system's.
        trust: Option<PathBuf>,
        /// The credential.
        credential: PlainCredential,
    },
}

impl UpstreamKind {
    /// Where it is, for those that have one address.
    #[must_use]
    pub const fn reach(&self) -> Option<&Reach> {
        match self {
            Self::Aws(_) => None,
            Self::Grpc(api) => Some(&api.reach),
            Self::Kubernetes(cluster) => Some(&cluster.reach),
            Self::Openapi(api) => Some(&api.reach),
            Self::Single(single) => Some(&single.reach),
        }
    }

    /// Where the real credential comes from, in words.
    #[must_use]
    pub fn credentials(&self) -> String {
        match (self, self.reach()) {
            (_, Some(Reach::Kubeconfig { file, context })) => {
                let file =
                    file.as_ref().map_or_else(|| "default".to_owned(), |path| path.display().to_string());
                format!("kubeconfig {file}, context {}", context.as_deref().unwrap_or("current"))
            }
            (_, Some(Reach::At { credential, .. } | Reach::Provider { credential, .. })) => {
                credential.shown()
            }
            (Self::Aws(AwsUpstream { credentials: AwsCredentials::Profile(name), .. }), None) => {
                format!("profile {name}")
            }
            (Self::Aws(AwsUpstream { credentials: AwsCredentials::File(path), .. }), None) => {
                format!("file {}", path.display())
            }
            (Self::Aws(AwsUpstream { credentials: AwsCredentials::Vault(secret), .. }), None) => {
                secret.shown()
            }
            (_, None) => "default".to_owned(),
        }
    }

    /// The file that holds the real credential, where one does.
    #[must_use]
    pub const fn secret_file(&self) -> Option<&PathBuf> {
        match (self, self.reach()) {
            (_, Some(Reach::Kubeconfig { file, .. })) => file.as_ref(),
            (_, Some(Reach::At { credential, .. } | Reach::Provider { credential, .. })) => credential.file(),
            (Self::Aws(AwsUpstream { credentials: AwsCredentials::File(path), .. }), None) => Some(path),
            (Self::Aws(AwsUpstream { credentials: AwsCredentials::Vault(secret), .. }), None) => {
                Some(secret.store.file())
            }
            (_, None) => None,
        }
    }

    /// Whether each actor's own credential goes on in place of the gate's.
    #[must_use]
    pub const fn passes(&self) -> bool {
        match self {
            Self::Aws(_) | Self::Grpc(_) | Self::Openapi(_) | Self::Single(_) => false,
            Self::Kubernetes(cluster) => cluster.passes,
        }
    }

    /// The plane.
    #[must_use]
    pub const fn plane(&self) -> Plane {
        match self {
            Self::Aws(_) => Plane::Aws,
            Self::Grpc(_) => Plane::Grpc,
            Self::Kubernetes(_) => Plane::Kubernetes,
            Self::Openapi(_) => Plane::Openapi,
            Self::Single(single) => single.plane,
        }
    }

    /// Where it is, as far as configuration says.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&http::Uri> {
        match (self, self.reach()) {
            (Self::Aws(aws), _) => aws.endpoint.as_ref(),
            (_, Some(Reach::At { endpoint, .. })) => Some(endpoint),
            (_, Some(Reach::Kubeconfig { .. } | Reach::Provider { .. }) | None) => None,
        }
    }
}

impl UpstreamConfig {
    /// Why it is weaker than custody, where it is.
    #[must_use]
    pub fn weaker(&self) -> Option<String> {
        self.kind.passes().then(|| {
            format!(
                "each actor's own credential goes on to the upstream `{}` (`pass_through`): whoever holds one can go round \
                 the gate",
                self.name
            )
        })
    }
}

/// All control planes; one default AWS upstream where none is configured.
pub(super) fn all(written: Vec<settings::Upstream>) -> Result<Vec<UpstreamConfig>, ConfigError> {
    if written.is_empty() {
        return Ok(vec![UpstreamConfig {
            name: "default".to_owned(),
            account: None,
            names: Vec::new(),
            kind: UpstreamKind::Aws(AwsUpstream::default()),
            mode: None,
            control_only: false,
        }]);
    }
    let mut resolved: Vec<UpstreamConfig> = Vec::with_capacity(written.len());
    for upstream in written {
        if resolved.iter().any(|other| other.name == upstream.name) {
            return Err(ConfigError::new(
                "`upstream.name`",
                upstream.name,
                "another upstream has it; give each its own",
            ));
        }
        let taken = |name: &String| resolved.iter().any(|other| other.names.contains(name));
        if let Some(name) = upstream.names.iter().map(|name| name.to_ascii_lowercase()).find(taken) {
            return Err(ConfigError::new(
                "`upstream.names`",
                name,
                "another upstream has it; give each its own",
            ));
        }
        resolved.push(one(upstream)?);
    }
    Ok(resolved)
}

fn one(written: settings::Upstream) -> Result<UpstreamConfig, ConfigError> {
    let key = |field: &str| format!("`{field}` of upstream `{}`", written.name);
    let kind = match Plane::parse(&written.plane) {
        Some(Plane::Aws) => UpstreamKind::Aws(aws(&written)?),
        Some(Plane::Grpc) => UpstreamKind::Grpc(described::grpc(&written)?),
        Some(Plane::Kubernetes) => UpstreamKind::Kubernetes(kubernetes(&written)?),
        Some(Plane::Openapi) => UpstreamKind::Openapi(described::openapi(&written)?),
        Some(plane) => UpstreamKind::Single(single(plane, &written)?),
        None => {
            let known: Vec<String> = Plane::ALL.iter().map(|plane| format!("`{plane}`")).collect();
            let fix = format!("the planes this build serves are {}", known.join(", "));
            return Err(ConfigError::new(key("plane"), &written.plane, fix));
        }
    };
    signs_in(kind.plane(), &written)?;
    let mode = match &written.mode {
        Some(word) => Some(mode(&key("mode"), word)?),
        None => None,
    };
    Ok(UpstreamConfig {
        account: written.account,
        names: written.names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        kind,
        mode,
        control_only: written.control_only,
        name: written.name,
    })
}

fn aws(written: &settings::Upstream) -> Result<AwsUpstream, ConfigError> {
    let key = |field: &str| format!("`{field}` of upstream `{}`", written.name);
    if let Some(account) = &written.account
        && (account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(ConfigError::new(key("account"), account, "give the twelve digits of an AWS account"));
    }
    let others = [
        ("uid", written.uid.clone()),
        ("trust", shown(written.trust.as_ref())),
        ("descriptors", shown(written.descriptors.as_ref())),
        ("description", shown(written.description.as_ref())),
        ("methods", shown(written.methods.as_ref())),
        ("mounts", mounts(written)),
    ];
    not_of("aws", written, others)?;
    if written.pass_through {
        let fix = "an actor's own key signs for the address that it asks, which is ours, and cannot be verified without its \
                   secret; take it out, and give actors keys with `ordain key create` or `ordain key import`";
        return Err(ConfigError::new(key("pass_through"), "true", fix));
    }
    let credentials = match &written.credentials {
        Credentials::Default => AwsCredentials::Chain,
        Credentials::Profile(name) => AwsCredentials::Profile(name.clone()),
        Credentials::File(path) => AwsCredentials::File(path.clone()),
        Credentials::Vault(secret) => AwsCredentials::Vault(Box::new(vault_pair(&written.name, secret)?)),
        other => {
            let fix =
                "for AWS use `default`, `profile` or `file` with its name, or `vault` with what it takes";
            return Err(ConfigError::new(key("credentials"), word(other), fix));
        }
    };
    let endpoint = match &written.endpoint {
        Some(text) => Some(endpoint(&key("endpoint"), text)?),
        None => None,
    };
    Ok(AwsUpstream { endpoint, region: written.region.clone(), credentials, role: written.role.clone() })
}

fn kubernetes(written: &settings::Upstream) -> Result<KubernetesUpstream, ConfigError> {
    let key = |field: &str| format!("`{field}` of upstream `{}`", written.name);
    named(written)?;
    let others = [
        ("region", written.region.clone()),
        ("role", written.role.clone()),
        ("descriptors", shown(written.descriptors.as_ref())),
        ("description", shown(written.description.as_ref())),
        ("methods", shown(written.methods.as_ref())),
        ("mounts", mounts(written)),
    ];
    not_of("kubernetes", written, others)?;
    if let Credentials::Kubeconfig(named) = &written.credentials {
        if let Some(endpoint) = &written.endpoint {
            let fix = "the kubeconfig says where the cluster is; take one of them out";
            return Err(ConfigError::new(key("endpoint"), endpoint, fix));
        }
        let reach = Reach::Kubeconfig { file: named.file.clone(), context: named.context.clone() };
        return Ok(KubernetesUpstream { uid: written.uid.clone(), reach, passes: written.pass_through });
    }
    let credential = match &written.credentials {
        Credentials::Default => None,
        others => Some(plain(written, (Plane::Kubernetes, None))?.ok_or_else(|| {
            let fix = "for Kubernetes use `default`, or `kubeconfig`, `token_file`, `token_variable`, `command`, \
                       `basic`, `header`, `certificate`, `vault`, `oauth` or `google` with what it takes";
            ConfigError::new(key("credentials"), word(others), fix)
        })?),
    };
    let reach = match (&written.endpoint, credential) {
        (None, None) => Reach::Kubeconfig { file: None, context: None },
        (Some(text), Some(credential)) => {
            Reach::At { endpoint: base(&key("endpoint"), text)?, trust: written.trust.clone(), credential }
        }
        (Some(text), None) if written.pass_through => {
            if let Some(uid) = &written.uid {
                let fix = "the gate has no credential there that could read it; give it `credentials`, or take it out";
                return Err(ConfigError::new(key("uid"), uid, fix));
            }
            let credential = PlainCredential::Nothing;
            Reach::At { endpoint: base(&key("endpoint"), text)?, trust: written.trust.clone(), credential }
        }
        (Some(text), None) => {
            let fix = "say with which `credentials` it is reached";
            return Err(ConfigError::new(key("endpoint"), text, fix));
        }
        (None, Some(_)) => {
            let fix = "say where the cluster is, with `endpoint`";
            return Err(ConfigError::new(key("credentials"), word(&written.credentials), fix));
        }
    };
    Ok(KubernetesUpstream { uid: written.uid.clone(), reach, passes: written.pass_through })
}

/// A key pair in a secret store, which has fields of its own and is looked at again as other keys are.
fn vault_pair(name: &str, written: &settings::Vault) -> Result<VaultSecret, ConfigError> {
    let key = |field: &str| format!("`credentials.vault.{field}` of upstream `{name}`");
    if let Some(field) = &written.field {
        let fix = "a key has `access_key_id`, `secret_access_key` and, where there is one, `session_token`; take it out";
        return Err(ConfigError::new(key("field"), field, fix));
    }
    if let Some(time) = &written.refresh {
        let fix = "a key without an end is looked at again every quarter of an hour; take it out";
        return Err(ConfigError::new(key("refresh"), time, fix));
    }
    secrets::vault(&of(name), written)
}

/// Where a plane is that has one address, and with which credential.
pub(super) fn reach(plane: Plane, written: &settings::Upstream) -> Result<Reach, ConfigError> {
    let key = |field: &str| format!("`{field}` of upstream `{}`", written.name);
    let endpoint = match &written.endpoint {
        Some(text) => Some(base(&key("endpoint"), text)?),
        None => None,
    };
    let credential = match &written.credentials {
        Credentials::None => PlainCredential::Nothing,
        others => plain(written, (plane, endpoint.as_ref()))?.ok_or_else(|| {
            let own = OWN.into_iter().find(|(of, _)| *of == plane);
            let own = own.map_or_else(String::new, |(_, word)| format!("`{word}`, "));
            let fix = format!(
                "use `none`, or {own}`token_file`, `token_variable`, `command`, `basic`, `header`, `certificate`, \
                 `vault`, `oauth` or `google` with what it takes"
            );
            ConfigError::new(key("credentials"), word(others), fix)
        })?,
    };
    let trust = written.trust.clone();
    match endpoint {
        Some(endpoint) => Ok(Reach::At { endpoint, trust, credential }),
        None if !ordain_decode::card(plane).domains.is_empty() => Ok(Reach::Provider { trust, credential }),
        None => {
            let fix = "say where it is, as `https://host` with the path before its own";
            Err(ConfigError::new(key("endpoint"), "", fix))
        }
    }
}

/// A plane of which nothing more is asked than where it is.
fn single(plane: Plane, written: &settings::Upstream) -> Result<SingleUpstream, ConfigError> {
    named(written)?;
    let passes = written.pass_through.then(|| "true".to_owned());
    let others = [
        ("region", written.region.clone()),
        ("role", written.role.clone()),
        ("uid", written.uid.clone()),
        ("descriptors", shown(written.descriptors.as_ref())),
        ("pass_through", passes),
        ("mounts", mounts(written).filter(|_| plane != Plane::Vault)),
    ];
    not_of(plane.as_str(), written, others)?;
    if plane != Plane::Mcp {
        let files = [
            ("description", shown(written.description.as_ref())),
            ("methods", shown(written.methods.as_ref())),
        ];
        not_of(plane.as_str(), written, files)?;
    }
    let (description, methods) = (written.description.clone(), written.methods.clone());
    let mounts = written.mounts.clone();
    let (reach, signs_in) = (reach(plane, written)?, written.sign_in);
    Ok(SingleUpstream { plane, description, methods, mounts, reach, signs_in })
}

/// The name of a cluster or an API stands in the names of all that it has.
pub(super) fn named(written: &settings::Upstream) -> Result<(), ConfigError> {
    let name = written.account.as_ref().unwrap_or(&written.name);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        let fix = "name it with letters, digits, `-`, `.` and `_`";
        return Err(ConfigError::new(format!("`account` of upstream `{}`", written.name), name, fix));
    }
    Ok(())
}

pub(super) fn shown(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// Refuses what another plane is configured with: it would do nothing here.
pub(super) fn not_of<const N: usize>(
    plane: &str,
    written: &settings::Upstream,
    others: [(&str, Option<String>); N],
) -> Result<(), ConfigError> {
    for (field, value) in others {
        if let Some(value) = value {
            let key = format!("`{field}` of upstream `{}`", written.name);
            return Err(ConfigError::new(key, value, format!("the plane `{plane}` has none; take it out")));
        }
    }
    Ok(())
}

/// Refuses the setting for planes whose clients show who they are with each request.
fn signs_in(plane: Plane, written: &settings::Upstream) -> Result<(), ConfigError> {
    if !written.sign_in || ordain_decode::card(plane).signs_in {
        return Ok(());
    }
    let those = Plane::ALL.iter().filter(|plane| ordain_decode::card(**plane).signs_in);
    let those: Vec<String> = those.map(|plane| format!("`{}`", plane.as_str())).collect();
    let fix = format!(
        "clients of `{}` show who they are with each request; take it out, it is for {}",
        plane.as_str(),
        those.join(" and ")
    );
    Err(ConfigError::new(format!("`sign_in` of upstream `{}`", written.name), "true", fix))
}

/// The mounts as they are written; none where there are none.
pub(super) fn mounts(written: &settings::Upstream) -> Option<String> {
    let all: Vec<String> = written.mounts.iter().map(|(path, kind)| format!("{path} = {kind}")).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn endpoint(key: &str, text: &str) -> Result<http::Uri, ConfigError> {
    let fix = "give a base URL such as `http://127.0.0.1:5000`, with no path";
    let uri: http::Uri = text.parse().map_err(|_| ConfigError::new(key, text, fix))?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    if !scheme || uri.authority().is_none() || uri.path() != "/" || uri.query().is_some() {
        return Err(ConfigError::new(key, text, fix));
    }
    Ok(uri)
}

/// A base URL that may have a path before the plane's own.
fn base(key: &str, text: &str) -> Result<http::Uri, ConfigError> {
    let fix = "give a base URL such as `https://10.0.0.1:6443`, with no query";
    let uri: http::Uri = text.parse().map_err(|_| ConfigError::new(key, text, fix))?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    if !scheme || uri.authority().is_none_or(|at| at.as_str().contains('@')) || uri.query().is_some() {
        return Err(ConfigError::new(key, text, fix));
    }
    Ok(uri)
}
