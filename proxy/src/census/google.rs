//! An organization, a folder or a project of Google's: all assets that its Cloud Asset Inventory lists.
//!
//! Leaves out policies: who may do what is no resource.

use serde_json::Value;

use super::{Asker, Found, Scope, next, source};
use crate::upstream::Ask;

/// The most assets that are given at once; they come with all that is set on them.
const PAGE: usize = 500;

/// Asks for all assets.
pub(super) async fn take(asker: &Asker<'_>, scope: &Scope) -> Result<Found, String> {
    let parent = scope
        .parent
        .as_deref()
        .ok_or("say what is asked for: `--scope organizations/NUMBER`, `folders/NUMBER` or `projects/ID`")?;
    let fits = |kind: &str, id: &str| {
        matches!(kind, "organizations" | "folders" | "projects")
            && !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte))
    };
    if !parent.split_once('/').is_some_and(|(kind, id)| fits(kind, id)) {
        return Err(format!(
            "`{parent}` is no scope; give `organizations/NUMBER`, `folders/NUMBER` or `projects/ID`"
        ));
    }
    let mut found = Found::default();
    let (mut count, mut after) = (0, None::<String>);
    loop {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("contentType", "RESOURCE").append_pair("pageSize", &PAGE.to_string());
        if let Some(after) = &after {
            query.append_pair("pageToken", after);
        }
        let mut page = asker.page(&Ask::Get(format!("/v1/{parent}/assets?{}", query.finish()), None)).await?;
        after = next(page.get("nextPageToken"), after.as_deref())?;
        let assets = page.get_mut("assets").map(Value::take).unwrap_or_default();
        count += assets.as_array().map_or(0, Vec::len);
        asker.told("assets", count);
        if assets.is_array() {
            found.sources.push(source("assets", &assets));
        }
        if after.is_none() {
            return Ok(found);
        }
    }
}
