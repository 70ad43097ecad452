//! Operations that do many things at once, or whose body is a language of its own: each into all its effects.
//!
//! Leaves out templates of CloudFormation (`template`).

use std::collections::{BTreeMap, HashMap};
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
use super::queue;
use super::resource::Place;
use super::template;
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
        ("cloudformation", _) => template::adjust(effect),
        ("cloudcontrol", "CreateResource" | "UpdateResource" | "DeleteResource") => {
            cloud::control(effect, catalog, place)
        }
        ("route53", "ChangeResourceRecordSets") => records(effect),
        ("route53", "ChangeTagsForResource") => checks(effect),
        ("sqs", _) => queue::name(effect, place),
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
    match &*main.service {
        "cloudcontrol" => return Ok(cloud::also(main)),
        "dynamodb" => {}
        _ => return Ok(None),
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

/// The most that may stand beside the items of a batch, in bytes and in leaves. What the vendor has there are switches
/// and a token.
const BESIDE_MAX: usize = 4_096;
const BESIDE_LEAVES_MAX: usize = 16;

fn push(parameters: &mut Parameters, leaf: &Leaf<'_>) -> Result<(), Undecodable> {
    let pushed = if leaf.idempotency {
        parameters.push_idempotency(leaf.path, leaf.value)
    } else {
        parameters.push(leaf.path, leaf.value)
    };
    pushed.map_err(|_| unread())
}

const fn scalar_len(value: Scalar<'_>) -> usize {
    match value {
        Scalar::Text(text) | Scalar::Number(text) | Scalar::Token(text) => text.len(),
        Scalar::Bool(_) | Scalar::Null | Scalar::Empty => 0,
    }
}

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
    // Each effect gets them, so that many effects with much beside them would be many times the request.
    let repeated: usize = beside.iter().map(|leaf| leaf.path.len() + scalar_len(leaf.value)).sum();
    if groups.len() > 1 && (repeated > BESIDE_MAX || beside.len() > BESIDE_LEAVES_MAX) {
        return Err(unread());
    }
    let mut effects = Vec::with_capacity(groups.len());
    for ((table, access, permission), mut parameters) in groups {
        for leaf in &beside {
            push(&mut parameters, leaf)?;
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

/// One effect for each table and class of statements, with the parameters of its own alone. What is not understood
/// changes any table.
fn statements(main: &Effect, wire: &Wire, place: &Place<'_>) -> Result<Vec<Effect>, Undecodable> {
    let mut effects: Vec<Effect> = Vec::new();
    // The effect of each statement, by the item of the list that it stands in.
    let mut by_item: HashMap<&str, usize> = HashMap::new();
    for leaf in wire.iter() {
        let item = leaf.path.strip_suffix("Statement").filter(|item| item.is_empty() || item.ends_with('.'));
        let (Some(item), Some(text)) = (item, leaf.text()) else { continue };
        let effect = statement(main, text, place);
        // Ten statements of one kind on one table are one effect; the parameters hold all of them.
        let known = effects
            .iter()
            .position(|known| known.access == effect.access && known.resources == effect.resources);
        if by_item.insert(item, known.unwrap_or(effects.len())).is_some() {
            return Err(unread());
        }
        match known.and_then(|at| effects.get_mut(at)) {
            Some(known) => known.parameters.incomplete(effect.parameters.completeness()),
            None => effects.push(effect),
        }
        if effects.len() > EFFECTS_MAX {
            return Err(unread());
        }
    }
    match effects.as_mut_slice() {
        [] => return Ok(vec![main.clone()]),
        [one] => {
            let completeness = one.parameters.completeness();
            one.parameters = main.parameters.clone();
            one.parameters.incomplete(completeness);
            return Ok(effects);
        }
        _ => {}
    }
    let mut beside = 0;
    for leaf in main.parameters.iter() {
        let own = item_of(leaf.path).and_then(|item| by_item.get(item)).and_then(|at| effects.get_mut(*at));
        match own {
            Some(effect) => push(&mut effect.parameters, &leaf)?,
            None => {
                beside += leaf.path.len() + scalar_len(leaf.value);
                if beside > BESIDE_MAX {
                    return Err(unread());
                }
                for effect in &mut effects {
                    push(&mut effect.parameters, &leaf)?;
                }
            }
        }
    }
    Ok(effects)
}

/// `Statements.3.` of `Statements.3.Parameters.1.S`.
fn item_of(path: &str) -> Option<&str> {
    let (list, rest) = path.split_once('.')?;
    let (item, _) = rest.split_once('.')?;
    path.get(..list.len() + item.len() + 2)
}

/// The effect of one statement, without parameters yet.
fn statement(main: &Effect, text: &str, place: &Place<'_>) -> Effect {
    let mut parameters = Parameters::new();
    parameters.incomplete(main.parameters.completeness());
    let (access, permission, resource) = match partiql::read(text) {
        Ok(read) => (read.access, read.permission, table_resource(&read.table, read.index.as_deref(), place)),
        Err(_) => {
            parameters.incomplete(Completeness::Partial("the statement is not understood"));
            let any = Resource { pattern: true, ..table_resource("*", None, place) };
            (Access::Update, "PartiQLUpdate", any)
        }
    };
    Effect {
        service: Arc::clone(&main.service),
        operation: Arc::clone(&main.operation),
        iam_action: Arc::from(format!("dynamodb:{permission}")),
        access,
        level: main.level,
        resources: vec![resource],
        parameters,
    }
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
