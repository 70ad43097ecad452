"""Three clients of RESTCONF that are not ours, and what each makes of the answers, one line a call.

    client.py URL PASSWORD day        # a day's work: finds, reads, makes, changes, runs and deletes
    client.py URL PASSWORD delete     # one change

Leaves out the clients' own calls of one vendor's devices, which the sweep has.
"""

import json
import sys
import urllib.parse

import requests
from cisco_nso_restconf.client import NSORestconfClient
from pynso import NSOClient
from restconf import RestConf

url, password, what = sys.argv[1:]
at = urllib.parse.urlsplit(url)
LOOPBACK = "ietf-interfaces:interfaces/interface=lo1"

cisco = NSORestconfClient(address=at.hostname, port=at.port, username="admin", password=password)
pynso = NSOClient(at.hostname, "admin", password, port=at.port, ssl=False)
iupy = RestConf()


def tell(name, call):
    try:
        value = call()
    except requests.HTTPError as error:
        tags = [one["error-tag"] for one in error.response.json()["ietf-restconf:errors"]["error"]]
        message = error.response.json()["ietf-restconf:errors"]["error"][0].get("error-message", "")
        value = f"{type(error).__name__} {error.response.status_code} {tags[0]} {message}"
    if isinstance(value, requests.Response):
        value = f"{value.status_code} {value.headers.get('Location', '')} {value.text}"
    print(name, value)


def body(name, **more):
    return json.dumps({"ietf-interfaces:interface": [{"name": name, **more}]})


def day():
    connected = iupy.connect(transport="http", host=at.hostname, port=at.port, un="admin", pw=password)
    print("connected", connected, iupy._config["base"])
    tell("info", pynso.info)
    tell("read", lambda: cisco.get("ietf-interfaces:interfaces/interface=eth0"))
    tell("there", lambda: pynso.exists(["ietf-interfaces:interfaces", "interface=eth0"]))
    tell("absent", lambda: pynso.exists(["ietf-interfaces:interfaces", "interface=lo1"]))
    tell("make", lambda: cisco.post("ietf-interfaces:interfaces", body("lo1")))
    tell("again", lambda: cisco.post("ietf-interfaces:interfaces", body("lo1")))
    path = LOOPBACK.split("/")
    tell("replace", lambda: pynso.set_data_value(path, body("lo1", enabled=True)))
    tell("merge", lambda: pynso.update_data_value(path, body("lo1", description="loop")))
    tell("read", lambda: pynso.get_data(path))
    tell("run", lambda: cisco.post("tailf-ncs:devices/device=ce0/check-sync"))
    tell("delete", lambda: cisco.delete(LOOPBACK))
    tell("delete", lambda: pynso.delete_path(path))


if what == "day":
    day()
else:
    tell("delete", lambda: cisco.delete("ietf-interfaces:interfaces/interface=eth0"))
    tell("replace", lambda: pynso.set_data_value(["ietf-interfaces:interfaces", "interface=eth0"], body("eth0")))
    tell("read", lambda: cisco.get("ietf-interfaces:interfaces/interface=eth0"))
