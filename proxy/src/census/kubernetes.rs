//! A cluster: every kind that it serves and lists, a few hundred objects at a time.
//!
//! Leaves out what comes and goes by itself. Of secrets only what is said beside them is asked for, never what they hold.

use std::collections::BTreeSet;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asker, Found, next, said, source};
use crate::upstream::Ask;

/// How many are asked for at once: an object has a hundred kilobytes at most, and an answer is held whole.
const PAGE: usize = 250;

/// What is asked for in place of secrets: their names and labels.
const NAMES_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    preferred_version: Version,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    group_version: String,
}

#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    kind: String,
    #[serde(default)]
    verbs: Vec<String>,
}

/// Asks for all objects of all kinds.
pub(super) async fn take(asker: &Asker<'_>) -> Result<Found, String> {
    let mut found = Found::default();
    let groups: Groups = read(asker.page(&get("/apis")).await?)?;
    let mut versions = vec!["v1".to_owned()];
    for group in groups.groups {
        versions.push(group.preferred_version.group_version.clone());
        // Some kinds are served in another version alone.
        let others = group.versions.into_iter().map(|version| version.group_version);
        versions.extend(others.filter(|version| *version != group.preferred_version.group_version));
    }
    let mut known = BTreeSet::new();
    for version in versions {
        let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        // An aggregated API that is down keeps nobody from the others, and is said to be.
        let resources: Resources = match asker.page(&get(&root)).await.and_then(read) {
            Ok(resources) => resources,
            Err(why) if version == "v1" => return Err(format!("`v1`: {why}")),
            Err(why) => {
                found.left_out.push(format!("`{version}`: {why}"));
                continue;
            }
        };
        for resource in resources.resources {
            let lists = resource.verbs.iter().any(|verb| verb == "list");
            let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
            let is_new = lists && known.insert((group, resource.name.clone()));
            if is_new && !resource.name.contains('/') && resource.name != "events" {
                list(asker, &root, &version, &resource, &mut found).await?;
            }
        }
    }
    Ok(found)
}

/// Asks for all objects of a kind. Where a list went out of date meanwhile, it is begun anew, once.
async fn list(
    asker: &Asker<'_>,
    root: &str,
    version: &str,
    resource: &Resource,
    found: &mut Found,
) -> Result<(), String> {
    let what = format!("{} of {version}", resource.name);
    let is_secret = version == "v1" && resource.name == "secrets";
    let (mut pages, mut count, mut again) = (Vec::new(), 0, true);
    let mut after = String::new();
    loop {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &PAGE.to_string());
        if !after.is_empty() {
            query.append_pair("continue", &after);
        }
        let path = format!("{root}/{}?{}", resource.name, query.finish());
        let (status, body) = asker.ask(&Ask::Get(path, is_secret.then_some(NAMES_ONLY))).await?;
        match status {
            StatusCode::GONE if again && !after.is_empty() => {
                (pages, count, again, after) = (Vec::new(), 0, false, String::new());
                continue;
            }
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
                if after.is_empty() =>
            {
                found.left_out.push(format!("{what}: it answers with status {}", status.as_u16()));
                return Ok(());
            }
            status if !status.is_success() => {
                return Err(format!("{what}: it answers with status {}: {}", status.as_u16(), said(&body)));
            }
            _ => {}
        }
        let mut page: Value = serde_json::from_slice(&body)
            .map_err(|error| format!("{what}: its answer is no JSON: {error}"))?;
        let next = next(
            page.pointer("/metadata/continue"),
            Some(&after).filter(|after| !after.is_empty()).map(String::as_str),
        )?;
        let items = page.get_mut("items").map(Value::take).unwrap_or_default();
        let items = named(items, version, resource)?;
        count += items.len();
        asker.told(&what, count);
        pages.push(source(&what, &json!({"apiVersion": "v1", "kind": "List", "items": items})));
        let Some(next) = next else { break };
        after = next;
    }
    found.sources.extend(pages);
    Ok(())
}

/// Objects say of themselves what they are where they stand alone; in a list the list says it.
fn named(items: Value, version: &str, resource: &Resource) -> Result<Vec<Value>, String> {
    let items: Vec<serde_json::Map<String, Value>> = if items.is_null() { Vec::new() } else { read(items)? };
    let whole = items.into_iter().map(|mut item| {
        item.insert("apiVersion".to_owned(), json!(version));
        item.insert("kind".to_owned(), json!(resource.kind));
        Value::Object(item)
    });
    Ok(whole.collect())
}

fn get(path: &str) -> Ask {
    Ask::Get(path.to_owned(), None)
}

fn read<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("its answer is not as a cluster's: {error}"))
}
