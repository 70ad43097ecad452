//! What AWS Resource Explorer lists to an `Inventory` document.
//!
//! Leaves out relations, which it says nothing of, and every property but tags.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::aws::{self, LeftOut};
use super::inventory::{Draft, Thing};
use super::{ImportError, Imported};
use crate::model::Source;

/// What an import is told beside the list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceExplorer<'t> {
    /// A name for what is imported, for example `prod`; by default the account.
    pub name: Option<&'t str>,
    /// When the list was read.
    pub as_of: Option<Timestamp>,
}

/// What to give, where something else was given.
const GIVE: &str = "give the output of `aws resource-explorer-2 list-resources` or `search`";

/// Reads the pages of a list.
///
/// # Errors
/// [`ImportError`] when a file is no such page, or none of them lists a resource.
pub fn resource_explorer(sources: &[Source], told: ResourceExplorer<'_>) -> Result<Imported, ImportError> {
    let first = sources.first().map_or("", |source| source.path.as_str());
    let (mut resources, mut left_out, mut cut) = (Vec::new(), LeftOut::default(), Vec::new());
    for source in sources {
        let page = read(source)?;
        if page.count.is_some_and(|count| count.complete == Some(false)) {
            cut.push(format!(
                "`{}`: the search found more than it lists; give the output of `list-resources`",
                source.path
            ));
        }
        resources.extend(page.resources.into_iter().flatten());
    }
    resources.retain(|resource| {
        let known = resource.name().is_some() && !resource.kind().is_empty();
        if !known {
            left_out.count("a resource without its ARN and type");
        }
        known
    });
    if resources.is_empty() {
        return Err(ImportError { path: first.to_owned(), text: format!("it lists no resource; {GIVE}") });
    }
    let account = aws::most(resources.iter().map(Resource::account));
    let mut left_out = left_out.sentences();
    left_out.extend(cut);
    let draft = Draft {
        from: "resource-explorer",
        name: told.name.unwrap_or(if account.is_empty() { first } else { account }),
        as_of: told.as_of,
        plane: "aws",
        account,
        things: resources.iter().map(|resource| thing(resource, account)).collect(),
        left_out,
        ..Draft::default()
    };
    Ok(draft.imported())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Page {
    resources: Option<Vec<Resource>>,
    count: Option<Count>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Count {
    complete: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Resource {
    arn: Option<String>,
    owning_account_id: Option<String>,
    properties: Option<Vec<Property>>,
    region: Option<String>,
    resource_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Property {
    name: Option<String>,
    data: Value,
}

impl Resource {
    /// The ARN as requests write it.
    fn name(&self) -> Option<String> {
        self.arn.as_deref().filter(|arn| arn.starts_with("arn:")).map(aws::canonical)
    }

    fn account(&self) -> &str {
        self.owning_account_id.as_deref().unwrap_or_default()
    }

    fn kind(&self) -> &str {
        self.resource_type.as_deref().unwrap_or_default()
    }
}

fn read(source: &Source) -> Result<Page, ImportError> {
    let refused = |text: String| ImportError { path: source.path.clone(), text };
    // What the reader says of a text may repeat it, and a text may be a secret.
    let page: Page = serde_json::from_str(&source.text).map_err(|error| {
        refused(format!("it cannot be read at line {} column {}; {GIVE}", error.line(), error.column()))
    })?;
    if page.resources.is_none() {
        return Err(refused(format!("it is no list of Resource Explorer; {GIVE}")));
    }
    Ok(page)
}

fn thing(resource: &Resource, account: &str) -> Thing {
    let name = resource.name().unwrap_or_default();
    let last = name.rsplit(['/', ':']).next().unwrap_or_default();
    let properties = resource.properties.iter().flatten();
    let tags = properties.filter(|property| property.name.as_deref() == Some("tags"));
    Thing {
        id: name.clone(),
        kind: resource.kind().to_owned(),
        identifiers: Some(last.to_owned()).filter(|last| !last.is_empty()).into_iter().collect(),
        account: Some(resource.account().to_owned()).filter(|own| !own.is_empty() && own != account),
        region: aws::region(resource.kind(), Some(&name), resource.region.as_deref()),
        tags: tags.flat_map(|property| aws::tags(&property.data)).collect(),
        name: Some(name),
        ..Thing::default()
    }
}
