"""A real Ironic without Keystone on one port, and what openstacksdk asks of one.

    baremetal.py serve PORT FOLDER    starts one with a database of its own in FOLDER and hardware that only says it is some
    baremetal.py day URL TOKEN        a day of metal work, one line a step
    baremetal.py made URL TOKEN       what of it takes nothing away again
    baremetal.py denied URL TOKEN     its changes alone, of what is there after that

Lines say what was asked and what came of it, without identifiers, so that two runs can be held against each other.
"""

import os
import pathlib
import subprocess
import sys

CONFIGURATION = """
[DEFAULT]
auth_strategy = noauth
enabled_hardware_types = fake-hardware
enabled_bios_interfaces = no-bios
enabled_boot_interfaces = fake
enabled_console_interfaces = no-console
enabled_deploy_interfaces = fake
enabled_firmware_interfaces = no-firmware
enabled_inspect_interfaces = no-inspect
enabled_management_interfaces = fake
enabled_network_interfaces = noop
enabled_power_interfaces = fake
enabled_raid_interfaces = no-raid
enabled_rescue_interfaces = no-rescue
enabled_storage_interfaces = noop
enabled_vendor_interfaces = no-vendor
rpc_transport = none
state_path = {folder}
host = one
[api]
host_ip = 127.0.0.1
port = {port}
[conductor]
automated_clean = false
[database]
connection = sqlite:///{folder}/ironic.db
[oslo_concurrency]
lock_path = {folder}/locks
"""


def serve(port, folder):
    written = pathlib.Path(folder, "ironic.conf")
    written.write_text(CONFIGURATION.format(folder=folder, port=port))
    programs = pathlib.Path(sys.executable).parent
    made = [str(programs / "ironic-dbsync"), "--config-file", str(written), "create_schema"]
    done = subprocess.run(made, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"ironic-dbsync: {done.stdout}{done.stderr}")
    os.execv(programs / "ironic", [str(programs / "ironic"), "--config-file", str(written)])


def connect(url, shown):
    import openstack

    return openstack.connect(
        auth_type="admin_token",
        auth={"endpoint": url, "token": shown},
        baremetal_endpoint_override=url,
        load_yaml_config=False,
        load_envvars=False,
    ).baremetal


class Day:
    """What somebody who looks after machines does in a day."""

    STEPS = (
        "drivers", "chassis", "enroll", "renamed", "nodes", "pages", "manage", "available", "port", "boot", "on", "traits",
        "maintained", "deploy", "state", "undeploy", "missing", "removed",
    )
    DENIED = (
        "chassis", "enroll", "moved", "manage", "port", "boot", "on", "traits", "maintained", "deploy", "destroyed",
    )

    def __init__(self, metal):
        self.metal = metal

    def node(self):
        return self.metal.get_node("rack-1")

    def drivers(self):
        return [driver.name for driver in self.metal.drivers()]

    def chassis(self):
        return self.metal.create_chassis(description="the left one").description

    def enroll(self):
        for number in ("1", "2", "3", "4", "5"):
            made = self.metal.create_node(name=f"rack-{number}", driver="fake-hardware", provision_state="enroll")
        return made.name, made.provision_state

    def renamed(self):
        return self.metal.update_node(self.node(), extra={"of": "web"}, description="in the corner").extra

    def moved(self):
        return self.metal.update_node(self.node(), description="in the other corner").description

    def nodes(self):
        return sorted(node.name for node in self.metal.nodes())

    def pages(self):
        """Of two: the address of the next one is in the answer."""
        return sorted(node.name for node in self.metal.nodes(limit=2))

    def manage(self):
        return self.metal.set_node_provision_state(self.node(), "manage", wait=True, timeout=30).provision_state

    def available(self):
        return self.metal.set_node_provision_state(self.node(), "provide", wait=True, timeout=30).provision_state

    def port(self):
        made = self.metal.create_port(address="11:22:33:44:55:66", node_id=self.node().id)
        return made.address, [port.address for port in self.metal.ports(node="rack-1")]

    def boot(self):
        self.metal.set_node_boot_device(self.node(), "pxe")
        return self.metal.get_node_boot_device(self.node())["boot_device"]

    def on(self):
        self.metal.set_node_power_state(self.node(), "power on", wait=True, timeout=30)
        return self.node().power_state

    def traits(self):
        self.metal.set_node_traits(self.node(), ["CUSTOM_FAST"])
        return self.metal.get_node("rack-1", fields=["traits"]).traits

    def maintained(self):
        self.metal.set_node_maintenance(self.node(), "a disk is old")
        shown = self.node().maintenance_reason
        self.metal.unset_node_maintenance(self.node())
        return shown, self.node().is_maintenance

    def deploy(self):
        source = {"image_source": "http://images.example/one.img", "image_checksum": "0" * 32, "root_gb": 10}
        self.metal.update_node(self.node(), instance_info=source)
        done = self.metal.set_node_provision_state(self.node(), "active", wait=True, timeout=60)
        return done.provision_state

    def state(self):
        states = self.metal.get_node("rack-1", fields=["provision_state", "power_state", "last_error"])
        return states.provision_state, states.power_state, states.last_error

    def undeploy(self):
        return self.metal.set_node_provision_state(self.node(), "deleted", wait=True, timeout=60).provision_state

    def missing(self):
        return self.metal.get_node("rack-9").name

    def destroyed(self):
        return self.metal.delete_node("rack-1", ignore_missing=False)

    def removed(self):
        for port in self.metal.ports():
            self.metal.delete_port(port, ignore_missing=False)
        for node in list(self.metal.nodes()):
            self.metal.delete_node(node, ignore_missing=False)
        return list(self.metal.nodes())


def step(day, name):
    from openstack import exceptions

    try:
        return f"{name}: {getattr(day, name)()}"
    except exceptions.HttpException as error:
        return f"{name}: {type(error).__name__} {error.response.status_code}: {error.details}"


def main():
    verb, *rest = sys.argv[1:]
    if verb == "serve":
        return serve(*rest)
    url, shown = rest
    day = Day(connect(url, shown))
    for name in {"day": Day.STEPS, "made": Day.STEPS[:-5], "denied": Day.DENIED}[verb]:
        print(step(day, name), flush=True)


if __name__ == "__main__":
    main()
