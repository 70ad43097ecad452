//! Planes that the gate signs in to itself, as resolved: Keystone of `OpenStack`, a vCenter, Vault.
//!
//! Leaves out signing in (`upstream::secrets`), and services that are no plane of the gate's (`secrets`).

use std::path::PathBuf;

use http::Uri;

use super::ConfigError;
use super::secrets::{self, VaultShows, VaultStore, service};
use crate::settings;
use crate::upstream::at;

/// Where tokens are given out, below where Keystone stands.
const TOKENS: &str = "/v3/auth/tokens";

/// The id that the first domain of every cloud has.
const FIRST_DOMAIN: &str = "default";

/// By what something of Keystone's is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Its id.
    Id(String),
    /// Its name.
    Name(String),
}

/// By what something is known whose name is one of its domain's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// Its id.
    Id(String),
    /// Its name, and its domain.
    Name {
        /// The name.
        name: String,
        /// The domain.
        domain: Known,
    },
}

/// As whom the gate signs in to Keystone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeystoneShows {
    /// As a user, by a password.
    Password(Within),
    /// By an application credential of this id.
    Application(String),
    /// By an application credential of this name, of a user.
    ApplicationOf(String, Within),
}

/// What a user's token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeystoneScope {
    /// What an application credential was made for.
    Own,
    /// A project.
    Project(Within),
    /// A domain.
    Domain(Known),
    /// All of the cloud.
    System,
}

/// How the gate signs in to Keystone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeystoneLogin {
    /// Where tokens are given out.
    pub tokens: Uri,
    /// The authorities that its certificate must come from, where not the system's.
    pub trust: Option<PathBuf>,
    /// As whom.
    pub shows: KeystoneShows,
    /// For what.
    pub scope: KeystoneScope,
    /// The file of the password, or of the application credential's secret.
    pub file: PathBuf,
}

/// How the gate signs in to a vCenter, or to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VsphereLogin {
    /// Its base URL, which is the upstream's.
    pub base: Uri,
    /// The authorities that its certificate must come from, where not the system's.
    pub trust: Option<PathBuf>,
    /// The user.
    pub user: String,
    /// The file of the password.
    pub password: PathBuf,
}

/// A token of Vault's own, by a way of signing in that is no file with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultToken(pub VaultStore);

impl std::fmt::Display for Known {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(to, "id {id}"),
            Self::Name(name) => to.write_str(name),
        }
    }
}

impl std::fmt::Display for Within {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(to, "id {id}"),
            Self::Name { name, domain } => write!(to, "{name} of domain {domain}"),
        }
    }
}

impl std::fmt::Display for KeystoneShows {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password(user) => write!(to, "user {user}"),
            Self::Application(id) => write!(to, "application credential id {id}"),
            Self::ApplicationOf(name, user) => write!(to, "application credential {name} of user {user}"),
        }
    }
}

impl KeystoneLogin {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let scope = match &self.scope {
            KeystoneScope::Own => String::new(),
            KeystoneScope::Project(project) => format!(", for project {project}"),
            KeystoneScope::Domain(domain) => format!(", for domain {domain}"),
            KeystoneScope::System => ", for the system".to_owned(),
        };
        format!("{} at {}, file {}{scope}", self.shows, self.tokens, self.file.display())
    }
}

impl VsphereLogin {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("sessions of user {}, password file {}", self.user, self.password.display())
    }
}

impl VaultToken {
    /// In words, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("token of {}", self.0.shown())
    }
}

/// What is known of the upstream that is signed in to.
pub(super) struct At<'a> {
    /// Which it is, in words.
    pub(super) upstream: &'a str,
    /// Its base URL.
    pub(super) endpoint: Option<&'a Uri>,
    /// The authorities that its certificate must come from.
    pub(super) trust: Option<&'a PathBuf>,
}

impl At<'_> {
    fn key(&self, way: &str, field: &str) -> String {
        format!("`credentials.{way}.{field}` {}", self.upstream)
    }

    /// The URL of what is signed in to, where it is said to be; else the upstream's own, which must be one that secrets
    /// may be sent to, too.
    fn service(&self, key: &str, written: Option<&String>) -> Result<Uri, ConfigError> {
        match (written, self.endpoint) {
            (Some(text), _) => service(key, text),
            (None, Some(endpoint)) => {
                service(&format!("`endpoint` {}", self.upstream), &endpoint.to_string())
            }
            (None, None) => {
                Err(ConfigError::new(format!("`endpoint` {}", self.upstream), "", "say where it is"))
            }
        }
    }

    fn trust(&self, written: Option<&PathBuf>) -> Option<PathBuf> {
        written.or(self.trust).cloned()
    }
}

/// Resolves a login to Keystone.
pub(super) fn keystone(at: &At<'_>, written: &settings::Keystone) -> Result<KeystoneLogin, ConfigError> {
    let reads = Keystone { at, written };
    let user = reads.user()?;
    let application = (&written.application_credential, &written.application_credential_id);
    let (shows, file) = match (application, user, &written.password_file, &written.secret_file) {
        ((None, None), Some(user), Some(file), None) => (KeystoneShows::Password(user), file),
        ((None, Some(id)), None, None, Some(file)) => (KeystoneShows::Application(id.clone()), file),
        ((Some(name), None), Some(user), None, Some(file)) => {
            (KeystoneShows::ApplicationOf(name.clone(), user), file)
        }
        _ => {
            let fix = "give a `user` or `user_id` with `password_file`, or `application_credential_id` with \
                       `secret_file`, or `application_credential` with its user and `secret_file`";
            return Err(reads.wrong(fix));
        }
    };
    let scope = match (&shows, reads.scope()?) {
        (KeystoneShows::Password(_), Some(scope)) => scope,
        (KeystoneShows::Password(_), None) => {
            let fix = "say what the token is for: `project`, `project_id`, `domain`, `domain_id` or `system = true`";
            return Err(reads.wrong(fix));
        }
        (KeystoneShows::Application(_) | KeystoneShows::ApplicationOf(..), None) => KeystoneScope::Own,
        (KeystoneShows::Application(_) | KeystoneShows::ApplicationOf(..), Some(_)) => {
            let fix = "an application credential is for the project that it was made in; take `project`, `domain` and \
                       `system` out";
            return Err(reads.wrong(fix));
        }
    };
    let key = at.key("keystone", "auth_url");
    let stands = at.service(&key, written.auth_url.as_ref())?;
    let below = match &written.auth_url {
        // As others' settings have it, with the version or without.
        Some(_) if stands.path().trim_end_matches('/').ends_with("/v3") => "/auth/tokens".to_owned(),
        Some(_) => TOKENS.to_owned(),
        None => format!("/identity{TOKENS}"),
    };
    let tokens = self::at(&stands, &below).map_err(|why| ConfigError::new(key, stands.to_string(), why))?;
    Ok(KeystoneLogin { tokens, trust: at.trust(written.trust.as_ref()), shows, scope, file: file.clone() })
}

/// What settings say of Keystone.
struct Keystone<'a> {
    at: &'a At<'a>,
    written: &'a settings::Keystone,
}

/// A key of the settings, and what it has.
type Field<'a> = (&'static str, &'a Option<String>);

impl Keystone<'_> {
    /// What is wrong with all of it, which is told by who signs in.
    fn wrong(&self, fix: &str) -> ConfigError {
        let written = self.written;
        let who = [&written.application_credential, &written.application_credential_id, &written.user];
        let who = who.into_iter().chain([&written.user_id]).flatten().next().cloned();
        ConfigError::new(format!("`credentials.keystone` {}", self.at.upstream), who.unwrap_or_default(), fix)
    }

    fn one(&self, name: Field<'_>, id: Field<'_>) -> Result<Option<Known>, ConfigError> {
        match (name.1, id.1) {
            (Some(_), Some(given)) => {
                let fix = format!("`{}` says it already; take one of them out", name.0);
                Err(ConfigError::new(self.at.key("keystone", id.0), given, fix))
            }
            (Some(name), None) => Ok(Some(Known::Name(name.clone()))),
            (None, Some(id)) => Ok(Some(Known::Id(id.clone()))),
            (None, None) => Ok(None),
        }
    }

    /// What has its name in a domain.
    fn within(&self, of: [Field<'_>; 4], usual: Option<&Known>) -> Result<Option<Within>, ConfigError> {
        let [name, id, domain, domain_id] = of;
        let own = self.one(domain, domain_id)?;
        match (self.one(name, id)?, own) {
            (Some(Known::Name(name)), own) => {
                let first = || Known::Id(FIRST_DOMAIN.to_owned());
                let domain = own.or_else(|| usual.cloned()).unwrap_or_else(first);
                Ok(Some(Within::Name { name, domain }))
            }
            (Some(Known::Id(id)), None) => Ok(Some(Within::Id(id))),
            (None, None) => Ok(None),
            (Some(Known::Id(_)) | None, Some(Known::Id(given) | Known::Name(given))) => {
                let field = if domain.1.is_some() { domain.0 } else { domain_id.0 };
                let fix = format!("it goes with `{}`; take it out", name.0);
                Err(ConfigError::new(self.at.key("keystone", field), given, fix))
            }
        }
    }

    fn user(&self) -> Result<Option<Within>, ConfigError> {
        let written = self.written;
        let of = [
            ("user", &written.user),
            ("user_id", &written.user_id),
            ("user_domain", &written.user_domain),
            ("user_domain_id", &written.user_domain_id),
        ];
        self.within(of, None)
    }

    fn scope(&self) -> Result<Option<KeystoneScope>, ConfigError> {
        let written = self.written;
        let users = self.one(("", &written.user_domain), ("", &written.user_domain_id))?;
        let of = [
            ("project", &written.project),
            ("project_id", &written.project_id),
            ("project_domain", &written.project_domain),
            ("project_domain_id", &written.project_domain_id),
        ];
        let project = self.within(of, users.as_ref())?;
        let domain = self.one(("domain", &written.domain), ("domain_id", &written.domain_id))?;
        match (project, domain, written.system) {
            (None, None, false) => Ok(None),
            (Some(project), None, false) => Ok(Some(KeystoneScope::Project(project))),
            (None, Some(domain), false) => Ok(Some(KeystoneScope::Domain(domain))),
            (None, None, true) => Ok(Some(KeystoneScope::System)),
            _ => {
                let fix = "a token is for one project, for one domain or for the system; take the others out";
                Err(self.wrong(fix))
            }
        }
    }
}

/// Resolves a login to a vCenter.
pub(super) fn vsphere(at: &At<'_>, written: &settings::Vsphere) -> Result<VsphereLogin, ConfigError> {
    if written.user.contains(':') {
        let fix =
            "a colon stands before the password where the Automation API is signed in to; use another user";
        return Err(ConfigError::new(at.key("vsphere", "user"), &written.user, fix));
    }
    Ok(VsphereLogin {
        base: at.service("", None)?,
        trust: at.trust(None),
        user: written.user.clone(),
        password: written.password_file.clone(),
    })
}

/// Resolves a login to Vault.
pub(super) fn vault(at: &At<'_>, written: &settings::VaultToken) -> Result<VaultToken, ConfigError> {
    let key = |field: &str| at.key("vault_token", field);
    let login = secrets::login(&key, &written.login)?;
    if let VaultShows::TokenFile(path) = &login {
        let fix = "a token in a file is sent as it is with `credentials = { header = { name = \"x-vault-token\", file = … } }`";
        return Err(ConfigError::new(key("login.token_file"), path.display().to_string(), fix));
    }
    Ok(VaultToken(VaultStore {
        address: at.service(&key("address"), written.address.as_ref())?,
        trust: at.trust(written.trust.as_ref()),
        namespace: secrets::namespace(&key, written.namespace.as_deref())?,
        login,
    }))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::Config;
    use crate::settings::Settings;

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(plane: &str, credentials: &str, expected: Expect) {
        expected.assert_eq(&said(plane, "https://cloud.example", credentials));
    }

    fn said(plane: &str, endpoint: &str, credentials: &str) -> String {
        let text = format!(
            "[[upstream]]\nname = \"live\"\nplane = \"{plane}\"\nendpoint = \"{endpoint}\"\ncredentials = {{ {credentials} }}"
        );
        match Settings::parse("gate.toml", &text) {
            Err(error) => error.to_string(),
            Ok(settings) => match Config::resolve(settings) {
                Err(error) => error.to_string(),
                Ok(config) => config.upstreams.iter().map(|one| one.kind.credentials()).collect(),
            },
        }
    }

    /// A user, but for what its token is for.
    const USER: &str = "user = \"gate\", password_file = \"p\"";

    fn keystone(login: &str, expected: Expect) {
        check("openstack", &format!("keystone = {{ {login} }}"), expected);
    }

    #[test]
    fn keystone_is_signed_in_to_as_somebody_for_something() {
        keystone(
            &format!("{USER}, project = \"ops\", user_domain = \"corp\""),
            expect![
                "user gate of domain corp at https://cloud.example/identity/v3/auth/tokens, file p, for project ops of domain corp"
            ],
        );
        keystone(
            "user_id = \"u\", password_file = \"p\", system = true, auth_url = \"https://k.example:5000/v3\"",
            expect!["user id u at https://k.example:5000/v3/auth/tokens, file p, for the system"],
        );
        keystone(
            "application_credential_id = \"a\", secret_file = \"s\"",
            expect!["application credential id a at https://cloud.example/identity/v3/auth/tokens, file s"],
        );
        keystone(
            "application_credential = \"ci\", user = \"gate\", user_domain_id = \"d\", secret_file = \"s\"",
            expect![
                "application credential ci of user gate of domain id d at https://cloud.example/identity/v3/auth/tokens, file s"
            ],
        );
    }

    #[test]
    fn what_keystone_is_signed_in_to_with_fits_together() {
        keystone(
            USER,
            expect![
                "`credentials.keystone` of upstream `live` is `gate`: say what the token is for: `project`, `project_id`, `domain`, `domain_id` or `system = true`"
            ],
        );
        keystone(
            "user = \"gate\", project = \"ops\"",
            expect![
                "`credentials.keystone` of upstream `live` is `gate`: give a `user` or `user_id` with `password_file`, or `application_credential_id` with `secret_file`, or `application_credential` with its user and `secret_file`"
            ],
        );
        keystone(
            &format!("{USER}, secret_file = \"s\", system = true"),
            expect![
                "`credentials.keystone` of upstream `live` is `gate`: give a `user` or `user_id` with `password_file`, or `application_credential_id` with `secret_file`, or `application_credential` with its user and `secret_file`"
            ],
        );
        keystone(
            &format!("{USER}, user_id = \"u\", system = true"),
            expect![
                "`credentials.keystone.user_id` of upstream `live` is `u`: `user` says it already; take one of them out"
            ],
        );
        keystone(
            "user_id = \"u\", user_domain = \"corp\", password_file = \"p\", system = true",
            expect![
                "`credentials.keystone.user_domain` of upstream `live` is `corp`: it goes with `user`; take it out"
            ],
        );
        keystone(
            &format!("{USER}, system = true, project_domain = \"corp\""),
            expect![
                "`credentials.keystone.project_domain` of upstream `live` is `corp`: it goes with `project`; take it out"
            ],
        );
        keystone(
            &format!("{USER}, project = \"a\", domain = \"b\""),
            expect![
                "`credentials.keystone` of upstream `live` is `gate`: a token is for one project, for one domain or for the system; take the others out"
            ],
        );
        keystone(
            "application_credential_id = \"a\", secret_file = \"s\", project = \"ops\"",
            expect![
                "`credentials.keystone` of upstream `live` is `a`: an application credential is for the project that it was made in; take `project`, `domain` and `system` out"
            ],
        );
        keystone(
            &format!("{USER}, system = true, auth_url = \"http://k.example\""),
            expect![
                "`credentials.keystone.auth_url` of upstream `live` is `http://k.example`: give a URL with `https`, and without a query; `http` is taken of this machine alone"
            ],
        );
        keystone(
            &format!("{USER}, system = true, password = \"x\""),
            expect!["`gate.toml` line 5, column 81: unknown key `password`; did you mean `password_file`"],
        );
    }

    #[test]
    fn no_secret_goes_in_plain_text_to_an_upstream_elsewhere() {
        for (plane, login) in [
            ("openstack", "keystone = { application_credential_id = \"a\", secret_file = \"s\" }"),
            ("vsphere", "vsphere = { user = \"gate\", password_file = \"p\" }"),
            ("vault", "vault_token = { login = { kubernetes = { role = \"r\" } } }"),
        ] {
            let says = "`endpoint` of upstream `live` is `http://10.0.0.7/`: give a URL with `https`, and without a query; \
                        `http` is taken of this machine alone";
            assert_eq!(said(plane, "http://10.0.0.7", login), says);
        }
    }

    #[test]
    fn a_plane_is_signed_in_to_in_its_own_way() {
        check(
            "vsphere",
            "vsphere = { user = \"gate@vsphere.local\", password_file = \"p\" }",
            expect!["sessions of user gate@vsphere.local, password file p"],
        );
        check(
            "vsphere",
            "vsphere = { user = \"a:b\", password_file = \"p\" }",
            expect![
                "`credentials.vsphere.user` of upstream `live` is `a:b`: a colon stands before the password where the Automation API is signed in to; use another user"
            ],
        );
        check(
            "vsphere",
            "vsphere = { user = \"gate\" }",
            expect!["`gate.toml` line 5, column 27: `password_file` is missing; add it"],
        );
        check(
            "vault",
            "vault_token = { namespace = \"team/a\", login = { approle = { role_id = \"r\", secret_id_file = \"s\" } } }",
            expect!["token of https://cloud.example/ in team/a by approle role r"],
        );
        check(
            "vault",
            "vault_token = { address = \"https://v.example\", login = { jwt = { role = \"r\", token_file = \"t\" } } }",
            expect!["token of https://v.example/ by jwt role r"],
        );
        check(
            "vault",
            "vault_token = { login = { token_file = \"t\" } }",
            expect![[
                r#"`credentials.vault_token.login.token_file` of upstream `live` is `t`: a token in a file is sent as it is with `credentials = { header = { name = "x-vault-token", file = … } }`"#
            ]],
        );
        check(
            "vault",
            "vault_token = { login = { jwt = { role = \"r\", token_file = \"t\", mount = \"../x\" } } }",
            expect![
                "`credentials.vault_token.login.jwt.mount` of upstream `live` is `../x`: give a path such as `ordain/prod`, in letters, digits and `-._~@+=:`"
            ],
        );
        let keystone = "keystone = { application_credential_id = \"a\", secret_file = \"s\" }";
        check(
            "kubernetes",
            keystone,
            expect![
                "`credentials` of upstream `live` is `keystone`: it is how the plane `openstack` is signed in to, and this is `kubernetes`; use another"
            ],
        );
        check(
            "vsphere",
            keystone,
            expect![
                "`credentials` of upstream `live` is `keystone`: it is how the plane `openstack` is signed in to, and this is `vsphere`; use another"
            ],
        );
        check(
            "aws",
            keystone,
            expect![
                "`credentials` of upstream `live` is `keystone`: for AWS use `default`, `profile` or `file` with its name, or `vault` with what it takes"
            ],
        );
        check(
            "vsphere",
            "profile = \"x\"",
            expect![
                "`credentials` of upstream `live` is `profile`: use `none`, or `vsphere`, `token_file`, `token_variable`, `command`, `basic`, `header`, `certificate`, `vault`, `oauth` or `google` with what it takes"
            ],
        );
    }
}
