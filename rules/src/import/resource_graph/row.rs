//! Rows as Azure Resource Graph answers them and the command line writes them.
//!
//! Leaves out what rows mean, and every column that is not declared here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

const GIVE: &str = "give the output of `az graph query -o json` or of `az resource list -o json`";

/// One row, as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Row {
    id: Option<String>,
    pub(super) location: Option<String>,
    pub(super) tags: Option<BTreeMap<String, Value>>,
    pub(super) managed_by: Option<String>,
    pub(super) sku: Value,
    pub(super) identity: Value,
    pub(super) properties: Value,
    pub(super) changed_time: Option<String>,
}

impl Row {
    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }
}

/// The rows of a file, and how many rows there are where the file has a part of them alone.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    pub(super) part_of: Option<usize>,
}

/// An answer of Resource Graph, in the words of its API and of the command line.
#[derive(Debug, Deserialize)]
struct Answer {
    data: Data,
    #[serde(default, alias = "totalRecords")]
    total_records: usize,
    #[serde(default, alias = "$skipToken", alias = "skipToken")]
    skip_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Data {
    Objects(Vec<Map<String, Value>>),
    Table { columns: Vec<Column>, rows: Vec<Vec<Value>> },
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
}

/// Reads one file: an answer or a list, or several after one another.
pub(super) fn read(text: &str) -> Result<Page, String> {
    let mut page = Page::default();
    let mut documents = 0;
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document =
            document.map_err(|error| format!("it is not JSON that can be read: {error}; {GIVE}"))?;
        documents += 1;
        let objects = match document {
            Value::Array(_) => objects(document)?,
            Value::Object(_) => answered(document, &mut page)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(format!("it is no list of resources; {GIVE}"));
            }
        };
        for (object, number) in objects.into_iter().zip(1_usize..) {
            page.rows.push(row(object, number)?);
        }
    }
    if documents == 0 {
        return Err(format!("it is empty; {GIVE}"));
    }
    Ok(page)
}

fn objects(list: Value) -> Result<Vec<Map<String, Value>>, String> {
    serde_json::from_value(list).map_err(|_| format!("it is a list of something else than rows; {GIVE}"))
}

fn answered(answer: Value, page: &mut Page) -> Result<Vec<Map<String, Value>>, String> {
    let answer: Answer = serde_json::from_value(answer)
        .map_err(|_| format!("it has no `data` with rows, as an answer of Resource Graph has; {GIVE}"))?;
    if answer.skip_token.is_some_and(|token| !token.is_empty()) {
        page.part_of = page.part_of.max(Some(answer.total_records));
    }
    Ok(match answer.data {
        Data::Objects(objects) => objects,
        Data::Table { columns, rows } => {
            let names = || columns.iter().map(|column| column.name.clone());
            rows.into_iter().map(|row| names().zip(row).collect()).collect()
        }
    })
}

fn row(object: Map<String, Value>, number: usize) -> Result<Row, String> {
    let row: Row = serde_json::from_value(Value::Object(object))
        // The error would quote what stands there, which may be a secret.
        .map_err(|_| format!("row {number} is no row of Resource Graph; {GIVE}"))?;
    if row.id().is_empty() {
        return Err(format!(
            "row {number} has no `id`; ask for whole rows, as `az graph query -q Resources -o json` does"
        ));
    }
    Ok(row)
}
