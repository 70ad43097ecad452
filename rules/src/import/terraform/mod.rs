//! A Terraform or OpenTofu state to an `Inventory` document: what exists, where it is declared, what
//! depends on what.
//!
//! Leaves out every attribute but names, identifiers, account, region and tags. Owners are not decided
//! here: tags go along, and the folder that declares each resource joins it to CODEOWNERS. The folder of a
//! module is what the modules file of the working directory says (`.terraform/modules/modules.json`); where
//! there is none, every resource is taken to be declared in the folder of the state.

mod relation;
mod state;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use self::relation::kind;
use self::state::{Instance, State};
use self::vocabulary::{Word, find};
use super::inventory::{Draft, Relation, Thing};
use super::{ImportError, Imported};
use crate::model::{Source, account_and_region};

/// What an import is told beside the state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terraform<'t> {
    /// A name for the state, for example `network`; by default its path.
    pub name: Option<&'t str>,
    /// The folder of the root module within the source tree, for example `infra/network`.
    pub folder: &'t str,
    /// The working directory's `.terraform/modules/modules.json`.
    pub modules: Option<&'t Source>,
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
    let place = Common::of(&state);
    let mut left_out = Vec::new();
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let kept: Vec<&Instance> = state
        .instances
        .iter()
        .filter(|instance| {
            let ours = instance.kind.starts_with("aws_") && (instance.managed || is_thing(instance));
            if !ours {
                *others.entry(instance.kind.as_str()).or_default() += 1;
            }
            ours
        })
        .collect();
    let things: Vec<Thing> = kept.iter().map(|instance| thing(instance, &place, &told, &folders)).collect();
    if things.is_empty() {
        return Err(refused("it holds no resource of a provider that is known (`aws`)".to_owned()));
    }
    for (kind, count) in others {
        left_out.push(format!("{count} × `{kind}`: not a resource of a provider that is known"));
    }
    let draft = Draft {
        from: "terraform",
        name: told.name.unwrap_or(&source.path),
        revision: Some(state.revision.clone()),
        as_of: told.as_of,
        plane: "aws",
        account: &place.account,
        things,
        relations: relations(&kept),
        left_out,
        ..Draft::default()
    };
    Ok(draft.imported())
}

/// What most resources of a state share: those that do not say take it from here.
#[derive(Debug, Default)]
struct Common {
    partition: String,
    account: String,
    region: String,
}

impl Common {
    fn of(state: &State) -> Self {
        let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        for arn in state.instances.iter().filter_map(|instance| instance.text("arn")) {
            let (account, region) = account_and_region(arn);
            if account.is_empty() || region.is_empty() {
                continue;
            }
            let partition = arn.split(':').nth(1).unwrap_or("aws");
            let key = (partition.to_owned(), account.to_string(), region.to_string());
            *counts.entry(key).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map_or_else(Self::default, |((partition, account, region), _)| Self {
            partition,
            account,
            region,
        })
    }
}

/// A data source that stands for something that exists, not for something computed.
fn is_thing(instance: &Instance) -> bool {
    find(&instance.kind).is_some() && instance.text("arn").is_some()
}

/// One resource as the document has it.
fn thing(
    instance: &Instance,
    common: &Common,
    told: &Terraform<'_>,
    folders: &BTreeMap<String, String>,
) -> Thing {
    let word = find(&instance.kind);
    let region = region(instance, common);
    let name = name(instance, word, common, &region);
    let (account, _) = account_and_region(&name);
    let account = [Some(&*account), instance.text("owner_id"), Some(common.account.as_str())]
        .into_iter()
        .flatten()
        .find(|account| !account.is_empty())
        .unwrap_or_default()
        .to_owned();
    let mut identifiers: BTreeSet<&str> = instance.text("id").into_iter().collect();
    identifiers.extend(
        word.into_iter().flat_map(|word| word.identifiers).filter_map(|attribute| instance.text(attribute)),
    );
    identifiers.remove(name.as_str());
    Thing {
        id: instance.address.clone(),
        kind: word.map_or(instance.kind.as_str(), |word| word.kind).to_owned(),
        identifiers: identifiers.into_iter().map(str::to_owned).collect(),
        name: Some(name).filter(|name| !name.is_empty()),
        account: Some(account).filter(|account| *account != common.account),
        region: Some(region).filter(|region| !region.is_empty()),
        tags: tags(instance),
        path: instance.managed.then(|| folder(instance, told, folders)),
        ..Thing::default()
    }
}

/// The ARN that the state has, or one built where the type's form is known.
fn name(instance: &Instance, word: Option<&Word>, common: &Common, region: &str) -> String {
    if let Some(arn) = instance.text("arn").filter(|arn| arn.starts_with("arn:")) {
        // A log group's ARN in the state ends as no request writes it.
        return arn.strip_suffix(":*").unwrap_or(arn).to_owned();
    }
    match (word.and_then(|word| word.path), instance.text("id")) {
        (Some(path), Some(id)) if !common.account.is_empty() => {
            let id = instance.text("allocation_id").unwrap_or(id);
            format!("arn:{}:ec2:{region}:{}:{path}/{id}", common.partition, common.account)
        }
        (Some(_) | None, _) => String::new(),
    }
}

fn region(instance: &Instance, common: &Common) -> String {
    let arn = instance.text("arn").map(account_and_region);
    if let Some((_, region)) = arn {
        // Global services have names without one.
        return region.to_string();
    }
    if let Some(region) = instance.text("region") {
        return region.to_owned();
    }
    let zone = instance
        .text("availability_zone")
        .map(|zone| zone.trim_end_matches(|c: char| c.is_ascii_lowercase()));
    zone.unwrap_or(&common.region).to_owned()
}

fn tags(instance: &Instance) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for attribute in ["tags_all", "tags"] {
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
fn relations(kept: &[&Instance]) -> BTreeSet<Relation> {
    let mut by_base: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in kept {
        by_base.entry(instance.base.as_str()).or_default().push(instance);
    }
    let mut found = BTreeSet::new();
    for dependant in kept {
        let explained: BTreeSet<&str> = dependant
            .dependencies
            .iter()
            .filter_map(|base| by_base.get(base.as_str()))
            .flatten()
            .flat_map(|instance| instance.dependencies.iter().map(String::as_str))
            .collect();
        for base in &dependant.dependencies {
            for dependency in by_base.get(base.as_str()).into_iter().flatten() {
                let known_by = ["id", "arn", "name"].into_iter().filter_map(|name| dependency.text(name));
                let direct = || known_by.clone().any(|known| dependant.mentions(known));
                if !explained.contains(base.as_str()) || direct() {
                    let kind = kind(&dependant.kind, &dependency.kind);
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
