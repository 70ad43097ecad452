#!/usr/bin/env python3
"""Makes proxy/catalog/gcp/grpc from the pinned package of Google's `.proto` files: one file a host that `gcp.py` has made,
with the services over gRPC that are served there, and the messages that their methods are called with.

    gcp_grpc.py PACKAGES [--check]

Each method has the rules by which it is asked for over REST (`google.api.http`, or what `gcp_rpc.toml` says by hand), and
beside each the discovery id of the method that is asked for in that way: by that its names, its class and its level are
known. `-` stands where there is none.
Run after `gcp.py`, by a Python that has `grpcio-tools`, whose compiler reads the files. Leaves out answers, comments, and
hosts that `gcp.py` left out.
"""

import collections
import sys

from google.protobuf import descriptor_pb2
from gcp_protos import BY_HAND, CATALOGUE, Options, camel, compiled, package, plain, services

FieldType = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in FieldType.Type.items()
    if name not in ("TYPE_GROUP", "TYPE_MESSAGE", "TYPE_ENUM")
}


def discovered():
    """Of every host the ids by method and path."""
    hosts = {}
    for path in sorted((CATALOGUE / "sites").glob("*.txt")):
        lines = path.read_text().splitlines()
        ids = hosts[lines[0].removeprefix("host ")] = {}
        for line in lines:
            words = line.split(" ")
            if words[0] in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                ids[words[0], words[4].replace("+", "*")] = words[3]
    return hosts


class Types:
    """Every message and enum, by its full name."""

    def __init__(self, files):
        self.messages, self.enums = {}, {}
        for file in files.file:
            self.add(file.package, "", file.message_type, file.enum_type)

    def add(self, package, before, messages, enums):
        for enum in enums:
            self.enums[f".{package}.{before}{enum.name}"] = (package, before + enum.name, enum)
        for message in messages:
            self.messages[f".{package}.{before}{message.name}"] = (package, before + message.name, message)
            self.add(package, f"{before}{message.name}.", message.nested_type, message.enum_type)

    def closure(self, roots):
        """What the messages are made of, themselves included."""
        found, open_ = set(), list(roots)
        while open_:
            name = open_.pop()
            if name in found:
                continue
            found.add(name)
            if name in self.messages:
                open_ += [field.type_name for field in self.messages[name][2].field if field.type_name]
        return found

    def written(self, name):
        """The text of a message or an enum; none of an entry of a map, which stands where it is used."""
        if name in self.enums:
            package, path, enum = self.enums[name]
            known = {}
            for value in enum.value:
                known.setdefault(value.number, value.name)
            return [f"enum {package}/{path}", *(f"{number} {value}" for number, value in known.items())]
        package, path, message = self.messages[name]
        if message.options.map_entry:
            return None
        lines = [f"message {package}/{path}"]
        for field in sorted(message.field, key=lambda field: field.number):
            words = [str(field.number), field.name, self.type(field, package)]
            if field.HasField("oneof_index") and not field.proto3_optional:
                words.append(f"oneof={message.oneof_decl[field.oneof_index].name}")
            if field.json_name != camel(field.name):
                words.append(f"json={field.json_name}")
            lines.append(" ".join(words))
        return lines

    def name(self, full, within):
        """The package, unless that is the one it is named in, `/` and the path in it."""
        package, path, _ = self.messages.get(full) or self.enums[full]
        return f"{'' if package == within else package}/{path}"

    def type(self, field, within):
        if field.type == FieldType.TYPE_GROUP:
            sys.exit(f"`{field.name}` is a group; say how it is read")
        if field.type == FieldType.TYPE_MESSAGE:
            of = self.messages[field.type_name][2]
            if of.options.map_entry:
                key, value = of.field
                return f"{{{self.type(key, within)}}}{self.type(value, within)}"
            name = self.name(field.type_name, within)
        elif field.type == FieldType.TYPE_ENUM:
            name = "=" + self.name(field.type_name, within)
        else:
            name = SCALARS[field.type]
        return f"[]{name}" if field.label == FieldType.LABEL_REPEATED else name


def by_host(files, hosts):
    """The services of each host, and those that many have."""
    options, found, known = Options(files), collections.defaultdict(dict), {}
    for name, service in services(files):
        known[name] = service
        host = options.host(service)
        # What is described as messages there goes over REST all the same.
        if host in hosts and host != "compute.googleapis.com" and name not in BY_HAND["everywhere"]:
            found[host][name] = service
    for host, of_host in BY_HAND.items():
        for name in of_host:
            found[host][name] = known[name]
    return found


def rules(method, of_hand, ids, options):
    """How REST asks for a method, by hand or by the files."""
    for rule in of_hand.get(method.name, ()):
        known = rule.split(" ")[3]
        if known != "-" and known not in ids.values():
            sys.exit(f"`{method.name}` is `{known}` by hand, which the documents do not have; say what it is")
        yield rule
    if method.name not in of_hand:
        for http, path, body in options.rules(method):
            yield f"{http} {path} {body} {ids.get((http, plain(path)), '-')}"


def made(files):
    types, options, hosts = Types(files), Options(files), discovered()
    texts = {}
    for host, of_host in sorted(by_host(files, hosts).items()):
        ids, lines, inputs = hosts.get(host, {}), [f"host {host}"], set()
        for name, service in sorted(of_host.items()):
            lines += ["", f"service {name}"]
            of_hand = BY_HAND.get(host, {}).get(name, {})
            unknown = set(of_hand) - {method.name for method in service.method}
            if unknown:
                sys.exit(f"`{name}` has no {sorted(unknown)}; leave them out")
            for method in service.method:
                said = list(rules(method, of_hand, ids, options))
                # Where people have read a service, they have read all of it; its own host's others are not served there.
                if of_hand and not said:
                    if name.startswith("google.longrunning."):
                        continue
                    sys.exit(f"nothing says what `{name}` `{method.name}` is over REST; say it by hand")
                inputs.add(method.input_type)
                streams = [word for word, is_so in (("in", method.client_streaming), ("out", method.server_streaming)) if is_so]
                lines.append(" ".join(["rpc", method.name, types.name(method.input_type, name.rpartition(".")[0]), *streams]))
                lines += said
        for name in sorted(types.closure(inputs)):
            text = types.written(name)
            if text:
                lines += ["", *text]
        texts[f"grpc/{host.removesuffix('.googleapis.com')}.txt"] = "\n".join(lines) + "\n"
    return texts


def main():
    texts = made(compiled(package(sys.argv[1])))
    folder = CATALOGUE / "grpc"
    folder.mkdir(exist_ok=True)
    present = {str(path.relative_to(CATALOGUE)) for path in folder.glob("*.txt")}
    if "--check" in sys.argv[2:]:
        different = sorted(present ^ set(texts))
        different += [name for name in sorted(present & set(texts)) if (CATALOGUE / name).read_text() != texts[name]]
        if different:
            sys.exit("the catalogue differs from what its sources give, regenerate it: " + ", ".join(different))
        return
    for name in present - set(texts):
        (CATALOGUE / name).unlink()
    for name, text in texts.items():
        path = CATALOGUE / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


main()
