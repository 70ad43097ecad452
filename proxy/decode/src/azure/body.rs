//! Bodies as trees whose keys are compared without case, and what writing one does besides its verb.
//!
//! Leaves out templates (`deployment.rs`), whose resources are bodies too.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use ordain_action::{Access, Completeness, Parameters, Resource, Role, Scalar, Undecodable};
use serde_json::Value;

use super::id::Path;
use super::words::Words;
use crate::form::fields::{clip, duplicate};
use crate::form::query::Pair;
use crate::form::{Fields, json};
use crate::tokens::{Tokens, looks_secret};

/// The most resources that one request is read to touch.
pub(super) const RESOURCES_MAX: usize = 1_024;

/// The most that the effects of one request name together.
pub(super) const TOUCHED_MAX: usize = 16 * RESOURCES_MAX;

/// Members that hold secrets, beside those that look like it, in lower case.
const SECRETS: [&str; 30] = [
    "accesskey",
    "accountkey",
    "apikey",
    "authorizationkey",
    "certificateblob",
    "certificatepassword",
    "connectionstring",
    "customdata",
    "key1",
    "key2",
    "keyvaluesecret",
    "md5key",
    "pfxblob",
    "presharedkey",
    "primaryconnectionstring",
    "primarykey",
    "privatekeydata",
    "radiusserversecret",
    "sastoken",
    "sasuri",
    "sasurl",
    "secondaryconnectionstring",
    "secondarykey",
    "secret",
    "secretvalue",
    "securevalue",
    "sharedkey",
    "storageaccountkey",
    "token",
    "userdata",
];

/// Objects all of whose members are secrets.
const SECRET_OBJECTS: [&str; 4] =
    ["connectionstrings", "protectedparameters", "protectedsettings", "secureobject"];

/// Members by which somebody may do more or other than before.
const GRANTING: [&str; 21] = [
    "aadprofile",
    "accesspolicies",
    "adminuserenabled",
    "administrators",
    "allowsharedkeyaccess",
    "authorizations",
    "disablelocalaccounts",
    "disablelocalauth",
    "enabledfordeployment",
    "enabledfordiskencryption",
    "enabledfortemplatedeployment",
    "enablerbac",
    "enablerbacauthorization",
    "externaladministratorsid",
    "islocaluserenabled",
    "keycredentials",
    "passwordcredentials",
    "principalid",
    "roledefinitionid",
    "roledefinitionids",
    "serviceprincipalprofile",
];

/// Members that say by being false that something is allowed.
const GRANTING_WHEN_OFF: [&str; 3] = ["disablelocalaccounts", "disablelocalauth", "enablerbac"];

/// Members that open something to a network.
const EXPOSING: [&str; 25] = [
    "allowblobpublicaccess",
    "allowedipranges",
    "anonymouspullenabled",
    "authorizedipranges",
    "enablenodepublicip",
    "enablepublicip",
    "enablepublicipaddress",
    "external",
    "firewallrules",
    "ipallowlist",
    "iprangefilter",
    "iprules",
    "ipsecurityrestrictions",
    "networkacls",
    "networkruleset",
    "networkrulesetbypassoptions",
    "publicaccess",
    "publicdataendpointenabled",
    "publicipaddress",
    "publicipaddresses",
    "publicipaddressconfiguration",
    "publicnetworkaccess",
    "publicnetworkaccessforingestion",
    "publicnetworkaccessforquery",
    "securityrules",
];

/// Members that run something.
const EXECUTING: [&str; 14] = [
    "additionalunattendcontent",
    "commandtoexecute",
    "customdata",
    "extensionprofile",
    "fileuris",
    "inlinescript",
    "managedscripturi",
    "primaryscripturi",
    "scriptcontent",
    "scripts",
    "scripturi",
    "starttask",
    "startuptask",
    "userdata",
];

/// A member of an object, whatever case its key has.
pub(super) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A member that is a text.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    member(value, name)?.as_str()
}

/// Reads a body strictly: what two readers could take for two things is refused.
///
/// # Errors
/// It is no JSON, or has one key twice, in any case.
pub(super) fn read(body: &[u8]) -> Result<Value, Undecodable> {
    json::read(body, &mut Fields::new())?;
    let value: Value = serde_json::from_slice(body).map_err(|_| {
        Undecodable::new("bad_json", "the body is not JSON that is read here; send plain JSON")
    })?;
    one_spelling(&value)?;
    Ok(value)
}

fn one_spelling(value: &Value) -> Result<(), Undecodable> {
    match value {
        Value::Object(members) => {
            let mut known = HashSet::with_capacity(members.len());
            for (key, value) in members {
                let ambiguous = |one: char| {
                    !one.is_ascii() && one.to_lowercase().chain(one.to_uppercase()).any(|one| one.is_ascii())
                };
                if key.chars().any(ambiguous) || !known.insert(key.to_lowercase()) {
                    return Err(duplicate(key));
                }
                one_spelling(value)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(one_spelling),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// What a body says of a resource that is written by it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What it does besides its verb.
    pub accesses: BTreeSet<Access>,
    /// What it names, by its name.
    pub uses: BTreeMap<String, Path>,
    /// It has labels.
    pub tags: bool,
    /// It has nothing else.
    pub only_tags: bool,
}

impl Written {
    /// Reads the body of a resource of this type.
    pub(super) fn read(body: Option<&Value>) -> Self {
        let mut written = Self::default();
        let Some(body) = body else { return written };
        written.tags = member(body, "tags").is_some();
        written.only_tags = written.tags && body.as_object().is_some_and(|members| members.len() == 1);
        if !written.only_tags {
            written.walk(body, false, false);
        }
        written
    }

    fn walk(&mut self, value: &Value, exposing: bool, identity: bool) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    let lower = key.to_lowercase();
                    if lower == "tags" {
                        continue;
                    }
                    self.name(key);
                    if lower == "userassignedidentities" && !is_off(value) {
                        self.accesses.insert(Access::Grant);
                    }
                    // What is said of an identity itself is what the plane says of it.
                    let identity = identity || lower == "identity";
                    if !identity {
                        self.member(&lower, value);
                    }
                    self.walk(value, exposing || EXPOSING.contains(&lower.as_str()), identity);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, exposing, identity)),
            Value::String(text) => {
                self.name(text);
                if exposing && !is_off(value) {
                    self.accesses.insert(Access::Expose);
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::Null => {
                if exposing && !is_off(value) {
                    self.accesses.insert(Access::Expose);
                }
            }
        }
    }

    fn member(&mut self, name: &str, value: &Value) {
        let says = !is_off(value);
        let granting = GRANTING.contains(&name) && (says || GRANTING_WHEN_OFF.contains(&name));
        // An empty list of who may do what takes that away from everybody who could.
        if granting || (name == "accesspolicies" && value.is_array()) {
            self.accesses.insert(Access::Grant);
        }
        if EXECUTING.contains(&name) && says {
            self.accesses.insert(Access::Execute);
        }
    }

    /// What is named by its id is used. An identity that is put on something lets it do what that identity may.
    fn name(&mut self, text: &str) {
        if !text.starts_with('/') {
            return;
        }
        let Some(path) = Path::of_id(text) else { return };
        if path.key().starts_with("microsoft.managedidentity/userassignedidentities") {
            self.accesses.insert(Access::Grant);
        }
        self.uses.insert(path.name(), path);
    }

    /// What is used, as resources.
    ///
    /// # Errors
    /// There are more than are judged at once.
    pub(super) fn resources(&self, words: &Words, but: &str) -> Result<Vec<Resource>, Undecodable> {
        if self.uses.len() > RESOURCES_MAX {
            return Err(too_many());
        }
        let others = self.uses.iter().filter(|(name, _)| *name != but);
        Ok(others.map(|(_, path)| path.one(Role::Uses, words)).collect())
    }
}

/// What says that something is not so.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => ["", "disabled", "none", "false", "no", "deny", "off"]
            .contains(&text.to_ascii_lowercase().as_str()),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// More than are judged at once.
pub(super) fn too_many() -> Undecodable {
    Undecodable::new(
        "too_many_resources",
        "the request names more resources than are judged at once; send it in parts",
    )
}

/// Parameters of a request as they may be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub tokens: &'a Tokens,
    pub query: &'a [Pair<'a>],
}

impl Shown<'_> {
    /// The parameters of the query, and those of a body but what `left_out` says. Secrets are tokens.
    pub(super) fn parameters(
        self,
        key: &str,
        body: Option<&Value>,
        secret: &dyn Fn(&[String]) -> bool,
        left_out: &dyn Fn(&[String]) -> bool,
    ) -> Parameters {
        let mut parameters = Parameters::new();
        for pair in self.query {
            let path = format!("?{}", pair.name);
            let mut token = String::new();
            let value = Scalar::Text(&pair.value);
            let value = self.tokens.cover(value, || crate::rest::is_secret(&path, &SECRETS), &mut token);
            full(&mut parameters, &path, value);
        }
        if let Some(body) = body {
            let mut place =
                Place { shown: self, key, secret, left_out, parameters: &mut parameters, path: Vec::new() };
            place.put(body);
        }
        parameters
    }
}

fn full(parameters: &mut Parameters, path: &str, value: Scalar<'_>) {
    if parameters.push(path, value).is_err() {
        parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
    }
}

struct Place<'p, 'a> {
    shown: Shown<'a>,
    key: &'p str,
    secret: &'p dyn Fn(&[String]) -> bool,
    left_out: &'p dyn Fn(&[String]) -> bool,
    parameters: &'p mut Parameters,
    path: Vec<String>,
}

impl Place<'_, '_> {
    fn put(&mut self, value: &Value) {
        if (self.left_out)(&self.path) {
            return;
        }
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, value) in members {
                    self.path.push(key.clone());
                    self.put(value);
                    self.path.pop();
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (item, number) in items.iter().zip(1_usize..) {
                    self.path.push(number.to_string());
                    self.put(item);
                    self.path.pop();
                }
            }
            Value::Object(_) | Value::Array(_) => self.leaf(Scalar::Empty),
            Value::Null => self.leaf(Scalar::Null),
            Value::Bool(truth) => self.leaf(Scalar::Bool(*truth)),
            Value::Number(number) => self.leaf(Scalar::Number(&number.to_string())),
            Value::String(text) => self.leaf(Scalar::Text(text)),
        }
    }

    fn leaf(&mut self, value: Scalar<'_>) {
        if self.path.is_empty() {
            return;
        }
        let mut path = String::new();
        for segment in &self.path {
            if !path.is_empty() {
                path.push('.');
            }
            for one in segment.chars() {
                if matches!(one, '.' | '\\') {
                    path.push('\\');
                }
                path.push(one);
            }
        }
        let mut token = String::new();
        let value = self.shown.tokens.cover(value, || self.is_secret(), &mut token);
        full(self.parameters, &path, value);
    }

    fn is_secret(&self) -> bool {
        let lower = |segment: &String| segment.to_lowercase();
        let named = self.path.iter().rfind(|segment| !segment.bytes().all(|byte| byte.is_ascii_digit()));
        let named = named.map(lower).unwrap_or_default();
        SECRETS.contains(&named.as_str())
            || looks_secret(&named)
            || self.path.iter().any(|segment| SECRET_OBJECTS.contains(&lower(segment).as_str()))
            || (named == "value" && self.path.iter().any(|segment| lower(segment) == "secrets"))
            || (self.key == "microsoft.keyvault/vaults/secrets" && named == "value")
            || (self.key.starts_with("microsoft.web/") && self.key.ends_with("/config"))
            || (self.secret)(&self.path)
    }
}

/// A body that the plane does not have.
pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_arm", format!("{what}; send it as the plane's documents have it"))
}

/// The same, about something that the caller wrote.
pub(super) fn bad_at(what: &str, written: &str) -> Undecodable {
    bad(&what.replace("{}", &clip(written)))
}
