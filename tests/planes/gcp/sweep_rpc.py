"""Makes one call of every method that Google's own clients have over gRPC, and of the same message the request that their REST
transports would send. Nothing is sent: the channel keeps what it is given.

usage: sweep_rpc.py OUT [--sample]

Writes `calls.jsonl` into OUT: pairs of lines, the call and then the request, which have to be read as the same. With
`--sample`, compressed. Needs the client libraries that `sweep/SOURCE.toml` names, beside `zstd` for a sample. Left out is
what has no REST there: streams that the caller sends.
"""

import base64
import importlib
import inspect
import json
import pathlib
import pkgutil
import re
import subprocess
import sys
import urllib.parse

import grpc
from google.api_core import rest_helpers
from google.protobuf.descriptor import FieldDescriptor as Field

PACKAGES = [
    "google.pubsub_v1", "google.cloud.secretmanager_v1", "google.cloud.secretmanager_v1beta1",
    "google.cloud.secretmanager_v1beta2", "google.cloud.kms_v1", "google.cloud.container_v1",
    "google.cloud.container_v1beta1", "google.cloud.run_v2", "google.cloud.spanner_admin_database_v1",
    "google.cloud.spanner_admin_instance_v1", "google.cloud.spanner_v1", "google.cloud.tasks_v2",
    "google.cloud.tasks_v2beta3", "google.cloud.iam_admin_v1", "google.cloud.iam_credentials_v1", "google.cloud.iam_v2",
    "google.cloud.iam_v3", "google.cloud.alloydb_v1", "google.cloud.alloydb_v1alpha",
    "google.cloud.network_security_v1", "google.cloud.network_security_v1alpha1",
    "google.cloud.security.privateca_v1",
    "google.cloud.securitycenter_v1", "google.cloud.securitycenter_v1beta1", "google.cloud.securitycenter_v1p1beta1",
    "google.cloud.securitycenter_v2", "google.cloud.speech_v1p1beta1", "google.cloud.speech_v2",
    # These have no discovery document.
    "google.cloud.cloudquotas_v1", "google.cloud.confidentialcomputing_v1", "google.cloud.edgecontainer_v1",
    "google.cloud.edgenetwork_v1", "google.cloud.gke_multicloud_v1", "google.cloud.iam_v3beta", "google.cloud.lustre_v1",
    "google.cloud.memorystore_v1", "google.cloud.memorystore_v1beta", "google.cloud.modelarmor_v1",
    "google.cloud.privilegedaccessmanager_v1", "google.cloud.securitycentermanagement_v1", "google.cloud.servicehealth_v1",
    "google.cloud.storageinsights_v1", "google.cloud.telcoautomation_v1", "google.cloud.translate_v3",
]


class Kept(Exception):
    """Instead of an answer."""


class Channel(grpc.Channel):
    """Keeps the one call that it is asked for."""

    def __init__(self):
        self.kept = None

    def callable_of(self, path, request_serializer=None, *_, **__):
        def call(request, timeout=None, metadata=(), **_):
            self.kept = (path, request_serializer(request), [list(pair) for pair in metadata or ()])
            raise Kept()

        call.with_call = call
        return call

    unary_unary = unary_stream = stream_unary = stream_stream = callable_of

    def subscribe(self, *_, **__):
        pass

    unsubscribe = close = __enter__ = __exit__ = subscribe


def transports(package):
    """The classes of a package that say how REST asks, each with its client and its transport over gRPC."""
    try:
        folder = importlib.import_module(package + ".services")
    except ImportError:
        return
    for _, name, _ in pkgutil.iter_modules(folder.__path__):
        try:
            base = importlib.import_module(f"{folder.__name__}.{name}.transports.rest_base")
        except ImportError:
            continue
        over = importlib.import_module(f"{folder.__name__}.{name}.transports.grpc")
        client = importlib.import_module(f"{folder.__name__}.{name}")
        pick = lambda module, ends: next(
            of for of_name, of in inspect.getmembers(module, inspect.isclass)
            if of_name.endswith(ends) and of.__module__.startswith(package)
        )
        yield pick(base, "RestTransport"), pick(over, "GrpcTransport"), next(
            of for of_name, of in inspect.getmembers(client, inspect.isclass)
            if of_name.endswith("Client") and not of_name.endswith("AsyncClient")
        )


def fill(message, depth=1):
    """Something in every field that is no list, but for names, which would be others than the path's, and for what excludes
    something that has it already."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated or field.name == "name":
            continue
        if field.containing_oneof and message.WhichOneof(field.containing_oneof.name):
            continue
        if field.type == Field.TYPE_MESSAGE:
            if depth and not field.message_type.full_name.startswith("google.protobuf."):
                inner = getattr(message, field.name)
                inner.SetInParent()
                fill(inner, depth - 1)
        elif field.type == Field.TYPE_STRING:
            setattr(message, field.name, f"s-{field.name.replace('_', '-')}"[:30])
        elif field.type == Field.TYPE_BYTES:
            setattr(message, field.name, b"bytes")
        elif field.type == Field.TYPE_BOOL:
            setattr(message, field.name, True)
        elif field.type not in (Field.TYPE_ENUM, Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
            setattr(message, field.name, 7)


def put(message, path, value):
    *before, last = path.split(".")
    for name in before:
        message = getattr(message, name)
    setattr(message, last, value)


def names(options):
    return {name for option in options for name in re.findall(r"\{([^=}]*)", option["uri"])}


def request(of, option, options, full):
    made = of()
    if full:
        fill(made)
    # The fields of other ways to name the same stay empty.
    for name in names(options):
        put(made, name, "")
    for name, pattern in re.findall(r"\{([^=}]*)=?([^}]*)\}", option["uri"]):
        counted = iter(range(1, 99))
        put(made, name, re.sub(r"\*\*?", lambda found: f"x{next(counted)}" + ("/y" if found[0] == "**" else ""), pattern or "*"))
    return made


def main():
    out = pathlib.Path(sys.argv[1])
    lines = []

    def write(host, method, target, headers, body):
        lines.append(json.dumps({
            "id": str(len(lines) + 1), "method": method, "url": f"https://{host}{target}", "headers": headers,
            "body_b64": base64.b64encode(body).decode(),
        }))

    for package in PACKAGES:
        for base, over, client in transports(package):
            channel = Channel()
            made = client(transport=over(channel=channel))
            host = made.transport.host.split(":")[0]
            for inner_name, inner in inspect.getmembers(base, inspect.isclass):
                if not inner_name.startswith("_Base") or not hasattr(inner, "_get_transcoded_request"):
                    continue
                name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", inner_name.removeprefix("_Base")).lower()
                method = getattr(made, name, None)
                source = inspect.getsource(inner._get_transcoded_request)
                typed = re.search(r"(\w+)\.(\w+)\.pb\(request\)", source)
                if method is None or not typed and "pb_request = request" not in source:
                    continue
                module = inspect.getmodule(base)
                if typed:
                    of = getattr(getattr(module, typed[1]), typed[2])
                    plain, wrapped = (lambda: of.pb(of())), of.wrap
                else:
                    hint = inspect.signature(method).parameters["request"].annotation
                    of = next((arg for arg in getattr(hint, "__args__", (hint,)) if hasattr(arg, "DESCRIPTOR")), None)
                    if of is None:
                        continue
                    plain, wrapped = of, lambda message: message
                options = inner._get_http_options()
                for option in options:
                    for full in (False, True):
                        message = request(plain, option, options, full)
                        try:
                            method(request=wrapped(message), retry=None)
                        except Kept:
                            pass
                        path, body, metadata = channel.kept
                        headers = [["content-type", "application/grpc"], ["te", "trailers"]]
                        framed = b"\0" + len(body).to_bytes(4, "big") + body
                        rest = inner._get_transcoded_request(options, wrapped(message))
                        write(host, "POST", path, headers + [pair for pair in metadata if isinstance(pair[1], str)], framed)
                        query = inner._get_query_params_json(rest)
                        query.pop("$alt", None)
                        query = urllib.parse.urlencode(rest_helpers.flatten_query_params(query, strict=True))
                        body = inner._get_request_body_json(rest).encode() if "body" in rest else b""
                        target = urllib.parse.quote(rest["uri"], safe="/:") + (f"?{query}" if query else "")
                        write(host, rest["method"].upper(), target, [["content-type", "application/json"]] if body else [], body)
    path = out / "calls.jsonl"
    path.write_text("\n".join(lines) + "\n")
    print(f"{len(lines) // 2} calls")
    if "--sample" in sys.argv[2:]:
        subprocess.run(["zstd", "-19", "-q", "-f", "--rm", str(path)], check=True)


if __name__ == "__main__":
    main()
