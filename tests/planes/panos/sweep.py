"""Every call of pan-os-python and pan-python over every class of objects that they have, as they would send it.

Drives the clients' own code down to the last step before a socket, where the request is taken in the firewall's place. What a
request must be read as is told by the method's own name, and by the object's own xpath. Nothing is sent, and the same clients
give the same requests. The key that the clients put into a form goes into the header for it: parameters are read by others.

    sweep.py --out FOLDER

Leaves out calls that wait for what an answer says, and never ask then.
"""

import argparse
import base64
import importlib
import io
import json
import pathlib
import re
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
import zlib

import pan.xapi
from pan.commit import PanCommit
from panos import base, device, firewall, network, panorama, policies, updater

lines = []
pending = {}


SYSTEM = (
    "<system><hostname>fw</hostname><sw-version>10.2.0</sw-version><model>PA-5450</model><serial>0123456789</serial>"
    "<multi-vsys>on</multi-vsys><app-version>1</app-version><platform-family>pc</platform-family></system>"
)


class Answer(io.BytesIO):
    """What a firewall says that has nothing and does everything."""

    def __init__(self, form):
        result = "<job/>"
        if form.get("type") == "keygen":
            result = "<key>k</key>"
        elif "<system><info" in form.get("cmd", "").replace(" ", ""):
            result = SYSTEM
        text = f'<response status="success" code="20"><result>{result}</result><msg/></response>'
        super().__init__(text.encode())
        self.headers = {"content-type": "application/xml; charset=UTF-8"}

    def info(self):
        return self.headers

    def getheader(self, name, default=None):
        return self.headers.get(name.lower(), default)


def take(url, **_):
    request = url
    body = request.data or b""
    target = request.full_url
    if body and b"multipart" not in request.headers.get("Content-type", "").encode():
        body = "&".join(pair for pair in body.decode().split("&") if not pair.startswith("key=")).encode()
    path, _, query = target.partition("?")
    if query:
        query = "&".join(pair for pair in query.split("&") if not pair.startswith("key="))
        target = f"{path}?{query}"
    media = request.headers.get("Content-type", "application/x-www-form-urlencoded")
    lines.append({
        "id": f"{pending['id']}/{len(lines)}",
        "method": request.get_method(),
        "url": target,
        "headers": [["content-type", media]] if body else [],
        "body_b64": base64.b64encode(body).decode(),
        "expect": expected(target, body),
        "name": named(target, body),
    })
    return Answer(form_of(target, body))


def expected(target, body):
    """The class of what was called; a method may ask first, and change several things."""
    form = form_of(target, body)
    kind, action, command = form.get("type"), form.get("action"), form.get("cmd", "")
    # What the client sends of some objects is no XML, or asks for what only entries of lists can be.
    try:
        ET.fromstring(f"<x>{form.get('element', '')}</x>")
    except ET.ParseError:
        return "refused bad_xml"
    if action in ("rename", "move") and not form["xpath"].endswith("]"):
        return "refused bad_panos"
    # Reads that come before a change are reads; they are known by the words of their own parameters.
    asks = (kind == "config" and action in ("get", "show")) or (kind == "op" and command.startswith(("<show", "<check")))
    if asks and pending["expect"] != "read":
        return "read"
    if "]/import/network" in form.get("xpath", ""):
        return {"set": "update", "edit": "update", "delete": "delete"}.get(action, "read")
    return pending["expect"].get(action, action) if isinstance(pending["expect"], dict) else pending["expect"]


def form_of(target, body):
    query = target.partition("?")[2]
    return dict(urllib.parse.parse_qsl(query) + urllib.parse.parse_qsl(body.decode("latin-1")))


def named(target, body):
    """The canonical name of the node that an object says it is, made here from its own xpath."""
    form = form_of(target, body)
    xpath, want = form.get("xpath", ""), pending.get("xpath")
    if not want or xpath != want or form.get("action") not in ("edit", "delete", "rename", "move"):
        return ""
    quoted = lambda match: f"={chr(39)}{urllib.parse.quote(match.group(1), safe=SAFE)}{chr(39)}"
    return "panos://acme" + re.sub(r"=['\"]([^'\"]*)['\"]", quoted, xpath)


SAFE = "".join(chr(code) for code in range(33, 127) if chr(code) not in "%*?/:'") + " "

pan.xapi.urlopen = take


def call(what, expect, function, *arguments, own=None, **named_arguments):
    pending.update(id=what, expect=expect, xpath=own)
    try:
        function(*arguments, **named_arguments)
    except Exception as error:  # what the answer lacks is of no concern here
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        skipped.append((what, repr(error)[:100]))


skipped = []


def parents_of(root):
    """Every class below a root, with one way of classes down to it."""
    found, queue = {}, [(type(root), ())]
    while queue:
        cls, way = queue.pop(0)
        for child in getattr(cls, "CHILDTYPES", ()):
            module, name = child.split(".")
            one = getattr(importlib.import_module(f"panos.{module}"), name)
            if issubclass(one, base.PanDevice) or one in found:
                continue
            found[one] = (*way, one)
            queue.append((one, (*way, one)))
    return found


NAMES = {
    network.EthernetInterface: "ethernet1/1",
    network.AggregateInterface: "ae1",
    network.LoopbackInterface: "loopback.1",
    network.TunnelInterface: "tunnel.1",
    network.VlanInterface: "vlan.1",
    network.Layer3Subinterface: "ethernet1/1.5",
    network.Layer2Subinterface: "ethernet1/1.5",
    device.Vsys: "vsys2",
}
# Names as people give them.
OTHERS = ["web", "a b", "10.0.0.0/8", "rule: one", "tag-1"]


def chain(root, way):
    parent, made = root, None
    for depth, cls in enumerate(way):
        name = NAMES.get(cls) or OTHERS[zlib.crc32(f"{cls.__name__}{depth}".encode()) % len(OTHERS)]
        made = cls(name) if getattr(cls, "NAME", "name") is not None else cls()
        parent.add(made)
        parent = made
    return made


def fill(made):
    """Some values, of the sort that each parameter takes."""
    for parameter in getattr(made, "_params", ()):
        values = getattr(parameter, "values", None)
        sort = getattr(parameter, "vartype", None)
        if parameter.name in ("uid", made.NAME) or getattr(made, parameter.name, None) is not None:
            continue
        value = values[0] if values else {"yesno": True, "int": 5, "member": ["m1", "m2"], "entry": ["e1"]}.get(sort, "5")
        try:
            setattr(made, parameter.name, value)
        except Exception:
            pass


def every_object(root, where):
    for cls, way in parents_of(root).items():
        for filled in (False, True):
            for method, expect in METHODS:
                root.children = []
                try:
                    made = chain(root, way)
                except Exception as error:
                    skipped.append((cls.__name__, repr(error)[:100]))
                    break
                if filled:
                    fill(made)
                if not hasattr(made, method):
                    continue
                try:
                    xpath = made.xpath()
                except Exception as error:
                    skipped.append((f"{cls.__name__}.xpath", repr(error)[:100]))
                    continue
                name = f"{where}.{cls.__name__}.{method}"
                arguments = {"rename": ["new"], "move": ["top"], "refreshall": []}.get(method, [])
                function = getattr(made, method)
                if method == "refreshall":
                    call(f"{where}.{cls.__name__}.refreshall", "read", cls.refreshall, made.parent, add=False)
                    continue
                if method == "update":
                    values = [one.name for one in getattr(made, "_params", ()) if getattr(made, one.name, None) is not None]
                    for variable in values[:4] if filled else []:
                        call(name, {"edit": "update", "set": "update", "delete": "delete"}, function, variable)
                    continue
                call(name, expect, function, *arguments, own=xpath)
        root.children = []


# What is called on each object, and what that is, by the API's own action where the client chooses one.
METHODS = [
    ("create", "create"),
    ("apply", {"edit": "update", "set": "update", "delete": "delete"}),
    ("update", None),
    ("delete", "delete"),
    ("refresh", "read"),
    ("refreshall", "read"),
    ("rename", "update"),
    ("move", "update"),
    ("create_similar", "create"),
    ("apply_similar", {"edit": "update", "set": "update", "delete": "delete"}),
    ("delete_similar", "delete"),
]


def of_devices():
    fw = firewall.Firewall("fw.example", api_key="k", vsys="vsys1", is_virtual=False)
    manager = panorama.Panorama("panorama.example", api_key="k")
    for made in (fw, manager):
        pending.update(id=f"{type(made).__name__.lower()}.refresh_system_info", expect="read", xpath=None)
        made.refresh_system_info()
    every_object(fw, "firewall")
    every_object(manager, "panorama")
    managed = firewall.Firewall(serial="0123456789")
    manager.add(managed)
    for made in (fw, manager):
        where = type(made).__name__.lower()
        for method, expect, *arguments in CALLS:
            if hasattr(made, method):
                call(f"{where}.{method}", expect, getattr(made, method), *arguments)
    call("firewall.op", "read", managed.op, "show system info")
    call("firewall.commit", "update", managed.commit)
    call("panorama.commit_all", "update", manager.commit_all, devicegroup="dg")
    call("panorama.generate_vm_auth_key", "secret_read", manager.generate_vm_auth_key, 5)
    call("panorama.get_vm_auth_keys", "secret_read", manager.get_vm_auth_keys)
    call("panorama.refresh_devices", "read", manager.refresh_devices, add=False)
    call("panorama.refresh_shared_objects", "read", manager.refresh_shared_objects)
    software, content = updater.SoftwareUpdater(fw), updater.ContentUpdater(fw)
    for part in (software, content):
        where = type(part).__name__
        call(f"{where}.info", "execute", part.info)
        call(f"{where}.check", "execute", part.check)
        call(f"{where}.download", "execute", part.download, *(["11.0.0"] if part is software else []))
        call(f"{where}.install", "execute", part.install, "11.0.0")
    users = fw.userid
    for method, *arguments in USERS:
        expect = "read" if method.startswith("get_") else "grant"
        call(f"userid.{method}", expect, getattr(users, method), *arguments)
    rule = policies.SecurityRule("r1")
    fw.add(policies.Rulebase()).add(rule)
    call("opstate.hit_count", "read", rule.opstate.hit_count.refresh)
    call("opstate.audit_comment.current", "read", rule.opstate.audit_comment.current)
    call("opstate.audit_comment.update", "update", rule.opstate.audit_comment.update, "why")


CALLS = [
    ("refresh_system_info", "read"),
    ("show_system_info", "read"),
    ("show_system_resources", "read"),
    ("pending_changes", "read"),
    ("check_commit_locks", "read"),
    ("check_config_locks", "read"),
    ("show_highavailability_state", "read"),
    ("config_sync_state", "read"),
    ("clock", "read"),
    ("plugins", "read"),
    ("whoami", "read"),
    ("is_ready", "read"),
    ("set_hostname", "update", "fw2"),
    ("set_dns_servers", "update", "10.0.0.1", "10.0.0.2"),
    ("set_ntp_servers", "update", "10.0.0.1", "10.0.0.2"),
    ("add_commit_lock", "execute", "why"),
    ("remove_commit_lock", "delete"),
    ("add_config_lock", "execute", "why"),
    ("remove_config_lock", "delete"),
    ("revert_to_running_configuration", "delete"),
    ("restart", "delete"),
    ("synchronize_config", "execute"),
    ("commit", "update"),
    ("request_license_info", "execute"),
    ("fetch_licenses_from_license_server", "execute"),
    ("activate_feature_using_authorization_code", "execute", "A1"),
    ("request_password_hash", "execute", "hunter2"),
    ("test_security_policy_match", "execute", "10.0.0.1", "10.0.0.2", 6),
    ("create_vsys", "create"),
    ("delete_vsys", "delete"),
    ("set_shared_policy_synced", "update", True),
]
USERS = [
    ("login", "eve", "10.0.0.9"),
    ("logins", [("eve", "10.0.0.9"), ("bob", "10.0.0.8", 20)]),
    ("logout", "eve", "10.0.0.9"),
    ("logouts", [("eve", "10.0.0.9")]),
    ("register", "10.0.0.9", ["a"]),
    ("unregister", "10.0.0.9", ["a"]),
    ("get_registered_ip",),
    ("set_group", "ops", ["eve"]),
    ("get_groups",),
    ("get_group_members", "ops"),
    ("get_user_tags",),
    ("tag_user", "eve", ["a"]),
    ("untag_user", "eve", ["a"]),
]


def of_xapi():
    rule = "/config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']/rulebase/security/rules"
    one = f"{rule}/entry[@name='r1']"
    for use_get in (False, True):
        api = pan.xapi.PanXapi(hostname="fw.example", api_key="k", use_get=use_get)
        for method, expect, arguments in [
            ("show", "read", {"xpath": one}),
            ("get", "read", {"xpath": rule}),
            ("get", "secret_read", {"xpath": "/config/mgt-config/users"}),
            ("get", "secret_read", {"xpath": "//entry"}),
            ("delete", "delete", {"xpath": one}),
            ("set", "create", {"xpath": rule, "element": "<entry name='r1'><action>allow</action></entry>"}),
            ("edit", "update", {"xpath": one, "element": "<entry name='r1'><action>deny</action></entry>"}),
            ("move", "update", {"xpath": one, "where": "after", "dst": "r2"}),
            ("rename", "update", {"xpath": one, "newname": "r2"}),
            ("clone", "create", {"xpath": rule, "xpath_from": one, "newname": "r2"}),
            ("override", "update", {"xpath": one, "element": "<entry name='r1'/>"}),
            ("user_id", "grant", {"cmd": "<uid-message><type>update</type><payload/></uid-message>", "vsys": "vsys1"}),
            ("commit", "update", {"cmd": "<commit></commit>"}),
            ("commit", "update", {"cmd": "<commit-all><shared-policy/></commit-all>", "action": "all"}),
            ("op", "read", {"cmd": "show system info", "cmd_xml": True}),
            ("op", "read", {"cmd": 'show jobs id "5"', "cmd_xml": True}),
            ("op", "execute", {"cmd": "request restart system", "cmd_xml": True}),
            ("op", "delete", {"cmd": "clear session all", "cmd_xml": True}),
            ("op", "secret_read", {"cmd": "show config running", "cmd_xml": True}),
            ("export", "secret_read", {"category": "configuration"}),
            ("export", "secret_read", {"category": "device-state"}),
            ("export", "secret_read", {"category": "threat-pcap", "pcapid": "1204"}),
            ("export", "read", {"category": "url-block-page"}),
            ("log", "read", {"log_type": "traffic", "nlogs": 20, "filter": "(addr.src in 10.0.0.1)"}),
            ("report", "read", {"reporttype": "predefined", "reportname": "top-apps"}),
            ("ad_hoc", "read", {"qs": "type=version"}),
        ]:
            call(f"xapi.{method}", expect, getattr(api, method), **arguments)
        keyless = pan.xapi.PanXapi(hostname="fw.example", api_username="eve", api_password="hunter2", use_get=use_get)
        call("xapi.keygen", "secret_read", keyless.keygen)
        for method in ("validate", "force", "device_and_network_excluded", "policy_and_objects_excluded", "vsys"):
            command = PanCommit()
            getattr(command, method)(*(["vsys1"] if method == "vsys" else []))
            expect = "execute" if method == "validate" else "update"
            call(f"xapi.commit.{method}", expect, api.commit, cmd=command.cmd())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, type=pathlib.Path)
    out = parser.parse_args().out
    of_devices()
    of_xapi()
    out.mkdir(parents=True, exist_ok=True)
    (out / "requests.jsonl").write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))
    print(len(lines), "requests of", len({line["id"].rpartition("/")[0] for line in lines}), "calls;", len(skipped), "ended early")


if __name__ == "__main__":
    main()
