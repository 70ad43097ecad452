"""Every method of the Azure management libraries for Python, as they would send it, as JSON lines.

Drives the libraries' own code down to the transport, where the request is taken in the server's place. What each
request must be read as is told by the method's own name, its HTTP method and the library's URL template, which is
found again by the values that stood for its labels. Nothing is sent, and the same libraries give the same bytes.
Leaves out what the libraries do beside requests: polling, retrying, registering providers.

    sweep.py --out FOLDER [--all]

writes requests.jsonl: every method with the least and with all parameters. With --all, every azure-mgmt package that
is installed is driven; without, those named in PACKAGES.
"""

import argparse
import base64
import collections.abc
import datetime
import enum
import functools
import importlib
import importlib.metadata
import inspect
import io
import json
import pathlib
import re
import sys
import typing
import urllib.parse

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpTransport

PACKAGES = (
    "authorization compute containerservice keyvault managementgroups msi network resource resource-deployments"
    " resource-deploymentscripts resource-deploymentstacks resource-features resource-links resource-locks"
    " resource-managedapplications resource-policy resource-subscriptions resource-templatespecs sql storage"
    " subscription"
).split()

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web"
# What a method is given whole that takes the id of such a resource.
BY_ID = {
    "deny_assignment_id": "Microsoft.Authorization/denyAssignments",
    "policy_assignment_id": "Microsoft.Authorization/policyAssignments",
    "role_assignment_id": "Microsoft.Authorization/roleAssignments",
    "role_definition_id": "Microsoft.Authorization/roleDefinitions",
    "role_id": "Microsoft.Authorization/roleDefinitions",
}
TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "resources": [
        {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-05-01", "name": "net", "location": "westeurope"}
    ],
}
# Bodies that mean nothing unless they are whole.
BODIES = {
    ("Deployments", "begin_create_or_update"): {
        "location": "westeurope", "properties": {"mode": "Incremental", "template": TEMPLATE}
    },
    ("DeploymentStacks", "begin_create_or_update"): {
        "location": "westeurope",
        "properties": {
            "template": TEMPLATE, "actionOnUnmanage": {"resources": "detach"}, "denySettings": {"mode": "none"}
        },
    },
    ("resources", "begin_move_resources"): {
        "resources": [SCOPE.replace("/shop/", "/sourceresourcegroupname/")],
        "targetResourceGroup": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other",
    },
}
# Headers that say nothing of the request and are another on each run.
NOISE = ("authorization", "user-agent", "x-ms-client-request-id")


class Taken(Exception):
    """The request that was about to be sent."""


class Transport(HttpTransport):
    """Stands where a connection would be opened."""

    def send(self, request, **_):
        raise Taken(request)

    def open(self):
        pass

    def close(self):
        pass

    def __exit__(self, *_):
        pass


class Credential:
    """A token that opens nothing."""

    def get_token(self, *_, **__):
        return AccessToken("example", 1 << 40)


def clients():
    """Every client class of the packages chosen, with the API versions that it has to be asked for."""
    chosen = argparse.ArgumentParser(description=__doc__)
    chosen.add_argument("--out", required=True, type=pathlib.Path)
    chosen.add_argument("--all", action="store_true")
    options = chosen.parse_args()
    packages = PACKAGES
    if options.all:
        names = {one.metadata["Name"] for one in importlib.metadata.distributions()}
        packages = sorted(name.removeprefix("azure-mgmt-") for name in names if name.startswith("azure-mgmt-"))
        packages.remove("core")
    return options, packages


def modules(package):
    """The modules of a package that have a client: those that its own files name."""
    found = set()
    for file in importlib.metadata.files(f"azure-mgmt-{package}"):
        parts = file.parts
        if parts[:2] == ("azure", "mgmt") and parts[-1].endswith("client.py") and "aio" not in parts:
            found.add(".".join(parts[:-1]))
    return sorted(found)


def client_classes(module):
    for name, one in sorted(vars(importlib.import_module(module)).items()):
        if inspect.isclass(one) and name.endswith("Client") and not name.startswith("_"):
            yield one


def make(client):
    """A client, whichever of its arguments it asks for."""
    wanted = inspect.signature(client.__init__).parameters
    values = {"credential": Credential(), "subscription_id": SUBSCRIPTION, "transport": Transport()}
    given = {name: value for name, value in values.items() if name in wanted or name == "transport"}
    for name, parameter in wanted.items():
        if name in ("self", "kwargs", "base_url", "endpoint", "cloud_setting", "api_version", "profile") or name in given:
            continue
        if parameter.default is inspect.Parameter.empty and parameter.kind is not parameter.VAR_KEYWORD:
            given[name] = name.replace("_", "")
    return client(**given)


def groups(client, depth=0):
    """The groups of operations of a client, and what stands in the client itself."""
    yield "", client
    for name, value in sorted(vars(client).items()):
        if not name.startswith("_") and type(value).__name__.endswith("Operations"):
            yield name, value
            if depth < 2:
                for inner, group in groups(value, depth + 1):
                    if inner:
                        yield f"{name}.{inner}", group
    for name, value in sorted(inspect.getmembers(type(client), lambda one: isinstance(one, property))):
        try:
            group = getattr(client, name)
        except Exception:
            continue
        if not name.startswith("_") and type(group).__name__.endswith("Operations"):
            yield name, group


def is_model(kind):
    if not inspect.isclass(kind):
        return False
    return hasattr(kind, "_attribute_map") or any(base.__name__ == "_MyMutableMapping" for base in kind.__mro__)


def is_typed_dict(kind):
    return typing.is_typeddict(kind)


def is_body(kind):
    """Whether a value of this kind is a body: a model, or one of several forms of one."""
    if is_model(kind) or is_typed_dict(kind):
        return True
    if kind in (typing.Any,):
        return False
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, dict, collections.abc.Mapping):
        return True
    return any(one is io.IOBase or one is typing.IO[bytes] or one is typing.IO or is_body(one) for one in args)


def types_of(kind):
    """The types of a model's fields, which name each other by their module."""
    around = {**vars(sys.modules[kind.__module__]), "_models": sys.modules[kind.__module__.rpartition(".")[0]]}
    return typing.get_type_hints(kind, globalns=around)


@functools.cache
def sample_model(kind, depth):
    if not hasattr(kind, "_attribute_map"):
        # Models made of rest fields: their types are annotations, and the fields are known once one was made.
        kind.__new__(kind)
        made = {}
        for base in reversed(kind.__mro__):
            hints = getattr(base, "__annotations__", {})
            fields = getattr(kind, "_attr_to_rest_field", {})
            for name, hint in hints.items():
                field = fields.get(name)
                if field is None or "read" in (getattr(field, "_visibility", None) or []) and len(field._visibility) == 1:
                    continue
                made[field._rest_name] = sample(types_of(base).get(name, hint), depth - 1)
        return {key: value for key, value in made.items() if value is not None}
    made = {}
    for name, one in sorted(kind._attribute_map.items()):
        if kind._validation.get(name, {}).get("readonly"):
            continue
        value = sample_msrest(kind, one["type"], depth - 1)
        if value is None:
            continue
        place = made
        *path, last = re.split(r"(?<!\\)\.", one["key"])
        for part in path:
            place = place.setdefault(part.replace("\\.", "."), {})
        place[last.replace("\\.", ".")] = value
    return made


def sample_msrest(owner, kind, depth):
    if found := re.fullmatch(r"\[(.*)\]", kind):
        inner = sample_msrest(owner, found[1], depth)
        return None if inner is None else [inner]
    if found := re.fullmatch(r"\{(.*)\}", kind):
        inner = sample_msrest(owner, found[1], depth)
        return None if inner is None else {"key": inner}
    plain = {"str": "text", "int": 1, "long": 1, "float": 1.5, "bool": True, "object": {}, "bytearray": "dGV4dA=="}
    if kind in plain:
        return plain[kind]
    if "datetime" in kind or kind in ("iso-8601", "rfc-1123", "date", "time", "duration"):
        return None
    model = getattr(sys.modules[owner.__module__], kind, None)
    if is_model(model) and depth > 0:
        return sample_model(model, depth)
    return None


def sample(kind, depth):
    """A value of a type by the library's own description of it."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        args = [one for one in args if one is not type(None)]
        models = [one for one in args if is_body(one) and not is_typed_dict(one)]
        enums = [one for one in args if inspect.isclass(one) and issubclass(one, enum.Enum)]
        return sample((models or enums or args)[0], depth)
    if origin is typing.Literal:
        value = args[0]
        return value.value if isinstance(value, enum.Enum) else value
    if origin in (list, typing.List, collections.abc.Sequence, collections.abc.MutableSequence):
        inner = sample(args[0], depth)
        return None if inner is None else [inner]
    if origin in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
        inner = sample(args[1], depth)
        return None if inner is None else {"key": inner}
    if inspect.isclass(kind):
        if issubclass(kind, enum.Enum):
            return list(kind)[0].value
        if is_model(kind):
            return sample_model(kind, depth) if depth > 0 else None
        if issubclass(kind, bool):
            return True
        if issubclass(kind, str):
            return "text"
        if issubclass(kind, int):
            return 1
        if issubclass(kind, float):
            return 1.5
    return None


def value(name, kind, full, method, owner):
    """What stands for an argument."""
    if name in ("scope", "resource_uri", "resource_scope", "vm_resource_id"):
        return SCOPE[1:] if full else SCOPE
    if method.endswith("by_id") and name in BY_ID:
        return f"{SCOPE[1:]}/providers/{BY_ID[name]}/theid"
    if name in ("resource_id", "application_id", "source_resource_id", "application_definition_id"):
        return SCOPE[1:]
    if name == "link_id" and "Link" in owner.split(".")[0]:
        return f"{SCOPE[1:]}/providers/Microsoft.Resources/links/theid"
    if is_body(kind):
        for (group, prefix), body in BODIES.items():
            if group in owner and method.startswith(prefix):
                return body
    fixed = {"parent_resource_path": "virtualMachines/web", "resource_type": "extensions",
             "resource_provider_namespace": "Microsoft.Compute", "api_version": "2026-01-01", "subscription_id": SUBSCRIPTION}
    if name in fixed:
        return fixed[name]
    if is_body(kind):
        made = sample(kind, 5) if full else None
        if made is None:
            origin = typing.get_origin(kind)
            made = [] if origin is list or any(typing.get_origin(one) is list for one in typing.get_args(kind)) else {}
        return made
    origin, args = typing.get_origin(kind), [one for one in typing.get_args(kind) if one is not type(None)]
    if origin is typing.Union and args:
        kind = args[0]
    if inspect.isclass(kind):
        if kind is bool:
            return True
        if issubclass(kind, enum.Enum):
            return list(kind)[0]
        if kind in (int, float):
            return 3
        if kind is datetime.datetime:
            return datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        if kind is datetime.date:
            return datetime.date(2026, 1, 1)
        if kind is datetime.timedelta:
            return datetime.timedelta(days=1)
    if kind is typing.Any:
        return {} if not full else {"key": "text"}
    return name.replace("_", "")


def arguments(method, full, called, owner):
    try:
        hints = typing.get_type_hints(inspect.unwrap(method))
    except Exception:
        hints = {}
    made = {}
    for name, parameter in inspect.signature(inspect.unwrap(method)).parameters.items():
        if name in ("self", "kwargs", "args") or name.startswith("_"):
            continue
        needed = parameter.default is inspect.Parameter.empty
        if needed or full and parameter.default is None and not name.startswith(("etag", "match_", "content_type")):
            made[name] = value(name, hints.get(name, parameter.annotation), full, called, owner)
    return made


# What a method is called that reads; what comes with the second words hands something out.
READING = re.compile(
    r"^(list|get|check|validate|what_if|calculate|query|search|export|is_|test_|resolve|preview|find|has_|show|download"
    r"|fetch|read|head|summarize|evaluate|verify|supported|diagnostic_(get|list))"
)
HANDING_OUT = re.compile(
    r"key|secret|credential|password|token|sas|connection_string|publishing|shared|passphrase|access_info|shareable"
)
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
# Actions whose last segment is no word of the template but an argument.
WITH_ARGUMENT = ("arpTables", "routeTables", "routeTablesSummary", "createQueryKey", "regenerateAdminKey")
# Where no provider is in the template, it is this one, and these are its own words.
ROOT = "Microsoft.Resources"


def template(path, values):
    """The template of a path: which of its segments stand for labels."""
    parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
    if "/" in parts[0]:
        parts = parts[0].strip("/").split("/") + parts[1:]
    return parts


def told(path, method, http, values):
    """Service and operation by the template, the labels of what the provider has, and what the names say it is."""
    parts = template(path, values)
    lower = [part.lower() for part in parts]
    at = max((at for at, part in enumerate(lower) if part == "providers" and at + 1 < len(lower)), default=None)
    if at is not None and at >= 2 and lower[at - 2] == "providers":
        # Features are those of another provider, which stands for a label.
        at -= 2
    service, own = ROOT, parts
    if at is not None and at + 2 < len(parts):
        service, own = parts[at + 1], parts[at + 2 :]
    labels = [part in values for part in own]
    types, last = own[0::2], VERBS[http]
    if http == "POST":
        if len(own) % 2 == 1:
            last = f"{types.pop()}/action"
        elif own[-2] in WITH_ARGUMENT:
            last = f"{types.pop()}/action"
        else:
            last = f"{own[-1]}/action"
    name = re.sub("^(begin_)?", "", method)
    reads = http in ("GET", "HEAD") or http == "POST" and bool(READING.match(name)) and not HANDING_OUT.search(name)
    return service, "/".join([*types, last]), labels, "read" if reads else "change"


class Maker:
    def __init__(self):
        self.lines = []
        self.seen = set()
        self.failed = []

    def client(self, package, client):
        made = make(client)
        versions = [None]
        for name, group in groups(made):
            for method in sorted(dir(type(group))):
                if method.startswith("_") or method in ("close", "send_request", "models", "get_long_running_output"):
                    continue
                bound = getattr(group, method, None)
                if inspect.ismethod(bound):
                    self.method(package, client.__name__, name, method, bound)

    def method(self, package, client, group, method, bound):
        for variant in ("least", "full"):
            identity = f"{package}.{client}.{group}.{method}/{variant}"
            try:
                given = arguments(bound, variant == "full", method, f"{client}.{group}")
                answer = bound(**given)
                if hasattr(answer, "__next__"):
                    next(answer)
                self.failed.append(f"{identity}: sent nothing ({type(answer).__name__})")
            except Taken as taken:
                self.take(identity, method, taken.args[0], given)
            except Exception as error:
                self.failed.append(f"{identity}: {type(error).__name__}: {str(error)[:100]}")

    def take(self, identity, method, request, given):
        values = {str(one.value if isinstance(one, enum.Enum) else one) for one in given.values() if isinstance(one, (str, int, enum.Enum))}
        values |= {SUBSCRIPTION}
        body = request.body if hasattr(request, "body") else request.data
        body = request.data if body is None else body
        if body is None:
            body = b""
        if hasattr(body, "read"):
            body = body.read()
        body = body.encode() if isinstance(body, str) else bytes(body)
        headers = sorted([name.lower(), text] for name, text in request.headers.items() if name.lower() not in NOISE)
        split = urllib.parse.urlsplit(request.url)
        key = (request.method, request.url, body)
        if key in self.seen:
            return
        self.seen.add(key)
        service, operation, labels, hint = told(split.path, method, request.method, values)
        line = {
            "id": identity,
            "method": request.method,
            "url": request.url,
            "headers": headers,
            "body_b64": base64.b64encode(body).decode(),
            "labels": labels,
            "expect_service": service,
            "expect_operation": operation,
            "expect_hint": hint,
        }
        self.lines.append(line)


def main():
    options, packages = clients()
    options.out.mkdir(parents=True, exist_ok=True)
    maker = Maker()
    for package in packages:
        for module in modules(package):
            try:
                found = list(client_classes(module))
            except Exception as error:
                print(package, module, error, file=sys.stderr)
                continue
            for client in found:
                try:
                    maker.client(f"{package}/{module.split('.')[-1]}", client)
                except Exception as error:
                    print(package, module, client, repr(error)[:200], file=sys.stderr)
    with open(options.out / "requests.jsonl", "w", encoding="utf-8") as stream:
        for line in maker.lines:
            stream.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    for fault in maker.failed:
        print(fault, file=sys.stderr)
    print(f"{len(maker.lines)} requests, {len(maker.failed)} methods without one", file=sys.stderr)


if __name__ == "__main__":
    main()
