"""Every method of the clients that PowerDNS and Docker have in Python, as they would send it, as JSON lines.

Drives the clients' own code down to the last step before a socket. What each request must be read as is told by the
method's own name, by a table that was written beside the clients and not from a description. Nothing is sent, and the same
clients give the same bytes. Leaves out what they do beside requests: following streams, packing build contexts.

    sweep.py --out FOLDER

writes docker.jsonl and powerdns.jsonl.
"""

import argparse
import base64
import io
import json
import pathlib

import docker
import powerdns
import requests

ID = "5f" * 32
CAPTURED = []


def answer(request):
    """What a server could have answered, as far as the clients look at it."""
    path = request.path_url.split("?")[0]
    body = {"Id": ID, "ID": ID, "Warnings": None, "ApiVersion": "1.41", "Config": {"Tty": True}, "State": {}}
    body.update({"version": "4.7", "daemon_type": "authoritative", "id": "localhost", "name": "example.org."})
    body.update({"rrsets": [], "JoinTokens": {}, "Spec": {"TaskTemplate": {"ContainerSpec": {}}}, "Version": {"Index": 1}})
    lists = ("/servers", "/zones", "/config", "/search-data", "/plugins/privileges")
    if "/zones/" in path:
        body["id"] = "example.org."
    if path.endswith(lists) and request.method == "GET":
        body = [body]
    response = requests.Response()
    response.status_code = 200
    response.headers["content-type"] = "application/json"
    response.raw = io.BytesIO(json.dumps(body).encode())
    response.request, response.url = request, request.url
    return response


class Captured(requests.adapters.BaseAdapter):
    """Takes the server's place."""

    def send(self, request, **_kwargs):
        # Some bodies are files that are gone once the call is over.
        request.sent = payload(request)
        CAPTURED.append(request)
        return answer(request)

    def close(self):
        pass


def payload(request):
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    elif not isinstance(body, (str, bytes)):
        body = b"".join(body)
    return body.encode() if isinstance(body, str) else body


def line(identifier, request, host, operations, hint):
    skipped = ("user-agent", "accept-encoding", "connection", "content-length", "x-api-key", "transfer-encoding", "upgrade")
    headers = [[name.lower(), value if isinstance(value, str) else value.decode()] for name, value in request.headers.items()]
    kept = sorted(pair for pair in headers if pair[0] not in skipped)
    return json.dumps({
        "id": identifier,
        "method": request.method,
        "url": f"http://{host}{request.path_url}",
        "headers": kept,
        "body_b64": base64.b64encode(request.sent).decode(),
        "expect_operation": operations,
        "expect_hint": hint,
    })


def cases(client):
    """A method's name, what it is called with, the operation that it is, and what that does."""
    config = {"Image": "alpine:3", "Cmd": ["sleep", "1"], "Env": ["PASSWORD=hunter2"]}
    spec = docker.types.TaskTemplate(docker.types.ContainerSpec("alpine:3", env=["A=b"]))
    mount = docker.types.Mount("/data", "/srv", type="bind")
    bound = docker.types.TaskTemplate(docker.types.ContainerSpec("alpine:3", mounts=[mount]))
    volume = docker.types.Mount("/data", "data", type="volume")
    host = client.create_host_config
    c, r = "change", "read"
    yield "containers", [{}, {"all": True, "limit": 2, "size": True, "filters": {"name": "web"}}], "ContainerList", r
    yield "create_container", [
        {"image": "alpine:3", "name": "web", "environment": {"PASSWORD": "hunter2"}, "command": "true"},
        {"image": "team/app@sha256:" + ID, "name": "web", "labels": {"a": "b"}, "healthcheck": {"test": ["NONE"]}},
        {"image": "alpine:3"},
        {"image": "alpine:3", "name": "web", "host_config": host(mounts=[volume], mem_limit="64m", restart_policy={"Name": "always"})},
    ], "ContainerCreate", c
    powers = [
        {"privileged": True}, {"binds": ["/:/host"]}, {"pid_mode": "host"}, {"ipc_mode": "host"}, {"network_mode": "host"},
        {"cap_add": ["SYS_ADMIN"]}, {"security_opt": ["seccomp=unconfined"]}, {"devices": ["/dev/sda"]}, {"mounts": [mount]},
        {"volumes_from": ["other"]}, {"userns_mode": "host"}, {"uts_mode": "host"}, {"cgroup_parent": "/"},
        {"network_mode": "container:other"}, {"sysctls": {"net.ipv4.ip_forward": "1"}}, {"group_add": ["0"]},
        {"runtime": "other"}, {"device_cgroup_rules": ["a *:* rwm"]},
        {"device_requests": [docker.types.DeviceRequest(count=-1, capabilities=[["gpu"]])]},
    ]
    made = [{"image": "alpine:3", "name": "web", "host_config": host(**power)} for power in powers]
    yield "create_container", made, "ContainerCreate", "execute"
    yield "create_container", [
        {"image": "alpine:3", "name": "web", "ports": [80], "host_config": host(port_bindings={80: 8080})},
        {"image": "alpine:3", "name": "web", "host_config": host(publish_all_ports=True)},
    ], "ContainerCreate", "expose"
    yield "create_container_from_config", [{"config": config, "name": "web"}], "ContainerCreate", c
    web = {"container": "web"}
    for name, operation, hint in (
        ("inspect_container", "ContainerInspect", r), ("top", "ContainerTop", r), ("diff", "ContainerChanges", r),
        ("export", "ContainerExport", "secret_read"), ("start", "ContainerStart", c), ("stop", "ContainerStop", c),
        ("restart", "ContainerRestart", c), ("kill", "ContainerKill", c), ("pause", "ContainerPause", c),
        ("unpause", "ContainerUnpause", c), ("wait", "ContainerWait", r), ("remove_container", "ContainerDelete", c),
        ("attach", "ContainerAttach", "execute"),
    ):
        yield name, [web, {"container": ID}], operation, hint
    yield "logs", [web, {**web, "tail": 5, "since": 1, "until": 2, "timestamps": True}], "ContainerLogs", r
    yield "stats", [{**web, "stream": False}, {**web, "stream": False, "one_shot": True}], "ContainerStats", r
    yield "stop", [{**web, "timeout": 3}], "ContainerStop", c
    yield "kill", [{**web, "signal": "SIGHUP"}], "ContainerKill", c
    yield "remove_container", [{**web, "v": True, "force": True, "link": False}], "ContainerDelete", c
    yield "resize", [{**web, "height": 1, "width": 2}], "ContainerResize", c
    yield "update_container", [{**web, "mem_limit": "64m", "restart_policy": {"Name": "always"}}], "ContainerUpdate", c
    yield "rename", [{**web, "name": "other"}], "ContainerRename", c
    yield "get_archive", [{**web, "path": "/etc"}], "ContainerArchive", "secret_read"
    yield "put_archive", [{**web, "path": "/etc", "data": b"tar"}], "PutContainerArchive", "execute"
    yield "prune_containers", [{}, {"filters": {"label": "a"}}], "ContainerPrune", c
    yield "commit", [{**web}, {**web, "repository": "team/app", "tag": "1", "message": "m", "conf": {"Env": ["A=b"]}}], "ImageCommit", c
    yield "exec_create", [{**web, "cmd": ["id"], "privileged": True, "environment": {"A": "b"}}], "ContainerExec", "execute"
    yield "exec_inspect", [{"exec_id": ID}], "ExecInspect", r
    yield "exec_start", [{"exec_id": ID, "detach": True}], "ExecStart", "execute"
    yield "exec_resize", [{"exec_id": ID, "height": 1, "width": 2}], "ExecResize", c
    yield "images", [{}, {"all": True, "filters": {"dangling": True}}, {"quiet": True}], "ImageList", r
    image = {"image": "docker.io/team/app:1"}
    for name, operation, hint in (
        ("inspect_image", "ImageInspect", r), ("history", "ImageHistory", r), ("remove_image", "ImageDelete", c),
        ("get_image", "ImageGet", r), ("inspect_distribution", "DistributionInspect", r),
    ):
        yield name, [image, {"image": "alpine"}], operation, hint
    yield "remove_image", [{**image, "force": True, "noprune": True}], "ImageDelete", c
    login = {"auth_config": {"username": "u", "password": "hunter2"}}
    yield "pull", [{"repository": "team/app", "tag": "1"}, {"repository": "alpine", "all_tags": True, **login}], "ImageCreate", c
    yield "push", [{"repository": "team/app", "tag": "1", **login}], "ImagePush", "expose"
    yield "tag", [{"image": "alpine", "repository": "team/app", "tag": "1"}], "ImageTag", c
    yield "search", [{"term": "alpine"}, {"term": "alpine", "limit": 3}], "ImageSearch", r
    yield "load_image", [{"data": b"tar", "quiet": True}], "ImageLoad", c
    yield "import_image_from_url", [{"url": "http://example.org/x.tar", "repository": "x", "tag": "1"}], "ImageCreate", c
    yield "import_image_from_data", [{"data": b"tar", "repository": "x", "tag": "1"}], "ImageCreate", c
    yield "import_image_from_image", [{"image": "alpine", "repository": "x", "tag": "1"}], "ImageCreate", c
    yield "prune_images", [{}], "ImagePrune", c
    yield "prune_builds", [{}, {"all": True, "keep_storage": 1}], "BuildPrune", c
    yield "build", [{"fileobj": io.BytesIO(b"FROM alpine"), "tag": "team/app", "buildargs": {"P": "hunter2"}}], "ImageBuild", "execute"
    for name, operation, hint in (
        ("df", "SystemDataUsage", r), ("events", "SystemEvents", r), ("info", "SystemInfo", r), ("ping", "SystemPing", r),
        ("inspect_swarm", "SwarmInspect", "secret_read"), ("get_unlock_key", "SwarmUnlockkey", "secret_read"),
        ("leave_swarm", "SwarmLeave", c), ("prune_networks", "NetworkPrune", c), ("prune_volumes", "VolumePrune", c),
        ("plugins", "PluginList", r), ("networks", "NetworkList", r), ("volumes", "VolumeList", r), ("nodes", "NodeList", r),
        ("services", "ServiceList", r), ("tasks", "TaskList", r), ("secrets", "SecretList", r), ("configs", "ConfigList", r),
    ):
        yield name, [{}], operation, hint
    yield "version", [{"api_version": False}, {"api_version": True}], "SystemVersion", r
    yield "login", [{"username": "u", "password": "hunter2", "registry": "r.example", "reauth": True}], "SystemAuth", "secret_read"
    yield "create_volume", [{"name": "data"}, {}], "VolumeCreate", c
    yield "create_volume", [{"name": "data", "driver_opts": {"type": "none", "device": "/", "o": "bind"}}], "VolumeCreate", "execute"
    yield "inspect_volume", [{"name": "data"}], "VolumeInspect", r
    yield "remove_volume", [{"name": "data", "force": True}], "VolumeDelete", c
    yield "create_network", [{"name": "n"}, {"name": "n", "driver": "bridge", "internal": True}], "NetworkCreate", c
    yield "create_network", [{"name": "n", "driver": "macvlan"}], "NetworkCreate", "expose"
    yield "inspect_network", [{"net_id": "n"}, {"net_id": "n", "verbose": True}], "NetworkInspect", r
    yield "remove_network", [{"net_id": "n"}], "NetworkDelete", c
    yield "connect_container_to_network", [{"container": "web", "net_id": "n", "aliases": ["a"]}], "NetworkConnect", c
    yield "disconnect_container_from_network", [{"container": "web", "net_id": "n", "force": True}], "NetworkDisconnect", c
    plugin = {"name": "vieux/sshfs:latest"}
    yield "plugin_privileges", [plugin], "GetPluginPrivileges", r
    yield "inspect_plugin", [plugin], "PluginInspect", r
    yield "remove_plugin", [plugin], "PluginDelete", c
    yield "enable_plugin", [plugin], "PluginEnable", "execute"
    yield "disable_plugin", [plugin], "PluginDisable", c
    # Pushing a plugin is left out: this version asks for a path that the engine does not have.
    yield "configure_plugin", [{**plugin, "options": {"DEBUG": "1"}}], "PluginSet", "execute"
    rights = [{"Name": "network", "Description": "", "Value": ["host"]}]
    yield "pull_plugin", [{"remote": "vieux/sshfs:latest", "privileges": rights}], "PluginPull", "execute"
    yield "upgrade_plugin", [{**plugin, "remote": "vieux/sshfs:2", "privileges": rights}], "PluginUpgrade", "execute"
    yield "init_swarm", [{"advertise_addr": "127.0.0.1"}], "SwarmInit", "grant"
    yield "join_swarm", [{"remote_addrs": ["a"], "join_token": "hunter2"}], "SwarmJoin", "grant"
    yield "unlock_swarm", [{"key": "hunter2"}], "SwarmUnlock", "grant"
    yield "update_swarm", [{"version": 1, "swarm_spec": {}, "rotate_manager_token": True}], "SwarmUpdate", "grant"
    yield "inspect_node", [{"node_id": "n"}], "NodeInspect", r
    yield "remove_node", [{"node_id": "n", "force": True}], "NodeDelete", c
    yield "update_node", [{"node_id": "n", "version": 1, "node_spec": {"Role": "manager"}}], "NodeUpdate", "grant"
    yield "create_service", [{"task_template": spec, "name": "web"}], "ServiceCreate", c
    yield "create_service", [{"task_template": bound, "name": "web"}], "ServiceCreate", "execute"
    ports = docker.types.EndpointSpec(ports={80: 8080})
    yield "create_service", [{"task_template": spec, "name": "web", "endpoint_spec": ports}], "ServiceCreate", "expose"
    yield "inspect_service", [{"service": "web"}, {"service": "web", "insert_defaults": True}], "ServiceInspect", r
    yield "update_service", [{"service": "web", "version": 1, "task_template": spec, "name": "web"}], "ServiceUpdate", c
    yield "remove_service", [{"service": "web"}], "ServiceDelete", c
    yield "service_logs", [{"service": "web", "stdout": True, "is_tty": True}], "ServiceLogs", r
    yield "inspect_task", [{"task": "t"}], "TaskInspect", r
    for kind in ("secret", "config"):
        title = kind.title()
        yield f"create_{kind}", [{"name": "s", "data": b"hunter2"}], f"{title}Create", c
        yield f"inspect_{kind}", [{"id": "s"}], f"{title}Inspect", r
        yield f"remove_{kind}", [{"id": "s"}], f"{title}Delete", c


def of_docker():
    client = docker.APIClient(base_url="http://docker.example:2375", version="1.41")
    client.mount("http://", Captured())
    client._auth_configs = docker.auth.AuthConfig({})
    numbers = {}
    for method, several, operation, hint in cases(client):
        for arguments in several:
            CAPTURED.clear()
            try:
                result = getattr(client, method)(**arguments)
                if hasattr(result, "__next__"):
                    next(result, None)
            except (KeyError, TypeError, ValueError, AttributeError, docker.errors.DockerException):
                # What it makes of the answer is not asked.
                if not CAPTURED:
                    raise
            # What it asks before or after, such as whether there is a terminal, is told by another method of this list.
            asked = [request for request in CAPTURED if request.method != "GET"] or CAPTURED
            assert asked, method
            number = numbers[method] = numbers.get(method, 0) + 1
            yield line(f"{method}/{number}", asked[0], "docker.example:2375", operation, hint)


def of_powerdns():
    api = powerdns.PDNSApiClient(api_endpoint="http://dns.example:8081/api/v1", api_key="k")
    api.session = requests.Session()
    endpoint = powerdns.PDNSEndpoint(api)
    original = requests.sessions.Session.get_adapter
    requests.sessions.Session.get_adapter = lambda _self, url: Captured()
    try:
        server = endpoint.servers[0]
        zone = server.zones[0]
        record = lambda: powerdns.RRSet("www.example.org.", "A", ["192.0.2.1"], comments=[powerdns.Comment("c", "a")])
        calls = [
            ("servers", lambda: powerdns.PDNSEndpoint(api).servers, "listServers", "read"),
            ("config", lambda: server.config, "getConfig", "secret_read"),
            ("zones", lambda: setattr(server, "_zones", None) or server.zones, "listZones", "read"),
            ("search", lambda: server.search("www*", 3), "searchData", "read"),
            ("create_zone", lambda: server.create_zone("example.org.", "Native", ["ns1.example.org."]), "createZone", "change"),
            ("create_zone_of_records", lambda: server.create_zone("a.example.org.", "Master", [], masters=["192.0.2.9"], rrsets=[record()]), "createZone", "change"),
            ("update_zone", lambda: server.create_zone("example.org.", "Native", [], rrsets=[record()], update=True), "patchZone", "change"),
            ("delete_zone", lambda: server.delete_zone("example.org."), "deleteZone", "delete"),
            ("details", lambda: setattr(zone, "_details", None) or zone.details, "listZone", "read"),
            ("create_records", lambda: zone.create_records([record()]), "patchZone", "change"),
            ("delete_records", lambda: zone.delete_records([record()]), "patchZone", "delete"),
            ("notify", lambda: zone.notify(), "notifyZone", "change"),
        ]
        for name, call, operation, hint in calls:
            CAPTURED.clear()
            call()
            asked = [request for request in CAPTURED if request.method != "GET"] or CAPTURED
            yield line(name, asked[0], "dns.example:8081", operation, hint)
    finally:
        requests.sessions.Session.get_adapter = original


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("docker", of_docker()), ("powerdns", of_powerdns())):
        with open(folder / f"{name}.jsonl", "w") as file:
            for text in lines:
                file.write(text + "\n")


main()
