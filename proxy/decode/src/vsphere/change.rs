//! What a method of vim25 does: its effects, and what they touch.
//!
//! Leaves out the class of each method, which is the catalogue's, the envelope (`envelope.rs`), and what data names and
//! does besides (`besides.rs`).

use std::sync::Arc;

use ordain_action::{
    Access, Call, Completeness, Effect, Minted, NewIdentifier, Parameters, Resource, Role, Scalar,
    Undecodable,
};
use ordain_catalog::Method;

use super::besides::{self, last};
use super::envelope::{Message, Reference};
use super::object::Object;
use super::{SECRETS, SOAP_SERVICE, secret};
use crate::form::Fields;
use crate::form::fields::clip;
use crate::rest::{Names, Whole, effect};

/// What methods make, where that is a thing of its own.
const MADE: [(&str, &str); 36] = [
    ("AddDVPortgroup_Task", "DistributedVirtualPortgroup"),
    ("AddHost_Task", "HostSystem"),
    ("AddStandaloneHost_Task", "HostSystem"),
    ("CloneVApp_Task", "VirtualApp"),
    ("CloneVM_Task", "VirtualMachine"),
    ("CreateAlarm", "Alarm"),
    ("CreateChildVM_Task", "VirtualMachine"),
    ("CreateCluster", "ClusterComputeResource"),
    ("CreateClusterEx", "ClusterComputeResource"),
    ("CreateDVPortgroup_Task", "DistributedVirtualPortgroup"),
    ("CreateDVS_Task", "DistributedVirtualSwitch"),
    ("CreateDatacenter", "Datacenter"),
    ("CreateFolder", "Folder"),
    ("CreateGroup", "HostLocalAccount"),
    ("CreateLocalDatastore", "Datastore"),
    ("CreateNasDatastore", "Datastore"),
    ("CreateObjectScheduledTask", "ScheduledTask"),
    ("CreateProfile", "Profile"),
    ("CreateResourcePool", "ResourcePool"),
    ("CreateScheduledTask", "ScheduledTask"),
    ("CreateSecondaryVMEx_Task", "VirtualMachine"),
    ("CreateSecondaryVM_Task", "VirtualMachine"),
    ("CreateSnapshotEx_Task", "VirtualMachineSnapshot"),
    ("CreateSnapshot_Task", "VirtualMachineSnapshot"),
    ("CreateStoragePod", "StoragePod"),
    ("CreateTask", "Task"),
    ("CreateUser", "HostLocalAccount"),
    ("CreateVApp", "VirtualApp"),
    ("CreateVM_Task", "VirtualMachine"),
    ("CreateVmfsDatastore", "Datastore"),
    ("CreateVvolDatastore", "Datastore"),
    ("ImportVApp", "VirtualMachine"),
    ("InstantClone_Task", "VirtualMachine"),
    ("MakeDirectory", "DatastoreFile"),
    ("RegisterChildVM_Task", "VirtualMachine"),
    ("RegisterVM_Task", "VirtualMachine"),
];

/// Methods that say where a machine is to run or to lie: what they name for that is used and is not changed.
const PLACING: [&str; 19] = [
    "CloneVApp_Task",
    "CloneVM_Task",
    "CreateChildVM_Task",
    "CreateSecondaryVMEx_Task",
    "CreateSecondaryVM_Task",
    "CreateVM_Task",
    "ImportVApp",
    "InstantClone_Task",
    "MakePrimaryVM_Task",
    "MarkAsVirtualMachine",
    "MigrateVM_Task",
    "PowerOnVM_Task",
    "RegisterChildVM_Task",
    "RegisterVM_Task",
    "RelocateVM_Task",
    "RevertToCurrentSnapshot_Task",
    "RevertToSnapshot_Task",
    "EnableSecondaryVM_Task",
    "reloadVirtualMachineFromPath_Task",
];

/// Methods whose data names what is changed, by the member and what that is of.
const CHANGED: [(&str, &str, &str); 14] = [
    ("ApplyEntitiesConfig_Task", "host", "HostSystem"),
    ("ConfigureHCI_Task", "host", "HostSystem"),
    ("ConfigureStorageDrsForPod_Task", "vm", "VirtualMachine"),
    ("ExtendHCI_Task", "host", "HostSystem"),
    ("PostHealthUpdates", "entity", "ManagedEntity"),
    ("ReconfigureAutostart", "key", "VirtualMachine"),
    ("ReconfigureCluster_Task", "key", "ManagedEntity"),
    ("ReconfigureComputeResource_Task", "key", "ManagedEntity"),
    ("ReconfigureComputeResource_Task", "removeKey", "ManagedEntity"),
    ("ReconfigureDvs_Task", "host", "HostSystem"),
    ("RelocateVM_Task", "folder", "Folder"),
    ("UpdateChildResourceConfiguration", "entity", "ManagedEntity"),
    ("UpdateLinkedChildren", "key", "ManagedEntity"),
    ("UpdateVAppConfig", "key", "ManagedEntity"),
];

/// The call that a message is.
///
/// # Errors
/// It ends the gate's own session, or what it is done to cannot be said.
pub(super) fn call(message: &Message, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let method = message.method;
    if method.name == "Logout" {
        return Err(super::own_session());
    }
    let names = whole.names();
    let parameters = parameters(message, whole);
    let reads = method.access.contains(&Access::Read);
    if !reads {
        sure(message)?;
    }
    let resources = if reads { looked_at(message, names) } else { touched(message, names)? };
    let mut accesses = method.access.clone();
    if reads && shows_secrets(message) {
        accesses = vec![Access::SecretRead];
    }
    besides::classes(message, &mut accesses)?;
    let effects = accesses.iter().map(|access| {
        let mut resources = resources.clone();
        // What is new is that of its making alone.
        if *access != Access::Create && resources.len() > 1 {
            resources.retain(|resource| !resource.name.is_empty());
        }
        if *access == Access::Create && method.name.starts_with("Copy") {
            besides::copied(&mut resources);
        }
        said(method, *access, resources, parameters.clone())
    });
    let mut call = names.call(effects.collect());
    if method.mints {
        call.answer.mints = Some(Minted::Unrewritable);
    }
    if let Some((_, kind)) = MADE.iter().find(|(name, _)| *name == method.name) {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("{}:{kind}", names.plane)),
            member: Arc::from("id"),
            path: vec![Arc::from("returnval")],
        });
    }
    Ok(call)
}

/// An effect that is called as the privilege that it asks for, where that is of something and not of all that is there.
fn said(method: &Method, access: Access, resources: Vec<Resource>, parameters: Parameters) -> Effect {
    let one = effect((SOAP_SERVICE, method.name), access, resources, parameters);
    match method.privilege.filter(|privilege| !privilege.starts_with("System.")) {
        Some(privilege) => Effect { iam_action: Arc::from(privilege), ..one },
        None => one,
    }
}

/// What data names, where that is changed.
fn changed(message: &Message, reference: &Reference) -> Option<Object> {
    let member = reference.member.as_str();
    let is_one =
        |(method, name, _): &&(&str, &str, &'static str)| *method == message.method.name && *name == member;
    match CHANGED.iter().find(is_one).filter(|_| !reference.is_parameter) {
        Some((_, _, declared)) => Some(reference.object.clone().declared(ordain_catalog::vim(), declared)),
        // What a method for later is to be given is what it will be done to.
        None if !message.later.is_empty() && matches!(member, "value" | "ManagedObjectReference") => {
            Some(reference.object.clone())
        }
        None => None,
    }
}

/// Whose type only the client says, and which may be another that somebody else has, is not changed.
fn sure(message: &Message) -> Result<(), Undecodable> {
    let parameters = message.references.iter().filter(|reference| reference.is_parameter);
    let parameters = parameters.map(|reference| reference.object.clone()).chain([message.this.clone()]);
    let data = message.references.iter().filter_map(|reference| changed(message, reference));
    match parameters.chain(data).find(|object| !object.is_sure) {
        Some(object) => Err(Undecodable::new(
            "unknown_object",
            format!(
                "what `{}` is of cannot be told from it, and it may be of several types; send it to a vCenter",
                clip(&object.id)
            ),
        )),
        None => Ok(()),
    }
}

/// What a read looks at.
fn looked_at(message: &Message, names: Names<'_>) -> Vec<Resource> {
    let mut resources = Vec::new();
    if message.this.is_manager() || is_of_session(&message.this) {
        resources.push(names.whole(Role::Target));
    } else {
        resources.push(message.this.resource(names, Role::Target));
    }
    for reference in &message.references {
        if !is_of_session(&reference.object) && !reference.object.is_manager() {
            push(&mut resources, reference.object.resource(names, Role::Target));
        }
    }
    resources
}

/// Properties by which somebody else gets in, or by which what is kept secret is read.
const SECRET_PROPERTIES: [&str; 3] = ["sessionList", "encryptionKey", "deviceUrl"];

/// The types that have such.
const SECRET_TYPES: [&str; 4] =
    ["CustomizationSpecManager", "HttpNfcLease", "ManagedObject", "SessionManager"];

/// Whether what is looked at shows one of those: by its name, or as one of all that there are.
fn shows_secrets(message: &Message) -> bool {
    let is_lease = message.this.kind == "HttpNfcLease";
    let mut of_secrets = message.references.iter().any(|one| SECRET_TYPES.contains(&one.object.kind));
    let (mut all, mut named) = (false, false);
    for (path, value) in message.fields.iter() {
        let (Scalar::Text(text), Some(last)) = (value, last(path)) else { continue };
        match last {
            "pathSet" | "prop" => {
                let parts = || text.trim().split(['.', '[']);
                named |= parts().any(|part| SECRET_PROPERTIES.contains(&part));
                named |= is_lease && parts().next() == Some("info");
            }
            "all" => all |= !matches!(text.trim(), "false" | "0"),
            "type" => {
                of_secrets |= SECRET_TYPES.contains(&text.trim());
                named |= text.trim() == "HttpNfcLease";
            }
            _ => {}
        }
    }
    named || all && of_secrets
}

/// Views, filters and collectors are what a session has made to look at others with.
fn is_of_session(object: &Object) -> bool {
    let vim = ordain_catalog::vim();
    ["View", "HistoryCollector", "PropertyFilter", "PropertyCollector"]
        .iter()
        .any(|kind| vim.is_a(object.kind, kind))
}

/// What a change touches.
///
/// # Errors
/// A file that it names is none that can be told from others.
fn touched(message: &Message, names: Names<'_>) -> Result<Vec<Resource>, Undecodable> {
    let method = message.method;
    let creates = method.access.contains(&Access::Create);
    let copies = method.name.contains("Clone");
    let mut resources = Vec::new();
    // By a path.
    let mut named = Vec::new();
    besides::files(message, names, &mut named)?;
    let made = MADE.iter().find(|(name, _)| *name == method.name).map(|(_, kind)| *kind);
    // A file is known by its name before there is one.
    if creates && (named.is_empty() || made.is_some_and(|kind| kind != "DatastoreFile")) {
        let kind = made.unwrap_or("Object");
        let called = ["name", "spec.name", "config.name", "spec.id", "user.id", "newName"];
        let called = called.iter().find_map(|path| Some(("name", message.fields.text(path)?)));
        resources.push(names.unnamed(kind, called));
    }
    let on_this = if creates && !copies { Role::Parent } else { Role::Target };
    if !message.this.is_manager() {
        push(&mut resources, message.this.resource(names, on_this));
    }
    for reference in &message.references {
        let one = match changed(message, reference) {
            Some(object) => object.resource(names, Role::Target),
            None => {
                let role = role(method, reference.is_parameter, &reference.member, creates);
                reference.object.resource(names, role)
            }
        };
        push(&mut resources, one);
    }
    besides::used(message, names, &mut named)?;
    named.into_iter().for_each(|file| push(&mut resources, file));
    let is_named = |resource: &Resource| {
        matches!(resource.role, Role::Target | Role::Parent) && !resource.name.is_empty()
    };
    if !resources.iter().any(is_named) {
        resources.push(names.whole(if creates { Role::Parent } else { Role::Target }));
    }
    Ok(resources)
}

fn role(method: &Method, is_parameter: bool, member: &str, creates: bool) -> Role {
    let places = ["host", "pool", "datastore", "resourcePool", "network", "profile", "datacenter"];
    match member {
        "folder" if creates => Role::Parent,
        _ if !is_parameter => Role::Uses,
        _ if PLACING.contains(&method.name) && places.contains(&member) => Role::Uses,
        // It tells datastores of one name apart.
        "datacenter" | "sourceDatacenter" | "destinationDatacenter" | "destDatacenter"
            if matches!(method.of, "FileManager" | "VirtualDiskManager") =>
        {
            Role::Uses
        }
        _ => Role::Target,
    }
}

pub(super) fn push(resources: &mut Vec<Resource>, one: Resource) {
    match resources.iter_mut().find(|known| known.name == one.name && !known.name.is_empty()) {
        // Of two roles the one that asks for more.
        Some(known) if known.role == Role::Uses => known.role = one.role,
        Some(_) => {}
        None => resources.push(one),
    }
}

/// The parameters, secrets as tokens.
fn parameters(message: &Message, whole: &Whole<'_>) -> Parameters {
    let mut shown = Fields::new();
    for (path, value) in message.fields.iter() {
        if path != "_this" && path != "_this.@type" {
            shown.put_at(path, value);
        }
    }
    let mut parameters = whole.parameters(Some(&secret::covered(&shown, whole.tokens)), &SECRETS);
    if !message.later.is_empty() {
        parameters.incomplete(Completeness::Partial("what is called later is judged by its class alone"));
    }
    parameters
}
