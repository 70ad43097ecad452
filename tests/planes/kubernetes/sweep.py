"""Every method of the official Python client for Kubernetes, as it would send it, as JSON lines.

Drives the client's own code down to the last step before a socket, where the request is taken in the server's
place. What each request must be read as is told by the method's own name, not by its path. Nothing is sent, and the
same client gives the same bytes. Leaves out what the client does beside requests: watching, waiting, streams.

    sweep.py --out FOLDER

writes requests.jsonl: every method with the least and with all parameters, every list as a watch too, every patch in
every type that the API takes.
"""

import argparse
import base64
import datetime
import json
import pathlib
import re
import sys

import kubernetes
import kubernetes.client as client
import urllib3

HOST = "https://cluster.example:6443"
NAMESPACE = "shop"
NAME = "web"

GROUPS = {
    "Admissionregistration": "admissionregistration.k8s.io",
    "Apiextensions": "apiextensions.k8s.io",
    "Apiregistration": "apiregistration.k8s.io",
    "Apps": "apps",
    "Authentication": "authentication.k8s.io",
    "Authorization": "authorization.k8s.io",
    "Autoscaling": "autoscaling",
    "Batch": "batch",
    "Certificates": "certificates.k8s.io",
    "Coordination": "coordination.k8s.io",
    "Core": "core",
    "CustomObjects": "example.com",
    "Discovery": "discovery.k8s.io",
    # The same objects as those of the core group, under which they are known.
    "Events": "core",
    "FlowcontrolApiserver": "flowcontrol.apiserver.k8s.io",
    "InternalApiserver": "internal.apiserver.k8s.io",
    "Networking": "networking.k8s.io",
    "Node": "node.k8s.io",
    "Policy": "policy",
    "RbacAuthorization": "rbac.authorization.k8s.io",
    "Resource": "resource.k8s.io",
    "Scheduling": "scheduling.k8s.io",
    "Storage": "storage.k8s.io",
    "Storagemigration": "storagemigration.k8s.io",
}

VERBS = {
    "create": "create",
    "read": "get",
    "get": "get",
    "list": "list",
    "replace": "update",
    "patch": "patch",
    "delete": "delete",
    "delete_collection": "deletecollection",
    "connect_get": "get",
    "connect_head": "get",
    "connect_options": "get",
    "connect_post": "create",
    "connect_put": "update",
    "connect_patch": "patch",
    "connect_delete": "delete",
}

# Subresources as methods name them, and whose alone some are: kinds end in the same words.
SUBRESOURCES = (
    "approval attach binding ephemeralcontainers eviction exec finalize log portforward proxy resize scale status token"
).split()
OWNERS = {"binding": "pod", "token": "service_account", "log": "pod", "eviction": "pod"}

PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)

# What the object of a subresource's body is called, where it is not the object itself.
BODIES = {
    "scale": ("autoscaling/v1", "Scale"),
    "eviction": ("policy/v1", "Eviction"),
    "binding": ("v1", "Binding"),
    "token": ("authentication.k8s.io/v1", "TokenRequest"),
}

QUESTIONS = ("accessreviews", "rulesreviews", "subjectreviews", "tokenreviews")


class Taken(Exception):
    """The request that was about to be sent."""


def take(self, method, url, body=None, headers=None, **_):
    """Stands where the pool would open a connection."""
    raise Taken(method, url, body, dict(headers or {}))


def plural(kind):
    """A resource's name by the name of its kind, as the API forms it."""
    word = kind.replace("_", "")
    if word.endswith(("endpoints", "ies")):
        return word
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def named(method):
    """The verb, the kind and the subresource in a method's name."""
    verb = max((verb for verb in VERBS if method.startswith(verb + "_")), key=len)
    rest = method[len(verb) + 1 :]
    rest = re.sub(r"_with_path$", "", rest)
    rest = re.sub(r"_for_all_namespaces$", "", rest)
    rest = re.sub(r"^namespaced_|^cluster_(?=custom_object)", "", rest)
    kind, subresource = rest, None
    for one in SUBRESOURCES:
        owner = rest.removesuffix("_" + one)
        if owner not in (rest, "component") and OWNERS.get(one, owner) == owner:
            kind, subresource = owner, one
    return VERBS[verb], kind, subresource


def expected(group, method, watch):
    """What a method is, by its name."""
    if method.startswith(("get_api", "get_code", "get_service_account_issuer", "log_")) or group is None:
        return "core", "get/nonresourceurls", "read"
    verb, kind, subresource = named(method)
    resource = "widgets" if kind == "custom_object" else plural(kind)
    stream = subresource in ("exec", "attach", "portforward")
    if stream:
        verb = "create"
    if watch:
        verb = "watch"
    operation = "/".join(part for part in (verb, resource, subresource) if part)
    reads = verb in ("get", "list", "watch") and resource != "secrets" and subresource != "proxy"
    asks = verb == "create" and resource.endswith(QUESTIONS)
    return group, operation, "read" if reads or asks else "change"


def sample(kind, depth):
    """A value of a type by the client's own description of it."""
    if kind in ("str", "bytearray", "bytes"):
        return "text"
    if kind in ("int", "float"):
        return 1
    if kind == "bool":
        return False
    if kind == "datetime":
        return datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    if found := re.fullmatch(r"list\[(.*)\]", kind):
        return [sample(found[1], depth)]
    if found := re.fullmatch(r"dict\(str, (.*)\)", kind):
        return {"key": sample(found[1], depth)}
    model = getattr(client, kind, None)
    if model is None or depth == 0:
        return {}
    return {
        model.attribute_map[name]: sample(kind, depth - 1) for name, kind in sorted(model.openapi_types.items())
    }


def whole(kind, version, object_kind, namespaced, depth):
    """An object of a type, under the name that the path has."""
    made = sample(kind, depth) if depth else {}
    made["metadata"] = {"name": NAME, "labels": {"app": "web"}}
    if namespaced:
        made["metadata"]["namespace"] = NAMESPACE
    made["apiVersion"], made["kind"] = version, object_kind
    return made


class Maker:
    """Makes the requests of one API class."""

    def __init__(self, name):
        configuration = client.Configuration()
        configuration.host = HOST
        configuration.api_key = {"authorization": "Bearer example"}
        self.name = name
        self.api = getattr(client, name)(client.ApiClient(configuration))
        self.group, self.version = None, None
        if found := re.fullmatch(r"(.*?)(V\d+(?:(?:alpha|beta)\d+)?)?Api", name):
            self.group = GROUPS.get(found[1])
            self.version = (found[2] or "").lower()
        self.lines = []

    def all(self):
        for attribute in sorted(dir(self.api)):
            if attribute.endswith("_with_http_info"):
                self.method(attribute.removesuffix("_with_http_info"))

    def method(self, method):
        documented = getattr(self.api, method).__doc__
        parameters = re.findall(r":param (\w+):(.*)\n\s+:type \w+: ([\w\[\](), ]+)", documented)
        known = [(name, kind.split(",")[0].strip(), "(required)" in text) for name, text, kind in parameters]
        known = [one for one in known if not one[0].startswith("_") and one[0] != "async_req"]
        least = {name: self.value(method, name, kind, known, 0) for name, kind, required in known if required}
        full = {name: self.value(method, name, kind, known, 4) for name, kind, _ in known}
        for watching in ("watch", "send_initial_events"):
            full.pop(watching, None)
        # Both say how many are wanted, and a trial is no change: it is tried once, below.
        dry = {"dry_run": full.pop("dry_run")} if "dry_run" in full else None
        self.call(method, "least", least)
        self.call(method, "full", full)
        if any(name == "watch" for name, _, _ in known):
            self.call(method, "watch", {**least, "watch": True, "resource_version": "1"}, watch=True)
        if dry is not None and not method.startswith("delete"):
            self.call(method, "dry", {**least, **dry}, hint="any")
        if method.startswith("patch_"):
            for media in PATCHES:
                self.call(method, media.split("/")[1], {**least, "body": self.patch(method, media), "_content_type": media})

    def value(self, method, name, kind, known, depth):
        fixed = {
            "name": NAME,
            "namespace": NAMESPACE,
            "group": "example.com",
            "version": "v1",
            "plural": "widgets",
            "resource_plural": "widgets",
            "path": "a/B%20c",
            "logpath": "kube-apiserver.log",
            "field_selector": "status.phase=Running",
            "label_selector": "app in (web, api),tier!=front",
            "dry_run": "All",
            "propagation_policy": "Background",
            "command": ["sh", "-c", "ls -l"],
            "ports": 80,
            "resource_version_match": "NotOlderThan",
        }
        if name in fixed:
            return fixed[name]
        if name != "body":
            return {"int": 1, "bool": True}.get(kind, "text")
        if kind == "V1DeleteOptions":
            return {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0} if depth else {}
        return self.body(method, kind, any(one == "namespace" for one, _, _ in known), depth)

    def body(self, method, kind, namespaced, depth):
        _verb, resource, subresource = named(method)
        version = f"{self.own_group()}/{self.version}" if self.own_group() else self.version
        object_kind = re.sub(r"^(?:[A-Z][a-z]+)?V\d+(?:(?:alpha|beta)\d+)?", "", kind)
        if resource == "custom_object":
            version, object_kind = "example.com/v1", "Widget"
        if kind == "object":
            object_kind = object_kind if object_kind == "Widget" else None
        version, object_kind = BODIES.get(subresource, (version, object_kind))
        made = whole(kind, version, object_kind, namespaced, depth)
        return {key: value for key, value in made.items() if value is not None}

    def own_group(self):
        """The group as bodies name it; events have one of their own."""
        if self.name.startswith("Events"):
            return "events.k8s.io"
        return None if self.group == "core" else self.group

    def patch(self, method, media):
        if media.startswith("application/json-patch"):
            return [{"op": "add", "path": "/spec", "value": {"paused": True}}]
        if media.endswith("yaml"):
            _verb, resource, subresource = named(method)
            version = f"{self.own_group()}/{self.version}" if self.own_group() else self.version
            kind = "".join(part.capitalize() for part in resource.split("_"))
            made = {"apiVersion": version, "metadata": {"name": NAME}, "spec": {"paused": True}}
            if subresource in BODIES:
                made["apiVersion"], made["kind"] = BODIES[subresource]
            elif resource == "custom_object":
                made.update(apiVersion="example.com/v1", kind="Widget")
            elif kind in ("Pod", "Deployment", "Service", "Namespace", "Secret"):
                made["kind"] = kind
            return made
        return {"spec": {"paused": True}}

    def call(self, method, variant, arguments, watch=False, hint=None):
        service, operation, told = expected(self.group, method, watch)
        try:
            getattr(self.api, method)(**arguments)
        except Taken as taken:
            verb, url, body, headers = taken.args
        else:
            raise AssertionError(f"{method} sent nothing")
        body = body.encode() if isinstance(body, str) else body or b""
        self.lines.append(
            {
                "id": f"{self.name}.{method}/{variant}",
                "method": verb,
                "url": url if url.startswith("http") else HOST + url,
                "headers": sorted([name.lower(), value] for name, value in headers.items()),
                "body_b64": base64.b64encode(body).decode(),
                "expect_service": service,
                "expect_operation": operation,
                "expect_hint": hint or told,
            }
        )


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, type=pathlib.Path)
    chosen = arguments.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    urllib3.PoolManager.urlopen = take
    count = 0
    with open(chosen.out / "requests.jsonl", "w", encoding="utf-8") as stream:
        for name in sorted(name for name in dir(client) if name.endswith("Api")):
            maker = Maker(name)
            maker.all()
            count += len(maker.lines)
            for line in maker.lines:
                stream.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(f"kubernetes {kubernetes.__version__}: {count} requests", file=sys.stderr)


if __name__ == "__main__":
    main()
