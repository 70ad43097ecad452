"""Every method of every managed type of vim25, and every operation of the Automation API, as their own clients would send
them, as JSON lines.

pyvmomi is driven down to the last step before a socket: its own adapter writes each method with arguments of all its
parameters, and each property. The runtime of the Automation API writes each operation by its own serializer. What a
request must be read as is told by the client's own names for it, and by the verbs in those: what begins with a verb that
does something must be no read, but for what a session makes to look with. Nothing is sent, and the same packages give the
same bytes. Leaves out vSAN, storage policies and the like, which have endpoints of their own.

    sweep.py --out FOLDER

writes requests.jsonl.
"""

import argparse
import base64
import datetime
import importlib
import inspect
import json
import pathlib
import pkgutil
import re

import com.vmware
import pyVmomi
from pyVmomi import SoapAdapter, VmomiSupport, vim
from vmware.vapi.bindings import stub as bindings
from vmware.vapi.bindings import type as kinds
from vmware.vapi.data import value as data
from vmware.vapi.data.serializers.rest import RestSerializer

HOST = "https://vc.example"

# What begins so does something.
DOES = re.compile(
    r"^(Host|VStorageObject|Vslm)?(Abandon|Acknowledge|Add|Allocate|Answer|Apply|Assign|Attach|Bind|Cancel|Change|Clear|Clone"
    r"|Configure|Connect|Copy|Create|Customize|Delete|Deploy|Destroy|Detach|Disable|Disconnect|Enable|Enter|Execute|Exit"
    r"|Expand|Extend|Format|Import|Impersonate|Inflate|Initialize|Initiate|Install|Join|Leave|Login|Make|Mark|Merge|Migrate"
    r"|Modify|Mount|Move|Overwrite|Perform|Post|Power|Promote|Put|Reboot|Recommission|Reconfig(?!urationSatisfiable)|Reconnect|Register|Release"
    r"|Reload|Relocate|Remove|Rename|Replace|Reset|Restart|Restore|Resume|Revert|Run|Scan|Schedule|Send|Set|Shutdown|Shrink"
    r"|Start|Standby|Stop|Suspend|Terminate|Turn|Unassign|Unbind|Uninstall|Unmount|Unregister|Update|Upgrade|Upload|Zero"
    r"|Acquire|reload|destroy|deploy|prepare|configure|initiate|set|Abort|Consolidate|Defragment)"
)

# What a session makes to look at things with, and what it does with that.
LOOKS_WITH = {"PropertyCollector", "PropertyFilter", "ViewManager", "View", "ListView", "InventoryView", "HistoryCollector",
              "EventHistoryCollector", "TaskHistoryCollector"}
MAKES_TO_LOOK = re.compile(r"^Create(CollectorFor\w+|CollectorWithInfoFilterForTasks|Descriptor|ImportSpec)$|^PerformVsanUpgradePreflightCheck$")

# Those but the first name another vCenter.
REFUSED = {
    "Logout": "own_account", "createPassiveNode_Task": "other_server", "createWitnessNode_Task": "other_server",
    "deployVcha_Task": "other_server",
}

IDS = {
    "VirtualMachine": "vm-42", "HostSystem": "host-10", "ClusterComputeResource": "domain-c8", "ComputeResource": "domain-s9",
    "Datastore": "datastore-12", "Datacenter": "datacenter-2", "Folder": "group-v3", "ResourcePool": "resgroup-8",
    "VirtualApp": "resgroup-v14", "Network": "network-15", "DistributedVirtualPortgroup": "dvportgroup-16",
    "DistributedVirtualSwitch": "dvs-17", "VmwareDistributedVirtualSwitch": "dvs-17", "VirtualMachineSnapshot": "snapshot-18",
    "StoragePod": "group-p19", "Task": "task-20", "Alarm": "alarm-21", "ManagedEntity": "vm-42",
    "ExtensibleManagedObject": "vm-42", "ManagedObject": "vm-42",
}


class Stop(Exception):
    """The request is made."""


class Connection:
    """Takes what would be sent."""

    def request(self, method, path, body, headers):
        self.made = (method, path, body, headers)
        raise Stop


class Stub(SoapAdapter.SoapStubAdapter):
    def GetConnection(self):
        self.connection = Connection()
        return self.connection


def own_types():
    """The managed types that vim25 itself has, by the names that pyvmomi gives them."""
    folder = pathlib.Path(pyVmomi.__file__).parent
    for name in ("core", "query", "vim"):
        text = (folder / f"_typeinfo_{name}.py").read_text()
        yield from re.findall(r'^CreateManagedType\("([\w.]+)"', text, re.M)


def managed(kind):
    """An object of a type that has such ids."""
    if kind._wsdlName in ("ManagedEntity", "ManagedObject", "ExtensibleManagedObject"):
        kind = vim.VirtualMachine
    name = kind._wsdlName
    return kind(IDS.get(name, name[:1].lower() + name[1:] + "-7"), None)


def argument(kind, depth, name=""):
    """A value of a type, all of its members filled in, as deep as that."""
    if issubclass(kind, list):
        inner = getattr(kind, "Item", str)
        return kind([argument(inner, depth, name)]) if depth < 12 else kind()
    if issubclass(kind, VmomiSupport.ManagedObject):
        return managed(kind)
    if issubclass(kind, VmomiSupport.Enum):
        values = [value for value in kind.values if value != "unknown"] or list(kind.values)
        return kind(values[0])
    if issubclass(kind, VmomiSupport.DataObject):
        one = kind()
        for member in kind._GetPropertyList():
            if depth >= 12 or member.name in ("dynamicProperty", "dynamicType"):
                continue
            # Another vCenter is left out where it can be.
            if member.type is vim.ServiceLocator and member.flags & VmomiSupport.F_OPTIONAL:
                continue
            # What is called later is a method that there is.
            if kind._wsdlName == "MethodAction" and member.name == "name":
                one.name = "PowerOnVM_Task"
                continue
            is_optional = member.flags & VmomiSupport.F_OPTIONAL
            if depth >= 2 and is_optional:
                continue
            setattr(one, member.name, argument(member.type, depth + 1, member.name))
        return one
    if kind is bool:
        return True
    if kind is datetime.datetime:
        return datetime.datetime(2026, 11, 27, tzinfo=datetime.timezone.utc)
    if issubclass(kind, (int, float)):
        return kind(7)
    if kind is object or kind is VmomiSupport.GetVmodlType("anyType"):
        return "text"
    if issubclass(kind, bytes):
        return kind(b"text")
    if kind is type or kind is VmomiSupport.GetVmodlType("vmodl.TypeName"):
        return vim.VirtualMachine
    if kind is VmomiSupport.GetVmodlType("vmodl.MethodName"):
        return vim.VirtualMachine.PowerOn
    if name in FILES:
        return "[ds1] web/web.vmdk"
    return kind("text")


# Parameters that name a file of a datastore.
FILES = {"name", "sourceName", "destinationName", "destName", "datastorePath", "path", "configurationPath"}


def touched(arguments):
    """The ids of the objects that arguments are."""
    for one in arguments:
        if isinstance(one, VmomiSupport.ManagedObject):
            yield one._moId
        elif isinstance(one, list):
            yield from touched(one)


def soap():
    """Every method, and every property, of vim25."""
    version = VmomiSupport.newestVersions.GetName("vim")
    for name in sorted(set(own_types())):
        kind = VmomiSupport.GetVmodlType(name)
        # Of a type that others come from, methods are called on one of those.
        this = managed(kind)
        for method in sorted(kind._methodInfo.values(), key=lambda one: one.wsdlName):
            arguments = []
            for parameter in method.params:
                is_file = name in ("vim.FileManager", "vim.VirtualDiskManager", "vim.host.DatastoreBrowser") or (
                    method.wsdlName in ("RegisterVM_Task", "RegisterChildVM_Task", "reloadVirtualMachineFromPath_Task")
                    and parameter.name in ("path", "configurationPath")
                )
                arguments.append(argument(parameter.type, 0, parameter.name if is_file else ""))
            for variant, given in (("all", arguments), ("least", least(method, arguments))):
                operation = method.wsdlName
                looks = kind._wsdlName in LOOKS_WITH or MAKES_TO_LOOK.match(operation)
                hint = "change" if DOES.match(operation) and not looks else ""
                objects = sorted(set(touched(given)) | {this._moId})
                yield send(f"{kind._wsdlName}.{operation}/{variant}", version, this, method, given, operation, hint, objects)
        for prop in kind._propInfo.values():
            stub = Stub(host="vc.example", version=version)
            try:
                stub.InvokeAccessor(kind(this._moId, stub), prop)
            except Stop:
                yield line(f"{kind._wsdlName}#{prop.name}", *stub.connection.made, "Fetch", "read", [this._moId])


def least(method, arguments):
    """Only what has to be there."""
    return [
        None if parameter.flags & VmomiSupport.F_OPTIONAL else one
        for parameter, one in zip(method.params, arguments)
    ]


def send(ident, version, this, method, arguments, operation, hint, objects):
    stub = Stub(host="vc.example", version=version)
    try:
        stub.InvokeMethod(type(this)(this._moId, stub), method, arguments)
    except Stop:
        pass
    return line(ident, *stub.connection.made, operation, hint, objects)


def line(ident, method, path, body, headers, operation, hint, objects):
    kept = ("content-type", "soapaction")
    headers = [[name.lower(), value] for name, value in sorted(headers.items()) if name.lower() in kept]
    return {
        "id": ident,
        "method": method,
        "url": HOST + path,
        "headers": headers,
        "body_b64": base64.b64encode(body or b"").decode(),
        "expect_operation": operation,
        "expect_hint": hint,
        "expect_objects": objects,
        "expect_refused": REFUSED.get(operation, ""),
    }


# The Automation API.

LOOKS = re.compile(r"^(get|list|find|fingerprint|query|messages|lastcheck|show_changes)")
REST_DOES = re.compile(
    r"^(create|delete|update|set|add|remove|start|stop|reset|suspend|reboot|shutdown|attach|detach|deploy|clone|apply|enable"
    r"|disable|install|upgrade|cancel|register|unregister|import|sync|publish|migrate|undeploy|failover|copy|relocate)"
)
OF = {
    "VirtualMachine": "vm-42", "HostSystem": "host-10", "ClusterComputeResource": "domain-c8", "Datastore": "datastore-12",
    "Datacenter": "datacenter-2", "Folder": "group-v3", "ResourcePool": "resgroup-8", "Network": "network-15",
}


def stubs():
    """Every interface of the package, with its operations and how they are written."""
    found = []

    def keep(self, iface_name, config, operations, rest_metadata=None, is_vapi_rest=None):
        found.append((iface_name, operations, rest_metadata, is_vapi_rest))

    bindings.ApiInterfaceStub.__init__ = keep
    for module in pkgutil.walk_packages(com.vmware.__path__, "com.vmware."):
        if not module.name.endswith("_client"):
            continue
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if cls.__name__.endswith("Stub") and issubclass(cls, bindings.ApiInterfaceStub) and cls.__module__ == module.name:
                cls(None)
    return sorted(found, key=lambda one: one[0])


def value(kind, depth):
    """A value of a type of the Automation API."""
    while isinstance(kind, kinds.ReferenceType):
        kind = kind.resolved_type
    match kind:
        case kinds.OptionalType():
            return data.OptionalValue(value(kind.element_type, depth + 1) if depth < 2 else None)
        case kinds.IdType():
            of = kind.resource_types if isinstance(kind.resource_types, str) else ""
            return data.StringValue(OF.get(of, "some-id"))
        case kinds.SetType() | kinds.ListType():
            return data.ListValue([value(kind.element_type, depth + 1)] if depth < 3 else [])
        case kinds.MapType():
            return data.ListValue([])
        case kinds.StructType():
            one = data.StructValue(kind.name)
            for name in kind.get_field_names():
                one.set_field(name, value(kind.get_field(name), depth + 1) if depth < 5 else data.VoidValue())
            return one
        case kinds.EnumType():
            names = [name for name in vars(kind.binding_class) if name.isupper() and not name.startswith("_")]
            return data.StringValue(names[0] if names else "UNKNOWN")
        case kinds.BooleanType():
            return data.BooleanValue(True)
        case kinds.IntegerType():
            return data.IntegerValue(7)
        case kinds.DoubleType():
            return data.DoubleValue(7.0)
        case kinds.DateTimeType():
            return data.StringValue("2026-11-27T00:00:00.000Z")
        case kinds.BlobType():
            return data.BlobValue(b"text")
        case kinds.SecretType():
            return data.SecretValue("hunter2")
        case kinds.DynamicStructType():
            return data.StructValue("com.example.any")
        case kinds.URIType():
            return data.StringValue("https://example.com/x")
        case _:
            return data.StringValue("text")


def automation():
    """Every operation of the Automation API."""
    several = {}
    everything = [one for one in stubs()]
    for _, _, metadata, _ in everything:
        for operation in metadata or {}:
            rule = metadata[operation]
            key = (rule.http_method, rule._url_template)
            several[key] = several.get(key, 0) + 1
    for service, operations, metadata, is_legacy in everything:
        for operation, rule in sorted((metadata or {}).items()):
            # What Python has another meaning for is called by more than one word.
            words = [operation, f"{operation}$task", operation.rsplit("_", 1)[0]]
            known = next((operations[word] for word in words if word in operations), None)
            if known is None:
                print(f"{service} {operation} is none of {list(operations)}")
                continue
            given = value(known["input_type"], 0)
            path, headers, body, _ = RestSerializer.serialize_request(given, None, rule, is_legacy)
            if several[rule.http_method, rule._url_template] > 1 and operation != "create" and rule.http_method == "POST":
                # The package has lost the word that tells these apart; the API's documents have it.
                action = {"import_specification": "import"}.get(operation, operation.replace("_", "-"))
                path += ("&" if "?" in path else "?") + f"action={action}"
            name = service.removeprefix("com.vmware.").lower() + "/" + operation
            hint = "change" if REST_DOES.match(operation) else "read" if rule.http_method == "GET" and LOOKS.match(operation) else ""
            base = "/rest" if is_legacy else "/api"
            made = line(name, rule.http_method, base + path.replace(" ", "%20"), (body or "").encode() if rule.http_method not in ("GET",) else b"",
                        {"content-type": "application/json"} if rule.http_method != "GET" else {}, name, hint, [])
            if name == "cis.session/delete":
                made["expect_refused"] = "own_account"
            yield made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=pathlib.Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with (out / "requests.jsonl").open("w") as file:
        for one in [*soap(), *automation()]:
            file.write(json.dumps(one, separators=(",", ":")) + "\n")
            count += 1
    print(f"{count} requests")


main()
