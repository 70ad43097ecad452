"""Every method of every discovery document, as Google's own Python client would send it, as JSON lines.

Drives `google-api-python-client` over the documents that come with it, down to the request object, which is never sent. What
each request must be read as is the method's id, which the library takes from the document; whether it changes something is
told by the first word of the method's description, which the catalogue does not look at. Nothing is sent, and the same client
gives the same bytes. Leaves out what a method does with an answer.

    sweep.py --out FOLDER [--sample]

writes requests.jsonl: every method with the least and with all parameters and a body of every member that its schema has,
uploads in each way, a long query, and batches. A sample leaves out the second request of versions that are not yet stable.
"""

import argparse
import base64
import json
import pathlib
import re
import sys

import google.auth.credentials
import googleapiclient
from googleapiclient import discovery, http

FOLDER = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache/documents"

CHANGES = """accepts accesses acknowledges activates adds appends applies approves archives assigns associates attaches authorizes begins
binds cancels claims clears clones closes commits copies creates deactivates deletes demotes deploys destroys detaches disables
enables enrolls exchanges executes expires fails generates grants imports inserts invalidates issues joins launches locks marks
merges migrates modifies moves mutates opens patches pauses performs promotes publishes purges pushes recreates registers
rejects releases removes renames replaces resets resizes restarts restores resumes revokes rolls rotates schedules sends sets
shares signs simulates starts stops submits suspends switches terminates triggers truncates unarchives undeletes undeploys
unlocks unregisters updates upgrades uploads upserts writes wipes delete create update insert set cancel restart start stop add
remove move patch enable disable""".split()
# Reads whose descriptions begin with `Performs a book search` and `Generates a thumbnail`.
READ_ANYWAY = ["books.volumes.list", "slides.presentations.pages.getThumbnail"]
# Given beside another credential, these are refused.
CREDENTIALS = ["access_token", "key", "oauth_token"]
READS = "gets lists retrieves returns lists, fetches get list retrieve fetch reads".split()


class Nobody(google.auth.credentials.AnonymousCredentials):
    """The client asks for credentials, and uses none."""


class NotSent:
    """Stands where the client would send from."""

    credentials = Nobody()

    def request(self, uri, method="GET", body=None, headers=None, **_):
        self.taken = (uri, method, body, headers)
        raise KeyboardInterrupt


def fitting(pattern, name):
    """A text that a parameter of a path may have."""
    if not pattern:
        return "x1"
    plain = pattern.removeprefix("^").removesuffix("$").replace("[^/]+", "x1").replace(".*", "y1")
    tries = ["x1", plain, "1", "shop-1", "projects/1", "12345", "x1/y1", "2020-01-01", "admin", "ga:1", "gplus_communities", "x" * 22,
             "UA-1-1", "1:1", "https://example.com/x"]
    for _ in range(6):
        plain = re.sub(r"\((?!\?)[^()]*\)|\[[^\]]*\](\{[^}]*\})?(?!\()", "1", plain)
    tries += [plain, re.sub(r"\[a-z\]\(\?:[^()/]*\)\??(\|1\*?)?|\([^()]*\)", "a1", plain), "a1b2"]
    for text in tries:
        if re.fullmatch(pattern, text):
            return text
    parts = [re.sub(r"^\(?\[a-z\].*", "a1", part) for part in re.split(r"/(?![^\[]*\])", pattern.strip("^$"))]
    text = "/".join(part if re.fullmatch(r"[A-Za-z0-9]+", part) else "a1" for part in parts)
    if re.fullmatch(pattern, text):
        return text
    sys.exit(f"no text is known for the pattern `{pattern}` of `{name}`; add one")


def body(schemas, schema, depth=0):
    """Every member that a schema has, four levels down."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    if "properties" in schema:
        if depth > 3:
            return {}
        return {name: body(schemas, member, depth + 1) for name, member in schema["properties"].items()}
    if schema.get("type") == "array":
        return [body(schemas, schema["items"], depth + 1)] if depth < 4 else []
    if schema.get("type") == "object":
        return {"a_b": "c"} if schema.get("additionalProperties", {}).get("type") == "string" else {}
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") in ("integer", "number"):
        return 1
    return "x"


def parameter(schema, name):
    if "enum" in schema:
        one = schema["enum"][0]
    else:
        one = {"boolean": True, "integer": 1, "number": 1.5}.get(schema.get("type"), "2020-01-01" if schema.get("format") else "x")
    return [one, one] if schema.get("repeated") else one


def hint(method):
    words = re.findall(r"[a-z,]+", method.get("description", "").lower())
    first = words[0] if words else ""
    if method["id"] in READ_ANYWAY:
        return "read"
    if method["httpMethod"] in ("PUT", "PATCH", "DELETE") or first in CHANGES:
        return "change"
    return "read" if method["httpMethod"] == "GET" and first in READS else "either"


class Sweep:
    def __init__(self, out):
        self.out = out
        self.count = 0

    def line(self, expected, hint, uri, method, body, headers):
        headers = {name.lower(): value for name, value in (headers or {}).items()}
        headers.pop("user-agent", None)
        headers.pop("x-goog-api-client", None)
        headers.pop("content-length", None)
        raw = body.encode() if isinstance(body, str) else body or b""
        # The library makes up a boundary, another each time.
        mark = re.search(r'boundary="([^"]*)"', headers.get("content-type", ""))
        if mark:
            headers["content-type"] = headers["content-type"].replace(mark.group(1), "=x=")
            raw = raw.replace(mark.group(1).encode(), b"=x=")
        self.count += 1
        line = {
            "id": str(self.count), "method": method, "url": uri, "headers": sorted(headers.items()),
            "body_b64": base64.b64encode(raw).decode(), "expect": expected, "hint": hint,
        }
        self.out.write(json.dumps(line, separators=(",", ":")) + "\n")

    def request(self, request, hint, expected=None):
        self.line(expected or [request.methodId], hint, request.uri, request.method, request.body, request.headers)


def names(parameters):
    """Names of parameters as the library spells them."""
    return {discovery.key2param(name): schema for name, schema in parameters.items()}


def walk(service, document, resource):
    for name, method in resource.get("methods", {}).items():
        # The library itself cannot call a method that is called as a resource beside it.
        if name in resource.get("resources", {}):
            continue
        yield getattr(service, discovery.fix_method_name(name)), method
    for name, child in resource.get("resources", {}).items():
        yield from walk(getattr(service, discovery.fix_method_name(name))(), document, child)


def sweep_document(sweep, document, sample):
    service = discovery.build_from_document(json.loads(json.dumps(document)), http=NotSent(), always_use_jwt_access=False)
    reads = []
    for make, method in walk(service, document, document):
        all_parameters = names(method.get("parameters", {}))
        needed = {
            name: (fitting(schema.get("pattern"), name) if schema.get("type") == "string" else "1")
            if schema["location"] == "path" and "enum" not in schema
            else parameter(schema, name)
            for name, schema in all_parameters.items() if schema.get("required") or schema["location"] == "path"
        }
        for name, schema in all_parameters.items():
            if schema.get("pattern") and schema["location"] == "query" and name in needed:
                needed[name] = fitting(schema["pattern"], name)
        extra = {
            name: parameter(schema, name) for name, schema in all_parameters.items()
            if schema["location"] == "query" and name not in needed and not schema.get("pattern") and name not in CREDENTIALS
        }
        if "mediaUpload" in method:
            # The library itself cannot put `uploadType` behind a parameter that is given twice.
            needed = {name: one[:1] if isinstance(one, list) else one for name, one in needed.items()}
        changes = hint(method)
        has_body = "request" in method
        least = make(**needed, **({"body": {}} if has_body else {}))
        sweep.request(least, changes)
        whole = {"body": body(document["schemas"], method["request"])} if has_body else {}
        if "mediaUpload" in method:
            extra.pop("name", None)
        if not (sample and re.search("alpha|beta|preview", document["version"])):
            sweep.request(make(**needed, **extra, **whole), changes)
        if method["httpMethod"] == "GET" and len(reads) < 3:
            reads.append(least)
        if "mediaUpload" in method:
            for resumable in (False, True):
                for given in ([{}, {"body": {}}] if has_body else [{}]):
                    media = http.MediaInMemoryUpload(b"bytes", mimetype="text/plain", resumable=resumable)
                    request = make(**needed, **given, media_body=media)
                    if resumable:
                        # The client's own way to begin: the body describes what comes.
                        request.headers["x-upload-content-type"] = "text/plain"
                        if request.body is not None:
                            request.headers["content-type"] = "application/json"
                    sweep.request(request, "change")
    if reads:
        # A query that is too long goes as the body of a POST.
        long = http.HttpRequest(NotSent(), lambda *_: None, reads[0].uri.split("?")[0] + "?fields=" + "x" * 3000 + "&alt=json",
                                method="GET", headers=dict(reads[0].headers), methodId=reads[0].methodId)
        try:
            long.execute()
        except KeyboardInterrupt:
            uri, method, sent, headers = long.http.taken
            sweep.line([long.methodId], "either", uri, method, sent, headers)
        batch = service.new_batch_http_request()
        for read in reads:
            batch.add(read)
        taken = NotSent()
        try:
            batch.execute(http=taken)
        except KeyboardInterrupt:
            uri, method, sent, headers = taken.taken
            # The library makes up names for the requests of a batch, another each time.
            sent = re.sub(r"Content-ID: <[^>]*>", "Content-ID: <x + 1>", sent)
            sweep.line([read.methodId for read in reads], "either", uri, method, sent, headers)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--sample", action="store_true")
    given = arguments.parse_args()
    folder = pathlib.Path(given.out)
    folder.mkdir(parents=True, exist_ok=True)
    known = set()
    with open(folder / "requests.jsonl", "w") as out:
        sweep = Sweep(out)
        for path in sorted(FOLDER.glob("*.json")):
            document = json.loads(path.read_text())
            if path.name == "index.json" or document["id"] in known:
                continue
            known.add(document["id"])
            sweep_document(sweep, document, given.sample)
    print(sweep.count, "requests of", len(known), "documents")


main()
