//! What the schemas of Redfish call things: collections and what they hold, single resources, actions.
//!
//! Leaves out members of resources (`member.rs`). A word that stands here is known in any case, since some services take
//! their own paths so, and is written as it stands here.

use ordain_action::Access;

/// Collections by the word in their path, with the type of what they hold.
const COLLECTIONS: &[(&str, &str)] = &[
    ("AccelerationFunctions", "AccelerationFunction"),
    ("Accounts", "ManagerAccount"),
    ("AddressPools", "AddressPool"),
    ("Aggregates", "Aggregate"),
    ("AggregationSources", "AggregationSource"),
    ("AllowDeny", "AllowDeny"),
    ("Applications", "Application"),
    ("AutomationNodes", "AutomationNode"),
    ("Batteries", "Battery"),
    ("BootCertificates", "Certificate"),
    ("BootOptions", "BootOption"),
    ("Branches", "Circuit"),
    ("Cables", "Cable"),
    ("CDUs", "CoolingUnit"),
    ("Certificates", "Certificate"),
    ("Chassis", "Chassis"),
    ("Chillers", "CoolingUnit"),
    ("ClientCertificates", "Certificate"),
    ("ComponentIntegrity", "ComponentIntegrity"),
    ("ComponentsIntegrity", "ComponentIntegrity"),
    ("Connections", "Connection"),
    ("ConsistencyGroups", "ConsistencyGroup"),
    ("ContainerImages", "ContainerImage"),
    ("Containers", "Container"),
    ("Controllers", "StorageController"),
    ("Controls", "Control"),
    ("CoolantConnectors", "CoolantConnector"),
    ("CoolingLoops", "CoolingLoop"),
    ("CXLLogicalDevices", "CXLLogicalDevice"),
    ("DataProtectionLinesOfService", "DataProtectionLineOfService"),
    ("DedicatedNetworkPorts", "Port"),
    ("Domains", "FabricDomain"),
    ("DriveGroups", "DriveGroup"),
    ("Drives", "Drive"),
    ("ElectricalBuses", "PowerDistribution"),
    ("EndpointGroups", "EndpointGroup"),
    ("Endpoints", "Endpoint"),
    ("Entries", "LogEntry"),
    ("EthernetInterfaces", "EthernetInterface"),
    ("ExternalAccountProviders", "ExternalAccountProvider"),
    ("FabricAdapters", "FabricAdapter"),
    ("Fabrics", "Fabric"),
    ("Facilities", "Facility"),
    ("FanRedundancy", "Redundancy"),
    ("Fans", "Fan"),
    ("Feeds", "Circuit"),
    ("FileShares", "FileShare"),
    ("FileSystems", "FileSystem"),
    ("Filters", "Filter"),
    ("FirmwareInventory", "SoftwareInventory"),
    ("FloorPDUs", "PowerDistribution"),
    ("GraphicsControllers", "GraphicsController"),
    ("Heaters", "Heater"),
    ("HeatExchangers", "CoolingUnit"),
    ("HostedStorageServices", "StorageService"),
    ("HostInterfaces", "HostInterface"),
    ("ImmersionUnits", "CoolingUnit"),
    ("IntermediateCertificates", "Certificate"),
    ("Jobs", "Job"),
    ("JsonSchemas", "JsonSchemaFile"),
    ("KeyPolicies", "KeyPolicy"),
    ("Keys", "Key"),
    ("LeakDetectors", "LeakDetector"),
    ("Licenses", "License"),
    ("LogServices", "LogService"),
    ("Mains", "Circuit"),
    ("Managers", "Manager"),
    ("MediaControllers", "MediaController"),
    ("Memory", "Memory"),
    ("MemoryChunks", "MemoryChunks"),
    ("MemoryDomains", "MemoryDomain"),
    ("MetricDefinitions", "MetricDefinition"),
    ("MetricReportDefinitions", "MetricReportDefinition"),
    ("MetricReports", "MetricReport"),
    ("NetworkAdapters", "NetworkAdapter"),
    ("NetworkDeviceFunctions", "NetworkDeviceFunction"),
    ("NetworkInterfaces", "NetworkInterface"),
    ("NetworkPorts", "NetworkPort"),
    ("NVMeoFKeyPolicies", "KeyPolicy"),
    ("NVMeoFSecrets", "Key"),
    ("OperatingConfigs", "OperatingConfig"),
    ("OutboundConnections", "OutboundConnection"),
    ("OutletGroups", "OutletGroup"),
    ("Outlets", "Outlet"),
    ("PCIeDevices", "PCIeDevice"),
    ("PCIeFunctions", "PCIeFunction"),
    ("Ports", "Port"),
    ("PowerDomains", "PowerDomain"),
    ("PowerShelves", "PowerDistribution"),
    ("PowerSupplies", "PowerSupply"),
    ("Processors", "Processor"),
    ("Pumps", "Pump"),
    ("RackPDUs", "PowerDistribution"),
    ("RegisteredClients", "RegisteredClient"),
    ("Registries", "MessageRegistryFile"),
    ("Reservoirs", "Reservoir"),
    ("ResourceBlocks", "ResourceBlock"),
    ("ResourceZones", "Zone"),
    ("Roles", "Role"),
    ("RouteEntries", "RouteEntry"),
    ("RouteSetEntries", "RouteSetEntry"),
    ("Schedules", "Schedule"),
    ("SecureBootDatabases", "SecureBootDatabase"),
    ("Sensors", "Sensor"),
    ("SerialInterfaces", "SerialInterface"),
    ("Sessions", "Session"),
    ("Signatures", "Signature"),
    ("SimpleStorage", "SimpleStorage"),
    ("SoftwareInventory", "SoftwareInventory"),
    ("StartUpCertificates", "Certificate"),
    ("Steps", "Job"),
    ("Storage", "Storage"),
    ("StorageControllers", "StorageController"),
    ("StorageGroups", "StorageGroup"),
    ("StoragePools", "StoragePool"),
    ("StorageServices", "StorageService"),
    ("StorageSystems", "ComputerSystem"),
    ("Subfeeds", "Circuit"),
    ("SubProcessors", "Processor"),
    ("Subscriptions", "EventDestination"),
    ("SubTasks", "Task"),
    ("Switches", "Switch"),
    ("Switchgear", "PowerDistribution"),
    ("Systems", "ComputerSystem"),
    ("TaskMonitors", "TaskMonitor"),
    ("Tasks", "Task"),
    ("TransferSwitches", "PowerDistribution"),
    ("Triggers", "Triggers"),
    ("TrustedCertificates", "Certificate"),
    ("TrustedComponents", "TrustedComponent"),
    ("TrustedIntermediateCertificates", "Certificate"),
    ("USBControllers", "USBController"),
    ("USBDevices", "USBDevice"),
    ("VCATEntries", "VCATEntry"),
    ("VirtualMedia", "VirtualMedia"),
    ("VLANs", "VLanNetworkInterface"),
    ("Volumes", "Volume"),
    ("Zones", "Zone"),
];

/// Resources that there is one of, by the word in their path, with their type.
const SINGLE: &[(&str, &str)] = &[
    ("AccountService", "AccountService"),
    ("ActiveDirectory", "ExternalAccountProvider"),
    ("AggregationService", "AggregationService"),
    ("Assembly", "Assembly"),
    ("Bios", "Bios"),
    ("CertificateLocations", "CertificateLocations"),
    ("CertificateService", "CertificateService"),
    ("CompositionService", "CompositionService"),
    ("EnvironmentMetrics", "EnvironmentMetrics"),
    ("EventService", "EventService"),
    ("HTTPS", "HTTPS"),
    ("HeaterMetrics", "HeaterMetrics"),
    ("JobService", "JobService"),
    ("KeyService", "KeyService"),
    ("LDAP", "ExternalAccountProvider"),
    ("LeakDetection", "LeakDetection"),
    ("LicenseService", "LicenseService"),
    ("ManagerDiagnosticData", "ManagerDiagnosticData"),
    ("MemoryMetrics", "MemoryMetrics"),
    ("NetworkProtocol", "ManagerNetworkProtocol"),
    ("Oem", "Oem"),
    ("PortMetrics", "PortMetrics"),
    ("Power", "Power"),
    ("PowerEquipment", "PowerEquipment"),
    ("PowerSubsystem", "PowerSubsystem"),
    ("PrivilegeMap", "PrivilegeRegistry"),
    ("ProcessorMetrics", "ProcessorMetrics"),
    ("RemoteAccountService", "AccountService"),
    ("SecureBoot", "SecureBoot"),
    ("SecurityPolicy", "SecurityPolicy"),
    ("SessionService", "SessionService"),
    ("SSE", "ServerSentEvents"),
    ("TaskService", "TaskService"),
    ("TelemetryService", "TelemetryService"),
    ("Thermal", "Thermal"),
    ("ThermalEquipment", "ThermalEquipment"),
    ("ThermalMetrics", "ThermalMetrics"),
    ("ThermalSubsystem", "ThermalSubsystem"),
    ("UpdateService", "UpdateService"),
];

/// Actions whose class is the same whatever they are sent; those that switch power are told apart by what they are sent.
const ACTIONS: &[(&str, Access)] = &[
    ("Aggregate.AddElements", Access::Update),
    ("Aggregate.RemoveElements", Access::Update),
    ("Aggregate.SetDefaultBootOrder", Access::Update),
    ("AggregationService.SetDefaultBootOrder", Access::Update),
    ("AutomationNode.SendTrigger", Access::Execute),
    ("AutomationNode.Start", Access::Execute),
    ("AutomationNode.Terminate", Access::Delete),
    ("Battery.Calibrate", Access::Update),
    ("Battery.SelfTest", Access::Update),
    ("Bios.ChangePassword", Access::Grant),
    ("Bios.ResetBios", Access::Delete),
    ("Certificate.Rekey", Access::Update),
    ("Certificate.Renew", Access::Update),
    ("CertificateService.GenerateCSR", Access::Update),
    ("CertificateService.ReplaceCertificate", Access::Update),
    ("Circuit.ResetMetrics", Access::Update),
    ("ComponentIntegrity.SPDMGetSignedMeasurements", Access::Update),
    ("ComponentIntegrity.TPMGetSignedMeasurements", Access::Update),
    ("CompositionService.Compose", Access::Execute),
    ("ComputerSystem.AddResourceBlock", Access::Update),
    ("ComputerSystem.Decommission", Access::Delete),
    ("ComputerSystem.RemoveResourceBlock", Access::Delete),
    ("ComputerSystem.SetDefaultBootOrder", Access::Update),
    ("Connection.AddVolumeInfo", Access::Update),
    ("Connection.RemoveVolumeInfo", Access::Update),
    ("ConsistencyGroup.AssignReplicaTarget", Access::Delete),
    ("ConsistencyGroup.CreateReplicaTarget", Access::Update),
    ("ConsistencyGroup.RemoveReplicaRelationship", Access::Delete),
    ("ConsistencyGroup.ResumeReplication", Access::Update),
    ("ConsistencyGroup.ReverseReplicationRelationship", Access::Delete),
    ("ConsistencyGroup.SplitReplication", Access::Delete),
    ("ConsistencyGroup.SuspendReplication", Access::Delete),
    ("Control.ResetToDefaults", Access::Update),
    ("CoolingUnit.SetMode", Access::Update),
    ("Drive.RevertToOriginalFactoryState", Access::Delete),
    ("Drive.SecureErase", Access::Delete),
    ("EnvironmentMetrics.ResetMetrics", Access::Update),
    ("EnvironmentMetrics.ResetToDefaults", Access::Delete),
    ("EventDestination.ResumeSubscription", Access::Update),
    ("EventDestination.SuspendSubscription", Access::Delete),
    ("EventService.SubmitTestEvent", Access::Update),
    ("EventService.TestEventSubscription", Access::Update),
    ("Heater.ResetMetrics", Access::Update),
    ("HeaterMetrics.ResetMetrics", Access::Update),
    ("Job.Cancel", Access::Delete),
    ("Job.Pause", Access::Delete),
    ("Job.Resume", Access::Update),
    ("Job.Start", Access::Update),
    ("JobService.CancelAllJobs", Access::Delete),
    ("License.Install", Access::Update),
    ("LicenseService.Install", Access::Update),
    ("LogService.ClearLog", Access::Delete),
    ("LogService.CollectDiagnosticData", Access::Update),
    ("LogService.PushDiagnosticData", Access::Update),
    ("Manager.ForceFailover", Access::Delete),
    ("Manager.ModifyRedundancySet", Access::Update),
    ("Manager.ResetToDefaults", Access::Delete),
    ("Manager.UpdateSecurityMode", Access::Grant),
    ("ManagerAccount.ChangePassword", Access::Grant),
    ("ManagerAccount.ClearSecretKey", Access::Grant),
    ("ManagerAccount.GenerateSecretKey", Access::Grant),
    ("Memory.ActivateFirmware", Access::Update),
    ("Memory.DisableMasterPassphrase", Access::Grant),
    ("Memory.DisablePassphrase", Access::Grant),
    ("Memory.OverwriteUnit", Access::Delete),
    ("Memory.ResetToDefaults", Access::Delete),
    ("Memory.SecureEraseUnit", Access::Delete),
    ("Memory.SetPassphrase", Access::Grant),
    ("Memory.UnlockUnit", Access::Grant),
    ("MemoryMetrics.ClearCurrentPeriod", Access::Update),
    ("NetworkAdapter.ResetSettingsToDefault", Access::Delete),
    ("NetworkDeviceFunction.ResetToDefaults", Access::Delete),
    ("Outlet.ResetBreaker", Access::Update),
    ("Outlet.ResetMetrics", Access::Update),
    ("OutletGroup.ResetMetrics", Access::Update),
    ("Port.ResetPPB", Access::Update),
    ("PowerDistribution.TransferControl", Access::Update),
    ("PowerDistributionMetrics.ResetMetrics", Access::Update),
    ("PowerSupplyMetrics.ResetMetrics", Access::Update),
    ("Processor.ResetToDefaults", Access::Delete),
    ("ProcessorMetrics.ClearCurrentPeriod", Access::Update),
    ("Pump.SetMode", Access::Update),
    ("ResourceBlock.Reserve", Access::Update),
    ("SecureBoot.ResetKeys", Access::Delete),
    ("SecureBootDatabase.ResetKeys", Access::Delete),
    ("Sensor.ResetMetrics", Access::Update),
    ("Sensor.ResetStatistics", Access::Update),
    ("SoftwareInventory.Activate", Access::Execute),
    ("Storage.RekeyExternalKey", Access::Update),
    ("Storage.ResetToDefaults", Access::Delete),
    ("Storage.SetEncryptionKey", Access::Update),
    ("StorageController.SetControllerPassword", Access::Update),
    ("TelemetryService.ClearMetricReports", Access::Delete),
    ("TelemetryService.ResetMetricReportDefinitionsToDefaults", Access::Delete),
    ("TelemetryService.ResetTriggersToDefaults", Access::Delete),
    ("TelemetryService.SubmitTestMetricReport", Access::Update),
    ("TrustedComponent.TPMGetEventLog", Access::Update),
    ("UpdateService.Activate", Access::Execute),
    ("UpdateService.GenerateSSHIdentityKeyPair", Access::Update),
    ("UpdateService.RemoveSSHIdentityKeyPair", Access::Delete),
    ("UpdateService.SimpleUpdate", Access::Execute),
    ("UpdateService.StartUpdate", Access::Execute),
    ("VirtualMedia.EjectMedia", Access::Update),
    ("VirtualMedia.InsertMedia", Access::Execute),
    ("Volume.AssignReplicaTarget", Access::Delete),
    ("Volume.ChangeRAIDLayout", Access::Delete),
    ("Volume.CheckConsistency", Access::Update),
    ("Volume.CreateReplicaTarget", Access::Update),
    ("Volume.ForceEnable", Access::Update),
    ("Volume.Initialize", Access::Delete),
    ("Volume.RemoveReplicaRelationship", Access::Delete),
    ("Volume.ResumeReplication", Access::Update),
    ("Volume.ReverseReplicationRelationship", Access::Delete),
    ("Volume.SplitReplication", Access::Delete),
    ("Volume.SuspendReplication", Access::Delete),
    ("Zone.AddEndpoint", Access::Update),
    ("Zone.RemoveEndpoint", Access::Delete),
];

/// Types that have an action `Reset`, which says in `ResetType` what becomes of them.
const RESET: &[&str] = &[
    "Aggregate",
    "AggregationService",
    "AutomationNode",
    "Battery",
    "Chassis",
    "ComputerSystem",
    "Container",
    "Drive",
    "Manager",
    "Memory",
    "NetworkAdapter",
    "Port",
    "PowerSupply",
    "Processor",
    "Switch",
];

/// Actions that say in `PowerState` whether there is power.
const POWER: &[&str] = &[
    "Circuit.BreakerControl",
    "Circuit.PowerControl",
    "Outlet.PowerControl",
    "OutletGroup.PowerControl",
    "PowerDistribution.PowerControl",
];

/// What an action is known to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Always that.
    Always(Access),
    /// What `ResetType` says.
    Reset,
    /// What `PowerState` says.
    Power,
    /// Nobody has said: a vendor's own action.
    Unknown,
}

fn of<V: Copy>(table: &'static [(&'static str, V)], word: &str) -> Option<(&'static str, V)> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).copied()
}

/// The collection of that word: as it is written, and the type of what it holds.
pub(super) fn collection(word: &str) -> Option<(&'static str, &'static str)> {
    of(COLLECTIONS, word)
}

/// The single resource of that word: as it is written, and its type.
pub(super) fn single(word: &str) -> Option<(&'static str, &'static str)> {
    of(SINGLE, word)
}

/// An action by its name, as it is written and what it does.
pub(super) fn action(name: &str) -> (String, Does) {
    if let Some((name, access)) = of(ACTIONS, name) {
        return (name.to_owned(), Does::Always(access));
    }
    if let Some(name) = POWER.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return ((*name).to_owned(), Does::Power);
    }
    if let Some((kind, what)) = name.split_once('.')
        && what.eq_ignore_ascii_case("Reset")
        && let Some(kind) = RESET.iter().find(|known| known.eq_ignore_ascii_case(kind))
    {
        return (format!("{kind}.Reset"), Does::Reset);
    }
    (name.to_owned(), Does::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_once() {
        let mut words: Vec<String> =
            COLLECTIONS.iter().chain(SINGLE).map(|(word, _)| word.to_lowercase()).collect();
        words.extend(ACTIONS.iter().map(|(name, _)| name.to_lowercase()));
        words.sort_unstable();
        let twice = words.iter().zip(words.iter().skip(1)).find(|(one, next)| one == next);
        assert_eq!(twice, None);
    }

    #[test]
    fn an_action_is_known_in_any_case() {
        assert_eq!(action("computersystem.reset"), ("ComputerSystem.Reset".to_owned(), Does::Reset));
        assert_eq!(
            action("drive.secureerase"),
            ("Drive.SecureErase".to_owned(), Does::Always(Access::Delete))
        );
        assert_eq!(action("DellJobService.DeleteJobQueue").1, Does::Unknown);
    }
}
