//! What the data of a change names and does besides what the method is called on: files of datastores, port groups, what
//! is run, what is opened, what is called later.
//!
//! Leaves out references, which say what they are (`change.rs`).

use ordain_action::{Access, Resource, Role, Scalar, Undecodable};

use super::change::push;
use super::envelope::{Message, bad};
use super::object;
use crate::form::fields::{clip, segments};
use crate::rest::Names;

/// Files of datastores that a method names itself.
///
/// # Errors
/// It is named otherwise than as `[datastore] path`.
pub(super) fn files(
    message: &Message,
    names: Names<'_>,
    resources: &mut Vec<Resource>,
) -> Result<(), Undecodable> {
    let (kind, method) = (message.method.of, message.method.name);
    let members: &[(&str, &str, Role)] = match (kind, method) {
        ("FileManager", "CopyDatastoreFile_Task") | ("VirtualDiskManager", "CopyVirtualDisk_Task") => &[
            ("sourceName", "sourceDatacenter", Role::Uses),
            ("destinationName", "destinationDatacenter", Role::Target),
            ("destName", "destDatacenter", Role::Target),
        ],
        ("FileManager" | "VirtualDiskManager", _) => &[
            ("name", "datacenter", Role::Target),
            ("sourceName", "sourceDatacenter", Role::Target),
            ("destinationName", "destinationDatacenter", Role::Target),
            ("destName", "destDatacenter", Role::Target),
        ],
        ("HostDatastoreBrowser", "DeleteFile") => &[("datastorePath", "", Role::Target)],
        // What was somebody's machine or disk becomes one of this place.
        ("Folder" | "ResourcePool", "RegisterVM_Task" | "RegisterChildVM_Task") => {
            &[("path", "", Role::Target)]
        }
        ("VirtualMachine", "reloadVirtualMachineFromPath_Task") => &[("configurationPath", "", Role::Target)],
        _ => return Ok(()),
    };
    let of = |parameter: &str| {
        let own = message.references.iter().find(|reference| reference.parameter == parameter);
        own.map(|reference| &reference.object)
    };
    for (member, datacenter, role) in members {
        let Some(text) = message.fields.text(member) else { continue };
        // A destination lies in the datacenter of its source where none is named.
        let place = of(datacenter).or_else(|| of("sourceDatacenter"));
        push(resources, object::file(names, *role, place, text)?);
    }
    Ok(())
}

/// Members of data that name files.
const FILES: [&str; 9] = [
    "fileName",
    "filename",
    "filePath",
    "ftMetadataDirectory",
    "logDirectory",
    "path",
    "snapshotDirectory",
    "suspendDirectory",
    "vmPathName",
];

/// What is copied is as much its owner's to give as a machine that is cloned; it is not what is written over.
pub(super) fn copied(resources: &mut [Resource]) {
    let files = resources.iter_mut().filter(|one| &*one.kind == "vsphere:DatastoreFile");
    files.for_each(|file| file.role = Role::Target);
}

/// Parameters that name an object by its id alone; what is none has a license too.
const BY_ID: [(&str, &str); 2] = [("RemoveAssignedLicense", "entityId"), ("UpdateAssignedLicense", "entity")];

/// Objects, files and port groups that texts name. A disk that is hooked up and not made is what becomes of another's.
///
/// # Errors
/// The path of a file leads up again.
pub(super) fn used(
    message: &Message,
    names: Names<'_>,
    resources: &mut Vec<Resource>,
) -> Result<(), Undecodable> {
    let by_id = BY_ID.iter().filter(|(method, _)| *method == message.method.name);
    for id in by_id.filter_map(|(_, parameter)| message.fields.text(parameter)) {
        if let Some(kind) = object::kind_of(id) {
            push(resources, names.one(Role::Target, kind, &[kind, id]));
        }
    }
    // Inside of a machine they are its own.
    if message.method.name.ends_with("InGuest") {
        return Ok(());
    }
    let parameter = |path: &str| segments(path).filter(|part| !is_number(part)).nth(1).is_none();
    for (path, value) in message.fields.iter().filter(|(path, _)| !parameter(path)) {
        let (Scalar::Text(text), Some(member)) = (value, last(path)) else { continue };
        if member == "portgroupKey" && object::kind_of(text) == Some("DistributedVirtualPortgroup") {
            push(
                resources,
                names.one(Role::Uses, "DistributedVirtualPortgroup", &["DistributedVirtualPortgroup", text]),
            );
        }
        // Other texts have such names too.
        let is_file = FILES.contains(&member) && (member == "fileName" || text.starts_with('['));
        let change = path.split_once(".device.").map(|(change, _)| change);
        let said = |member: &str| message.fields.text(&format!("{}.{member}", change?)).map(str::trim);
        // What goes is what the machine has there, whatever else is said of it.
        if !is_file || said("operation") == Some("remove") {
            continue;
        }
        let role = match (said("operation"), said("fileOperation")) {
            (_, Some("replace")) => Role::Target,
            (Some("add"), None) if !is_medium(text) => Role::Target,
            _ => Role::Uses,
        };
        if let Some(file) = object::file_in_passing(names, role, text)? {
            push(resources, file);
        }
    }
    Ok(())
}

/// What is put into a drive, and only read from there.
fn is_medium(file: &str) -> bool {
    let end = file.trim_end().rsplit('.').next().unwrap_or_default();
    ["iso", "flp"].iter().any(|known| end.eq_ignore_ascii_case(known))
}

/// What parameters add to the classes of a method.
///
/// # Errors
/// A method that is to be called later is not known.
pub(super) fn classes(message: &Message, accesses: &mut Vec<Access>) -> Result<(), Undecodable> {
    let mut add = |access: Access| {
        if access != Access::Read && !accesses.contains(&access) {
            accesses.push(access);
        }
    };
    if message.method.access.contains(&Access::Read) {
        return if message.later.is_empty() { Ok(()) } else { Err(bad("reads and calls a method later")) };
    }
    for name in &message.later {
        let method = ordain_catalog::vim().method(name).ok_or_else(|| {
            let what =
                format!("`{}`, which is to be called later, is no method that is known here", clip(name));
            Undecodable::new("unknown_operation", what)
        })?;
        method.access.iter().for_each(|access| add(*access));
        if method.mints {
            add(Access::SecretRead);
        }
        add(Access::Execute);
    }
    for kind in &message.types {
        match kind.as_str() {
            "RunScriptAction" => add(Access::Execute),
            // The last of them is a port that listens, or that connects to somewhere.
            "SendEmailAction" | "SendSNMPAction" | "VirtualSerialPortURIBackingInfo" => add(Access::Expose),
            _ => {}
        }
    }
    for (path, value) in message.fields.iter() {
        let Scalar::Text(text) = value else { continue };
        let is_in = |name: &str| segments(path).any(|part| part.starts_with(name));
        // What the software inside of a machine is set up by, and told to run.
        if is_in("customization") {
            add(Access::Execute);
        }
        match last(path) {
            Some("fileOperation") if matches!(text.trim(), "destroy" | "replace") => add(Access::Delete),
            Some("operation") if text.trim() == "remove" => add(Access::Delete),
            Some("key") if is_in("extraConfig") => {
                let key = text.trim().to_ascii_lowercase();
                if key.starts_with("guestinfo.") {
                    add(Access::Execute);
                }
                // Its screen, to whoever reaches the host.
                if key.starts_with("remotedisplay.") {
                    add(Access::Expose);
                }
            }
            Some("value" | "defaultValue")
                if is_in("property")
                    && (is_in("vAppConfig") || message.method.name == "UpdateVAppConfig") =>
            {
                add(Access::Execute);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The last member of a path, without the numbers of items.
pub(super) fn last(path: &str) -> Option<&str> {
    segments(path).filter(|part| !is_number(part)).last()
}

/// The number of an item.
fn is_number(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}
