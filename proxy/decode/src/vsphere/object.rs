//! Managed objects: what a reference names, and what that is called.
//!
//! A server finds an object by its id alone; the type beside it is what the client says. Where the form of an id tells
//! what it is of, that is the type, and another that cannot be it is refused. What a server could take for another
//! id of such a form is none. Leaves out what is done to it.

use std::sync::Arc;

use ordain_action::{Resource, Role, Undecodable};
use ordain_catalog::Vim;

use crate::form::fields::clip;
use crate::rest::Names;

/// What ids of a vCenter begin with, and what they are of; the longest beginning that fits says it.
const FORMS: [(&str, &str); 20] = [
    ("vm-", "VirtualMachine"),
    ("host-", "HostSystem"),
    ("domain-c", "ClusterComputeResource"),
    ("domain-s", "ComputeResource"),
    ("datastore-", "Datastore"),
    ("datacenter-", "Datacenter"),
    ("group-d", "Folder"),
    ("group-h", "Folder"),
    ("group-n", "Folder"),
    ("group-s", "Folder"),
    ("group-v", "Folder"),
    ("group-p", "StoragePod"),
    ("resgroup-v", "VirtualApp"),
    ("resgroup-", "ResourcePool"),
    ("network-", "Network"),
    ("dvportgroup-", "DistributedVirtualPortgroup"),
    ("dvs-", "DistributedVirtualSwitch"),
    ("snapshot-", "VirtualMachineSnapshot"),
    ("task-", "Task"),
    ("alarm-", "Alarm"),
];

/// Types that nothing is of alone: what is called so may be anything.
const OF_ALL: [&str; 3] = ["ManagedObject", "ExtensibleManagedObject", "ManagedEntity"];

/// Types of which there is one, by which things are reached that have names of their own.
const MANAGERS: [&str; 53] = [
    "AlarmManager",
    "AuthorizationManager",
    "CertificateManager",
    "ClusterEVCManager",
    "CryptoManager",
    "CryptoManagerHost",
    "CryptoManagerHostKMS",
    "CryptoManagerKmip",
    "CustomFieldsManager",
    "CustomizationSpecManager",
    "DatastoreNamespaceManager",
    "DiagnosticManager",
    "DirectPathProfileManager",
    "DistributedVirtualSwitchManager",
    "EnvironmentBrowser",
    "EventManager",
    "ExtensionManager",
    "FailoverClusterConfigurator",
    "FailoverClusterManager",
    "FileManager",
    "GuestAliasManager",
    "GuestAuthManager",
    "GuestFileManager",
    "GuestOperationsManager",
    "GuestProcessManager",
    "GuestWindowsRegistryManager",
    "HealthUpdateManager",
    "HostProfileManager",
    "HostSpecificationManager",
    "IoFilterManager",
    "IpPoolManager",
    "LicenseAssignmentManager",
    "LicenseManager",
    "LocalizationManager",
    "OptionManager",
    "OvfManager",
    "PerformanceManager",
    "ProfileComplianceManager",
    "PropertyCollector",
    "ResourcePlanningManager",
    "ScheduledTaskManager",
    "SearchIndex",
    "ServiceInstance",
    "ServiceManager",
    "SessionManager",
    "SimpleCommand",
    "SiteInfoManager",
    "StorageResourceManager",
    "TaskManager",
    "UserDirectory",
    "VStorageObjectManagerBase",
    "ViewManager",
    "VirtualDiskManager",
];

/// A managed object, by its type and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: &'static str,
    pub(super) id: String,
    /// The type follows from the id, or is the only one that it can be.
    pub(super) is_sure: bool,
}

impl Object {
    /// Reads a reference.
    ///
    /// # Errors
    /// There is no such type, or the id is of something else.
    pub(super) fn read(vim: &Vim, kind: &str, id: &str) -> Result<Self, Undecodable> {
        let kind = vim.managed(kind).ok_or_else(|| {
            let what = format!("`{}` is no type of managed objects; name one that is", clip(kind));
            Undecodable::new("unknown_type", what)
        })?;
        if id.is_empty() || id.trim() != id || id.chars().any(char::is_control) {
            return Err(Undecodable::new("bad_reference", "a reference has no plain id; send one"));
        }
        if kind_of(id).is_none() && resembles(id) {
            let what = format!("`{}` is no id as a vCenter writes it; send it as it came", clip(id));
            return Err(Undecodable::new("bad_reference", what));
        }
        let Some(known) = kind_of(id) else {
            let is_sure = !FORMS.iter().any(|(_, of)| vim.is_a(of, kind));
            return Ok(Self { kind, id: id.to_owned(), is_sure });
        };
        if !vim.is_a(known, kind) && !vim.is_a(kind, known) {
            return Err(Undecodable::new(
                "bad_reference",
                format!("`{}` is no id of a {kind}; send the type that it is of", clip(id)),
            ));
        }
        Ok(Self { kind: known, id: id.to_owned(), is_sure: true })
    }

    /// It where a method or a parameter is of that type: of the two it is the narrower one, and surely so where that is the
    /// declared one.
    pub(super) fn declared(self, vim: &Vim, declared: &'static str) -> Self {
        if self.is_sure || !vim.is_a(declared, self.kind) {
            return self;
        }
        Self { kind: declared, is_sure: !OF_ALL.contains(&declared), ..self }
    }

    /// Whether things are only reached by it.
    pub(super) fn is_manager(&self) -> bool {
        MANAGERS.contains(&self.kind) || self.kind.ends_with("VStorageObjectManager")
    }

    /// It as a resource.
    pub(super) fn resource(&self, names: Names<'_>, role: Role) -> Resource {
        names.one(role, self.kind, &[self.kind, &self.id])
    }
}

/// What an id is of, where its form tells: a number as it is counted, without noughts before it.
pub(super) fn kind_of(id: &str) -> Option<&'static str> {
    let fits = |(beginning, _): &&(&str, &str)| {
        id.strip_prefix(beginning).is_some_and(|number| {
            number.bytes().all(|byte| byte.is_ascii_digit())
                && (number == "0" || !number.starts_with('0'))
                && number.parse::<i32>().is_ok()
        })
    };
    FORMS.iter().find(fits).map(|(_, kind)| *kind)
}

/// Whether an id is of such a form, or might be taken for one that is: other letters, another number, a server behind it.
pub(super) fn resembles(id: &str) -> bool {
    FORMS.iter().any(|(beginning, _)| {
        let (start, rest) = id.split_at_checked(beginning.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(beginning) && !rest.starts_with(|first: char| first.is_ascii_alphabetic())
    })
}

/// A file on a datastore, `[datastore] path`, in the datacenter that tells datastores of one name apart.
pub(super) fn file(
    names: Names<'_>,
    role: Role,
    datacenter: Option<&Object>,
    text: &str,
) -> Result<Resource, Undecodable> {
    let (datastore, path) = text.strip_prefix('[').and_then(|text| text.split_once(']')).unwrap_or_default();
    let path: Vec<&str> = path.trim_start().split('/').filter(|part| !part.is_empty()).collect();
    if datastore.is_empty() || path.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(Undecodable::new(
            "bad_path",
            format!("`{}` is no file of a datastore; name it as `[datastore] path`", clip(text)),
        ));
    }
    let mut parts: Vec<&str> = Vec::new();
    if let Some(datacenter) = datacenter {
        parts.extend([datacenter.kind, datacenter.id.as_str()]);
    }
    parts.extend(["datastore", datastore]);
    parts.extend(path);
    Ok(of_path(names.one(role, "DatastoreFile", &parts), text))
}

/// A file that data names in passing, which may be one of a host too; none where it is left to the server.
///
/// # Errors
/// Its path leads up again.
pub(super) fn file_in_passing(
    names: Names<'_>,
    role: Role,
    text: &str,
) -> Result<Option<Resource>, Undecodable> {
    let of_datastore = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match of_datastore {
        None if text.trim().is_empty() => Ok(None),
        Some((_, path)) if path.trim().is_empty() => Ok(None),
        Some((datastore, _)) if !datastore.is_empty() => file(names, role, None, text).map(Some),
        Some(_) | None => Ok(Some(of_path(names.one(role, "HostFile", &["file", text]), text))),
    }
}

fn of_path(file: Resource, text: &str) -> Resource {
    let path = ordain_action::Identifier { name: Arc::from("path"), value: text.to_owned() };
    Resource { identifiers: vec![path], ..file }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, id: &str) -> String {
        match Object::read(ordain_catalog::vim(), kind, id) {
            Ok(object) => format!("{}/{} {}", object.kind, object.id, object.is_sure),
            Err(why) => why.reason_code.to_owned(),
        }
    }

    #[test]
    fn an_id_says_what_it_is_of() {
        assert_eq!(read("VirtualMachine", "vm-42"), "VirtualMachine/vm-42 true");
        assert_eq!(read("ManagedEntity", "vm-42"), "VirtualMachine/vm-42 true");
        assert_eq!(read("ResourcePool", "resgroup-v12"), "VirtualApp/resgroup-v12 true");
        assert_eq!(read("VmwareDistributedVirtualSwitch", "dvs-9"), "DistributedVirtualSwitch/dvs-9 true");
        assert_eq!(read("ComputeResource", "domain-c8"), "ClusterComputeResource/domain-c8 true");
        assert_eq!(
            read("AuthorizationManager", "AuthorizationManager"),
            "AuthorizationManager/AuthorizationManager true"
        );
        assert_eq!(
            read("HostFirewallSystem", "firewallSystem-21"),
            "HostFirewallSystem/firewallSystem-21 true"
        );
        // A host of its own has other ids: then the client says what it is of.
        assert_eq!(read("VirtualMachine", "12"), "VirtualMachine/12 false");
        assert_eq!(read("Network", "network-o12"), "Network/network-o12 false");
        for (kind, id) in [("VirtualMachine", "group-d1"), ("Folder", "vm-1"), ("Task", "vm-1")] {
            assert_eq!(read(kind, id), "bad_reference");
        }
        // What another parser could take for `vm-1`.
        for id in ["", " vm-1", "vm-1\n", "vm-01", "vm-4294967297", "vm-1:8c0d", "VM-1", "vm-+1"] {
            assert_eq!(read("VirtualMachine", id), "bad_reference");
        }
        assert_eq!(read("Nothing", "vm-1"), "unknown_type");
    }

    #[test]
    fn a_method_of_one_type_says_what_it_is_called_on() {
        let vim = ordain_catalog::vim();
        let declared = |kind: &str, id: &str, declared: &'static str| {
            let object = Object::read(vim, kind, id).unwrap().declared(vim, declared);
            format!("{}/{} {}", object.kind, object.id, object.is_sure)
        };
        assert_eq!(declared("ManagedEntity", "12", "VirtualMachine"), "VirtualMachine/12 true");
        assert_eq!(declared("VirtualMachine", "12", "VirtualMachine"), "VirtualMachine/12 true");
        assert_eq!(declared("ManagedEntity", "12", "ManagedEntity"), "ManagedEntity/12 false");
        assert_eq!(declared("VirtualMachine", "12", "ManagedEntity"), "VirtualMachine/12 false");
        assert_eq!(declared("ManagedEntity", "vm-12", "ManagedEntity"), "VirtualMachine/vm-12 true");
    }

    #[test]
    fn managers_are_types() {
        for kind in MANAGERS.iter().chain(FORMS.iter().map(|(_, kind)| kind)) {
            assert!(ordain_catalog::vim().managed(kind).is_some(), "{kind}");
        }
    }
}
