#!/usr/bin/env python3
"""Makes proxy/catalog/vsphere from the pinned packages: `vim.txt`, the methods and types of vim25, and `operations.txt`,
the operations of the Automation API.

    vsphere.py PACKAGES [--check]

`pyvmomi` gives each method its managed type, its parameters with their types, and the privilege it asks for; a method is
a read where that privilege only looks and its name says the same, or where it stands in `ASKS`. `vmware-vcenter` gives
methods, paths and operations; nothing is a read there that is no GET but what stands in `POSTS_THAT_ASK`. What class a
change is of is reviewed here, by its name: the first line that fits says it. Leaves out vSAN, storage policies, storage
monitoring and agents, which have endpoints of their own.
"""

import ast
import hashlib
import pathlib
import re
import sys
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/vsphere"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Privileges by which nothing but a look is asked for.
LOOKS = {"System.Anonymous", "System.View", "System.Read"}

# Names that say the same.
SAYS_LOOK = re.compile(
    r"^(Host|Vslm|VStorageObject)?(Query|Retrieve|Find|Get|List|Fetch|Read|Lookup|Has|Is|Check|Validate|Browse|Search"
    r"|Current|Estimate|Wait|Compute|Parse|Recommend)|^(DVSManagerLookup|BatchQuery|query|get)"
)

# What has both and acts all the same: it asks at an address that is sent along, or keeps what it finds.
ACTS = re.compile(
    r"^(CheckHostPatch_Task|QueryHostPatch_Task|Check\w*Compliance\w*|CheckAnswerFileStatus_Task|ValidateCredentials\w*"
    r"|QueryConnectionInfo|QueryConnectionInfoViaSpec|BatchQueryConnectInfo|CheckAddHostEvc_Task)$"
)

# Reviewed: these ask, though by their privilege or by their name alone that could not be said. Views, filters, collectors
# and what is kept of them belong to the session.
ASKS = set("""
CanProvisionObjects CancelRetrievePropertiesEx CancelWaitForUpdates CloseInventoryViewFolder
ContinueRetrievePropertiesEx ConvertNamespacePathToUuidPath CreateCollectorForEvents CreateCollectorForTasks
CreateCollectorWithInfoFilterForTasks CreateContainerView CreateDescriptor CreateFilter CreateImportSpec
CreateInventoryView CreateListView CreateListViewFromView CreatePropertyCollector CurrentTime CustomizationSpecItemToXml
DestroyCollector DestroyPropertyCollector DestroyPropertyFilter DestroyView DirectPathProfileManagerList EvcManager Fetch
FetchUserPrivilegeOnEntities GetAlarmState HasUserPrivilegeOnEntities HostImageConfigGetAcceptance
HostImageConfigGetProfile HostSpecGetUpdatedHosts ListCACertificates ListCACertificateRevocationLists ListKmipServers
ListKmsClusters ListSmartCardTrustAnchors LookupVmOverheadMemory ModifyListView OpenInventoryViewFolder ParseDescriptor
PerformVsanUpgradePreflightCheck PlaceVm QueryAvailableDisksForVmfs QueryAvailablePartition QueryAvailableSsds
QueryBoundVnics QueryCandidateNics QueryConfiguredModuleOptionString QueryCryptoKeyStatus QueryDescriptions
QueryFaultToleranceCompatibility QueryFaultToleranceCompatibilityEx QueryIORMConfigOption QueryIPAllocations
QueryIpPools QueryLicenseSourceAvailability QueryLockdownExceptions QueryMaxQueueDepth QueryMigrationDependencies
QueryModules QueryPartitionCreateDesc QueryPartitionCreateOptions QueryPnicStatus QueryResourceConfigOption
QueryServiceList QuerySupportedFeatures QueryUnownedFiles QueryVMotionCompatibility QueryVmfsConfigOption
QueryVmfsDatastoreCreateOptions QueryVmfsDatastoreExpandOptions QueryVmfsDatastoreExtendOptions QueryVnicStatus
ReadNextEvents ReadNextTasks ReadNextTasksByViewSpec ReadPreviousEvents ReadPreviousTasks ReconfigurationSatisfiable
ResetCollector ResetListView ResetListViewFromView RetrieveAllPermissions RetrieveCertificateInfoList
RetrieveEntityPermissions RetrieveHostAccessControlEntries RetrieveRolePermissions RetrieveServiceContent RetrieveServiceProviderEntities RetrieveUserGroups RewindCollector
SearchDatastoreSubFolders_Task SearchDatastore_Task SessionIsActive SetCollectorPageSize
XmlToCustomizationSpecItem AreAlarmActionsEnabled DoesCustomizationSpecExist DirectPathProfileManagerQueryCapacity
HostGetVFlashModuleDefaultConfig HostVStorageObjectRetrieveSnapshotInfo GetDefaultKmsCluster IsKmsClusterActive
GetCryptoKeyStatus ComputeDiskPartitionInfo ComputeDiskPartitionInfoForResize DownloadDescriptionTree DecodeLicense
EstimateStorageForConsolidateSnapshots_Task CheckCustomizationSpec
""".split())

# What class a method of vim25 is of, by `Type.Method`, the first line that fits.
VIM = [
    # Asks at an address that is sent along, as whoever is named beside it.
    (r"\.(QueryConnectionInfo\w*|BatchQueryConnectInfo|CheckAddHostEvc_Task|RetrieveKmipServer(Cert|sStatus_Task)"
     r"|HttpNfcLeasePullFromUrls_Task)$", "execute"),
    # Hands out what lets somebody in.
    (r"\.(Login\w*|VslmLogin\w*)$", "secret_read mints"),
    (r"\.(CloneSession|ImpersonateUser)$", "grant,secret_read mints"),
    (r"VirtualMachine\.Acquire(Mks)?Ticket$|HostSystem\.AcquireCimServicesTicket$", "execute,secret_read mints"),
    (r"\.Acquire\w*Ticket$|\.AcquireCredentialsInGuest$", "secret_read mints"),
    (r"\.TerminateSession$", "delete"),
    # Runs or changes something inside of a machine, under an account of its own.
    (r"\.InitiateFileTransferFromGuest$", "secret_read mints"),
    (r"\.InitiateFileTransferToGuest$", "execute mints"),
    (r"\.(List|Read|Validate)\w*(InGuest|GuestAliases|GuestMappedAliases)$", "secret_read"),
    (r"\.(Add|Remove)Guest(Alias\w*)$", "grant,execute"),
    (r"\.(Delete|Terminate)\w+InGuest$", "execute,delete"),
    (r"\.\w+(InGuest|CredentialsInGuest)$", "execute"),
    # Shows secrets, or carries all of something away.
    (r"\.Export(Vm|VApp|Snapshot)$", "secret_read mints"),
    (r"\.(GenerateLogBundles_Task|BackupFirmwareConfiguration|ExportAnswerFile_Task|ExportProfile|RetrieveAnswerFile\w*"
     r"|RetrieveHostCustomizations\w*|GetCustomizationSpec|ExtractOvfEnvironment|BrowseDiagnosticLog|FetchAuditRecords|FetchSystemEventLog"
     r"|CreateScreenshot_Task|QueryFirmwareConfigUploadURL|QueryConnections|QueryNFSUser|ListKeys|RetrieveClientCert"
     r"|RetrieveClientCsr|RetrieveSelfSignedClientCert|QueryChangedDiskAreas|HttpNfcLeaseGetManifest)$",
     "secret_read"),
    (r"\.ImportVApp$", "create mints"),
    # Says who may do what.
    (r"^AuthorizationManager\.(AddAuthorizationRole|SetEntityPermissions|UpdateAuthorizationRole|MergePermissions"
     r"|ResetEntityPermissions)$", "grant"),
    (r"^AuthorizationManager\.Remove", "delete,grant"),
    (r"^(HostLocalAccountManager|HostAccessManager|HostLocalAuthentication|HostActiveDirectoryAuthentication"
     r"|HostDirectoryStore|HostCertificateManager|CertificateManager|CryptoManager\w*|ExtensionManager"
     r"|TenantTenantManager|ServiceManager|LocalizationManager)\.(Remove|Delete|Unregister|Leave|Disable|Unassign)",
     "delete,grant"),
    (r"^HostLocalAccountManager\.Create|\.(Add|BatchAdd)\w*Hosts?\w*_Task$", "create,grant"),
    (r"^(HostLocalAccountManager|HostAccessManager|HostActiveDirectoryAuthentication|HostDirectoryStore"
     r"|HostCertificateManager|CertificateManager|CryptoManager\w*|TenantTenantManager)\.", "update,grant"),
    (r"^ExtensionManager\.", "update,grant,expose"),
    (r"\.(Enter|Exit)LockdownMode$|\.UpdateSslThumbprint\w*$|\.\w*Certificate\w*$|\.\w*CryptoKey\w*$|\.\w*Encryption\w*$"
     r"|\.ReconnectHost_Task$|\.\w*KeyServer\w*$|\.CryptoUnlock_Task$"
     r"|\.EnableCrypto$|\.PrepareCrypto$|\.ConfigureCryptoKey$|\.UpdateManagementServerIp$", None),
    (r"\.ChangeOwner$|\.SetNFSUser$|\.ChangeNFSUserPassword$|\.UpdateInternetScsiAuthenticationProperties$|\.UpdateIpmi$"
     r"|\.SetCryptoMode$", None),
    (r"^OptionManager\.UpdateOptions$", "update,grant,expose"),
    # Runs something, now or later, under another authority.
    (r"\.(CreateScheduledTask|CreateObjectScheduledTask|CreateAlarm)$", "create,execute"),
    (r"\.(ReconfigureScheduledTask|ReconfigureAlarm)$", "update,execute"),
    (r"\.(RemoveScheduledTask|RemoveAlarm)$", "delete"),
    (r"\.(RunScheduledTask|ExecuteSimpleCommand|ExecuteHostProfile|PutUsbScanCodes|RunLifecycleCheck|InstallHostPatch\w*"
     r"|StageHostPatch_Task|UninstallHostPatch_Task|ScanHostPatch\w*|CheckHostPatch_Task|QueryHostPatch_Task"
     r"|UpgradeTools_Task|MountToolsInstaller|CustomizeVM_Task|CustomizeGuest_Task|UpdateModuleOptionString"
     r"|PerformVsanUpgrade_Task|StartGuestNetwork_Task|AbortCustomization_Task|InstallIoFilter_Task"
     r"|UpgradeIoFilter_Task|InstallSmartCardTrustAnchor|ApplyHostConfig_Task|ApplyEntitiesConfig_Task"
     r"|ApplyProfile\w*|RunVsanPhysicalDiskDiagnostics|HostImageConfig\w+|UpdateHostImageAcceptanceLevel)$", "execute"),
    (r"\.(RestoreFirmwareConfiguration|ResetFirmwareToFactoryDefaults)$", "execute,delete,grant"),
    # Opens something to a network.
    (r"^HostFirewallSystem\.(Refresh)", "update"),
    (r"^HostFirewallSystem\.", "update,expose"),
    (r"^HostServiceSystem\.(StopService|UninstallService)$", "delete"),
    (r"^HostServiceSystem\.", "update,expose,execute"),
    (r"^IpPoolManager\.Destroy|^HostNetworkSystem\.Remove", "delete,expose"),
    (r"^HostNetworkSystem\.(Refresh)", "update"),
    (r"^HostNetworkSystem\.Add", "create,expose"),
    (r"^(HostNetworkSystem|HostSnmpSystem|HostVirtualNicManager|HostVMotionSystem|IpPoolManager|HostDateTimeSystem"
     r"|OptionManager|HostAdvanced\w*|DiagnosticManager|SessionManager\.UpdateServiceMessage)\.", "update,expose"),
    (r"\.(CreateDVS_Task|CreateDVPortgroup_Task|AddDVPortgroup_Task|AddNetworkResourcePool)$", "create,expose"),
    (r"^(Vmware)?D(istributed)?V(irtual)?(S|P)\w*\.(Reconfigure|Update|Merge|DVPG|DVSRollback|ReconfigureDVPort|MoveDVPort"
     r"|Enable)\w*$", "update,expose"),
    (r"^DistributedVirtualSwitchManager\.(DVSManagerImport|RectifyDvs)\w*$", "create,update,expose"),
    (r"^DistributedVirtualSwitchManager\.DVSManagerExportEntity_Task$", "read"),
    # Says what something is about.
    (r"\.(AddCustomFieldDef|RenameCustomFieldDef|SetField|setCustomValue|AttachTag\w+)$", "tag"),
    (r"\.RemoveCustomFieldDef$", "delete,tag"),
    (r"\.DetachTag\w+$", "tag"),
    # Is not there any more, does not run any more, or is not what it was.
    (r"\.(Destroy|Delete|Remove|Unregister|Undeploy|PowerOff|PowerDown|Shutdown|Standby|Suspend|Terminate|Revert"
     r"|unregister|Unmount|Detach|Format|Clear|Wipe|Zero|Uninstall|Evacuate|Disconnect|Decommission|Deactivate|Shrink"
     r"|Host(V|v)?StorageObject(Delete|Revert)|HostDelete|HostRemove|VStorageObject(Delete|Revert)|destroy|AutoStartPowerOff|TurnOffFaultTolerance"
     r"|DirectPathProfileManagerDelete)\w*$",
     "delete"),
    (r"\.(HostVStorageObjectDeleteSnapshot_Task|VStorageObjectDelete\w+|HostVStorageObjectRevert_Task)$", "delete"),
    (r"\.(ReleaseIpAllocation|ReleaseManagedSnapshot|MarkForRemoval|DropConnections|DropEntry|DestroyIpPool"
     r"|PowerOffVApp_Task|DisableMultipathPath|ResignatureUnresolvedVmfsVolume_Task|ConsolidateVMDisks_Task"
     r"|InitializeDisks_Task|UpdateDiskPartitions|MarkAsNonLocal_Task|AbandonHciWorkflow"
     r"|EagerZeroVirtualDisk_Task|RebootHost_Task|StopReplayingRecord|StopRecording_Task|ReleaseCredentialsInGuest)\w*$",
     "delete"),
    (r"^FileManager\.(Move|Copy)DatastoreFile_Task$|^VirtualDiskManager\.MoveVirtualDisk_Task$", "create,update,delete"),
    # Is new.
    (r"\.(Create|Add|Clone|Register|Import|InstantClone|Copy|Make|Host(Create|Clone|Register)|VStorageObjectCreate"
     r"|HostVStorageObjectCreate)\w*$", "create"),
]

GRANTS = "update,grant"

# Words of operations of the Automation API by which one that is a POST only asks. Reviewed, one by one.
POSTS_THAT_ASK = set("""
appliance.infraprofile.configs/validate
cis.tagging.category/list_used_categories cis.tagging.tag/list_used_tags cis.tagging.tag/list_tags_for_category
cis.tagging.tag_association/list_attached_objects cis.tagging.tag_association/list_attached_objects_on_tags
cis.tagging.tag_association/list_attached_tags cis.tagging.tag_association/list_attached_tags_on_objects
cis.tagging.tag_association/list_attachable_tags content.library.item/find content.library/find
esx.settings.clusters.configuration.drafts/get_available_values
vapi.metadata.cli.command/get vapi.metadata.cli.namespace/get vcenter.authorization.permissions/list
vcenter.authorization.privilege_checks/list vcenter.cluster.evc_mode/check_set
vcenter.consumption_domains.zone_associations.association_changes/list
vcenter.consumption_domains.zones.capacity.summary/get_per_cluster
vcenter.namespace_management.networks.nsx.distributed_switches.compatibility/check
vcenter.namespace_management.networks.nsx.edges.compatibility/check
vcenter.namespace_management.networks.nsx.projects.vpcconnectivityprofiles.compatibility/check
vcenter.namespace_management.networks.nsx.projects.vpcs.compatibility/check
vcenter.namespace_management.networks.nsx.projects.compatibility/check
vcenter.namespace_management.software.supervisors.versions/check_compatibility
vcenter.namespace_management.storage.profiles/check vcenter.ovf.library_item/filter
vcenter.storage.policies/check_compatibility vcenter.trusted_infrastructure.attestation.services/list
vcenter.trusted_infrastructure.kms.services/list
vcenter.trusted_infrastructure.trust_authority_clusters.consumer_principals/list
vcenter.trusted_infrastructure.trust_authority_hosts.attestation/list
vcenter.trusted_infrastructure.trust_authority_hosts.kms/list
vcenter.trusted_infrastructure.trusted_clusters.attestation.services/list
vcenter.trusted_infrastructure.trusted_clusters.attestation.services_applied_config/list
vcenter.trusted_infrastructure.trusted_clusters.kms.services/list
vcenter.trusted_infrastructure.trusted_clusters.kms.services_applied_config/list
""".split())

# What class an operation of the Automation API is of, by `METHOD service/operation`, the first line that fits.
REST = [
    (r"^POST cis\.session/create$", "secret_read mints"),
    (r"^POST cis\.session/get$", "read"),
    (r"^DELETE cis\.session/", "delete"),
    (r"authentication\.token/issue$|tokenservice\.token_exchange/|vm\.console\.tickets/create$", "secret_read mints"),
    (r"registered_tokens/create$", "create,grant,secret_read mints"),
    (r"(namespaces\.user\.instances|namespace_management.*kubeconfig|proxy\.session|session\.token)", "secret_read mints"),
    # What somebody may take away, and secrets that are shown.
    (r"^GET .*(vm\.data_sets\.entries|endorsement_keys|identity\.providers|support_bundle|recovery\.backup\.parts)",
     None),
    (r"guest\.customization_specs/(export|get)$|crypto_manager\.kms\.providers/export$|infraprofile\.configs/export$"
     r"|/export(_config|_schema)?$|downloadsession\.file/(prepare|get|list)$|support_bundle.*/create$", "secret_read"),
    (r"^(GET|POST) .*vm\.guest\.(environment|processes|filesystem\.files)/(get|list)$", "secret_read"),
    (r"vm\.guest\.filesystem/create$", "execute,secret_read mints"),
    (r"^GET vcenter\.vm\.data_sets\.entries/get$", "secret_read"),
    (r"endorsement_keys/unseal$", "secret_read"),
    (r"^GET ", "read"),
    # Runs something.
    (r"vm\.guest\.(processes|filesystem)|vm\.guest\.(filesystem\.\w+|customization)/", {"DELETE": "execute,delete"}),
    (r"/(test|probe|ping|run|scan|remediate|stage|apply\w*|install|stage_and_install|upgrade|import\w*|sync|rollback"
     r"|failover|execute|precheck|check\w*|validate\w*|evaluate|transition|enable_software|redeploy|patch|start_migration"
     r"|hello|migrate|refresh_library_content|perform)$", "execute"),
    (r"vcenter\.deployment|vcenter\.lcm\.", {"DELETE": "execute,delete"}),
    (r"appliance\.(shutdown|update|recovery)", {"DELETE": "delete"}),
    # Says what something is about.
    (r"tagging\.(tag_association)", "tag"),
    (r"tagging\.\w+/(add_to_used_by|remove_from_used_by|revoke_propagating_permissions)$", "tag"),
    # Says who may do what.
    (r"identity|authorization|local_accounts|access|certificate|trusted|trust_|crypto|principal|\bsso\b|permission"
     r"|privilege|encryption|keys|oauth|federation|security_polic", "GRANT"),
    (r"password|^\w+ vcenter\.host/create$|namespaces\.(instances|namespace_templates|namespace_self_service)/", "GRANT"),
    # Opens something.
    (r"appliance\.access|firewall|networking|network|proxy|syslog|forwarding|snmp|load_balancer|subscrib|publish|services"
     r"|lldp|routes|vpc|edges", "EXPOSE"),
    (r"power/(stop|suspend|shutdown|standby)$|/(stop|shutdown|cancel|fail|unregister|undeploy|force_delete"
     r"|evict|destroy|remove\w*|disable|detach|delete\w*|disconnect|poweroff|clear|discard|revert|unset|terminate"
     r"|purge|flush)$", {"*": "delete"}),
    (r"/(create\w*|clone|instant_clone|deploy|register|copy|capture|check_out|add\w*|instantiate|duplicate)$",
     {"*": "create"}),
]


def packages(folder):
    """The pinned packages, whose hashes are those that are written down."""
    for one in tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"]:
        file = pathlib.Path(folder) / one["file"]
        if hashlib.sha256(file.read_bytes()).hexdigest() != one["sha256"]:
            raise SystemExit(f"{file} is not the pinned file; fetch it again")
        yield zipfile.ZipFile(file)


class Plain(ast.NodeTransformer):
    """Flags of types, by their names and joined by `|`, say nothing here."""

    def visit_Name(self, node):
        return ast.Constant(0) if node.id.startswith("F_") else node

    def visit_BinOp(self, node):
        return ast.Constant(0)


def calls(text):
    """The definitions in a file of types, as what they are called with."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            if node.value.func.id.startswith("Create"):
                yield node.value.func.id, [ast.literal_eval(Plain().visit(one)) for one in node.value.args]


def vim(archive):
    """`vim.txt`: methods, managed types, and what has to be known of data to tell elements from lists and from names."""
    managed, data, methods = {}, {}, []
    for name in ("core", "query", "vim"):
        for kind, arguments in calls(archive.read(f"pyVmomi/_typeinfo_{name}.py").decode()):
            if kind == "CreateManagedType":
                managed[arguments[0]] = arguments
            elif kind == "CreateDataType":
                data[arguments[0]] = arguments
            elif kind == "CreateEnumType":
                data[arguments[0]] = [arguments[0], arguments[1], None, None, []]
    wsdl = {name: one[1] for name, one in managed.items()}
    wsdl.update({"vmodl.ManagedObject": "ManagedObject", "ManagedObject": "ManagedObject"})

    def typed(name, kind):
        """A parameter with its type, where that is a managed one, and whether there may be several."""
        bare = kind.removesuffix("[]")
        of = wsdl.get(bare)
        return name + (f":{of}" if of else "") + ("[]" if kind.endswith("[]") else "")

    for one in managed.values():
        for _, name, _, parameters, _, privilege, *_ in one[5] or ():
            parameters = [typed(parameter[0], parameter[1]) for parameter in parameters]
            methods.append((name, one[1], privilege, parameters))
    # The accessor of properties, which every managed object has.
    methods.append(("Fetch", "ManagedObject", "System.Read", ["prop"]))
    lines, reads = [], 0
    for name, of, privilege, parameters in sorted(methods):
        said = class_of(name, of, privilege)
        reads += said == "read"
        lines.append(" ".join(["method", name, of, said.split()[0], privilege or "-", *said.split()[1:2], *parameters]))
    for one in sorted(managed.values(), key=lambda one: one[1]):
        lines.append(f"managed {one[1]} {wsdl.get(one[2], 'ManagedObject')}")
    fields = [field for one in data.values() for field in one[4] or ()]
    lists = {field[0] for field in fields if field[1].endswith("[]")}
    single = {field[0] for field in fields if not field[1].endswith("[]")}
    refers = {field[0] for field in fields if field[1].removesuffix("[]") in wsdl}
    lines.append("lists " + " ".join(sorted(lists)))
    # What refers in one type of data and is text in another; where it is data there, it has members.
    texts = {field[0] for field in fields if field[1].removesuffix("[]") not in wsdl and field[1].removesuffix("[]") not in data}
    lines.append("refers " + " ".join(sorted(refers)))
    lines.append("texts " + " ".join(sorted(refers & texts)))
    lines.append("data " + " ".join(sorted({one[1] for one in data.values()})))
    print(f"vim25: {len(methods)} methods, {reads} of them reads, {len(data)} types; {len(lists & single)} names of both")
    return "\n".join(lines) + "\n"


def class_of(name, of, privilege):
    """The class of a method: a read by two signals, or what is reviewed of it."""
    if name in ASKS or privilege in LOOKS and SAYS_LOOK.search(name) and not ACTS.search(name):
        return "read"
    said = next((said or GRANTS for pattern, said in VIM if re.search(pattern, f"{of}.{name}")), "update")
    if said == "read" or said.split()[0] == "read":
        return "update"
    return said


# Resources that are those of vim25 too, by the types that the package gives to the variables of its paths.
KINDS = {
    "VirtualMachine", "HostSystem", "ClusterComputeResource", "Datastore", "Datacenter", "Folder", "ResourcePool",
    "Network", "DistributedVirtualSwitch", "VirtualApp", "StoragePod",
}


def rest_rows(archive):
    """Methods, templates, services, operations and the types of variables, as the package's stubs have them."""
    for file in sorted(name for name in archive.namelist() if name.endswith("_client.py")):
        for stub in ast.parse(archive.read(file).decode()).body:
            if isinstance(stub, ast.ClassDef) and stub.name.endswith("Stub"):
                yield from of_stub(stub)


def of_stub(stub):
    """The rows of one stub."""
    service, found, inputs = None, {}, {}
    for node in ast.walk(stub):
        if isinstance(node, ast.keyword) and node.arg == "iface_name":
            service = ast.literal_eval(node.value)
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        if name.endswith("_rest_metadata") and isinstance(node.value, ast.Call):
            words = {word.arg: word.value for word in node.value.keywords}
            found[name.removesuffix("_rest_metadata")] = words
        if name.endswith("_input_type"):
            ids = {}
            for key, value in zip(node.value.args[1].keys, node.value.args[1].values):
                match = re.search(r"type\.(?:IdType|URIType)\(resource_types='(\w+)'", ast.unparse(value))
                ids[key.value] = (match.group(1) if match else None, "IdType" in ast.unparse(value))
            inputs[name.removesuffix("_input_type")] = ids
    for operation, words in found.items():
        template = ast.literal_eval(words["url_template"])
        variables = ast.literal_eval(words["path_variables"])
        method = ast.literal_eval(words["http_method"])
        ids = inputs.get(operation, {})
        for field, variable in variables.items():
            kind = ids.get(field, (None, False))[0]
            if kind in KINDS:
                template = template.replace("{%s}" % variable, "{%s}" % kind)
        names = re.findall(r"\{(\w+)\}", template)
        for name in {name for name in names if names.count(name) > 1}:
            template = template.replace("{%s}" % name, "{source}", 1)
        queries = re.findall(r"'(\w[\w.-]*)': '", ast.unparse(words["query_parameters"])) if "query_parameters" in words else []
        yield method, template, service.removeprefix("com.vmware."), operation, "dispatch_parameters" in words, ids, queries


def rest(archive):
    """`operations.txt`. An operation that `action` names stands below a last segment `~action=…`, which no path has,
    and one that is told from another by a parameter below `~?NAME`."""
    rows = list(rest_rows(archive))
    several = {}
    for method, template, *_ in rows:
        several[method, template] = several.get((method, template), 0) + 1
    lines, known = [], {}

    def put(method, template, service, operation, queries):
        path, _, query = template.rstrip("/").partition("?")
        for pair in query.split("&") if query else []:
            name, _, value = pair.partition("=")
            if name == "action":
                path += f"/~action={value}"
            elif name not in queries:
                queries = [*queries, name]
                path += f"/~?{name}"
        name = f"{service.lower()}/{operation}"
        bare = (method, re.sub(r"\{[^}]*\}", "{}", path))
        if known.setdefault(bare, name) != name:
            if not path.startswith("/com/"):
                print(f"{bare} is {known[bare]} and {name}")
            return
        # What `~action` names is that operation, whatever the method.
        asks = path.startswith("/com/") and operation in ("get", "list")
        said = rest_class("GET" if asks else method, name)
        mark = " ?" + ",".join(sorted(set(queries))) if queries and said != "read" else ""
        line = f"{method} {path} {name} {said}{mark}"
        if line not in lines:
            lines.append(line)

    for method, template, service, operation, has_action, ids, queries in rows:
        dashed = operation.replace("_", "-")
        if several[method, template] == 1 or operation == "create":
            put(method, template, service, operation, queries)
        if not has_action and method == "POST" and operation != "create" and "?" not in template:
            base = re.sub(rf"(/action)?/{dashed}$", "", template)
            action = {"import-specification": "import"}.get(dashed, dashed)
            put(method, f"{base}?action={action}", service, operation, queries)
        if service.startswith(("content.", "content", "cis.")):
            legacy(put, service, operation, ids, queries)
    lines.sort(key=lambda line: (line.split()[1], METHODS.index(line.split()[0])))
    reads = sum(1 for line in lines if line.split()[3] == "read")
    print(f"Automation API: {len(lines)} lines of {len(rows)} operations, {reads} of them reads")
    return "\n".join(lines) + "\n"


LEGACY = {"create": "POST", "list": "GET", "get": "GET", "update": "PATCH", "set": "PUT", "delete": "DELETE"}


def legacy(put, service, operation, ids, queries):
    """How the first REST API has a service without paths of its own: by its name, the identifier behind `id:`."""
    base = "/com/vmware/" + service.replace(".", "/").replace("_", "-")
    names = [name for name, (_, is_id) in ids.items() if is_id]
    below = f"{base}/id:/{{{names[0]}}}" if names and operation != "create" else base
    if operation in LEGACY and not (operation == "list" and names):
        put(LEGACY[operation], below, service, operation, queries)
    put("POST", f"{below}?action={operation.replace('_', '-')}", service, operation, queries)


READING = re.compile(r"(get|list)(_\w+)?|find|query|show_changes|messages|lastcheck")


def rest_class(method, name):
    """The class of an operation, by its method and its name."""
    if name in POSTS_THAT_ASK:
        return "read"
    plain = {"POST": "update", "PUT": "update", "PATCH": "update", "DELETE": "delete"}.get(method, "read")
    said = reviewed(method, name, plain)
    # A read by two signals: the method, and a name that only reads.
    if method == "GET" and said == "read" and not READING.fullmatch(name.rsplit("/", 1)[-1]):
        raise SystemExit(f"GET {name}: nobody has looked at what it does; say so in READING or REST")
    return said


def reviewed(method, name, plain):
    """What the lists say; else what its method is."""
    for pattern, said in REST:
        if not re.search(pattern, f"{method} {name}"):
            continue
        if said is None:
            continue
        if said in ("GRANT", "EXPOSE"):
            makes = method == "POST" and name.endswith(("/create", "/add"))
            return ("create" if makes else plain) + "," + said.lower()
        if isinstance(said, dict):
            said = said.get(method) or said.get("*") or "execute"
        return said
    return plain


def main():
    """Writes the catalogue, or says that it differs."""
    pyvmomi, vcenter = packages(sys.argv[1])
    for name, text in (("vim.txt", vim(pyvmomi)), ("operations.txt", rest(vcenter))):
        file = CATALOGUE / name
        if "--check" in sys.argv:
            if file.read_text() != text:
                raise SystemExit("the catalogue of vSphere differs from what its sources give; regenerate it")
        else:
            file.write_text(text)


if __name__ == "__main__":
    main()
