#!/usr/bin/env python3
"""Makes proxy/catalog/gcp from the pinned packages: one file a host, with the APIs that it serves and every method of them.

    gcp.py PACKAGES [--check]

The discovery documents inside of `google-api-python-client` give hosts, methods and paths; `gcp.toml` beside this says what
people have found out about names. APIs, versions and methods that have no such document are taken of the `.proto` files in
`google-proto-files` (`gcp_protos.py`), for which it takes a Python that has `grpcio-tools`. A method is a read only where two signals agree: GET and a name that only reads, or
POST, such a name, and a scope that cannot write (or the fixed methods of IAM, or what people have looked at). What is not known is a change. Leaves out
bodies but for two lists: names of members that are maps, and names that are spelled with an underscore.
"""

import collections
import hashlib
import json
import pathlib
import re
import sys
import tomllib
import zipfile

import gcp_protos

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/gcp"
REVIEWED = tomllib.loads((ROOT / "proxy/decode/harvest/gcp.toml").read_text())
FOLDER = "googleapiclient/discovery_cache/documents/"
# How the documents write that any one segment may stand there.
SEGMENT = re.compile(r"\[\^/\]\+|\(\[a-z\][^/]*\)|\[0-9\]\{[0-9,]+\}|\[a-z\]\(\?:[^/]*\)\?")
READ_SCOPE = re.compile(r"(readonly|read[-_]only|\.read)$")


class Rules:
    """Regular expressions of one list, which all have to fit something."""

    def __init__(self, patterns):
        self.patterns = {pattern: re.compile(pattern) for pattern in patterns if not pattern.endswith("never")}
        self.unused = set(self.patterns)

    def fits(self, text):
        found = [pattern for pattern, rule in self.patterns.items() if rule.fullmatch(text)]
        self.unused.difference_update(found)
        return bool(found)


READ, NEVER, POST, SEEN = (Rules(REVIEWED["read"][name]) for name in ("verbs", "never", "post", "seen"))
CLASS = {name: Rules(patterns) for name, patterns in REVIEWED["class"].items()}
DATA = Rules(REVIEWED["data"]["ids"])


def package(folder):
    pin = tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"][0]
    path = pathlib.Path(folder) / pin["file"]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != pin["sha256"]:
        sys.exit(f"`{path.name}` has the hash {found}, not the pinned {pin['sha256']}; fetch it again")
    return zipfile.ZipFile(path)


def documents(archive):
    """Every document once: some lie there under two names."""
    known = {}
    for name in sorted(archive.namelist()):
        if name.startswith(FOLDER) and name.endswith(".json") and not name.endswith("/index.json"):
            document = json.loads(archive.read(name))
            known.setdefault(document["id"], document)
    return known.values()


def methods(resource):
    yield from resource.get("methods", {}).values()
    for child in resource.get("resources", {}).values():
        yield from methods(child)


def template(document, method):
    """The path as segments: `*` is one of them, `+` one that may hold escaped slashes, `**` one or more."""
    path = method["path"]
    slashes = REVIEWED["slashes"].get(document["name"], [])
    for label in re.findall(r"\{\+?[^}]*\}", path):
        name = label.strip("{+}")
        if label[1] == "+":
            pattern = method["parameters"][name].get("pattern", "^.*$").removeprefix("^").removesuffix("$")
            pattern = pattern.replace("[a-z](?:[-a-zA-Z0-9/]{0,255}[a-zA-Z0-9])?", ".*")
            pattern = SEGMENT.sub("*", pattern).replace(".*", "**")
            if name in slashes:
                pattern = re.sub(r"\*$", "+", pattern)
            path = path.replace(label, pattern)
        else:
            path = path.replace(label, "+" if name in slashes else "*")
    path = document["servicePath"] + path
    if not re.fullmatch(r"[A-Za-z0-9_.$@:\-/*+]+", path):
        sys.exit(f"the path `{path}` of `{method['id']}` has a form that is not known; say how it is read")
    return path


def is_iam(method):
    """The two methods that every service has word for word from IAM, which change nothing."""
    request = method.get("request", {}).get("$ref", "")
    word = method["id"].rsplit(".", 1)[-1]
    return (word == "testIamPermissions" and request.endswith("TestIamPermissionsRequest")) or (
        word == "getIamPolicy" and request.endswith("GetIamPolicyRequest")
        or word == "testIamPermissions" and request == "TestPermissionsRequest"
    )


def access(method):
    """The class of a method, and whether it hands out a credential of the plane."""
    name, verb = method["id"], method["httpMethod"]
    word = name.rsplit(".", 1)[-1]
    for kind in ("mints", "secret_read", "grant", "expose", "execute"):
        if CLASS[kind].fits(name):
            return ("secret_read", True) if kind == "mints" else (kind, False)
    if not NEVER.fits(name):
        if verb == "GET" and READ.fits(word):
            return "read", False
        reads = any(READ_SCOPE.search(scope) for scope in method.get("scopes", []))
        if verb == "POST" and (is_iam(method) or POST.fits(word) and reads):
            return "read", False
        if verb in ("GET", "POST") and SEEN.fits(name):
            return "read", False
    if verb == "DELETE" or CLASS["delete"].fits(word):
        return "delete", False
    if CLASS["tag"].fits(word):
        return "tag", False
    if CLASS["create"].fits(word):
        return "create", False
    return "update", False


def upload(document, method):
    protocols = method.get("mediaUpload", {}).get("protocols", {})
    for kind, protocol in protocols.items():
        expected = {"simple": "/upload/", "resumable": "/resumable/upload/"}[kind]
        path = protocol["path"]
        if path not in (expected + document["servicePath"] + method["path"], "/upload/" + document["servicePath"] + method["path"]):
            sys.exit(f"`{method['id']}` is uploaded to `{path}`; say how that is read")
    return bool(protocols)


def hosts(documents_of):
    """The hosts that an API has by its documents, beside the first: all together, since all versions lie behind them."""
    plain, by_form = set(), collections.defaultdict(set)
    for document in documents_of:
        if "mtlsRootUrl" in document:
            plain.add(host(document["mtlsRootUrl"]))
        for endpoint in document.get("endpoints", []):
            where = endpoint["location"]
            name = host(endpoint["endpointUrl"])
            if name.startswith(where + "-"):
                form = "{}" + name.removeprefix(where)
            elif name.endswith(f".{where}.rep.googleapis.com"):
                form = name.replace(f".{where}.rep.", ".{}.rep.")
            else:
                sys.exit(f"`{name}` does not say where it is as others do; say how it is read")
            by_form[form].add(where)
        plain.update(REVIEWED["also"].get(document["name"], []))
    return plain, by_form


def host(url):
    return url.removeprefix("https://").removesuffix("/")


def site(root, documents_of):
    plain, by_form = hosts(documents_of)
    lines = [f"host {root}"]
    for document in documents_of:
        if document["name"] in REVIEWED["names"]:
            lines.append(f"names {REVIEWED['names'][document['name']]}")
            break
    plain.discard(root)
    if plain:
        lines.append("also " + " ".join(sorted(plain)))
    for form, where in sorted(by_form.items()):
        lines.append(f"at {form} " + " ".join(sorted(where)))
    lines += ["", *members(documents_of)]
    known, classes = {}, {}
    for document in documents_of:
        lines += ["", f"api {document['name']} {document['version']} {document['batchPath']}"]
        for method in methods(document):
            path = template(document, method)
            # What only the `.proto` files have another path of is what it is by the document.
            kind, mints = access(method)
            if "rpc" in method:
                kind, mints = classes.get(method["id"], (kind, mints))
            elif kind != "read":
                classes[method["id"]] = kind, mints
            level = "data" if DATA.fits(method["id"]) else "control"
            marks = [mark for mark, is_so in (
                ("mints", mints),
                ("upload", upload(document, method)),
                ("download", method.get("useMediaDownloadService", False)),
                ("body", "request" in method),
            ) if is_so]
            line = " ".join([method["httpMethod"], kind, level, method["id"], path, *marks])
            key = (method["httpMethod"], path)
            # Some versions list methods of another one with it.
            if known.setdefault(key, line) == line and line in lines:
                continue
            if known[key] != line:
                if known[key].split(" ")[3] != method["id"]:
                    sys.exit(f"`{' '.join(key)}` is `{known[key]}` and `{line}`")
                continue
            lines.append(line)
    return "\n".join(lines) + "\n"


def members(documents_of):
    """Names of members that are maps or free-form, of parameters that may be given several times, and of members that are
    spelled with an underscore."""
    maps, snake = set(), set()

    def walk(schemas, schema, name):
        if name and ("additionalProperties" in schema or schema.get("type") == "any"):
            maps.add(name)
        target = schemas.get(schema.get("$ref"), {})
        if name and ("additionalProperties" in target or target.get("type") == "any"):
            maps.add(name)
        for child, inner in schema.get("properties", {}).items():
            if "_" in child:
                snake.add(child)
            walk(schemas, inner, child)
        for inner in (schema.get("items"), schema.get("additionalProperties")):
            if isinstance(inner, dict):
                walk(schemas, inner, name if "items" in schema else None)

    for document in documents_of:
        for schema in document["schemas"].values():
            walk(document["schemas"], schema, None)
    repeats = {
        name
        for document in documents_of
        for method in methods(document)
        for name, parameter in method.get("parameters", {}).items()
        if parameter.get("repeated")
    }
    yield " ".join(["maps", *sorted(maps)])
    yield " ".join(["repeats", *sorted(repeats)])
    yield " ".join(["underscores", *sorted(snake)])


def fits(known, path):
    """Whether what a path of one method asks for is another's too: `*` is one segment, `**` one or more."""
    known = known.replace("+", "*")
    pattern = re.escape(known).replace(r"\*\*", ".+").replace(r"\*", "[^/:]+")
    return re.fullmatch(pattern, path) is not None


def described(roots, protos):
    """What only the `.proto` files describe, as documents."""
    by_method = {
        root: [
            (method["httpMethod"], template(document, method), method["id"])
            for document in documents_of
            for method in methods(document)
        ]
        for root, documents_of in roots.items()
    }

    def known_as(root, http, path, name):
        for other, at, known in by_method.get(root, ()):
            word = known.rsplit(".", 1)[-1].lower()
            if http == other and (path == at.replace("+", "*") or name.lower().startswith(word) and fits(at, path)):
                return known

    words = {
        root: method["id"].split(".")[0]
        for root, documents_of in roots.items()
        for document in documents_of
        for method in methods(document)
    }
    return gcp_protos.documents(protos, REVIEWED["described"]["never"], words, known_as)


def files(archive, protos):
    roots = collections.defaultdict(list)
    for document in documents(archive):
        roots[host(document["rootUrl"])].append(document)
    for document in described(roots, protos):
        documents_of = roots[host(document["rootUrl"])]
        same = lambda other: all(other[key] == document[key] for key in ("name", "version", "servicePath"))
        known = next(filter(same, documents_of), None)
        if known is None:
            documents_of.append(document)
        else:
            known["schemas"] = known["schemas"] | document["schemas"]
            known["methods"] = known.get("methods", {}) | document["methods"]
    made = {}
    for root, documents_of in sorted(roots.items()):
        made[f"sites/{root.removesuffix('.googleapis.com')}.txt"] = site(root, documents_of)
    unused = [name for rules in (READ, NEVER, POST, SEEN, DATA, *CLASS.values()) for name in sorted(rules.unused)]
    if unused:
        sys.exit("reviewed and fits no method: " + "  ".join(unused))
    return made


def main():
    protos = gcp_protos.compiled(gcp_protos.package(sys.argv[1]))
    made = files(package(sys.argv[1]), protos)
    present = {str(path.relative_to(CATALOGUE)) for path in CATALOGUE.glob("sites/*.txt")}
    if "--check" in sys.argv[2:]:
        different = sorted(present - set(made))
        different += [name for name, text in made.items() if not (CATALOGUE / name).exists() or (CATALOGUE / name).read_text() != text]
        if different:
            sys.exit("the catalogue differs from what its sources give, regenerate it: " + ", ".join(different))
        return
    for name in present - set(made):
        (CATALOGUE / name).unlink()
    for name, text in made.items():
        path = CATALOGUE / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


main()
