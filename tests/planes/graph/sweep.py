"""Every request that Microsoft's own Python clients of Graph can build, v1.0 and beta, as JSON lines.

Walks `msgraph-sdk` and `msgraph-beta-sdk` from the client down: every property, every `by_…_id`, every function with
arguments. Every method of every builder is called with a body of its own type, through the client's own middleware, up to
a transport that answers `204` and keeps what came. What a request must be read as is told by the names of what was walked
through and by the first word of what the client says the method does, neither of which the catalogue looks at. Nothing is
sent, and the same clients give the same bytes.

    sweep.py --out FOLDER [--package msgraph | msgraph_beta]

writes requests.jsonl: `expect` is the chain of names, without underscores, `hint` what the description says: `read`,
`change` or nothing, and `name` an id that has to be in a resource's name.
"""

import argparse
import asyncio
import base64
import datetime
import importlib
import inspect
import json
import logging
import pathlib
import re
import sys
import uuid

import httpx
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

METHODS = ("get", "post", "patch", "put", "delete")
# The first words of descriptions that change nothing, of what is called by POST.
READS = """check checks compute convert determine evaluate evaluates extract find get gets has list lists parse queries query
read retrieve return returns run runs search suggest translate validate verify""".split()
# Descriptions that begin with something else, and go on to say that something is shown or computed.
READ_ANYWAY = tuple("""extract_content_label extract_label evaluate_application evaluate_classification_results evaluate_removal
get_applicable_policy_requirements""".split())
# The client leaves out the commas between what a function is given; what it makes then is none of the API.
GARBLED = re.compile(r"\([^()]*=[^(),]*=[^()]*\)")
UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")


def taken(request):
    """What came to the transport."""
    headers = [[name, value] for name, value in request.headers.items() if name in ("content-type", "prefer")]
    return {
        "method": request.method,
        "url": str(request.url),
        "headers": headers,
        "body_b64": base64.b64encode(request.read()).decode(),
    }


def given(name, annotation, number):
    """A value for an argument of a path."""
    if "int" in annotation:
        return 1
    if "bool" in annotation:
        return True
    if "float" in annotation:
        return 1.5
    if "datetime.datetime" in annotation:
        return datetime.datetime(2026, 1, 1)
    if "datetime.date" in annotation:
        return datetime.date(2026, 1, 1)
    if "datetime.time" in annotation:
        return datetime.time(1)
    if "UUID" in annotation:
        return uuid.UUID(identifier(number))
    if name == "site_id":
        return f"acme.sharepoint.com,{identifier(number)},{identifier(number)}"
    return identifier(number)


def identifier(number):
    """A GUID that says where it was given."""
    return f"{number:08x}-aaaa-4000-8000-00000000000a"


def filled(kind):
    """A body: every text that its own class has."""
    body = kind()
    for name, annotation in kind.__annotations__.items():
        if annotation == "Optional[str]" and name not in ("odata_type", "id"):
            setattr(body, name, "x1")
    if hasattr(body, "odata_id"):
        body.odata_id = f"https://graph.microsoft.com/v1.0/directoryObjects/{identifier(0)}"
    return body


class Sweep:
    """One client, walked through."""

    def __init__(self, package, stream):
        self.package, self.stream, self.kept, self.count, self.skipped = package, stream, None, 0, []
        adapter = importlib.import_module(f"{package}.graph_request_adapter")
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.keep))
        client = GraphClientFactory.create_with_default_middleware(client=client, options=adapter.options)
        self.adapter = adapter.GraphRequestAdapter(AnonymousAuthenticationProvider(), client)
        self.client = importlib.import_module(package).GraphServiceClient(request_adapter=self.adapter)
        self.batches = []

    def keep(self, request):
        self.kept = taken(request)
        return httpx.Response(204)

    def body(self, builder, annotation):
        """A body of the type that a method takes."""
        if annotation == "bytes":
            return b"x1"
        if annotation.startswith("list["):
            return [self.body(builder, annotation[5:-1])]
        module = sys.modules[type(builder).__module__]
        found = re.search(rf"from (\.[\w.]+) import {annotation}\n", inspect.getsource(module))
        return filled(getattr(importlib.import_module(found.group(1), module.__package__), annotation))

    async def call(self, builder, chain, number, own):
        for method in METHODS:
            if not inspect.iscoroutinefunction(getattr(type(builder), method, None)):
                continue
            function = getattr(builder, method)
            arguments = inspect.signature(function).parameters
            values = {"content_type": "image/png"} if "content_type" in arguments else {}
            if "body" in arguments:
                values["body"] = self.body(builder, arguments["body"].annotation)
            asked = next((one for one in vars(type(builder)) if one.endswith("DeleteQueryParameters")), None)
            if method == "delete" and asked:
                kind = getattr(type(builder), asked)
                if "id" in kind.__annotations__:
                    reference = f"https://graph.microsoft.com/v1.0/directoryObjects/{identifier(number)}"
                    values["request_configuration"] = RequestConfiguration(query_parameters=kind(id=reference))
            self.kept = None
            try:
                await function(**values)
            except Exception as error:  # What the client itself cannot make is told at the end.
                if self.kept is None:
                    self.skipped.append(f"{'.'.join(chain)}.{method}: {error!r}"[:200])
                    continue
            if GARBLED.search(self.kept["url"]):
                self.skipped.append(f"{'.'.join(chain)}.{method}: {self.kept['url']}"[:200])
                continue
            said = (inspect.getdoc(function) or "").split("\n")[0].lower()
            first = re.match(r"(invoke function|\w+)", said)
            first = first.group(1) if first else ""
            if method == "post":
                called = re.match(r"invoke action (?:\w+\.)*(\w+)", inspect.getdoc(function) or "", re.I)
                verb = UPPER.sub(r" \1", called.group(1)).split()[0].lower() if called else first
                # The functions of a sheet compute, and the client has them for actions.
                computes = "workbook" in chain and chain[-2:-1] == ["functions"]
                hint = "may_read" if verb in READS or computes or (chain and chain[-1].endswith(READ_ANYWAY)) else "change"
            else:
                hint = "read" if method == "get" else "change"
            if own and hint == "change":
                hint = "refused"
            loose = any("(" in one for one in self.kept["url"].split("/")) or own
            line = {
                "id": f"{self.package}.{'.'.join(chain)}.{method}",
                **self.kept,
                "expect": "/".join(re.sub("(?<=^delete)_path$|(?<=^post)_path$|_|microsoft", "", one) for one in chain if one != "*"),
                "hint": hint,
                "name": "" if loose or not number else identifier(number),
            }
            self.stream.write(json.dumps(line) + "\n")
            self.count += 1
            plain = dict(line["headers"]).get("content-type", "application/json") == "application/json"
            if not own and plain and self.kept["url"].startswith("https://graph.microsoft.com/v1.0/") and len(self.batches) < 2000:
                self.batches.append(line)

    async def walk(self, builder, chain, depth, own=False):
        await self.call(builder, chain, depth if depth else 0, own)
        for name in sorted(dir(type(builder))):
            member = inspect.getattr_static(type(builder), name)
            if name.startswith(("_", "to_", "with_")) or name in METHODS or (not chain and name in ("me", "batch")):
                continue
            if isinstance(member, property):
                try:
                    below = getattr(builder, name)
                except ModuleNotFoundError:
                    # Its path is longer than the package may have.
                    self.skipped.append(f"{'.'.join(chain)}.{name} is not in the package")
                    continue
                await self.walk(below, [*chain, name], depth, own)
            elif inspect.isfunction(member) and type(builder).__module__ == member.__module__:
                arguments = inspect.signature(member).parameters
                own_arguments = [one for one in arguments if one != "self"]
                if name.startswith("by_"):
                    number = self.number = getattr(self, "number", 0) + 1
                    key = given(own_arguments[0], "str", number)
                    await self.walk(member(builder, key), [*chain, "*"], number, own)
                else:
                    values = {one: given(one, str(arguments[one].annotation), 7) for one in own_arguments}
                    bare = re.sub(rf"(_with_({'|'.join(map(re.escape, own_arguments))}))+$", "", name)
                    await self.walk(member(builder, **values), [*chain, bare], depth, own)

    async def run(self):
        await self.walk(self.client, [], 0)
        # A property of one of the clients, and a method of the other.
        me = self.client.me
        await self.walk(me() if inspect.ismethod(me) else me, ["users", "*"], 0, True)
        await self.in_batches()

    async def in_batches(self):
        """Twenty requests in one, as the client puts them together."""
        for start in range(0, len(self.batches), 20):
            lines = self.batches[start : start + 20]
            content = BatchRequestContent()
            for at, line in enumerate(lines):
                information = RequestInformation()
                information.http_method, information.url = line["method"], line["url"]
                sent = base64.b64decode(line["body_b64"])
                if sent:
                    information.content = sent
                    information.headers.try_add("content-type", "application/json")
                item = BatchRequestItem(information, str(at), [str(at - 1)] if at else None)
                content.add_request(item.id, item)
            self.kept = None
            try:
                await self.client.batch.post(content)
            except Exception as error:
                if self.kept is None:
                    self.skipped.append(f"batch {start}: {error!r}"[:200])
                    continue
            one = {"id": f"batch {start}", **self.kept, "hint": "batch", "name": "", "expect": "\n".join(line["expect"] for line in lines)}
            self.stream.write(json.dumps(one) + "\n")
            self.count += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--package", action="append")
    arguments = parser.parse_args()
    folder = pathlib.Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(10_000)
    with open(folder / "requests.jsonl", "w", encoding="utf-8") as stream:
        for package in arguments.package or ("msgraph", "msgraph_beta"):
            sweep = Sweep(package, stream)
            asyncio.run(sweep.run())
            print(f"{package}: {sweep.count} requests, {len(sweep.skipped)} that the client cannot make", flush=True)
            for skipped in sweep.skipped[:20]:
                print(" ", skipped, flush=True)


if __name__ == "__main__":
    main()
