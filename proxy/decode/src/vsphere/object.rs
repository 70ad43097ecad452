//! Managed objects: what a reference names, and what that is called.
//!
//! A server finds an object by its id alone; the type beside it is what the client says. Where the form of an id tells
//! what it is of, that is the type, and another that cannot be it is refused. Leaves out what is done to it.

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

    /// Whether things are only reached by it.
    pub(super) fn is_manager(&self) -> bool {
        MANAGERS.contains(&self.kind) || self.kind.ends_with("VStorageObjectManager")
    }

    /// It as a resource.
    pub(super) fn resource(&self, names: Names<'_>, role: Role) -> Resource {
        names.one(role, self.kind, &[self.kind, &self.id])
    }
}

/// What an id is of, where its form tells.
pub(super) fn kind_of(id: &str) -> Option<&'static str> {
    let fits = |(beginning, _): &&(&str, &str)| {
        id.strip_prefix(beginning)
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    FORMS.iter().find(fits).map(|(_, kind)| *kind)
}

/// A file on a datastore, `[datastore] path`, in the datacenter that tells datastores of one name apart.
pub(super) fn file(
    names: Names<'_>,
    role: Role,
    datacenter: Option<&Object>,
    text: &str,
) -> Option<Resource> {
    let (datastore, path) = text.strip_prefix('[')?.split_once(']')?;
    let mut parts: Vec<&str> = Vec::new();
    if let Some(datacenter) = datacenter {
        parts.extend([datacenter.kind, datacenter.id.as_str()]);
    }
    parts.extend(["datastore", datastore]);
    parts.extend(path.trim_start().split('/').filter(|part| !part.is_empty()));
    let one = names.one(role, "DatastoreFile", &parts);
    Some(Resource {
        identifiers: vec![ordain_action::Identifier { name: Arc::from("path"), value: text.to_owned() }],
        ..one
    })
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
        for (kind, id) in [("VirtualMachine", "group-d1"), ("Folder", "vm-1"), ("Task", "vm-1")] {
            assert_eq!(read(kind, id), "bad_reference");
        }
        for id in ["", " vm-1", "vm-1\n"] {
            assert_eq!(read("VirtualMachine", id), "bad_reference");
        }
        assert_eq!(read("Nothing", "vm-1"), "unknown_type");
    }

    #[test]
    fn managers_are_types() {
        for kind in MANAGERS.iter().chain(FORMS.iter().map(|(_, kind)| kind)) {
            assert!(ordain_catalog::vim().managed(kind).is_some(), "{kind}");
        }
    }
}
