"""A day with containers, by Docker's own client: what it says, one line a call.

    engine.py URL TOKEN day|deny|make|list

Nothing is run: the image holds no program. Leaves out numbers and times that the server makes by itself.
"""

import io
import re
import sys
import tarfile

import docker

URL, TOKEN, WHAT = sys.argv[1:]


def tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("hello")
        entry.size = 2
        archive.addfile(entry, io.BytesIO(b"hi"))
    return buffer.getvalue()


def said(name, call):
    try:
        print(name, call(), flush=True)
    except docker.errors.APIError as error:
        explained = re.sub("[0-9a-f]{64}", "ID", str(error.explanation).split("(decision")[0].strip())
        print(name, type(error).__name__, error.response.status_code, explained, flush=True)


def read_out(client):
    stream, about = client.containers.get("web").get_archive("/hello")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        return about["name"], archive.extractfile("hello").read()


def make(client, name="web", **more):
    return client.containers.create("team/base", command="/hello", name=name, environment={"PIN": "hunter2"}, **more).name


def image(client):
    return '"status":"sha256:' in client.api.import_image_from_data(tar(), repository="team/base")


def day(client):
    said("version", lambda: client.version()["ApiVersion"])
    # Asked without a version, as clients do that want to know it.
    said("unversioned", lambda: client.api.version(api_version=False)["ApiVersion"])
    said("ping", client.ping)
    said("image", lambda: image(client))
    said("images", lambda: [found.tags for found in client.images.list() if found.tags])
    said("tag", lambda: client.images.get("team/base").tag("team/other", "2"))
    said("history", lambda: len(client.images.get("team/other:2").history()))
    said("none", lambda: client.images.get("team/none"))
    said("make", lambda: make(client))
    said("list", lambda: [(one.name, one.status) for one in client.containers.list(all=True)])
    said("command", lambda: client.containers.get("web").attrs["Config"]["Cmd"])
    said("put", lambda: client.containers.get("web").put_archive("/", tar()))
    said("get", lambda: read_out(client))
    said("rename", lambda: client.containers.get("web").rename("shop"))
    said("twice", lambda: make(client, "shop"))
    said("volume", lambda: client.volumes.create("data", labels={"a": "b"}).name)
    said("volumes", lambda: [(one.name, one.attrs["Labels"]) for one in client.volumes.list()])
    said("network", lambda: client.networks.create("inner", internal=True).name)
    said("networks", lambda: sorted(one.name for one in client.networks.list()))
    said("privileged", lambda: make(client, "strong", privileged=True, volumes=["/:/host"]))
    said("remove", lambda: [client.containers.get(name).remove(v=True) for name in ("shop", "strong")])
    said("volume", lambda: client.volumes.get("data").remove())
    said("network", lambda: client.networks.get("inner").remove())
    said("image", lambda: client.images.remove("team/other:2"))
    said("image", lambda: client.images.remove("team/base", force=True))
    said("list", lambda: [one.name for one in client.containers.list(all=True)])


def deny(client):
    said("list", lambda: [one.name for one in client.containers.list(all=True)])
    said("make", lambda: make(client, "evil"))
    said("privileged", lambda: make(client, "evil", privileged=True))
    said("rename", lambda: client.containers.get("web").rename("evil"))
    said("remove", lambda: client.containers.get("web").remove(force=True))
    said("put", lambda: client.containers.get("web").put_archive("/", tar()))
    said("exec", lambda: client.api.exec_create("web", ["id"]))
    said("prune", lambda: client.containers.prune())
    said("image", lambda: client.images.remove("team/base", force=True))
    said("volume", lambda: client.volumes.create("evil", driver_opts={"type": "none", "o": "bind", "device": "/"}).name)


client = docker.DockerClient(base_url=URL, version="1.41")
if TOKEN:
    client.api.headers["authorization"] = f"Bearer {TOKEN}"
if WHAT == "make":
    print(image(client), make(client))
elif WHAT == "list":
    inside = [change["Path"] for change in client.containers.get("web").diff() or []]
    volumes = [one.name for one in client.volumes.list()]
    names = [one.name for one in client.containers.list(all=True)]
    print(names, inside, volumes, [one.tags for one in client.images.list()])
else:
    {"day": day, "deny": deny}[WHAT](client)
