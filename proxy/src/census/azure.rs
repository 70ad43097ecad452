//! A tenant: all rows of Azure's Resource Graph, of resources and of what holds them.
//!
//! Leaves out what the credential does not see.

use serde_json::{Map, Value, json};

use super::{Asker, Found, Scope, next, source};
use crate::upstream::Ask;

/// The most rows that the Resource Graph gives at once.
const PAGE: usize = 1_000;

/// The tables that are asked, in an order that pages can be cut by.
const TABLES: [&str; 2] = ["ResourceContainers", "Resources"];

/// Asks for all rows.
pub(super) async fn take(asker: &Asker<'_>, scope: &Scope) -> Result<Found, String> {
    let mut found = Found::default();
    for table in TABLES {
        let (mut count, mut after) = (0, None::<String>);
        loop {
            let body = body(table, scope, after.as_deref());
            let page = asker.page(&Ask::ResourceGraph(body)).await?;
            count += page.get("data").and_then(Value::as_array).map_or(0, Vec::len);
            asker.told(table, count);
            after = next(page.get("$skipToken"), after.as_deref())?;
            if page.get("resultTruncated").and_then(Value::as_str) == Some("true") && after.is_none() {
                return Err(format!("{table}: the answer is cut off, and says not how it goes on"));
            }
            found.sources.push(source(table, &page));
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

fn body(table: &str, scope: &Scope, after: Option<&str>) -> Value {
    let mut options = Map::new();
    options.insert("resultFormat".to_owned(), json!("objectArray"));
    options.insert("$top".to_owned(), json!(PAGE));
    if let Some(after) = after {
        options.insert("$skipToken".to_owned(), json!(after));
    }
    let mut body = Map::new();
    body.insert("query".to_owned(), json!(format!("{table} | order by id asc")));
    body.insert("options".to_owned(), Value::Object(options));
    if !scope.subscriptions.is_empty() {
        body.insert("subscriptions".to_owned(), json!(scope.subscriptions));
    }
    Value::Object(body)
}
