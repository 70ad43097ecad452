//! A Terraform or OpenTofu state to an `Inventory` document: what exists, where it is declared, what
//! depends on what.
//!
//! Leaves out every attribute but names, identifiers, account, region and tags. Owners are not decided
//! here: tags go along, and the folder that declares each resource joins it to CODEOWNERS. The folder of a
//! module is what the modules file of the working directory says (`.terraform/modules/modules.json`); where
//! there is none, every resource is taken to be declared in the folder of the state.

mod aws;
mod azure;
mod cluster;
mod google;
mod grants;
mod relation;
mod state;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ordain_action::Plane;
use serde::Deserialize;
use serde_json::Value;

use self::relation::kind;
use self::state::Instance;
use super::azure::Spelling;
use super::inventory::{Draft, Relation, Thing};
use super::{ImportError, Imported, kinds};
use crate::model::Source;

/// What an import is told beside the state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terraform<'t> {
    /// A name for the state, for example `network`; by default its path.
    pub name: Option<&'t str>,
    /// The folder of the root module within the source tree, for example `infra/network`.
    pub folder: &'t str,
    /// The working directory's `.terraform/modules/modules.json`.
    pub modules: Option<&'t Source>,
    /// The cluster that resources of the provider `kubernetes` are in, as configuration names it.
    pub cluster: Option<&'t str>,
    /// When the state was read.
    pub as_of: Option<Timestamp>,
}

/// Reads a state.
///
/// # Errors
/// [`ImportError`] when it is not a state that can be read, or holds nothing of a known provider.
pub fn terraform(source: &Source, told: Terraform<'_>) -> Result<Imported, ImportError> {
    let refused = |text: String| ImportError { path: source.path.clone(), text };
    let state = state::read(&source.text).map_err(refused)?;
    let folders = told.modules.map(folders).transpose()?.unwrap_or_default();
    let places =
        Places { common: aws::Common::of(&state), spelling: Spelling::known(), cluster: told.cluster };
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kept: Vec<(&Instance, Provider, Placed)> = Vec::new();
    for instance in &state.instances {
        match places.of(instance) {
            Some((provider, placed)) => kept.push((instance, provider, placed)),
            None => *others.entry(instance.kind.as_str()).or_default() += 1,
        }
    }
    if kept.is_empty() {
        let known = "`aws`, `azapi`, `azurerm`, `google`, and `kubernetes` with the name of the cluster";
        return Err(refused(format!("it holds no resource of a provider that is known ({known})")));
    }
    let relations = relations(&kept);
    let provider = most(kept.iter().map(|(_, provider, _)| *provider)).unwrap_or(Provider::Aws);
    let of_plane = kept.iter().filter(|(_, of, _)| *of == provider);
    let account = most(of_plane.filter_map(|(_, _, placed)| placed.account.clone())).unwrap_or_default();
    let granted = grants::of(&kept);
    let things = kept.into_iter().map(|(instance, of, placed)| {
        let mut thing = thing(instance, placed, &account);
        match granted.get(&instance.address) {
            Some((names, true)) => thing.grants_only = Some(names.clone()),
            Some((names, false)) => thing.grants.clone_from(names),
            None => {}
        }
        thing.path = instance.managed.then(|| folder(instance, &told, &folders));
        if of != provider && thing.name.is_none() {
            // The document says one plane: what another has is known by its full name alone.
            thing.identifiers.clear();
        }
        thing
    });
    let draft = Draft {
        from: "terraform",
        name: told.name.unwrap_or(&source.path),
        revision: Some(state.revision.clone()),
        as_of: told.as_of,
        plane: provider.plane().as_str(),
        account: &account,
        things: things.collect(),
        relations,
        left_out: others.into_iter().map(|(kind, count)| left_out(kind, count)).collect(),
        ..Draft::default()
    };
    Ok(draft.imported())
}

fn left_out(kind: &str, count: usize) -> String {
    match Provider::of(kind) {
        Some(Provider::Cluster) => {
            format!("{count} × `{kind}`: nothing says which cluster it is in; give its name")
        }
        Some(Provider::Aws | Provider::Azure | Provider::Google) => {
            format!("{count} × `{kind}`: what is looked up there is computed, and no resource")
        }
        None => format!("{count} × `{kind}`: not a resource of a provider that is known"),
    }
}

/// What a type of AWS is called by the provider.
pub(super) fn kind_of(terraform: &str) -> Option<&'static str> {
    vocabulary::find(terraform).map(|word| word.kind)
}

/// The attributes that requests know resources of a type of AWS by, beside `id` and `arn`.
pub(super) fn identifiers(terraform: &str) -> &'static [&'static str] {
    vocabulary::find(terraform).map(|word| word.identifiers).unwrap_or_default()
}

/// What comes most often; of several the last in order.
fn most<T: Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(one, _)| one)
}

/// One resource as the document has it.
fn thing(instance: &Instance, placed: Placed, account: &str) -> Thing {
    let Placed { kind, name, mut identifiers, account: own, region, tags } = placed;
    if let Some(name) = &name {
        identifiers.remove(name);
    }
    Thing {
        id: instance.address.clone(),
        kind,
        name,
        identifiers,
        account: own.filter(|own| own != account),
        region,
        tags,
        ..Thing::default()
    }
}

/// What a resource is on its plane.
#[derive(Debug, Default)]
struct Placed {
    kind: String,
    name: Option<String>,
    identifiers: BTreeSet<String>,
    account: Option<String>,
    region: Option<String>,
    tags: BTreeMap<String, String>,
}

/// Whose resources are known, by what their types begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Provider {
    Aws,
    Azure,
    Google,
    Cluster,
}

impl Provider {
    fn of(kind: &str) -> Option<Self> {
        const PREFIXES: [(&str, Provider); 5] = [
            ("aws_", Provider::Aws),
            ("azapi_", Provider::Azure),
            ("azurerm_", Provider::Azure),
            ("google_", Provider::Google),
            ("kubernetes_", Provider::Cluster),
        ];
        PREFIXES.iter().find(|(prefix, _)| kind.starts_with(prefix)).map(|(_, provider)| *provider)
    }

    const fn plane(self) -> Plane {
        match self {
            Self::Aws => Plane::Aws,
            Self::Azure => Plane::Azure,
            Self::Google => Plane::Gcp,
            Self::Cluster => Plane::Kubernetes,
        }
    }
}

/// What it takes to say what resources are.
struct Places<'t> {
    common: aws::Common,
    spelling: Spelling,
    cluster: Option<&'t str>,
}

impl Places<'_> {
    /// What a resource is; none of what is of no provider that is known, or is only computed.
    fn of(&self, instance: &Instance) -> Option<(Provider, Placed)> {
        let provider = Provider::of(&instance.kind)?;
        let (placed, is_thing) = match provider {
            Provider::Aws => (aws::placed(instance, &self.common), aws::is_thing(instance)),
            Provider::Azure => named(azure::placed(instance, &self.spelling)),
            Provider::Google => named(google::placed(instance)),
            Provider::Cluster => named(cluster::placed(instance, self.cluster?)?),
        };
        (instance.managed || is_thing).then_some((provider, placed))
    }
}

/// What has a name on its plane exists there.
fn named(placed: Placed) -> (Placed, bool) {
    let is_thing = placed.name.is_some();
    (placed, is_thing)
}

/// Labels or tags, the later of those that are named first.
fn tags(instance: &Instance, attributes: &[&str]) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for attribute in attributes {
        let written = instance.plain(attribute).and_then(Value::as_object);
        let texts = written.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
        tags.extend(texts.map(|(key, value)| (key.clone(), value.to_owned())));
    }
    tags
}

/// The folder that declares a resource.
fn folder(instance: &Instance, told: &Terraform<'_>, folders: &BTreeMap<String, String>) -> String {
    let root = told.folder.trim_end_matches('/');
    let key = module_key(&instance.module);
    let Some(folder) = folders.get(&key) else { return root.to_owned() };
    let mut parts: Vec<&str> = root.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// `network.dns` of `module.network["a"].module.dns`, as the modules file names it.
fn module_key(module: &str) -> String {
    let mut names = Vec::new();
    let mut rest = module;
    while let Some(after) = rest.strip_prefix("module.") {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        names.push(name);
        // An index may hold any text in quotes, dots too.
        let tail = match tail.strip_prefix('[') {
            Some(index) => index.split_once("].").map_or("", |(_, tail)| tail),
            None => tail.trim_start_matches('.'),
        };
        rest = tail;
    }
    names.join(".")
}

fn folders(modules: &Source) -> Result<BTreeMap<String, String>, ImportError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct File {
        modules: Vec<Module>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Module {
        key: String,
        dir: String,
    }
    let file: File = serde_json::from_str(&modules.text).map_err(|error| ImportError {
        path: modules.path.clone(),
        text: format!("it is no modules file: {error}; give `.terraform/modules/modules.json`"),
    })?;
    Ok(file.modules.into_iter().map(|module| (module.key, module.dir)).collect())
}

/// Direct relations. A state's dependencies are transitive: one that no attribute bears out, and that
/// another dependency explains, is left out.
fn relations(kept: &[(&Instance, Provider, Placed)]) -> BTreeSet<Relation> {
    let mut by_base: BTreeMap<&str, Vec<(&Instance, &Placed)>> = BTreeMap::new();
    for (instance, _, placed) in kept {
        by_base.entry(instance.base.as_str()).or_default().push((instance, placed));
    }
    let mut found = BTreeSet::new();
    for (dependant, provider, placed) in kept {
        let explained: BTreeSet<&str> = dependant
            .dependencies
            .iter()
            .filter_map(|base| by_base.get(base.as_str()))
            .flatten()
            .flat_map(|(instance, _)| instance.dependencies.iter().map(String::as_str))
            .collect();
        for base in &dependant.dependencies {
            for (dependency, other) in by_base.get(base.as_str()).into_iter().flatten() {
                let known_by =
                    ["id", "arn", "name", "self_link"].into_iter().filter_map(|name| dependency.text(name));
                let direct = || known_by.clone().any(|known| dependant.mentions(known));
                if !explained.contains(base.as_str()) || direct() {
                    let kind = match provider {
                        Provider::Aws => kind(&dependant.kind, &dependency.kind),
                        Provider::Azure | Provider::Google | Provider::Cluster => {
                            kinds::relation(&placed.kind, &other.kind)
                        }
                    };
                    found.insert((dependant.address.clone(), kind, dependency.address.clone()));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::module_key;

    #[test]
    fn a_module_is_known_by_its_names_without_their_indices() {
        assert_eq!(module_key(""), "");
        assert_eq!(module_key("module.network"), "network");
        assert_eq!(module_key("module.network[\"a.b\"].module.dns[0]"), "network.dns");
    }
}
