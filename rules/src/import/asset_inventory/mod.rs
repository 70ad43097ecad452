//! Exports of Google's Cloud Asset Inventory to an `Inventory` document: what exists, where it is, what depends on what.
//!
//! Leaves out everything but names, places and labels; data is looked through for names and never kept, as that of
//! machines holds what they start with. Owners are not decided here: labels go along.

mod asset;
mod name;
mod relation;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::asset::{Asset, Other};
pub(super) use self::name::{Names, kind, region};
use self::name::{is_number, number_in};
use self::relation::Found;
use super::inventory::{Draft, Thing};
use super::mention::{common_account, missing, undecided};
use super::{ImportError, Imported};
use crate::model::{Source, account_and_region};

/// What an import is told beside the exports.
#[derive(Debug, Clone, Copy, Default)]
pub struct AssetInventory<'t> {
    /// A name for what is imported, for example `production`; by default the path of the first file.
    pub name: Option<&'t str>,
    /// Labels that say who owns a resource, beside `owner` and `team`; the first that is there counts.
    pub owner_tags: &'t [String],
    /// When the exports were made.
    pub as_of: Option<Timestamp>,
}

/// Reads exports, lists and results of searches. Of the same resource twice, the later file says how it is, unless an
/// earlier one alone has its data.
///
/// # Errors
/// [`ImportError`] when a file is none of them, or when there is no resource in any.
pub fn asset_inventory(sources: &[Source], told: AssetInventory<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    let (mut read, mut pages) = (Vec::new(), Vec::new());
    for source in sources {
        let refused = |text: String| ImportError { path: source.path.clone(), text };
        let page = asset::read(&source.text).map_err(refused)?;
        read.extend(page.assets);
        pages.extend(page.goes_on);
    }
    let mut names = Names::default();
    read.iter().for_each(|asset| names.learn(asset));
    let (assets, mut left_out) = resources(read, &names);
    if assets.is_empty() {
        let text = "it holds no resource; give what `gcloud asset export --content-type=resource` writes";
        return Err(ImportError { path: first.to_owned(), text: text.to_owned() });
    }
    let mut things: Vec<Thing> = assets.iter().map(|(name, asset)| thing(name, asset, &names)).collect();
    if !pages.is_empty() && pages.iter().all(|goes_on| *goes_on) {
        left_out.push("more pages follow, as `nextPageToken` says; give those too".to_owned());
    }
    left_out.extend(numbered(&things));
    let Found { relations, missing: not_there, undecided: mutual } =
        relation::relations(&things, &assets, &names);
    left_out.extend(missing(not_there));
    left_out.extend(undecided(mutual));
    let account = common_account(&things);
    for thing in &mut things {
        thing.account = thing.account.take().filter(|own| *own != account);
    }
    let draft = Draft {
        from: "asset-inventory",
        name: told.name.unwrap_or(first),
        as_of: told.as_of,
        plane: "gcp",
        account: &account,
        owner_tags: told.owner_tags,
        things,
        relations,
        left_out,
        ..Draft::default()
    };
    Ok(draft.imported())
}

/// The assets that are resources, by their names, and what is said of the others.
fn resources(read: Vec<Asset>, names: &Names) -> (BTreeMap<String, Asset>, Vec<String>) {
    let mut assets: BTreeMap<String, Asset> = BTreeMap::new();
    let (mut others, mut foreign): (BTreeMap<Other, usize>, usize) = (BTreeMap::new(), 0);
    for asset in read {
        if let Some(other) = asset.other() {
            *others.entry(other).or_default() += 1;
        } else if let Some((name, _)) = names.of_asset(&asset) {
            let says_less = assets.get(&name).is_some_and(|known| known.weight() > asset.weight());
            if !says_less {
                assets.insert(name, asset);
            }
        } else {
            foreign += 1;
        }
    }
    let mut left_out: Vec<String> = others
        .into_iter()
        .map(|(other, count)| match other {
            Other::Object => {
                format!("{count} × an object of a cluster; import what `kubectl get` writes of it")
            }
            Other::Policy => format!("{count} × a policy or the like, which is no resource"),
        })
        .collect();
    if foreign > 0 {
        left_out.push(format!("{foreign} × an asset whose name is not one of Google's"));
    }
    (assets, left_out)
}

/// What is said of names that have numbers where requests have something else.
fn numbered(things: &[Thing]) -> Vec<String> {
    let all = || things.iter().filter_map(|thing| thing.name.as_deref());
    let projects: BTreeSet<&str> = all().filter_map(number_in).collect();
    let mut said = Vec::new();
    if !projects.is_empty() {
        let count = all().filter(|name| number_in(name).is_some()).count();
        let list: Vec<&str> = projects.into_iter().collect();
        said.push(format!(
            "{count} × a name with the number of a project where requests have its id; import assets of type \
             `cloudresourcemanager.googleapis.com/Project` too, of the projects `{}`",
            list.join("`, `"),
        ));
    }
    let is_unique_id = |name: &&str| {
        let account = name.split_once("/serviceAccounts/").and_then(|(_, account)| account.split('/').next());
        account.is_some_and(is_number)
    };
    let accounts = all().filter(is_unique_id).count();
    if accounts > 0 {
        said.push(format!(
            "{accounts} × a service account by its number where requests have its address; export with \
             `--content-type=resource`",
        ));
    }
    said
}

/// One resource as the document has it.
fn thing(name: &str, asset: &Asset, names: &Names) -> Thing {
    let number = names.of_asset(asset).and_then(|(_, number)| number);
    // A project has its number from what holds it too, where its name is its id already.
    let of_project = kind(name) == "gcp:cloudresourcemanager/projects";
    let number = number.or_else(|| asset.project_number().filter(|_| of_project).map(str::to_owned));
    let changed = asset.update_time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    let account = account(name, asset, names);
    Thing {
        id: name.to_owned(),
        kind: kind(name),
        name: Some(name.to_owned()),
        identifiers: number.filter(|number| !name.ends_with(&format!("/{number}"))).into_iter().collect(),
        account: Some(account).filter(|account| !account.is_empty()),
        region: region(name, asset.location()),
        tags: asset.labels(),
        changed: changed.map(|time| time.to_string()),
        ..Thing::default()
    }
}

/// The project, folder or organization that something is in: by its name, else by what holds it.
fn account(name: &str, asset: &Asset, names: &Names) -> String {
    let (account, _) = account_and_region(name);
    if !account.is_empty() {
        return account.to_string();
    }
    let above = asset.above().next().unwrap_or_default();
    above.strip_prefix("projects/").map_or(above, |project| names.project(project)).to_owned()
}
