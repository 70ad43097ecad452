"""Every method of sushy's classes, as it would send it, as JSON lines.

Drives sushy down to the last step before a socket. What it asks for is answered from the documents that sushy's own
tests have, by their own paths. What a read must be read as is told by the type that the answer itself names, and what a
change must be by the name of the method that sends it. Nothing is sent, and the same sushy gives the same bytes. Leaves
out waiting for tasks.

    sweep.py --out FOLDER

writes requests.jsonl: every class on every document of its type, every property, every method with every value that it
takes.
"""

import argparse
import base64
import enum
import importlib
import importlib.metadata
import inspect
import json
import pathlib
import pkgutil
import re
import sys

import requests
import sushy
from sushy import auth, connector, exceptions
from sushy.resources import base

HOST = "https://bmc.example"

# What methods do, by their names: the operation, and its class.
CHANGES = {
    ("Bios", "change_password"): ("Bios.ChangePassword", "grant"),
    ("Bios", "reset_bios"): ("Bios.ResetBios", "delete"),
    ("Bios", "set_attribute"): ("update/Bios", "update"),
    ("Bios", "set_attributes"): ("update/Bios", "update"),
    ("Certificate", "delete"): ("delete/Certificate", "delete"),
    ("CertificateCollection", "create_member"): ("create/Certificate", "create"),
    ("CertificateCollection", "delete_member"): ("delete/Certificate", "delete"),
    ("CertificateService", "replace_certificate"): ("CertificateService.ReplaceCertificate", "update"),
    ("Chassis", "reset_chassis"): ("Chassis.Reset", None),
    ("Chassis", "set_indicator_led"): ("update/Chassis", "update"),
    ("Drive", "set_indicator_led"): ("update/Drive", "update"),
    ("EventDestination", "delete"): ("delete/EventDestination", "delete"),
    ("EventDestinationCollection", "create"): ("create/EventDestination", "create"),
    ("EventService", "submit_test_event"): ("EventService.SubmitTestEvent", "update"),
    ("Manager", "reset_manager"): ("Manager.Reset", None),
    ("Manager", "set_datetime"): ("update/Manager", "update"),
    ("SecureBoot", "reset_keys"): ("SecureBoot.ResetKeys", "delete"),
    ("SecureBoot", "set_enabled"): ("update/SecureBoot", "update"),
    ("SecureBootDatabase", "reset_keys"): ("SecureBootDatabase.ResetKeys", "delete"),
    ("Session", "delete"): ("delete/Session", "delete"),
    ("SessionService", "close_session"): ("delete/Session", "delete"),
    ("SessionService", "create_session"): ("create/Session", "create"),
    ("StorageController", "update"): ("update/StorageController", "update"),
    ("System", "reset_system"): ("ComputerSystem.Reset", None),
    ("System", "set_indicator_led"): ("update/ComputerSystem", "update"),
    ("System", "set_system_boot_options"): ("update/ComputerSystem", None),
    ("System", "set_system_boot_source"): ("update/ComputerSystem", None),
    ("UpdateService", "simple_update"): ("UpdateService.SimpleUpdate", "execute"),
    ("VirtualMedia", "eject_media"): ("VirtualMedia.EjectMedia", "update"),
    ("VirtualMedia", "insert_media"): ("VirtualMedia.InsertMedia", "execute"),
    ("VirtualMedia", "set_verify_certificate"): ("update/VirtualMedia", "update"),
    ("Volume", "delete"): ("delete/Volume", "delete"),
    ("Volume", "initialize"): ("Volume.Initialize", "delete"),
    ("VolumeCollection", "create"): ("create/Volume", "create"),
}

# What a machine that is switched that way becomes.
STOPS = {"ForceOff", "GracefulShutdown", "Nmi", "PushPowerButton", "Suspend", "Pause"}

# Words of old documents for what the schemas call otherwise, and documents that are misspelt.
TYPES = {"Procssor": "Processor"}

SKIPPED = {
    # These ask the service nothing of their own.
    "clone_resource",
    "get_oem_extension",
    "get_task_monitor",
    "invalidate",
    "refresh",
    # These need registries, which lie elsewhere.
    "get_attribute_registry",
    "get_message_registry",
    "parse_messages",
}


class Service:
    """Answers from documents, and keeps what was asked."""

    def __init__(self):
        self.documents = {}
        self.of_type = {}
        self.lines = []
        self.case = ""
        self.expect = None
        self.made = set()
        samples = pathlib.Path(sushy.__file__).parent / "tests" / "unit" / "json_samples"
        for file in sorted(samples.glob("*.json")):
            document = json.loads(file.read_text(encoding="utf-8"))
            if isinstance(document, dict) and "@odata.id" in document and "@odata.type" in document:
                self.documents.setdefault(document["@odata.id"].rstrip("/"), document)
                self.of_type.setdefault(type_of(document), []).append((file.stem, document))

    def request(self, method, url, json=None, headers=None, **_):
        url = requests.Request(method, url).prepare().url
        path = url.removeprefix(HOST).split("#")[0]
        self.keep(method, url, json, headers or {}, path)
        response = requests.Response()
        response.url, response.request = url, requests.Request(method, url).prepare()
        if method == "GET":
            document = self.documents.get(path.split("?")[0].rstrip("/"))
            response.status_code = 200 if document else 404
            response._content = dumps(document or {"error": {"code": "Base.1.0.ResourceMissingAtURI"}})
        else:
            response.status_code = 201 if method == "POST" else 200
            response.headers["Location"] = HOST + "/redfish/v1/SessionService/Sessions/1"
            response.headers["X-Auth-Token"] = "none"
            response._content = b"{}"
        return response

    def keep(self, method, url, body, headers, path):
        if method == "GET":
            document = self.documents.get(path.split("?")[0].rstrip("/"))
            operation = f"get/{type_of(document)}" if document and type_of(document) else ""
            access = "read"
        else:
            operation, access = self.expect or ("", "unexpected")
        payload = dumps(body) if body is not None else b""
        key = (method, url, payload)
        if key in self.made:
            return
        self.made.add(key)
        self.lines.append(
            {
                "id": f"{self.case}#{len(self.lines)}",
                "method": method,
                "url": url,
                "headers": sorted([name.lower(), value] for name, value in headers.items()),
                "body_b64": base64.b64encode(payload).decode(),
                "expect_operation": operation,
                "expect_access": access,
            }
        )


def dumps(value):
    return json.dumps(value).encode()


def type_of(document):
    """The type that a document says it is of, as the schemas call it; none of what lies wherever the service likes."""
    if "Registry.v" in document["@odata.type"]:
        return ""
    name = document["@odata.type"].lstrip("#")
    space, own = name.split(".")[0], name.split(".")[-1]
    return own if own.endswith("Collection") else TYPES.get(space, space)


def classes():
    """Every class of the specification's resources, by its name."""
    for module in pkgutil.walk_packages(sushy.__path__, "sushy."):
        if ".tests" in module.name or ".oem" in module.name:
            continue
        for name, one in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(one) and issubclass(one, base.ResourceBase) and one.__module__ == module.name:
                yield name, one


def values(method, parameter, owner):
    """Values that a parameter may have."""
    name = parameter.name
    resets = [one for one in sushy.ResetType]
    fixed = {
        "state": list(sushy.IndicatorLED),
        "target": list(sushy.BootSource),
        "enabled": [True, False] if owner == "SecureBoot" else list(sushy.BootSourceOverrideEnabled),
        "mode": list(sushy.BootSourceOverrideMode),
        "http_boot_uri": ["http://files.example/boot.efi"],
        "reset_type": list(sushy.SecureBootResetKeysType),
        "value": resets,
        "key": ["ProcTurboMode"],
        "image": ["http://files.example/boot.iso"],
        "inserted": [True, False],
        "write_protected": [True, False],
        "username": ["user"],
        "password": ["pass"],
        "new_password": ["new"],
        "old_password": ["old"],
        "password_name": ["AdminPassword"],
        "image_uri": ["https://files.example/bmc.bin"],
        "targets": [["/redfish/v1/UpdateService/FirmwareInventory/BMC"]],
        "transfer_protocol": list(sushy.UpdateTransferProtocolType) if method == "simple_update" else ["HTTP"],
        "apply_time": [sushy.ApplyTime.ON_RESET],
        "certificate_string": ["-----BEGIN CERTIFICATE-----"],
        "certificate_type": [sushy.CertificateType.PEM],
        "certificate_uri": ["/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates/1"],
        "verify_certificate": [True, False],
        "identity": ["/redfish/v1/Managers/BMC/NetworkProtocol/HTTPS/Certificates/1"],
        "session_uri": ["/redfish/v1/SessionService/Sessions/1"],
        "datetime": ["2026-01-01T00:00:00+00:00"],
        "datetime_local_offset": ["+00:00"],
        "parameter": ["ResetType"],
    }
    if (owner, method) == ("Volume", "initialize"):
        return list(sushy.VolumeInitializeType)
    if owner == "Bios" and name == "value":
        return ["Enabled"] if method == "set_attribute" else [{"ProcTurboMode": "Enabled", "AdminPhone": "1"}]
    if name == "payload":
        return {
            "EventDestinationCollection": [
                {"Destination": "https://files.example/", "Protocol": "Redfish", "EventTypes": ["Alert"]}
            ],
            "VolumeCollection": [{"Name": "v", "VolumeType": "Mirrored", "CapacityBytes": 1}],
            "StorageController": [{"ControllerRates": {"ConsistencyCheckRatePercent": 10}}],
            "Volume": [None, {"@Redfish.OperationApplyTime": "OnReset"}],
        }[owner]
    if owner == "EventService":
        return ["text"] if name != "message_args" else [["text"]]
    return fixed.get(name)


def calls(method, function, owner):
    """Arguments to call a method with: the least, then each value of each parameter, then all at once."""
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    known = {one.name: values(method, one, owner) for one in parameters}
    required = {one.name: known[one.name] for one in parameters if one.default is inspect.Parameter.empty}
    if any(found is None for found in required.values()):
        raise KeyError(f"{owner}.{method} takes {sorted(required)}")
    least = {name: found[0] for name, found in required.items()}
    yield least
    for name, found in known.items():
        for value in found or []:
            yield {**least, name: value}
    yield {**least, **{name: found[-1] for name, found in known.items() if found}}


def drive(service, link):
    """Drives every class on every document of its type."""
    for name, one in sorted(classes()):
        kind = {"System": "ComputerSystem", "SystemCollection": "ComputerSystemCollection"}.get(name, name)
        kind = {"ControllerCollection": "StorageControllerCollection", "ResourceZone": "Zone"}.get(kind, kind)
        kind = {"ResourceZoneCollection": "ZoneCollection"}.get(kind, kind)
        for file, document in service.of_type.get(kind, []):
            service.documents[document["@odata.id"].rstrip("/")] = document
            service.case, service.expect = f"{name}/{file}", None
            try:
                resource = one(link, document["@odata.id"], redfish_version="1.20.0", registries={})
            except exceptions.SushyError as why:
                print(f"{service.case}: {why}", file=sys.stderr)
                continue
            except TypeError:
                continue
            members(service, name, one, resource)


def members(service, name, one, resource):
    case = service.case
    for member, function in inspect.getmembers(one):
        service.case, service.expect = f"{case}.{member}", None
        if member.startswith("_") or member in SKIPPED:
            continue
        if isinstance(function, property):
            quiet(lambda: getattr(resource, member))
        elif inspect.isfunction(function):
            change = CHANGES.get((name, member))
            try:
                tried = [{}] if change is None and not takes(function) else list(calls(member, function, name))
            except KeyError as why:
                if change is not None:
                    raise
                print(f"not called: {why}", file=sys.stderr)
                continue
            for arguments in tried:
                service.expect = change and (change[0], change[1] or switched(member, arguments))
                before = len(service.lines)
                quiet(lambda arguments=arguments: getattr(resource, member)(**arguments))
                sent = [line for line in service.lines[before:] if line["method"] != "GET"]
                assert not sent or change, f"{name}.{member} changes something and is not said to"


def takes(function):
    return len(inspect.signature(function).parameters) > 1


def switched(member, arguments):
    """What a method does that takes a way of switching, or a source to boot from."""
    if member.startswith("reset_"):
        value = arguments["value"]
        return "delete" if (value.value if isinstance(value, enum.Enum) else value) in STOPS else "update"
    target, enabled = arguments.get("target"), arguments.get("enabled")
    if arguments.get("http_boot_uri"):
        return "execute"
    if target is not None:
        return "update" if target in (sushy.BootSource.NONE, sushy.BootSource.HDD) else "execute"
    turned_on = enabled is not None and enabled != sushy.BootSourceOverrideEnabled.DISABLED
    return "execute" if turned_on else "update"


def quiet(what):
    try:
        what()
    except (exceptions.SushyError, AttributeError, KeyError, TypeError, ValueError, NotImplementedError):
        # It asked for a document that there is none of, or would not send that.
        pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, type=pathlib.Path)
    chosen = arguments.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    service = Service()
    requests.Session.request = lambda session, method, url, **rest: service.request(method, url, **rest)
    connector.time.sleep = lambda _: None
    link = connector.Connector(HOST, verify=False)
    service.case = "Sushy"
    root = sushy.Sushy(HOST, auth=auth.BasicAuth("user", "pass"), connector=link, server_side_retries=0)
    for name, function in inspect.getmembers(sushy.main.Sushy, inspect.isfunction):
        if name.startswith("get_") and name not in SKIPPED:
            service.case = f"Sushy.{name}"
            quiet(getattr(root, name))
    drive(service, link)
    with open(chosen.out / "requests.jsonl", "w", encoding="utf-8") as stream:
        for line in service.lines:
            stream.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    changes = {line["id"].split("#")[0] for line in service.lines if line["method"] != "GET"}
    version = importlib.metadata.version("sushy")
    sent = {re.sub(r"/[^.]*", "", case) for case in changes}
    missing = sorted(f"{owner}.{method}" for owner, method in CHANGES if f"{owner}.{method}" not in sent)
    print(f"sushy {version}: {len(service.lines)} requests; said to change and sent nothing: {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
