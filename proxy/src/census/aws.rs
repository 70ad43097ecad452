//! An account of AWS: all that the default views of its Resource Explorer list.
//!
//! Leaves out what no index has. Where Resource Explorer is not turned on, that is said, and not taken for an empty account.

use ordain_catalog::Catalog;
use serde_json::{Map, Value, json};

use super::{Asker, Found, Scope, next, source};
use crate::upstream::Ask;

/// The most resources that are given at once.
const PAGE: usize = 1_000;

/// Asks for all resources.
pub(super) async fn take(asker: &Asker<'_>, scope: &Scope) -> Result<Found, String> {
    if scope.regions.is_empty() {
        return Err(
            "say which region's Resource Explorer is asked, for example `--region eu-west-1`; one that \
                    has an aggregator index knows all regions"
                .to_owned(),
        );
    }
    let catalogue = Catalog::new();
    // What is no region is not asked again and again.
    if let Some(other) = scope.regions.iter().find(|region| catalogue.hosts().partition_of(region).is_none())
    {
        return Err(format!("`{other}` is no region of AWS; give one, for example `eu-west-1`"));
    }
    let mut found = Found::default();
    for region in &scope.regions {
        let (mut count, mut after) = (0, None::<String>);
        loop {
            let mut body = Map::new();
            body.insert("MaxResults".to_owned(), json!(PAGE));
            if let Some(after) = &after {
                body.insert("NextToken".to_owned(), json!(after));
            }
            let ask = Ask::ResourceExplorer { region: region.clone(), body: Value::Object(body) };
            let page = asker.page(&ask).await.map_err(|why| {
                format!(
                    "the Resource Explorer of `{region}` does not answer: {why}; turn it on there with a default view, or \
                     import a snapshot of AWS Config"
                )
            })?;
            count += page.get("Resources").and_then(Value::as_array).map_or(0, Vec::len);
            asker.told(&format!("resources of {region}"), count);
            after = next(page.get("NextToken"), after.as_deref())?;
            found.sources.push(source(region, &page));
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}
