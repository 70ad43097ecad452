//! Operations that do many things at once, or whose body is a language of its own: each into all its effects.
//!
//! Leaves out templates, which are indirect authority for now: their parameters are said to be partial.

use std::collections::BTreeMap;
use std::sync::Arc;

use ordain_action::{
    Access, Completeness, Effect, Identifier, Leaf, NameBasis, Parameters, Resource, Role, Scalar,
    Undecodable,
};
use ordain_catalog::{Catalog, Location, Operation};

use super::bind::is_arn;
use super::cloud;
use super::fleet;
use super::partiql;
use super::resource::Place;
use super::wire::Wire;
use crate::form::fields::{segments, unescape};
use crate::form::{Fields, json};

/// Adds the parameters that stand inside a text of the body, so that they are read like any other.
pub(super) fn unfold(operation: &Operation, wire: &mut Wire) {
    if &*operation.service != "cloudcontrol" {
        return;
    }
    for member in ["DesiredState", "PatchDocument"] {
        let Some(text) = wire.text(Location::Body, member).map(str::to_owned) else { continue };
        let mut inner = Fields::new();
        if json::read(text.as_bytes(), &mut inner).is_err() {
            wire.partial = Some("the document inside is not read");
            continue;
        }
        let outer = wire.at(Location::Body);
        for (path, value) in inner.iter() {
            outer.put_at(&format!("{member}.{path}"), value);
        }
    }
}

/// Changes the effect of operations whose own name does not say what they do.
pub(super) fn adjust(effect: &mut Effect, wire: &Wire, catalog: &Catalog, place: &Place<'_>) {
    match (&*effect.service, &*effect.operation) {
        (
            "cloudformation",
            "CreateStack"
            | "UpdateStack"
            | "DeleteStack"
            | "ExecuteChangeSet"
            | "CreateStackSet"
            | "UpdateStackSet"
            | "CreateStackInstances"
            | "UpdateStackInstances"
            | "DeleteStackInstances"
            | "ContinueUpdateRollback"
            | "RollbackStack"
            | "ImportStacksToStackSet"
            | "StartResourceScan"
            | "ExecuteStackRefactor",
        ) => {
            effect.access = Access::Execute;
            effect.parameters.incomplete(Completeness::Partial("what the template does is not decoded"));
        }
        ("cloudcontrol", "CreateResource" | "UpdateResource" | "DeleteResource") => {
            cloud::control(effect, catalog, place)
        }
        ("route53", "ChangeResourceRecordSets") => records(effect),
        ("route53", "ChangeTagsForResource") => checks(effect),
        ("sqs", _) => queues(effect, place),
        ("ssm", _) => fleet::adjust(effect, wire, place),
        _ => {}
    }
}

/// Changes of a zone that take records away are a deletion.
fn records(effect: &mut Effect) {
    let removes = |leaf: Leaf<'_>| {
        leaf.path.ends_with(".Action")
            && matches!(leaf.value, Scalar::Text(action) if action.eq_ignore_ascii_case("DELETE"))
    };
    if effect.access == Access::Update && effect.parameters.iter().any(removes) {
        effect.access = Access::Delete;
    }
}

/// One operation tags zones and health checks.
fn checks(effect: &mut Effect) {
    if effect.parameters.text("ResourceType") == Some("healthcheck") {
        for resource in effect.resources.iter_mut().filter(|one| &*one.kind == "route53:hostedzone") {
            resource.kind = Arc::from("route53:healthcheck");
            resource.name = resource.name.replacen(":::hostedzone/", ":::healthcheck/", 1);
        }
    }
}

/// A queue's URL carries its account and its name; the region is that of the request.
fn queues(effect: &mut Effect, place: &Place<'_>) {
    for resource in &mut effect.resources {
        let Some(url) = resource.identifiers.iter().find(|identifier| &*identifier.name == "QueueUrl") else {
            continue;
        };
        if resource.basis == NameBasis::Carried {
            continue;
        }
        if let Some((account, queue)) = queue_of(&url.value) {
            resource.name = format!("arn:{}:sqs:{}:{account}:{queue}", place.partition, place.region);
            resource.basis = NameBasis::Reviewed;
        }
    }
}

/// Account and queue of a queue's URL, where it is one and nothing more. A query, a fragment or a dotted segment
/// would let its end say another queue than the server reads.
fn queue_of(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let (account, queue) = path.split_once('/')?;
    let plain = |text: &str, more: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte))
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = queue.strip_suffix(".fifo").unwrap_or(queue);
    let is_queue = (1..=80).contains(&queue.len()) && plain(name, "-_") && !name.is_empty();
    (is_account && is_queue && plain(host, ".-:")).then_some((account, queue))
}

/// Whether an operation's targets stand in its parameters in a way that no binding tells.
pub(super) fn is_batch(operation: &Operation) -> bool {
    matches!(
        (&*operation.service, &*operation.name),
        (
            "dynamodb",
            "BatchWriteItem"
                | "TransactWriteItems"
                | "ExecuteStatement"
                | "BatchExecuteStatement"
                | "ExecuteTransaction"
        ) | ("s3", "DeleteObjects")
    )
}

/// The effects of a batch; `None` for what is none.
pub(super) fn split(
    main: &Effect,
    wire: &Wire,
    place: &Place<'_>,
) -> Result<Option<Vec<Effect>>, Undecodable> {
    if &*main.service != "dynamodb" {
        return Ok(None);
    }
    match &*main.operation {
        "BatchWriteItem" => by_table(main, place, &written).map(Some),
        "TransactWriteItems" => {
            let tables = transaction_tables(wire);
            by_table(main, place, &|path| transacted(path, &tables)).map(Some)
        }
        "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => {
            statements(main, wire, place).map(Some)
        }
        _ => Ok(None),
    }
}

/// The group of one leaf of a batch; `None` for leaves that are not part of an item.
type Sort<'s> = &'s dyn Fn(&str) -> Option<Group>;

/// A table, a class, and the permission checked where it is one of its own.
type Group = (String, Access, Option<&'static str>);

/// `RequestItems.TABLE.N.PutRequest.…`
fn written(path: &str) -> Option<Group> {
    let mut segments = segments(path);
    if segments.next() != Some("RequestItems") {
        return None;
    }
    let table = unescape(segments.next()?);
    match segments.nth(1)? {
        "PutRequest" => Some((table, Access::Update, None)),
        _ => Some((table, Access::Delete, None)),
    }
}

/// The table of each item of a transaction, by the item's number and kind.
fn transaction_tables(wire: &Wire) -> BTreeMap<(&str, &str), &str> {
    wire.iter()
        .filter_map(|leaf| {
            let mut segments = segments(leaf.path);
            let (first, item, kind, last) =
                (segments.next()?, segments.next()?, segments.next()?, segments.next()?);
            let names_table = first == "TransactItems" && last == "TableName" && segments.next().is_none();
            names_table.then(|| leaf.text().map(|table| ((item, kind), table))).flatten()
        })
        .collect()
}

/// `TransactItems.N.Put.…`, whose table stands in a member of its own.
fn transacted(path: &str, tables: &BTreeMap<(&str, &str), &str>) -> Option<Group> {
    let mut segments = segments(path);
    if segments.next() != Some("TransactItems") {
        return None;
    }
    let (item, kind) = (segments.next()?, segments.next()?);
    let table = (*tables.get(&(item, kind))?).to_owned();
    match kind {
        "ConditionCheck" => Some((table, Access::Read, Some("dynamodb:ConditionCheckItem"))),
        "Put" => Some((table, Access::Update, Some("dynamodb:PutItem"))),
        "Update" => Some((table, Access::Update, Some("dynamodb:UpdateItem"))),
        _ => Some((table, Access::Delete, Some("dynamodb:DeleteItem"))),
    }
}

/// The most effects of one request: more than any batch of the vendor's may have.
pub(super) const EFFECTS_MAX: usize = 256;

/// One effect for each table and class.
fn by_table(main: &Effect, place: &Place<'_>, sort: Sort<'_>) -> Result<Vec<Effect>, Undecodable> {
    let mut groups: BTreeMap<Group, Parameters> = BTreeMap::new();
    // Leaves beside the items (a request token, what to return) belong to each.
    let mut beside = Vec::new();
    for leaf in main.parameters.iter() {
        let Some(group) = sort(leaf.path) else {
            beside.push(leaf);
            continue;
        };
        let parameters = groups.entry(group).or_insert_with(|| {
            let mut parameters = Parameters::new();
            parameters.incomplete(main.parameters.completeness());
            parameters
        });
        parameters.push(leaf.path, leaf.value).map_err(|_| unread())?;
        if groups.len() > EFFECTS_MAX {
            return Err(unread());
        }
    }
    // An empty batch writes nothing; it is still judged as the change it is called.
    if groups.is_empty() {
        return Ok(vec![main.clone()]);
    }
    let mut effects = Vec::with_capacity(groups.len());
    for ((table, access, permission), mut parameters) in groups {
        for leaf in &beside {
            let pushed = if leaf.idempotency {
                parameters.push_idempotency(leaf.path, leaf.value)
            } else {
                parameters.push(leaf.path, leaf.value)
            };
            pushed.map_err(|_| unread())?;
        }
        let resources = vec![table_resource(&table, None, place)];
        let iam_action = permission.map_or_else(|| Arc::clone(&main.iam_action), Arc::from);
        effects.push(Effect {
            service: Arc::clone(&main.service),
            operation: Arc::clone(&main.operation),
            iam_action,
            access,
            level: main.level,
            resources,
            parameters,
        });
    }
    Ok(effects)
}

/// One effect for each statement. What is not understood changes any table.
fn statements(main: &Effect, wire: &Wire, place: &Place<'_>) -> Result<Vec<Effect>, Undecodable> {
    let texts: Vec<&str> = wire
        .iter()
        .filter(|leaf| leaf.path == "Statement" || leaf.path.ends_with(".Statement"))
        .filter_map(|leaf| leaf.text())
        .collect();
    if texts.is_empty() {
        return Ok(vec![main.clone()]);
    }
    let mut effects: Vec<Effect> = Vec::new();
    for text in texts {
        let effect = match partiql::read(text) {
            Ok(statement) => Effect {
                access: statement.access,
                iam_action: Arc::from(format!("dynamodb:{}", statement.permission)),
                resources: vec![table_resource(&statement.table, statement.index.as_deref(), place)],
                ..main.clone()
            },
            Err(_) => {
                let mut effect = Effect {
                    access: Access::Update,
                    iam_action: Arc::from("dynamodb:PartiQLUpdate"),
                    resources: vec![Resource { pattern: true, ..table_resource("*", None, place) }],
                    ..main.clone()
                };
                effect.parameters.incomplete(Completeness::Partial("the statement is not understood"));
                effect
            }
        };
        // Ten statements of one kind on one table are one effect; the parameters hold all of them.
        let known =
            effects.iter().any(|known| known.access == effect.access && known.resources == effect.resources);
        if !known {
            effects.push(effect);
        }
        if effects.len() > EFFECTS_MAX {
            return Err(unread());
        }
    }
    Ok(effects)
}

fn table_resource(table: &str, index: Option<&str>, place: &Place<'_>) -> Resource {
    let (name, basis) = if is_arn(table) {
        (table.to_owned(), NameBasis::Carried)
    } else {
        (place.arn("dynamodb", &format!("table/{table}")), NameBasis::Reviewed)
    };
    let mut identifiers = vec![Identifier { name: Arc::from("TableName"), value: table.to_owned() }];
    let (kind, name) = match index {
        Some(index) => {
            identifiers.push(Identifier { name: Arc::from("IndexName"), value: index.to_owned() });
            ("dynamodb:index", format!("{name}/index/{index}"))
        }
        None => ("dynamodb:table", name),
    };
    Resource { role: Role::Target, kind: Arc::from(kind), name, basis, pattern: false, identifiers }
}

fn unread() -> Undecodable {
    Undecodable::new(
        "unread_batch",
        "the batch does more than is judged at once, or names nothing; send fewer items, whole",
    )
}
