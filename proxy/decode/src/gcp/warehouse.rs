//! What bodies of BigQuery name: datasets, tables, models and routines, by their parts or in SQL.
//!
//! A job is in one project, and may read and write in every other that its credential reaches. Leaves out how SQL is read
//! (`sql.rs`), and what stands elsewhere by its whole name (`refer.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use ordain_action::{Identifier, NameBasis, Resource, Role, Scalar};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::authority;
use super::path::Route;
use super::refer;
use super::sql::Sql;
use crate::form::Fields;

const PART: &AsciiSet = &CONTROLS.add(b'%').add(b'*').add(b'?').add(b'/');

/// The members that name what lies in a dataset, and its collection.
const BELOW: [(&str, &str); 3] = [("tableId", "tables"), ("modelId", "models"), ("routineId", "routines")];

/// Members that name what the method itself is about, or writes to.
const WRITTEN: [&str; 4] = ["tableReference", "datasetReference", "modelReference", "routineReference"];

/// What a body names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Each once.
    pub(super) resources: Vec<Resource>,
    /// A text in it may do anything anywhere.
    pub(super) anywhere: bool,
}

/// Finds what a body names, where it is one of BigQuery's. `holder` is the project that is asked.
pub(super) fn named(route: &Route, holder: Option<(&str, &str)>, body: &Fields) -> Named {
    let mut named = Named::default();
    if !matches!(route.service(), "bigquery" | "bigquerydatatransfer") {
        return named;
    }
    let own = holder.filter(|(kind, _)| *kind == "projects").map(|(_, id)| id);
    let mut known = BTreeSet::new();
    let mut add = |named: &mut Named, resource: Resource| {
        if known.insert(resource.name.clone()) {
            named.resources.push(resource);
        }
    };
    for (path, value) in body.iter() {
        let Scalar::Text(text) = value else { continue };
        let (before, last) = path.rsplit_once('.').unwrap_or(("", path));
        if last == "datasetId"
            && let Some(resource) = by_parts(before, own, text, body)
        {
            add(&mut named, resource);
        }
        let is_sql = match last {
            "query" => true,
            // Those in other languages are functions, which name nothing.
            "definitionBody" => body.text("language").is_none_or(|language| language == "SQL"),
            _ => false,
        };
        if !is_sql {
            continue;
        }
        let sql = Sql::read(text);
        named.anywhere |= sql.anywhere;
        let role = if sql.asks { Role::Uses } else { Role::Target };
        for path in &sql.paths {
            // All of the own project is named where a job runs SQL.
            let covered = authority::is_sql(route) && path.first().map(String::as_str) == own;
            if let Some(resource) = by_path(path, role).filter(|_| !covered) {
                add(&mut named, resource);
            }
        }
        for file in &sql.files {
            if let Some(resource) = refer::file(file) {
                add(&mut named, Resource { role, ..resource });
            }
        }
    }
    named
}

/// What the members beside a dataset's name name.
fn by_parts(before: &str, own: Option<&str>, dataset: &str, body: &Fields) -> Option<Resource> {
    let member = |name: &str| {
        let path = if before.is_empty() { name.to_owned() } else { format!("{before}.{name}") };
        body.text(&path).filter(|text| !text.is_empty())
    };
    let project = member("projectId").or(own)?;
    let below = BELOW.iter().find_map(|(name, collection)| Some((*collection, member(name)?)));
    let parts = before.split('.');
    let written = WRITTEN.contains(&before)
        || parts.clone().any(|part| part.to_ascii_lowercase().starts_with("destination"));
    let role = if written { Role::Target } else { Role::Uses };
    Some(resource(role, project, dataset, below))
}

/// What a path in SQL names: a dataset, or something below it.
fn by_path(path: &[String], role: Role) -> Option<Resource> {
    let (project, dataset) = (path.first()?, path.get(1)?);
    let schema = path.iter().any(|part| part.eq_ignore_ascii_case("INFORMATION_SCHEMA"));
    if schema || dataset.starts_with("region-") {
        let whole = resource(role, project, "*", None);
        let name = format!("//bigquery.googleapis.com/projects/{}/*", utf8_percent_encode(project, PART));
        return Some(Resource { name, pattern: true, ..whole });
    }
    Some(resource(role, project, dataset, path.get(2).map(|table| ("tables", table.as_str()))))
}

fn resource(role: Role, project: &str, dataset: &str, below: Option<(&str, &str)>) -> Resource {
    let encoded = |text: &str| utf8_percent_encode(text, PART).to_string();
    let mut name =
        format!("//bigquery.googleapis.com/projects/{}/datasets/{}", encoded(project), encoded(dataset));
    let mut pattern = false;
    if let Some((collection, id)) = below {
        // Tables by the beginning of their names, and what of one a decorator chooses.
        pattern = id.contains('*');
        let plain = id.split(['$', '@']).next().unwrap_or_default();
        let id = if pattern { "*".to_owned() } else { encoded(plain) };
        name = format!("{name}/{collection}/{id}");
    }
    let (kind, id) = below.unwrap_or(("datasets", dataset));
    Resource {
        role,
        kind: Arc::from(format!("gcp:bigquery/{kind}")),
        name,
        basis: NameBasis::Reviewed,
        pattern,
        identifiers: vec![Identifier { name: Arc::from("id"), value: id.to_owned() }],
    }
}
