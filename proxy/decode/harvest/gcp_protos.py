"""What Google's `.proto` files say of services, for `gcp.py` and `gcp_grpc.py`.

Read by the compiler of `grpcio-tools`. What the files describe and no discovery document has is given the form of one here
(`documents`): hosts, methods, paths and names as Google's own documents would have them, made by the rules by which those
are (https://google.aip.dev/client-libraries/4210, https://google.aip.dev/127): words of the path, and behind them the verb
after its colon, or one of the five standard ones, or the method's own name.
"""

import collections
import hashlib
import pathlib
import re
import sys
import tarfile
import tempfile
import tomllib

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/gcp"
# What people have said of methods, by host, or `everywhere`, service and method.
BY_HAND = tomllib.loads((ROOT / "proxy/decode/harvest/gcp_rpc.toml").read_text())
# Served on many hosts beside what is their own, without rules that name them.
SHARED = ["google/cloud/location/locations.proto", "google/iam/v1/iam_policy.proto", "google/longrunning/operations.proto"]
STANDARD = {"Get": "get", "List": "list", "Create": "create", "Update": "patch", "Delete": "delete"}
# Members of these are whatever the caller likes.
FREE = {".google.protobuf.Struct", ".google.protobuf.Value", ".google.protobuf.ListValue", ".google.protobuf.Any"}
FieldType = descriptor_pb2.FieldDescriptorProto


def package(folder):
    pins = tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"]
    pin = next(pin for pin in pins if pin["name"] == "google-proto-files")
    path = pathlib.Path(folder) / pin["file"]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != pin["sha256"]:
        sys.exit(f"`{path.name}` has the hash {found}, not the pinned {pin['sha256']}; fetch it again")
    return path


def compiled(archive):
    """The descriptors of every file with a service that says which host it is at."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        base = pathlib.Path(folder) / "package"
        files = sorted(
            str(path.relative_to(base))
            for path in base.glob("google/**/*.proto")
            if "google.api.default_host" in path.read_text()
        )
        out = f"{folder}/all.binpb"
        arguments = ["protoc", f"-I{base}", "--include_imports", f"--descriptor_set_out={out}", *sorted({*files, *SHARED})]
        if protoc.main(arguments) != 0:
            sys.exit("the compiler does not read the files")
        return descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out).read_bytes())


class Options:
    """What the files say of services and methods in Google's own options."""

    def __init__(self, files):
        pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            pool.Add(file)
        made = lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        self.of_method, self.of_service = made("google.protobuf.MethodOptions"), made("google.protobuf.ServiceOptions")
        self.http_rule = pool.FindExtensionByName("google.api.http")
        self.default_host = pool.FindExtensionByName("google.api.default_host")

    def host(self, service):
        options = self.of_service.FromString(service.options.SerializeToString())
        return options.Extensions[self.default_host].removesuffix(":443")

    def rules(self, method):
        options = self.of_method.FromString(method.options.SerializeToString())
        if not options.HasExtension(self.http_rule):
            return
        first = options.Extensions[self.http_rule]
        for rule in (first, *first.additional_bindings):
            kind = rule.WhichOneof("pattern")
            if kind in (None, "custom"):
                continue
            yield kind.upper(), getattr(rule, kind).removeprefix("/"), rule.body or "-"


def services(files):
    """Every service with its full name."""
    for file in files.file:
        for service in file.service:
            yield f"{file.package}.{service.name}", service


def plain(template):
    """A rule's path as the documents have it."""
    return re.sub(r"\{[^}=]*\}", "*", re.sub(r"\{[^}=]*=([^}]*)\}", r"\1", template))


def camel(name):
    return re.sub(r"_+(.?)", lambda found: found.group(1).upper(), name)


def version(name):
    """The version of a service, by its package."""
    words = [word for word in name.split(".") if re.fullmatch(r"v[0-9]+([a-z]+[0-9]*)*", word)]
    return words[-1] if words else None


def identifier(rpc, http, path, own=False):
    """What a method is called behind the name of its API; by its own name where the usual one is another's."""
    path = plain(path)
    verb = ""
    if ":" in path.rsplit("/", 1)[-1]:
        path, _, verb = path.rpartition(":")
    words = path.split("/")
    in_word = words[-1] not in ("*", "**")
    words = [re.sub(r"[-_](.)", lambda found: found.group(1).upper(), word) for word in words if word not in ("*", "**")]
    # What stands before the version is no part of it.
    words = words[next((at + 1 for at, word in enumerate(words) if version(word)), 0):]
    words = [word for word in words if not version(word)]
    name = rpc[0].lower() + rpc[1:]
    if verb:
        return ".".join([*words, name if own else verb])
    for start, usual in STANDARD.items():
        if not re.match(start + "[A-Z]", rpc) or own:
            continue
        # What is listed and made stands at its collection, all else at what it is, or is the only one of its name.
        if in_word == (start in ("List", "Create")):
            return ".".join([*words, "update" if usual == "patch" and http == "PUT" else usual])
        if in_word:
            return ".".join([*words[:-1], start.lower() + words[-1][0].upper() + words[-1][1:]])
    if in_word and not re.match("(List|Create)[A-Z]", rpc):
        words.pop()
    return ".".join([*words, name])


class Messages:
    """The messages of all files, by their full names."""

    def __init__(self, files):
        self.known = {}
        for file in files.file:
            self.add(f".{file.package}", file.message_type)

    def add(self, within, messages):
        for message in messages:
            self.known[f"{within}.{message.name}"] = message
            self.add(f"{within}.{message.name}", message.nested_type)

    def closure(self, roots):
        found, waiting = {}, list(roots)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.known:
                found[name] = self.known[name]
                waiting += [field.type_name for field in self.known[name].field if field.type_name]
        return found

    def is_free(self, field):
        entry = self.known.get(field.type_name)
        return field.type_name in FREE or entry is not None and entry.options.map_entry

    def schemas(self, roots):
        """Messages as the documents have them, as far as `gcp.py` looks: which members are free, and how all are spelled."""
        return {
            name: {"properties": {field.json_name: {"additionalProperties": {}} if self.is_free(field) else {} for field in of.field}}
            for name, of in self.closure(roots).items()
            if not of.options.map_entry
        }

    def repeated(self, name, before="", within=()):
        """The parameters that may be given several times, where the message stands in a query."""
        for field in self.known[name].field:
            path = before + field.json_name
            if self.is_free(field) or field.type_name in within:
                continue
            if field.type_name in self.known and field.label != FieldType.LABEL_REPEATED:
                yield from self.repeated(field.type_name, path + ".", (*within, name, field.type_name))
            elif field.label == FieldType.LABEL_REPEATED:
                yield path


def documents(files, left_out, prefixes, known_as):
    """For each host and version one document of all that the rules say; nothing of the hosts that are left out, of what is
    read by hand, and of what has an id by host, HTTP method, path and name (`known_as`): against those the ids that are made here are held. `prefixes`
    are the words that the ids of a host begin with."""
    options, messages = Options(files), Messages(files)
    shared = {f"{file.package}.{service.name}" for file in files.file if file.name in SHARED for service in file.service}
    made, roots, same = {}, collections.defaultdict(set), collections.Counter()
    for name, service in services(files):
        host = options.host(service)
        if name in shared or host in left_out:
            continue
        key = (host, version(name) or "v1")
        document = made.setdefault(key, {
            "name": prefixes.get(host, host.split(".")[0]),
            "version": key[1],
            "rootUrl": f"https://{host}/",
            "mtlsRootUrl": f"https://{host.replace('.', '.mtls.', 1)}/",
            "servicePath": "",
            "batchPath": "batch",
            "methods": {},
        })
        by_hand = BY_HAND.get(host, {}).get(name, {})
        for method in service.method:
            # It is one of the documents' own then.
            if method.name in by_hand:
                continue
            for http, path, body in options.rules(method):
                known = known_as(host, http, plain(path), method.name)
                if known:
                    same[known.split(".", 1)[1] == identifier(method.name, http, path)] += 1
                else:
                    add(document["methods"], document["name"], (method, http, path, body), messages)
                    roots[key].add(method.input_type)
    if same[True] < 20 * same[False]:
        sys.exit(f"of the documents' own ids {same[True]} are as the rules here make them, and {same[False]} are not")
    for key, document in made.items():
        document["schemas"] = messages.schemas(roots[key])
    return [document for document in made.values() if document["methods"]]


def add(methods, api, rule, messages):
    method, http, path, body = rule
    at = f"{http} {plain(path)}"
    if at in methods:
        return
    for own in (False, True):
        name = f"{api}.{identifier(method.name, http, path, own)}"
        taken = {other["rpc"] for other in methods.values() if other["id"] == name} - {method.name}
        if not taken:
            break
    else:
        sys.exit(f"`{method.name}` and {taken} are both `{name}`; say how they are told apart")
    repeated = messages.repeated(method.input_type) if body != "*" else ()
    methods[at] = {
        "id": name,
        "httpMethod": http,
        "path": plain(path),
        "rpc": method.name,
        "parameters": {name: {"repeated": True} for name in repeated},
    }
    if body != "-":
        methods[at]["request"] = {"$ref": method.input_type.rsplit(".", 1)[-1]}
