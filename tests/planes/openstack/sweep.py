"""Every method of openstacksdk's proxies for six services, as it would send it, as JSON lines.

Drives the library's own code down to the last step before a socket, where each request is taken and answered with
whatever the library asks next. What a request must be read as is told by the library's own words: the method that was
called, the resource's class and what that class was doing. Nothing is sent, and the same library gives the same bytes.
Leaves out what the library does beside requests: waiting, downloads, files, and methods that ask for a live cloud.

    sweep.py --out FOLDER

writes requests.jsonl: every public method with the least and with all that its resource's class can say.
"""

import argparse
import base64
import importlib.metadata
import inspect
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import typing
import warnings

import openstack
import openstack.fields
from openstack.network.v2 import floating_ip, network, port
import openstack.resource
import requests
import requests.adapters

HOST = "https://cloud.example"
ID = "9ec4b6f0-5d1e-4d1a-9f0d-2f6c4e1d7a11"
OTHER = "1fb22e3a-7c0b-4f5a-8f86-3b3f5f8f1b22"
PROJECT = "0123456789abcdef0123456789abcdef"

SERVICES = {
    "identity": ("identity", "/identity/v3", "v3.14"),
    "compute": ("compute", "/compute/v2.1", "v2.1"),
    "network": ("network", "/networking/v2.0", "v2.0"),
    "block_storage": ("block-storage", f"/volume/v3/{PROJECT}", "v3.0"),
    "image": ("image", "/image/v2", "v2.16"),
    "baremetal": ("baremetal", "/baremetal/v1", "v1"),
}
MICROVERSIONS = {"compute": "2.96", "block_storage": "3.71", "baremetal": "1.120"}

# What the library calls by words of a read and what is none: it acts, or hands a secret out.
READING = ("get_", "find_", "list_", "check_", "validate_", "is_", "download_", "fetch_", "retrieve_")
# Methods of resources that ask and change nothing, in the library's own words.
ASKING = {"fetch", "list", "head", "find", "existing", "image_nodes", "_get_one_match"}


class Taken(requests.adapters.BaseAdapter):
    """Stands where a connection would be opened."""

    def __init__(self):
        super().__init__()
        self.requests = []

    def close(self):
        pass

    def send(self, request, **_):
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url
        response.headers["content-type"] = "application/json"
        response.headers["location"] = f"{HOST}/image/v2/images/{OTHER}"
        path = request.url.removeprefix(HOST).split("?")[0].rstrip("/")
        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        elif not isinstance(body, (bytes, str, type(None))):
            body = b"".join(body)
        if isinstance(body, str):
            body = body.encode()
        for name, (_, base, version) in SERVICES.items():
            roots = {base, base.removesuffix("/" + PROJECT), "/" + base.split("/")[1]}
            if request.method == "GET" and path in roots:
                response.raw = io.BytesIO(json.dumps(self.versions(name, base, version)).encode())
                return response
        self.requests.append((request.method, request.url, dict(request.headers), body or b"", owner()))
        response.raw = io.BytesIO(json.dumps(self.answer(request.method, path)).encode())
        return response

    def versions(self, name, base, version):
        most = MICROVERSIONS.get(name, "")
        one = {
            "id": version,
            "status": "CURRENT",
            "version": most,
            "max_version": most,
            "min_version": f"{most.split('.')[0]}.1" if most else "",
            "links": [{"rel": "self", "href": f"{HOST}{base.removesuffix('/' + PROJECT)}/"}],
        }
        return {"versions": [one], "version": one}

    def answer(self, method, path):
        """One of whatever was asked for, or a list of none, under every key that the library may look under."""
        one = {"id": ID, "uuid": ID, "name": "text", "status": "queued", "links": []}
        ones = {kind.resource_key.split(".")[0]: one for kind in kinds(openstack.resource.Resource) if kind.resource_key}
        lists = {kind.resources_key: [] for kind in kinds(openstack.resource.Resource) if kind.resources_key}
        more = {"vifs": [], "bindings": [], "interfaceAttachment": one | {"port_id": OTHER}}
        is_list = method == "GET" and path.rsplit("/", 1)[1] not in (ID, OTHER, "text")
        made = ones | lists | one if is_list else lists | ones | one
        if path.endswith(("/validate", "/ips", "/properties", "/metadata", "/inventory")):
            made = {"addresses": {}, "properties": {}, "metadata": {}, "inventory": {}} | one
        return more | made


def kinds(of):
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def owner():
    """The resource's class that sends, and what it was doing: that it asks, or the outermost of its methods."""
    kind, doing, asks = None, None, None
    for frame in inspect.stack(0):
        here = frame.frame.f_locals
        one = here.get("self") or here.get("cls")
        of = one if isinstance(one, type) else type(one)
        if issubclass(of, openstack.resource.Resource):
            kind, doing = kind or of, frame.function
            if frame.function in ASKING and asks is None:
                asks = frame.function
    return kind and (kind, asks or doing)


def attributes(kind):
    """All that a class of resources can say, with a value of the type that it names."""
    made = {}
    for name, field in inspect.getmembers_static(kind):
        if not isinstance(field, openstack.fields.Body) or name in ("id", "location", "links"):
            continue
        of = field.type
        text = name + " " + str(field.name)
        if of is bool:
            made[name] = True
        elif of in (int, float):
            made[name] = 1
        elif of is list:
            made[name] = []
        elif of is dict:
            made[name] = {}
        elif "project_id" in text or "tenant_id" in text:
            made[name] = PROJECT
        elif re.search(r"(^|_)(id|uuid)\b", text):
            made[name] = OTHER
        elif of in (str, None):
            made[name] = "text"
    return made


FIXED = {
    "flavor": "m1.small",
    "keypair": "ops",
    "project": PROJECT,
    "project_id": PROJECT,
    "tenant": PROJECT,
    "host": "node1.example.com",
    "name": "text",
    "name_or_id": ID,
    "tag": "blue",
    "tags": ["blue", "red"],
    "key": "word",
    "keys": ["word"],
    "metadata": {"word": "text"},
    "details": True,
    "microversion": None,
    "driver": "redfish",
    "reboot_type": "HARD",
    "state": "active",
    "rotation": 1,
    "backup_type": "daily",
    "console_type": "novnc",
    "size": 20,
    "new_size": 20,
    "address": "192.0.2.7",
    "target": "power off",
    "enabled": True,
    "boot_device": "pxe",
    "boot_mode": "uefi",
    "driver_info": {},
    "verb": "POST",
    "method": "web-download",
    "uri": "https://images.example/i",
    "visibility": "private",
    "data": b"bytes",
    "stores": [],
    "store": "fast",
    "ignore_missing": True,
    "cascade": True,
    "force": False,
    "body": {"subnet_id": OTHER},
    "interface": "deploy",
    "region": "one",
    "image_ref": OTHER,
    "migration_policy": "never",
    "binary": "nova-compute",
    "level": "DEBUG",
    "namespace": "OS::X",
    "metadef_namespace": "OS::X",
    "limit": 1,
    "wait": False,
    "timeout": None,
    "patch": [{"op": "replace", "path": "/extra/word", "value": "text"}],
    "config_drive": {"user_data": "text"},
    "clean_steps": None,
    "deploy_steps": None,
    "service_steps": None,
    "runbook": None,
    "rescue_password": "text",
    "vif_id": OTHER,
    "trait": "CUSTOM_X",
    "traits": ["CUSTOM_X"],
    "device_type": "cdrom",
    "image_url": "https://images.example/i.iso",
    "component": "system",
    "indicator": "led",
}

# Where a method asks for more than its names tell.
SPECIAL = {
    "set_node_boot_mode": {"target": "uefi"},
    "set_node_secure_boot": {"target": True},
    "add_runbook_trait": {"trait": "CUSTOM_X"},
    "attach_volume": {"instance": OTHER, "mountpoint": "/dev/vdb"},
    "cleanup_service_workers": {"binary": "cinder-volume", "host": "a", "cluster_name": "c"},
    "create_group_from_source": {"group_snapshot_id": ID, "source_group_id": OTHER},
    "manage_snapshot": {"volume_id": ID, "ref": "r"},
    "manage_volume": {"host": "a", "ref": {"source-name": "v"}},
    "restore_backup": {"volume_id": OTHER, "name": "text"},
    "create_volume_attachment": {"volume": OTHER},
    "delete_server_interface": {"server": ID},
    "get_server_interface": {"server": ID},
    "force_complete_server_migration": {"server": ID},
    "create_identity_provider": {"id": "corp"},
    "create_mapping": {"id": "corp", "rules": []},
    "create_service_provider": {"id": "corp"},
    "create_federation_protocol": {"idp_id": "corp", "id": "saml2"},
    "role_assignments_filter": {"project": PROJECT, "user": ID},
    "import_image": {"method": "web-download", "uri": "https://images.example/i"},
    "create_port_forwarding": {"floatingip_id": ID, "internal_port_id": OTHER},
    "create_ports": {"data": [{"network_id": ID}, {"network_id": OTHER}]},
    "create_security_group_rules": {"data": [{"security_group_id": ID}, {"security_group_id": OTHER}]},
    "delete_auto_allocated_topology": {"project": PROJECT},
    "get_auto_allocated_topology": {"project": PROJECT},
    "remove_member": {"image": ID, "member": PROJECT},
    "validate_auto_allocated_topology": {"project": PROJECT},
    "create_server_external_events": {"events": [{"name": "power-update", "server_uuid": ID}]},
    "delete_type_encryption": {"volume_type": ID},
    "delete_volume_image_metadata": {"keys": ["word"]},
    "clear_cache": {"target": "both"},
    "upload_image": {"container_format": "bare", "disk_format": "raw"},
}
# Methods that take a resource of any class with labels, and one such class.
LABELLED = ("add_tag", "add_tags", "check_tag", "get_tags", "remove_tag", "remove_all_tags", "set_tags")

TARGETS = {
    "set_node_provision_state": ("active", "deleted", "rebuild", "manage", "provide", "inspect", "abort", "adopt", "clean"),
    "set_node_power_state": ("power on", "power off", "rebooting", "soft power off"),
}


def arguments(method, kind, full):
    """What a method is called with: the least, or all that it has names for."""
    made, extra = {}, {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind == parameter.VAR_POSITIONAL:
            continue
        if parameter.kind == parameter.VAR_KEYWORD:
            if kind is not None and full and not method.__name__.startswith(("find_", "get_", "list_")):
                extra = attributes(kind)
            continue
        if parameter.default is not parameter.empty and not (full and name in FIXED and FIXED[name] is not None):
            continue
        if name in FIXED:
            made[name] = FIXED[name]
        elif name in ("attrs", "query", "properties", "extra_specs", "property"):
            made[name] = {"word": "text"} if name == "extra_specs" else {}
        elif "bool" in str(parameter.annotation):
            made[name] = True
        elif "int" in str(parameter.annotation) and "str" not in str(parameter.annotation):
            made[name] = 1
        elif "list" in str(parameter.annotation) or "Sequence" in str(parameter.annotation):
            made[name] = []
        elif "dict" in str(parameter.annotation):
            made[name] = {}
        else:
            made[name] = ID
    return made | {name: value for name, value in extra.items() if name not in made}


def collection(kind):
    """The words of a class's path, without what is put into them."""
    path = str(kind.base_path or "").split("?")[0]
    return "/".join(part for part in path.split("/") if part and "%" not in part and "{" not in part and part != "detail")


def service(kind, name):
    """The service that a class of resources belongs to, by the library's own package."""
    package = kind.__module__.split(".")[1] if kind else name
    return SERVICES.get(package, SERVICES[name])[0]


def hint(name, doing):
    """Whether the library's own words are those of a read."""
    return "read" if doing in ASKING or name.startswith(READING) else "change"


def classes(method):
    """The class of resources that a method's own code names."""
    source = inspect.getsource(method)
    found = re.search(r"self\._(?:create|update|delete|get|find|list|head|get_resource)\(\s*(\w+)\.(\w+)", source)
    module = inspect.getmodule(method)
    holder = getattr(module, found[1], None) if found else None
    return getattr(holder, found[2], None) if holder else None


class Maker:
    """Makes the requests of one service."""

    def __init__(self, name):
        self.name = name
        self.taken = Taken()
        session = requests.Session()
        session.mount("https://", self.taken)
        settings = {f"{one}_endpoint_override": HOST + base for one, (_, base, _) in SERVICES.items()}
        versions = {"block_storage_api_version": "3", "identity_api_version": "3", "image_api_version": "2"}
        self.cloud = openstack.connect(
            auth_type="none", load_yaml_config=False, load_envvars=False, session=None, **settings, **versions
        )
        self.cloud.session.session = session
        self.proxy = getattr(self.cloud, name)
        self.lines = []
        self.skipped = []

    def all(self):
        for name in sorted(dir(type(self.proxy))):
            method = getattr(type(self.proxy), name)
            is_own = inspect.getmodule(method) is inspect.getmodule(type(self.proxy))
            if name.startswith(("_", "wait_")) or not inspect.isfunction(method) or not is_own:
                continue
            kind = classes(method)
            for variant in ("least", "full"):
                made = arguments(getattr(self.proxy, name), kind, variant == "full")
                for target in TARGETS.get(name, (None,)):
                    chosen = made | ({"target": target} if target else {})
                    self.call(name, variant + (f"-{target.replace(' ', '-')}" if target else ""), chosen)

    def call(self, name, variant, made):
        self.taken.requests.clear()
        if name in LABELLED and self.name == "network":
            made["resource"] = network.Network.new(id=ID)
        if name in ("add_ip_to_port", "remove_ip_from_port"):
            made |= {"port": port.Port.new(id=OTHER), "ip": floating_ip.FloatingIP.new(id=ID, port_id=OTHER)}
        if "flavor" in made and self.name == "network":
            made["flavor"] = ID
        made |= SPECIAL.get(name, {})
        try:
            result = getattr(self.proxy, name)(**made)
            if inspect.isgenerator(result):
                next(result, None)
        except Exception as error:  # What the library makes of our answers is not what is asked here.
            self.skipped.append(f"{self.name}.{name}/{variant}: {type(error).__name__}: {error}"[:160])
        seen = set()
        for method, url, headers, body, sender in self.taken.requests[:6]:
            if (method, url, body) in seen:
                continue
            seen.add((method, url, body))
            kind, doing = sender if sender else (None, name)
            keep = ("content-type", "openstack-api-version", "x-openstack")
            kept = [[key.lower(), str(value)] for key, value in headers.items() if key.lower().startswith(keep)]
            self.lines.append(
                {
                    "id": f"{self.name}.{name}/{variant}/{len(seen)}",
                    "method": method,
                    "url": url,
                    "headers": sorted(kept),
                    "body_b64": base64.b64encode(body).decode(),
                    "expect_service": service(kind, self.name),
                    "expect_collection": collection(kind) if kind else "",
                    "expect_doing": doing,
                    "expect_hint": hint(name, doing),
                }
            )


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, type=pathlib.Path)
    chosen = arguments.parse_args()
    chosen.out = chosen.out.resolve()
    chosen.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    # The library keeps some of what it sends in sets, whose order hangs on this.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    os.chdir(tempfile.mkdtemp())
    count, methods = 0, set()
    with open(chosen.out / "requests.jsonl", "w", encoding="utf-8") as stream:
        for name in SERVICES:
            maker = Maker(name)
            maker.all()
            for line in maker.lines:
                methods.add(line["id"].split("/")[0])
                stream.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
            count += len(maker.lines)
            print(f"{name}: {len(maker.lines)} requests, {len(maker.skipped)} calls ended early", file=sys.stderr)
            for early in maker.skipped:
                print(f"  {early}", file=sys.stderr)
    print(f"openstacksdk {importlib.metadata.version('openstacksdk')}: {count} requests of {len(methods)} methods", file=sys.stderr)


if __name__ == "__main__":
    main()
