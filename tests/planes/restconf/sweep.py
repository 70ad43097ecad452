"""Every call that three clients of RESTCONF have, over nodes of many shapes, as they would send it, as JSON lines.

Drives the clients' own code down to the last step before a socket, where the request is taken in the server's place. What a
request must be read as is told by the method's own name, and by the node that was handed to it. Nothing is sent, and the same
clients give the same bytes.

    sweep.py --out FOLDER

Leaves out calls that their client sends to paths that the RFC does not have (rollbacks and queries of one vendor).
"""

import argparse
import base64
import inspect
import json
import pathlib

import requests
from cisco_nso_restconf.client import NSORestconfClient
from cisco_nso_restconf.devices import Devices
from pynso import NSOClient
from pynso.datastores import DatastoreType
from restconf import RestConf

HOST = "device.example"

# A node as clients write it, its canonical name, and a value for it.
NODES = [
    ("ietf-interfaces:interfaces", "ietf-interfaces:interfaces", {}),
    ("ietf-interfaces:interfaces/interface=eth0", "ietf-interfaces:interfaces/interface=eth0", [{"name": "eth0"}]),
    (
        "ietf-interfaces:interfaces/interface=GigabitEthernet0%2F0%2F1",
        "ietf-interfaces:interfaces/interface=GigabitEthernet0%2F0%2F1",
        [{"name": "GigabitEthernet0/0/1", "enabled": False}],
    ),
    (
        "ietf-interfaces:interfaces/interface=eth0/ietf-ip:ipv4/address=10.0.0.1",
        "ietf-interfaces:interfaces/interface=eth0/ietf-ip:ipv4/address=10.0.0.1",
        [{"ip": "10.0.0.1", "prefix-length": 24}],
    ),
    (
        "ietf-interfaces:interfaces/interface=eth0/description",
        "ietf-interfaces:interfaces/interface=eth0/description",
        "uplink",
    ),
    ("ietf-system:system/clock", "ietf-system:system/clock", {"timezone-utc-offset": 60}),
    ("ietf-system:system/authentication/user=eve", "ietf-system:system/authentication/user=eve", [{"name": "eve"}]),
    ("ietf-netconf-acm:nacm/groups/group=ops", "ietf-netconf-acm:nacm/groups/group=ops", [{"name": "ops"}]),
    ("Cisco-IOS-XE-native:native/interface/Loopback=7", None, [{"name": 7, "description": "x"}]),
    ("openconfig-interfaces:interfaces/interface=Ethernet1/config", None, {"name": "Ethernet1", "mtu": 9000}),
    ("openconfig-acl:acl/acl-sets/acl-set=in,ACL_IPV4", None, [{"name": "in", "type": "ACL_IPV4"}]),
    ("example-jukebox:jukebox/library/artist=Foo%20Fighters/album=Wasting%20Light", None, [{"name": "Wasting Light"}]),
    ("example-vpn:vpns/vpn=a%2Cb,c", "example-vpn:vpns/vpn=a%2Cb,c", [{"site": "a,b", "id": "c"}]),
    ("tailf-ncs:devices/device=ce0", "tailf-ncs:devices/device=ce0", [{"name": "ce0", "address": "10.0.0.9"}]),
]
ACTIONS = ["tailf-ncs:devices/device=ce0/sync-to", "example-server-farm:server-farm/server=a/reset"]
RPCS = ["ietf-system:system-restart", "ietf-system:set-current-datetime", "ietf-netconf:edit-config"]

XRD = b'<XRD><Link rel="restconf" href="/restconf"/></XRD>'

lines = []
pending = {}


class Taken(requests.Session):
    """A session that sends nothing."""

    def send(self, request, **_):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        shown = {name: value for name, value in request.headers.items() if name.lower() not in ("user-agent",)}
        lines.append({
            "id": f"{pending['id']}/{len(lines)}",
            "method": request.method,
            "url": request.url,
            "headers": [[name, value] for name, value in shown.items() if name.lower() != "authorization"],
            "body_b64": base64.b64encode(body).decode(),
            "expect": pending["expect"],
            "name": pending.get("name") or "",
        })
        response = requests.Response()
        response.status_code = 200
        response._content = XRD if request.url.endswith("host-meta") else b'{"ietf-restconf:data": {}, "x": {}}'
        response.request, response.url = request, request.url
        return response


def call(what, expect, name, function, *arguments, **named):
    pending.update(id=what, expect=expect, name=name)
    try:
        function(*arguments, **named)
    except (KeyError, AttributeError, TypeError):
        # What the answer should have is not there: the request was made all the same.
        pass


def wrapped(path, value):
    """A value below the name of the node that it is for, with its module."""
    module, name = "", ""
    for step in path.split("/"):
        before, _, own = step.partition("=")[0].rpartition(":")
        module, name = before or module, own
    return {f"{module}:{name}": value}


def canonical(path, name):
    return "restconf://acme/" + (name or path)


def cisco():
    client = NSORestconfClient(address=HOST, username="u", password="p")
    client.session.__class__ = Taken
    for path, name, value in NODES:
        parent = path.rpartition("/")[0]
        call("cisco.get", "read", canonical(path, name), client.get, path)
        call("cisco.delete", "delete", canonical(path, name), client.delete, path)
        call("cisco.delete", "delete", canonical(path, name), client.delete, path, params={"dry-run": "native"})
        if "=" in path.rpartition("/")[2]:
            call("cisco.post", "create", "", client.post, parent, wrapped(path, value))
    for path in ACTIONS:
        target = canonical(path.rpartition("/")[0], None)
        call("cisco.post", "execute", target, client.post, path)
        call("cisco.post", "execute", target, client.post, path, "{}")
    devices = Devices(client)
    for name, method in inspect.getmembers(devices, inspect.ismethod):
        if not name.startswith("_"):
            expect = "read" if name.startswith("get_") else "execute"
            arguments = ["ce0"] * (len(inspect.signature(method).parameters))
            call(f"cisco.{name}", expect, "", method, *arguments)


def pynso():
    client = NSOClient(HOST, "u", "p", ssl=False)
    client.connection.session.__class__ = Taken
    call("pynso.info", "read", "", client.info)
    for datastore in ("running", "operational", "candidate", "intended"):
        call("pynso.get_datastore", "read", "restconf://acme", client.get_datastore, datastore)
    for path, name, value in NODES:
        steps, target, body = path.split("/"), canonical(path, name), json.dumps(wrapped(path, value))
        for datastore in [None, *DatastoreType]:
            call("pynso.get_data", "read", target, client.get_data, steps, datastore=datastore)
        call("pynso.get_data", "read", target, client.get_data, steps, params={"depth": "1", "with-defaults": "report-all"})
        call("pynso.exists", "read", target, client.exists, steps)
        call("pynso.set_data_value", "update", target, client.set_data_value, steps, body)
        call("pynso.update_data_value", "update", target, client.update_data_value, steps, body)
        call("pynso.delete_path", "delete", target, client.delete_path, steps)
        for parameter in ("no-networking", "no-out-of-sync-check", "no-overwrite", "no-deploy"):
            call("pynso.delete_path", "delete", target, client.delete_path, steps, params={parameter: ""})
        if "=" in steps[-1]:
            call("pynso.create_data_value", "create", "", client.create_data_value, steps[:-1], body)
            point = {"insert": "before", "point": "/" + path}
            call("pynso.create_data_value", "create", "", client.create_data_value, steps[:-1], body, params=point)
    for path in ACTIONS:
        target = canonical(path.rpartition("/")[0], None)
        call("pynso.call_operation", "execute", target, client.call_operation, path.split("/"), '{"input": {}}')


def iupy():
    client = RestConf()
    for name in ("get", "head", "post", "put", "patch", "delete"):
        setattr(requests, name, getattr(Taken(), name))
    call("iupy.connect", "read", "restconf://acme", client.connect, transport="https", host=HOST, un="u", pw="p")
    for name in ("get_data_modules", "get_operations_resources", "get_yang_date"):
        call(f"iupy.{name}", "read", "", getattr(client, name))
    for path, name, value in NODES:
        target, at = canonical(path, name), f"data/{path}"
        call("iupy.get", "read", target, client.get, at)
        call("iupy.head", "read", target, client.head, at)
        call("iupy.put", "update", target, client.put, at, wrapped(path, value))
        call("iupy.patch", "update", target, client.patch, at, wrapped(path, value))
        call("iupy.delete", "delete", target, client.delete, at)
        if "=" in path.rpartition("/")[2]:
            call("iupy.post", "create", "", client.post, f"data/{path.rpartition('/')[0]}", wrapped(path, value))
    for rpc in RPCS:
        call("iupy.post", "execute", "restconf://acme", client.post, f"operations/{rpc}")
        module = rpc.partition(":")[0]
        call("iupy.post", "execute", "restconf://acme", client.post, f"operations/{rpc}", {f"{module}:input": {"x": "y"}})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=pathlib.Path)
    out = parser.parse_args().out
    cisco()
    pynso()
    iupy()
    out.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    (out / "requests.jsonl").write_text(text)
    print(len(lines), "requests of", len({line["id"].rpartition("/")[0] for line in lines}), "methods")


if __name__ == "__main__":
    main()
