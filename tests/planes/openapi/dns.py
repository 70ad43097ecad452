"""A day with zones, by a client of PowerDNS that is not ours: what it says, one line a call.

    dns.py URL KEY day|deny

Leaves out numbers that the server counts by itself.
"""

import sys

import powerdns

URL, KEY, WHAT = sys.argv[1:]


def said(name, call):
    try:
        print(name, call(), flush=True)
    except powerdns.exceptions.PDNSError as error:
        print(name, "PDNSError", error.status_code, str(error.message).split("(decision")[0].strip(), flush=True)


def shown(zone):
    return sorted((rrset["name"], rrset["type"], sorted(r["content"] for r in rrset["records"])) for rrset in zone.details["rrsets"] if rrset["type"] != "SOA")


def day(server):
    def fresh():
        server._zones = None
        return server.get_zone("shop.example.")

    said("zones", lambda: [zone.name for zone in server.zones])
    said("make", lambda: server.create_zone("shop.example.", "Native", ["ns1.shop.example."]).name)
    said("again", lambda: server.create_zone("shop.example.", "Native", ["ns1.shop.example."]).name)
    record = powerdns.RRSet("www", "A", [("192.0.2.1", False)], comments=[powerdns.Comment("a shop")])
    said("add", lambda: fresh().create_records([record]))
    said("shown", lambda: shown(fresh()))
    said("search", lambda: sorted(found["name"] for found in server.search("www*", 9)))
    said("remove", lambda: fresh().delete_records([powerdns.RRSet("www", "A", [])]))
    said("shown", lambda: shown(fresh()))
    said("notify", lambda: fresh().notify())
    said("other", lambda: server.create_zone("no such name", "Native", []).name)
    said("drop", lambda: server.delete_zone("shop.example."))
    said("zones", lambda: (setattr(server, "_zones", None), [zone.name for zone in server.zones])[1])


def deny(server):
    said("zones", lambda: [zone.name for zone in server.zones])
    said("make", lambda: server.create_zone("evil.example.", "Native", []))
    said("drop", lambda: server.delete_zone("kept.example."))
    said("drop", lambda: server.delete_zone("KEPT.example."))
    zone = server.get_zone("kept.example.")
    said("add", lambda: zone.create_records([powerdns.RRSet("www", "A", ["192.0.2.9"])]))
    said("config", lambda: server.config)


client = powerdns.PDNSApiClient(api_endpoint=f"{URL}/api/v1", api_key=KEY)
if WHAT == "make":
    powerdns.PDNSEndpoint(client).servers[0].create_zone("kept.example.", "Native", ["ns1.kept.example."])
elif WHAT == "list":
    print([(zone.name, shown(zone)) for zone in powerdns.PDNSEndpoint(client).servers[0].zones])
else:
    {"day": day, "deny": deny}[WHAT](powerdns.PDNSEndpoint(client).servers[0])
