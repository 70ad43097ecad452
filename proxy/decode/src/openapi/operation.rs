//! The operations of a document: what each is called, and what it takes.
//!
//! Leaves out what they do (`api.rs`), and of Swagger 2 and `OpenAPI` 3 all that differs beyond this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::deny::Refuses;
use super::document::Document;
use super::schema::Shape;
use super::verb;

/// The methods that a document may describe, as it writes them, and as the wire does.
const METHODS: [(&str, &str); 7] = [
    ("delete", "DELETE"),
    ("get", "GET"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("patch", "PATCH"),
    ("post", "POST"),
    ("put", "PUT"),
];

/// Headers that are no parameters, whatever a document says: they are read otherwise.
const OWN_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// The most bases that variables of servers make.
const BASES_MAX: usize = 64;

/// An operation, as its document has it.
#[derive(Debug)]
pub(super) struct Operation {
    /// As the wire has it.
    pub(super) method: &'static str,
    /// Its path in the document.
    pub(super) path: String,
    /// Its own name, or method and path where it has none.
    pub(super) name: String,
    /// What it belongs to, where the document says.
    pub(super) tag: Option<String>,
    /// The parameters of its query.
    pub(super) query: BTreeMap<String, Several>,
    /// The labels that are lists, with commas between their items.
    pub(super) lists: BTreeSet<String>,
    /// The headers that it reads, in lower case.
    pub(super) headers: BTreeSet<String>,
    /// What its body may be, by media type, and where the document has its schema.
    pub(super) body: Vec<(String, Option<Value>)>,
    /// Members of a form, of Swagger 2.
    pub(super) form: Vec<Value>,
    /// How it says no.
    pub(super) refuses: Refuses,
    /// HTTP calls it safe, and its name does too.
    pub(super) only_reads: bool,
}

/// How often a parameter stands, and how a list is written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Several {
    /// Once.
    No,
    /// Once for each item.
    Repeated,
    /// With this between its items.
    Divided(char),
    /// Once for each member, as `name[member]`.
    Members,
}

/// All operations of a document.
///
/// # Errors
/// It cannot be read as it is written.
pub(super) fn all(document: &Document, said_bases: bool) -> Result<Vec<Operation>, String> {
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .ok_or("the description has no `paths`; give one that has")?;
    let mut operations = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        let item = document.resolve(item)?;
        let own = METHODS.iter().filter_map(|(written, _)| item.get(written)?.get("servers")).next();
        if !said_bases && item.get("servers").or(own).is_some() {
            return Err(format!(
                "the path `{path}` has servers of its own; say under which paths all of the API is served, with `bases = \
                 [\"/path\"]` in the file of methods"
            ));
        }
        for (written, method) in METHODS {
            if let Some(said) = item.get(written) {
                let within = |why: String| format!("`{method} {path}`: {why}");
                operations.push(one(document, (method, path), item, said).map_err(within)?);
            }
        }
    }
    if operations.is_empty() {
        return Err("the description has no operation; give one that has".to_owned());
    }
    Ok(operations)
}

fn one(
    document: &Document,
    (method, path): (&'static str, &str),
    item: &Value,
    said: &Value,
) -> Result<Operation, String> {
    let text = |key: &str| said.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = format!("{method} {path}");
    let tag = said.get("tags").and_then(|tags| tags.get(0)?.as_str());
    let id = text("operationId");
    let safe = matches!(method, "GET" | "HEAD");
    let mut operation = Operation {
        method,
        path: path.to_owned(),
        name: id.map_or(named, str::to_owned),
        tag: tag.filter(|tag| !tag.is_empty()).map(str::to_owned),
        query: BTreeMap::new(),
        lists: BTreeSet::new(),
        headers: BTreeSet::new(),
        body: Vec::new(),
        form: Vec::new(),
        refuses: Refuses::of(document, said)?,
        only_reads: safe && verb::only_reads(id, text("summary"), path),
    };
    let mut parameters: BTreeMap<(String, String), &Value> = BTreeMap::new();
    // What an operation says of a parameter stands above what its path does.
    for from in [item, said] {
        for parameter in from.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let parameter = document.resolve(parameter)?;
            let of = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            parameters.insert((of("in"), of("name")), parameter);
        }
    }
    for ((place, name), parameter) in parameters {
        match place.as_str() {
            "query" => declare(document, &mut operation, name, parameter),
            "header" if !OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) => {
                operation.headers.insert(name.to_ascii_lowercase());
            }
            "body" => {
                let schema = parameter.get("schema").cloned();
                let media = consumes(document, said);
                operation.body = media.into_iter().map(|media| (media, schema.clone())).collect();
            }
            "formData" => operation.form.push(parameter.clone()),
            "path" => {
                if let Some(style @ ("label" | "matrix")) = parameter.get("style").and_then(Value::as_str) {
                    return Err(format!(
                        "the label `{name}` is of the style `{style}`, which is not read; use `simple`"
                    ));
                }
                if Shape::of(document, parameter.get("schema").unwrap_or(parameter)).is_list() {
                    operation.lists.insert(name);
                }
            }
            "cookie" | "header" => {}
            other => {
                return Err(format!("the parameter `{name}` is in `{other}`, which is not read; mend it"));
            }
        }
    }
    if !operation.form.is_empty() {
        let forms = ["application/x-www-form-urlencoded", "multipart/form-data"];
        let said = said.get("consumes").or_else(|| document.get("consumes")).and_then(Value::as_array);
        let said = said.into_iter().flatten().filter_map(Value::as_str).map(str::to_ascii_lowercase);
        let known: Vec<String> = said.filter(|media| forms.contains(&media.as_str())).collect();
        let known = if known.is_empty() { forms.map(str::to_owned).to_vec() } else { known };
        operation.body = known.into_iter().map(|media| (media, None)).collect();
    }
    if let Some(body) = said.get("requestBody") {
        let content = document.resolve(body)?.get("content").and_then(Value::as_object);
        for (media, of) in content.into_iter().flatten() {
            operation.body.push((media.to_ascii_lowercase(), of.get("schema").cloned()));
        }
    }
    Ok(operation)
}

/// The media types of Swagger 2.
fn consumes(document: &Document, said: &Value) -> Vec<String> {
    let all = said.get("consumes").or_else(|| document.get("consumes")).and_then(Value::as_array);
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    let mut all: Vec<String> = all.map(str::to_ascii_lowercase).collect();
    if all.is_empty() {
        all.push("application/json".to_owned());
    }
    all
}

/// A parameter of the query, with the names that it may have.
fn declare(document: &Document, operation: &mut Operation, name: String, parameter: &Value) {
    let word = |key: &str| parameter.get(key).and_then(Value::as_str);
    let shape = Shape::of(document, parameter.get("schema").unwrap_or(parameter));
    let exploded = parameter.get("explode").and_then(Value::as_bool);
    let style = word("style").unwrap_or("form");
    if style == "deepObject" {
        operation.query.insert(name, Several::Members);
        return;
    }
    if !document.is_swagger
        && shape.is_object()
        && exploded.unwrap_or(style == "form")
        && parameter.get("content").is_none()
    {
        let members = shape.members();
        operation.query.extend(members.into_iter().map(|member| (member.to_owned(), Several::No)));
        return;
    }
    let several = match (document.is_swagger, shape.is_list()) {
        (_, false) => Several::No,
        (true, true) => match word("collectionFormat") {
            Some("multi") => Several::Repeated,
            Some("ssv") => Several::Divided(' '),
            Some("tsv") => Several::Divided('\t'),
            Some("pipes") => Several::Divided('|'),
            Some(_) | None => Several::Divided(','),
        },
        (false, true) => match style {
            "form" if exploded != Some(false) => Several::Repeated,
            _ if exploded == Some(true) => Several::Repeated,
            "spaceDelimited" => Several::Divided(' '),
            "pipeDelimited" => Several::Divided('|'),
            _ => Several::Divided(','),
        },
    };
    operation.query.insert(name, several);
}

/// The paths that stand before all others: of `basePath`, or of every server.
///
/// # Errors
/// They cannot be told.
pub(super) fn bases(document: &Document) -> Result<BTreeSet<String>, String> {
    if document.is_swagger {
        let base = document.get("basePath").and_then(Value::as_str).unwrap_or_default();
        return Ok(BTreeSet::from([base.trim_end_matches('/').to_owned()]));
    }
    let mut bases = BTreeSet::new();
    for server in document.get("servers").and_then(Value::as_array).into_iter().flatten() {
        let url = server.get("url").and_then(Value::as_str).unwrap_or("/");
        let mut urls = vec![url.to_owned()];
        for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
            let known = variable.get("enum").and_then(Value::as_array).into_iter().flatten();
            let values: BTreeSet<&str> =
                known.chain(variable.get("default")).filter_map(Value::as_str).collect();
            let label = format!("{{{name}}}");
            let filled =
                |url: &String| values.iter().map(|value| url.replace(&label, value)).collect::<Vec<_>>();
            if urls.iter().any(|url| url.contains(&label)) {
                urls = urls.iter().flat_map(filled).take(BASES_MAX).collect();
            }
        }
        for url in urls {
            bases.insert(base(&url)?);
        }
    }
    if bases.is_empty() {
        bases.insert(String::new());
    }
    Ok(bases)
}

/// The path of a URL.
///
/// # Errors
/// It has none that can be told.
pub(super) fn base(url: &str) -> Result<String, String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
        None => url,
    };
    let path = path.trim_end_matches('/');
    let normal = path.is_empty() || path.starts_with('/');
    let segments = path.split('/').skip(1);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    if !normal
        || !path.bytes().all(plain)
        || segments.clone().any(|segment| segment.is_empty() || segment == "." || segment == "..")
    {
        return Err(format!(
            "`{url}` does not say under which path the API is served; say so with `bases = [\"/path\"]` in the file of methods"
        ));
    }
    Ok(path.to_owned())
}

/// The names by which clients show a credential of the API itself: of headers, in lower case, of parameters of the
/// query and of cookies.
pub(super) fn credentials(document: &Document) -> BTreeSet<(String, String)> {
    let all = document
        .get("securityDefinitions")
        .or_else(|| document.get("components").and_then(|components| components.get("securitySchemes")));
    let all = all.and_then(Value::as_object).into_iter().flatten();
    let keys = all.filter_map(|(_, scheme)| {
        let scheme = document.resolve(scheme).ok()?;
        let of = |key: &str| scheme.get(key).and_then(Value::as_str);
        let (place, name) = (of("in")?, of("name")?);
        let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
        (of("type")? == "apiKey").then(|| (place.to_owned(), name))
    });
    keys.collect()
}
