//! Services that hand out the gate's own credentials, as resolved.
//!
//! Leaves out asking them (`upstream::secrets`).

use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

use super::{ConfigError, duration};
use crate::identity::is_safe;
use crate::settings::{self, VaultLogin};

/// The shortest time after which a secret is read again.
const REFRESH_LEAST: Duration = Duration::from_secs(10);

/// Where a pod finds its own token.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A secret store, and how the gate signs in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultStore {
    /// The base URL.
    pub address: Uri,
    /// The authorities that its certificate must come from, where not the system's.
    pub trust: Option<PathBuf>,
    /// The namespace.
    pub namespace: Option<String>,
    /// How the gate shows who it is.
    pub login: VaultShows,
}

/// A secret in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSecret {
    /// The store.
    pub store: VaultStore,
    /// Where the engine is mounted.
    pub mount: String,
    /// The path below.
    pub path: String,
    /// The field, for what is one text.
    pub field: String,
    /// After which time it is read again.
    pub refresh: Duration,
}

/// How the gate shows a secret store who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultShows {
    /// By a token in a file.
    TokenFile(PathBuf),
    /// By a token in a file that somebody else made, as a service account's.
    Jwt {
        /// The role.
        role: String,
        /// Where the method is mounted.
        mount: String,
        /// The file.
        token: PathBuf,
    },
    /// By a secret id in a file.
    Approle {
        /// The role's id.
        role: String,
        /// Where the method is mounted.
        mount: String,
        /// The file.
        secret: PathBuf,
    },
}

/// A client of an authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthClient {
    /// The token endpoint.
    pub endpoint: Uri,
    /// The authorities that its certificate must come from, where not the system's.
    pub trust: Option<PathBuf>,
    /// The client's id.
    pub id: String,
    /// How it shows who it is.
    pub shows: OAuthShows,
    /// What else is asked: names and values, sorted as they are sent.
    pub asks: Vec<(&'static str, String)>,
}

/// How a client shows an authorization server who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OAuthShows {
    /// By a secret.
    Secret {
        /// Where it comes from.
        from: SecretFrom,
        /// It is sent in the form, and not in a header.
        in_form: bool,
    },
    /// By a signature (RFC 7523).
    Key {
        /// The PEM file of the private key.
        file: PathBuf,
        /// The name by which the server knows it.
        id: Option<String>,
        /// The PEM file of its certificate, where the server knows it by that.
        certificate: Option<PathBuf>,
    },
    /// By a token that somebody else made, in a file that is read each time.
    Assertion(PathBuf),
}

/// A file of Google's own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleFile {
    /// The file.
    pub file: PathBuf,
    /// The scopes, with blanks between.
    pub scope: String,
    /// The authorities that the token endpoint's certificate must come from, where not the system's.
    pub trust: Option<PathBuf>,
}

/// The scope of all that a credential may do.
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

impl GoogleFile {
    /// In words.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("file {} of Google's, scope {}", self.file.display(), self.scope)
    }

    /// Resolves one.
    pub(super) fn new(written: &settings::Google) -> Self {
        let scope = if written.scopes.is_empty() { PLATFORM.to_owned() } else { written.scopes.join(" ") };
        Self { file: written.file.clone(), scope, trust: written.trust.clone() }
    }
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFrom {
    /// A file.
    File(PathBuf),
    /// A program that prints it.
    Command(Vec<String>),
}

impl VaultStore {
    /// In words, without what is secret.
    pub(super) fn shown(&self) -> String {
        let login = match &self.login {
            VaultShows::TokenFile(path) => format!("token file {}", path.display()),
            VaultShows::Jwt { role, mount, .. } | VaultShows::Approle { role, mount, .. } => {
                format!("{mount} role {role}")
            }
        };
        let namespace = self.namespace.as_ref().map_or_else(String::new, |name| format!(" in {name}"));
        format!("{}{namespace} by {login}", self.address)
    }

    /// The file that holds what is secret.
    #[must_use]
    pub const fn file(&self) -> &PathBuf {
        match &self.login {
            VaultShows::TokenFile(path)
            | VaultShows::Jwt { token: path, .. }
            | VaultShows::Approle { secret: path, .. } => path,
        }
    }
}

impl VaultSecret {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let Self { store, mount, path, field, refresh } = self;
        format!("secret {mount}/{path} field {field} of {} every {refresh:?}", store.shown())
    }
}

impl OAuthClient {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let shows = match &self.shows {
            OAuthShows::Secret { from: SecretFrom::File(path), .. } => {
                format!("secret file {}", path.display())
            }
            OAuthShows::Secret { from: SecretFrom::Command(words), .. } => {
                format!("command {}", words.join(" "))
            }
            OAuthShows::Key { file, .. } => format!("key file {}", file.display()),
            OAuthShows::Assertion(file) => format!("assertion file {}", file.display()),
        };
        let asks: Vec<String> = self.asks.iter().map(|(name, value)| format!(" {name} {value}")).collect();
        format!("client {} of {} by {shows}{}", self.id, self.endpoint, asks.concat())
    }

    /// The file that holds what is secret, where one does.
    #[must_use]
    pub const fn file(&self) -> Option<&PathBuf> {
        match &self.shows {
            OAuthShows::Secret { from: SecretFrom::File(path), .. }
            | OAuthShows::Key { file: path, .. }
            | OAuthShows::Assertion(path) => Some(path),
            OAuthShows::Secret { from: SecretFrom::Command(_), .. } => None,
        }
    }
}

/// Resolves a secret in a store.
pub(super) fn vault(of: &str, written: &settings::Vault) -> Result<VaultSecret, ConfigError> {
    let key = |field: &str| format!("`credentials.vault.{field}` {of}");
    let refresh = written.refresh.as_ref().map(|text| {
        let time = duration(&key("refresh"), text)?;
        let fix = "give 10 s or more";
        if time < REFRESH_LEAST { Err(ConfigError::new(key("refresh"), text, fix)) } else { Ok(time) }
    });
    Ok(VaultSecret {
        store: VaultStore {
            address: service(&key("address"), &written.address)?,
            trust: written.trust.clone(),
            namespace: namespace(&key, written.namespace.as_deref())?,
            login: login(&key, &written.login)?,
        },
        mount: mount(&key("mount"), written.mount.as_deref(), "secret")?,
        path: path(&key("path"), &written.path)?,
        field: written.field.clone().unwrap_or_else(|| "token".to_owned()),
        refresh: refresh.transpose()?.unwrap_or(Duration::from_mins(5)),
    })
}

/// How the gate signs in to a store.
pub(super) fn login(key: &dyn Fn(&str) -> String, written: &VaultLogin) -> Result<VaultShows, ConfigError> {
    let mount = |way: &str, written: &Option<String>| {
        mount(&key(&format!("login.{way}.mount")), written.as_deref(), way)
    };
    Ok(match written {
        VaultLogin::TokenFile(path) => VaultShows::TokenFile(path.clone()),
        VaultLogin::Kubernetes(pod) => VaultShows::Jwt {
            role: pod.role.clone(),
            mount: mount("kubernetes", &pod.mount)?,
            token: pod.token_file.clone().unwrap_or_else(|| PathBuf::from(POD_TOKEN)),
        },
        VaultLogin::Jwt(shown) => VaultShows::Jwt {
            role: shown.role.clone(),
            mount: mount("jwt", &shown.mount)?,
            token: shown.token_file.clone(),
        },
        VaultLogin::Approle(role) => VaultShows::Approle {
            role: role.role_id.clone(),
            mount: mount("approle", &role.mount)?,
            secret: role.secret_id_file.clone(),
        },
    })
}

/// The namespace of a store.
pub(super) fn namespace(
    key: &dyn Fn(&str) -> String,
    written: Option<&str>,
) -> Result<Option<String>, ConfigError> {
    written.map(|text| path(&key("namespace"), text)).transpose()
}

fn mount(key: &str, written: Option<&str>, usual: &str) -> Result<String, ConfigError> {
    written.map_or_else(|| Ok(usual.to_owned()), |text| path(key, text))
}

fn path(key: &str, text: &str) -> Result<String, ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@+=:".contains(&byte);
    let well = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
    let trimmed = text.trim_matches('/');
    let fix = "give a path such as `ordain/prod`, in letters, digits and `-._~@+=:`";
    let all = trimmed.split('/').all(well);
    all.then(|| trimmed.to_owned()).ok_or_else(|| ConfigError::new(key, text, fix))
}

/// How a client is written to show itself.
enum Shows {
    Secret(SecretFrom),
    Key(PathBuf),
    Assertion(PathBuf),
}

/// Resolves a client of an authorization server.
pub(super) fn oauth(of: &str, written: &settings::OAuth) -> Result<OAuthClient, ConfigError> {
    let key = |field: &str| format!("`credentials.oauth.{field}` {of}");
    let only = |field: &str, value: Option<&String>, with: &str| match value {
        Some(value) => Err(ConfigError::new(key(field), value, format!("it goes with {with}; take it out"))),
        None => Ok(()),
    };
    let ways =
        (&written.secret_file, &written.secret_command, &written.private_key_file, &written.assertion_file);
    let shows = match ways {
        (Some(path), None, None, None) => Shows::Secret(SecretFrom::File(path.clone())),
        (None, Some(words), None, None) if !words.is_empty() => {
            Shows::Secret(SecretFrom::Command(words.clone()))
        }
        (None, None, Some(path), None) => Shows::Key(path.clone()),
        (None, None, None, Some(path)) => Shows::Assertion(path.clone()),
        _ => {
            let fix = "give exactly one of `secret_file`, `secret_command`, `private_key_file` and `assertion_file`";
            return Err(ConfigError::new(format!("`credentials.oauth` {of}"), &written.client_id, fix));
        }
    };
    if !matches!(shows, Shows::Key(_)) {
        let certificate = written.certificate_file.as_ref().map(|path| path.display().to_string());
        only("key_id", written.key_id.as_ref(), "`private_key_file`")?;
        only("certificate_file", certificate.as_ref(), "`private_key_file`")?;
    }
    if !matches!(shows, Shows::Secret(_)) {
        only("secret_in", written.secret_in.as_ref(), "a secret")?;
    }
    let shows = match shows {
        Shows::Secret(from) => {
            let in_form = match written.secret_in.as_deref() {
                None | Some("basic") => false,
                Some("post") => true,
                Some(other) => {
                    return Err(ConfigError::new(key("secret_in"), other, "use `basic` or `post`"));
                }
            };
            OAuthShows::Secret { from, in_form }
        }
        Shows::Key(file) => {
            let (id, certificate) = (written.key_id.clone(), written.certificate_file.clone());
            OAuthShows::Key { file, id, certificate }
        }
        Shows::Assertion(file) => OAuthShows::Assertion(file),
    };
    let asks = [("scope", &written.scope), ("audience", &written.audience), ("resource", &written.resource)];
    Ok(OAuthClient {
        endpoint: service(&key("token_endpoint"), &written.token_endpoint)?,
        trust: written.trust.clone(),
        id: written.client_id.clone(),
        shows,
        asks: asks.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect(),
    })
}

/// The URL of a service that secrets are sent to and come from.
pub(super) fn service(key: &str, text: &str) -> Result<Uri, ConfigError> {
    let fix = "give a URL with `https`, and without a query; `http` is taken of this machine alone";
    let uri: Option<Uri> = text.parse().ok();
    uri.filter(|uri| is_safe(uri) && uri.query().is_none()).ok_or_else(|| ConfigError::new(key, text, fix))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::Config;
    use crate::settings::Settings;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(credentials: &str, expected: Expect) {
        let text = format!(
            "[[upstream]]\nname = \"live\"\nplane = \"kubernetes\"\nendpoint = \"https://10.0.0.1\"\ncredentials = {{ {credentials} }}"
        );
        let said = match Settings::parse("gate.toml", &text) {
            Err(error) => error.to_string(),
            Ok(settings) => match Config::resolve(settings) {
                Err(error) => error.to_string(),
                Ok(config) => config.upstreams.iter().map(|one| one.kind.credentials()).collect(),
            },
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn a_store_is_asked_over_tls_for_a_path_that_is_one() {
        check(
            "vault = { address = \"https://vault:8200\", path = \"/ordain/prod\", login = { token_file = \"t\" } }",
            expect![
                "secret secret/ordain/prod field token of https://vault:8200/ by token file t every 300s"
            ],
        );
        check(
            "vault = { address = \"http://vault:8200\", path = \"a\", login = { token_file = \"t\" } }",
            expect![
                "`credentials.vault.address` of upstream `live` is `http://vault:8200`: give a URL with `https`, and without a query; `http` is taken of this machine alone"
            ],
        );
        check(
            "vault = { address = \"https://vault\", path = \"a/../b\", login = { token_file = \"t\" } }",
            expect![
                "`credentials.vault.path` of upstream `live` is `a/../b`: give a path such as `ordain/prod`, in letters, digits and `-._~@+=:`"
            ],
        );
        check(
            "vault = { address = \"https://vault\", path = \"a\", refresh = \"1s\", login = { token_file = \"t\" } }",
            expect!["`credentials.vault.refresh` of upstream `live` is `1s`: give 10 s or more"],
        );
        check(
            "vault = { address = \"https://vault\", path = \"a\" }",
            expect!["`gate.toml` line 5, column 25: `login` is missing; add it"],
        );
    }

    #[test]
    fn a_client_shows_itself_in_one_way() {
        let client = "token_endpoint = \"https://id.example/token\", client_id = \"gate\"";
        check(
            &format!("oauth = {{ {client}, scope = \"a b\", private_key_file = \"k\" }}"),
            expect!["client gate of https://id.example/token by key file k scope a b"],
        );
        check(
            &format!("oauth = {{ {client}, secret_file = \"s\", private_key_file = \"k\" }}"),
            expect![
                "`credentials.oauth` of upstream `live` is `gate`: give exactly one of `secret_file`, `secret_command`, `private_key_file` and `assertion_file`"
            ],
        );
        check(
            &format!("oauth = {{ {client}, secret_file = \"s\", key_id = \"k\" }}"),
            expect![
                "`credentials.oauth.key_id` of upstream `live` is `k`: it goes with `private_key_file`; take it out"
            ],
        );
        check(
            &format!("oauth = {{ {client}, secret_file = \"s\", secret_in = \"query\" }}"),
            expect!["`credentials.oauth.secret_in` of upstream `live` is `query`: use `basic` or `post`"],
        );
        check(
            "oauth = { token_endpoint = \"http://id.example/token\", client_id = \"gate\", secret_file = \"s\" }",
            expect![
                "`credentials.oauth.token_endpoint` of upstream `live` is `http://id.example/token`: give a URL with `https`, and without a query; `http` is taken of this machine alone"
            ],
        );
    }
}
