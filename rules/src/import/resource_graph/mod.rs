//! Exports of Azure Resource Graph, and lists of resources as the command line writes them, to an `Inventory` document:
//! what exists, where it is, what depends on what.
//!
//! Leaves out every column but ids, places and tags; properties are looked through for ids and never kept. Owners are
//! not decided here: tags go along.

mod relation;
mod row;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use self::relation::Found;
use self::row::Row;
use super::azure::Spelling;
use super::inventory::{Draft, Thing};
use super::mention::{common_account, missing, undecided};
use super::{ImportError, Imported};
use crate::azure;
use crate::model::{Source, account_and_region};

/// What an import is told beside the exports.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceGraph<'t> {
    /// A name for what is imported, for example `production`; by default the path of the first file.
    pub name: Option<&'t str>,
    /// Tags that say who owns a resource, beside `owner` and `team`; the first that is there counts.
    pub owner_tags: &'t [String],
    /// When the exports were made.
    pub as_of: Option<Timestamp>,
}

/// Reads answers of Resource Graph and lists of resources. Of the same resource twice, the later file says how it is.
///
/// # Errors
/// [`ImportError`] when a file is no such answer or list, has rows without ids, or when there is no resource in any.
pub fn resource_graph(sources: &[Source], told: ResourceGraph<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    let spelling = Spelling::known();
    let (mut rows, mut parts, mut nameless) = (BTreeMap::new(), Vec::new(), 0_usize);
    for source in sources {
        let refused = |text: String| ImportError { path: source.path.clone(), text };
        let page = row::read(&source.text).map_err(refused)?;
        parts.extend(page.part_of.map(|all| (&source.path, page.rows.len(), all)));
        for row in page.rows {
            let id = azure::id(row.id().trim_end_matches('/')).into_owned();
            if azure::is_id(&id) && spelling.kind(&id).is_some() {
                rows.insert(id, row);
            } else {
                nameless += 1;
            }
        }
    }
    if rows.is_empty() {
        let text = "it holds no resource; give the output of `az graph query -o json` or of `az resource list -o json`";
        return Err(ImportError { path: first.to_owned(), text: text.to_owned() });
    }
    let mut things: Vec<Thing> = rows.iter().map(|(id, row)| thing(id, row, &spelling)).collect();
    let Found { relations, missing: not_there, undecided: mutual } = relation::relations(&things, &rows);
    let mut left_out = Vec::new();
    for (path, held, all) in parts.into_iter().filter(|(.., all)| *all > rows.len()) {
        left_out.push(format!("`{path}` is a part: it holds {held} of {all} rows; give the other pages too"));
    }
    if nameless > 0 {
        left_out.push(format!("{nameless} × a row whose `id` is not that of a resource"));
    }
    left_out.extend(missing(not_there));
    left_out.extend(undecided(mutual));
    let account = common_account(&things);
    for thing in &mut things {
        thing.account = thing.account.take().filter(|own| *own != account);
    }
    let draft = Draft {
        from: "resource-graph",
        name: told.name.unwrap_or(first),
        as_of: told.as_of,
        plane: "azure",
        account: &account,
        owner_tags: told.owner_tags,
        things,
        relations,
        left_out,
        ..Draft::default()
    };
    Ok(draft.imported())
}

/// One resource as the document has it.
fn thing(id: &str, row: &Row, spelling: &Spelling) -> Thing {
    let (account, _) = account_and_region(id);
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    let changed = row.changed_time.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    Thing {
        id: id.to_owned(),
        kind: spelling.kind(id).unwrap_or_default(),
        name: Some(id.to_owned()),
        account: Some(account.to_string()).filter(|account| !account.is_empty()),
        region: row.location.clone().filter(|location| !location.is_empty()),
        tags: row.tags.iter().flatten().filter_map(text).collect(),
        changed: changed.map(|time| time.to_string()),
        ..Thing::default()
    }
}
