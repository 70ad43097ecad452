"""What sushy makes of a service, one line a fact; or one change that it asks for, and what becomes of it.

    client.py URL USER PASSWORD tour
    client.py URL USER PASSWORD signed-in                # the same tour, by a session
    client.py URL USER PASSWORD on|boot|media|update|reset-bios

The root is asked for before anybody signs in: what `NETRC` names signs that request too, where it is set. A tour reads and changes: what it prints is the same wherever it goes, but for times.
"""

import sys

import sushy
from sushy import auth, exceptions

url, user, password, verb = sys.argv[1:]
way = auth.SessionAuth if verb == "signed-in" else auth.BasicAuth
root = sushy.Sushy(url, auth=way(user, password), server_side_retries=0)


def machines():
    collection = root.get_system_collection()
    collection.refresh(force=True)
    return [collection.get_member(path) for path in collection.members_identities]


def system():
    return machines()[0]


def media(machine):
    return machine.virtual_media.get_members()[0]


CHANGES = {
    "on": lambda: system().reset_system(sushy.ResetType.ON),
    "off": lambda: system().reset_system(sushy.ResetType.FORCE_OFF),
    "boot": lambda: system().set_system_boot_options(sushy.BootSource.PXE, sushy.BootSourceOverrideEnabled.CONTINUOUS),
    "led": lambda: system().set_indicator_led(sushy.IndicatorLED.BLINKING),
    "bios": lambda: system().bios.set_attribute("ProcTurboMode", "Disabled"),
    "reset-bios": lambda: system().bios.reset_bios(),
    "secure-boot": lambda: system().secure_boot.set_enabled(True),
    "media": lambda: media(system()).insert_media("http://127.0.0.1:9/boot.iso"),
    "eject": lambda: media(system()).eject_media(),
    "update": lambda: root.get_update_service().simple_update("http://127.0.0.1:9/bmc.bin", [system().path]),
    "clock": lambda: root.get_manager_collection().get_members()[0].set_datetime("2026-01-01T00:00:00Z"),
}


def change(name):
    try:
        CHANGES[name]()
    except exceptions.AccessError as why:
        print(f"{name}: AccessError {why.status_code} {why.code}: {why.detail}")
    except (exceptions.SushyError, AttributeError, IndexError) as why:
        print(f"{name}: {type(why).__name__} {getattr(why, 'status_code', '')}")
    else:
        print(f"{name}: done")


def tour():
    print(f"root {root.name} {root.redfish_version}")
    for machine in machines():
        print(f"system {machine.identity} {machine.name} {machine.power_state.value}")
        print(f"boot {machine.boot.get('target')}")
        for name, what in [
            ("processors", lambda machine=machine: [one.identity for one in machine.processors.get_members()]),
            ("nics", lambda machine=machine: [one.mac_address for one in machine.ethernet_interfaces.get_members()]),
            ("bios", lambda machine=machine: sorted(machine.bios.attributes)),
            ("secure boot", lambda machine=machine: machine.secure_boot.enabled),
            ("storage", lambda machine=machine: [one.identity for one in machine.storage.get_members()]),
            ("simple storage", lambda machine=machine: machine.simple_storage.max_size_bytes),
            ("media", lambda machine=machine: [one.media_types for one in machine.virtual_media.get_members()]),
        ]:
            shown(name, what)
    shown("managers", lambda: [one.identity for one in root.get_manager_collection().get_members()])
    shown("chassis", lambda: [one.identity for one in root.get_chassis_collection().get_members()])
    shown("tasks", lambda: root.get_task_service().identity)
    shown("certificates", lambda: len(root.get_certificate_service().certificate_locations.get_members()))
    shown("updates", lambda: root.get_update_service().identity)
    for name in CHANGES:
        change(name)
        shown("then", lambda: [(one.boot.get("target"), one.indicator_led) for one in machines()])


def shown(name, what):
    try:
        print(f"{name} {what()}")
    except (exceptions.SushyError, AttributeError) as why:
        print(f"{name}: {type(why).__name__} {getattr(why, 'status_code', '')}")


if verb == "tour":
    tour()
elif verb == "signed-in":
    tour()
    root._auth.close()
else:
    change(verb)
