//! What Systems Manager works on: machines by id or by selector, documents, parameters, whatever a tag is put on.
//!
//! Leaves out what a document does.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use ordain_action::{Effect, Identifier, NameBasis, Resource, Role};

use super::resource::Place;
use super::wire::Wire;

/// Operations that run something on the machines that `Targets` selects, now or later.
const SELECT: [&str; 10] = [
    "CreateAssociation",
    "CreateAssociationBatch",
    "RegisterTargetWithMaintenanceWindow",
    "RegisterTaskWithMaintenanceWindow",
    "SendCommand",
    "StartAccessRequest",
    "StartAutomationExecution",
    "UpdateAssociation",
    "UpdateMaintenanceWindowTarget",
    "UpdateMaintenanceWindowTask",
];

/// What the names of parameters begin with that are secrets of another service.
const SECRETS: &str = "aws/reference/secretsmanager/";

/// Adds what the bindings do not find, and gives everything its one name.
pub(super) fn adjust(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    for resource in &mut effect.resources {
        match &*resource.kind {
            "ssm:parameter" => parameter(resource),
            "ssm:document" => document(resource, place),
            "ssm:servicesetting" => {
                resource.name = resource.name.replacen(":servicesetting//", ":servicesetting/", 1)
            }
            "ssm:resource" => tagged(resource, effect.parameters.text("ResourceType"), place),
            _ => {}
        }
    }
    for secret in referred(effect, place) {
        add(effect, secret);
    }
    if SELECT.contains(&&*effect.operation) {
        let mut seen: HashSet<String> = effect.resources.iter().map(|one| one.name.clone()).collect();
        let machines = selected(wire, place);
        effect.resources.extend(machines.into_iter().filter(|one| seen.insert(one.name.clone())));
    }
    if &*effect.operation == "StartAutomationExecution" {
        automation(effect, wire, place);
    } else if SELECT.contains(&&*effect.operation) {
        parameters(effect, wire, place);
    }
    if SELECT.contains(&&*effect.operation) {
        mapped(effect, wire, place);
    }
}

fn add(effect: &mut Effect, resource: Resource) {
    if !effect.resources.iter().any(|known| known.role == resource.role && known.name == resource.name) {
        effect.resources.push(resource);
    }
}

/// A parameter's name may begin with a slash that its ARN has anyway, and end in a version or a label.
pub(super) fn parameter(resource: &mut Resource) {
    let Some((before, own)) = resource.name.split_once(":parameter/") else { return };
    let own = own.trim_start_matches('/');
    let own = own.split_once(':').map_or(own, |(name, _)| name);
    // A path may end in a slash, and what lies below it has one all the same.
    resource.name = format!("{before}:parameter/{own}").replacen("//*", "/*", 1);
}

/// Parameters that stand for secrets of Secrets Manager: to read one is to read the secret.
fn referred(effect: &Effect, place: &Place<'_>) -> Vec<Resource> {
    let parameters = effect.resources.iter().filter(|one| &*one.kind == "ssm:parameter");
    let secrets = parameters.filter_map(|parameter| {
        let (_, own) = parameter.name.split_once(":parameter/")?;
        let secret = own.strip_prefix(SECRETS)?;
        // What was cut off as a version may be the rest of an ARN.
        let certain = !secret.is_empty() && secret != "arn";
        let name = if certain { secret.to_owned() } else { "*".to_owned() };
        Some(Resource {
            role: parameter.role,
            kind: Arc::from("secretsmanager:Secret"),
            name: place.arn("secretsmanager", &format!("secret:{name}-??????")),
            basis: NameBasis::Reviewed,
            pattern: true,
            identifiers: vec![Identifier { name: Arc::from("SecretId"), value: name }],
        })
    });
    secrets.collect()
}

/// Names that begin so are the provider's own, in no account.
fn document(resource: &mut Resource, place: &Place<'_>) {
    let Some(own) = resource.identifiers.first() else { return };
    if ["AWS", "Amazon"].iter().any(|start| own.value.starts_with(start)) {
        resource.name = Place { account: "", ..*place }.arn("ssm", &format!("document/{}", own.value));
        resource.basis = NameBasis::Reviewed;
    }
}

/// What a tag is put on stands in two members: its type and its name.
fn tagged(resource: &mut Resource, kind: Option<&str>, place: &Place<'_>) {
    let Some(id) = resource.identifiers.first().map(|one| one.value.clone()) else { return };
    if &*resource.identifiers.first().map_or_else(|| Arc::from(""), |one| Arc::clone(&one.name))
        != "ResourceId"
    {
        return;
    }
    let (word, kind) = match kind {
        Some("Document") => ("document", "ssm:document"),
        Some("ManagedInstance") => ("managed-instance", "ssm:managed-instance"),
        Some("MaintenanceWindow") => ("maintenancewindow", "ssm:maintenancewindow"),
        Some("Parameter") => ("parameter", "ssm:parameter"),
        Some("PatchBaseline") => ("patchbaseline", "ssm:patchbaseline"),
        Some("OpsItem") => ("opsitem", "ssm:opsitem"),
        Some("Automation") => ("automation-execution", "ssm:automation-execution"),
        Some("Association") => ("association", "ssm:association"),
        Some(_) | None => return,
    };
    resource.kind = Arc::from(kind);
    resource.basis = NameBasis::Reviewed;
    resource.pattern = id.contains('*');
    resource.name = if id.starts_with("arn:") {
        resource.basis = NameBasis::Carried;
        id
    } else {
        place.arn("ssm", &format!("{word}/{id}"))
    };
    if kind == "ssm:parameter" {
        parameter(resource);
    }
}

/// The machines that `Targets` selects. A tag or a group may hold any of them.
fn selected(wire: &Wire, place: &Place<'_>) -> Vec<Resource> {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for leaf in wire.iter() {
        let Some(text) = leaf.text() else { continue };
        if let Some((target, "Key")) = leaf.path.rsplit_once('.') {
            keys.insert(target, text);
        } else if let Some((target, _)) = leaf.path.rsplit_once(".Values.") {
            values.entry(target).or_default().push(text);
        }
    }
    let mut machines: Vec<Resource> = Vec::new();
    for (target, key) in keys {
        let in_targets = target.split('.').rev().nth(1) == Some("Targets");
        // Targets of a window were judged when they were registered with it.
        if !in_targets || key == "WindowTargetIds" {
            continue;
        }
        let by_id = matches!(key, "InstanceIds" | "ParameterValues" | "InstanceId");
        let ids = values.get(target).filter(|ids| by_id && !ids.is_empty());
        // One that is no machine's id leaves open what is meant.
        let found: Option<Vec<Resource>> =
            ids.and_then(|ids| ids.iter().map(|id| machine(id, place)).collect());
        match found {
            Some(found) => machines.extend(found),
            // Values of a parameter may be names of anything.
            None if key == "ParameterValues" => machines.push(place.account_scope(Role::Target)),
            None => machines.extend(everything(key, place)),
        }
    }
    machines
}

fn everything(key: &str, place: &Place<'_>) -> [Resource; 2] {
    let all = |kind: &str, name: String| Resource {
        role: Role::Target,
        kind: Arc::from(kind),
        name,
        basis: NameBasis::Reviewed,
        pattern: true,
        identifiers: vec![Identifier { name: Arc::from(key), value: "*".to_owned() }],
    };
    [
        all("ec2:instance", place.arn("ec2", "instance/*")),
        all("ssm:managed-instance", place.arn("ssm", "managed-instance/*")),
    ]
}

fn machine(id: &str, place: &Place<'_>) -> Option<Resource> {
    let (kind, name) = match id {
        _ if id.starts_with("i-") => ("ec2:instance", place.arn("ec2", &format!("instance/{id}"))),
        _ if id.starts_with("mi-") => {
            ("ssm:managed-instance", place.arn("ssm", &format!("managed-instance/{id}")))
        }
        _ => return None,
    };
    Some(Resource {
        role: Role::Target,
        kind: Arc::from(kind),
        name,
        basis: NameBasis::Reviewed,
        pattern: id.contains('*'),
        identifiers: vec![Identifier { name: Arc::from("InstanceId"), value: id.to_owned() }],
    })
}

/// The provider's own documents are used; what they work on is what they are told to, else anything.
fn automation(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    let told =
        || wire.iter().filter(|leaf| leaf.path.starts_with("Parameters.")).filter_map(|leaf| leaf.text());
    let machines: Vec<Resource> =
        told().filter(|id| is_machine(id)).filter_map(|id| machine(id, place)).collect();
    for machine in machines {
        add(effect, machine);
    }
    // Whatever else it is told may name anything of the account.
    if told().any(|text| !is_machine(text) && !text.contains(":iam::")) {
        add(effect, place.account_scope(Role::Target));
    }
    for resource in effect.resources.iter_mut().filter(|one| &*one.kind == "ssm:document") {
        if resource.name.contains("::document/") {
            resource.role = Role::Uses;
        }
    }
    if wire.iter().any(|leaf| leaf.path.starts_with("TargetLocations")) {
        add(effect, place.account_scope(Role::Target));
    }
}

/// Machines in the parameters of a document that is not known to be an automation.
fn parameters(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    let told = wire
        .iter()
        .filter(|leaf| leaf.path.split('.').any(|segment| matches!(segment, "Parameters" | "TaskParameters")))
        .filter_map(|leaf| leaf.text());
    for machine in told.filter(|id| is_machine(id)).filter_map(|id| machine(id, place)) {
        add(effect, machine);
    }
}

/// `TargetMaps` says for each parameter of a document what it works on: machines, or anything else by its name.
fn mapped(effect: &mut Effect, wire: &Wire, place: &Place<'_>) {
    let maps = |path: &str| path.split('.').any(|segment| segment == "TargetMaps");
    for id in wire.iter().filter(|leaf| maps(leaf.path)).filter_map(|leaf| leaf.text()) {
        let what = Some(id).filter(|id| is_machine(id)).and_then(|id| machine(id, place));
        add(effect, what.unwrap_or_else(|| place.account_scope(Role::Target)));
    }
}

fn is_machine(text: &str) -> bool {
    text.split_once('-').is_some_and(|(start, digits)| {
        matches!(start, "i" | "mi")
            && matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
