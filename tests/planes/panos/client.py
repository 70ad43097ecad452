"""pan-os-python, and what it makes of the answers, one line a call.

    client.py URL KEY day        # a day's work: reads, makes, changes, renames, deletes and commits
    client.py URL KEY delete     # one change

The client puts its key among the parameters, and is as it came. Leaves out what the sweep has.
"""

import sys
import urllib.parse

import pan.xapi
from panos import firewall, objects

url, key, what = sys.argv[1:]


api = pan.xapi.PanXapi.__init__


def plainly(self, *arguments, **options):
    """Over plain HTTP, which the library can and its firewalls do not hand on."""
    api(self, *arguments, use_http=True, **options)


pan.xapi.PanXapi.__init__ = plainly
place = urllib.parse.urlsplit(url)
fw = firewall.Firewall(place.hostname, api_key=key, port=place.port)


def tell(name, call):
    try:
        value = call()
    except pan.xapi.PanXapiError as error:
        value = f"{type(error).__name__}: {error}"
    print(name, value)


def address(name, value="10.0.0.1"):
    made = objects.AddressObject(name, value)
    fw.add(made)
    return made


def day():
    tell("system", lambda: fw.refresh_system_info().version)
    made = address("web")
    tell("create", made.create)
    tell("refresh", lambda: made.refresh() or made.value)
    made.value = "10.0.0.2"
    tell("apply", made.apply)
    tell("list", lambda: [one.about()["name"] for one in objects.AddressObject.refreshall(fw)])
    tell("rename", lambda: made.rename("www"))
    tell("delete", made.delete)
    tell("gone", lambda: address("web").refresh())
    tell("commit", lambda: fw.commit(sync=True, exception=True)["success"])


def change():
    tell("delete", address("web").delete)
    tell("create", address("web").create)
    tell("commit", fw.commit)
    print("a lost connection" if fw.ha_failed else "no connection was lost")
    tell("system", lambda: fw.refresh_system_info().version)


day() if what == "day" else change()
