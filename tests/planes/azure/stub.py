"""A stub of Azure Resource Manager: resource groups, storage accounts, pages and operations that take a while.

    stub.py PORT TOKEN [BASE]

It is no Azure: it answers as the documents of Resource Manager say, of one subscription, and judges nothing. Addresses in
its answers begin with BASE, or with the one it was asked at. It prints a line a request that changes something.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT, TOKEN = int(sys.argv[1]), sys.argv[2]
BASE = sys.argv[3] if len(sys.argv) > 3 else None
PAGE = 2

groups = {}
accounts = {}
# Operations that are under way, and how often each has been asked about.
asked = {}


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def base(self):
        return BASE or "http://" + self.headers["host"]

    def say(self, status, body=None, **headers):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("authorization") != "Bearer " + TOKEN:
            return self.say(401, {"error": {"code": "InvalidAuthenticationToken", "message": "who is that?"}})
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if self.command not in ("GET", "HEAD"):
            print(self.command, url.path, flush=True)
        parts = [part.lower() for part in url.path.strip("/").split("/")]
        self.answer(parts, query, json.loads(body) if body else None)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = serve

    def answer(self, parts, query, body):
        version = "api-version=" + query.get("api-version", [""])[0]
        of = "/subscriptions/" + parts[1] if len(parts) > 1 else ""
        match self.command, parts[2:]:
            case "GET", [] if parts == ["subscriptions"]:
                return self.say(200, {"value": []})
            case "GET", ["resourcegroups"]:
                start = int(query.get("$skiptoken", ["0"])[0])
                names = sorted(groups)
                page = {"value": [groups[name] for name in names[start : start + PAGE]]}
                if len(names) > start + PAGE:
                    page["nextLink"] = f"{self.base()}{of}/resourcegroups?{version}&%24skiptoken={start + PAGE}"
                return self.say(200, page)
            case ("GET" | "HEAD") as method, ["resourcegroups", name]:
                if name not in groups:
                    return self.say(404, {"error": {"code": "ResourceGroupNotFound", "message": name}})
                return self.say(204 if method == "HEAD" else 200, groups[name])
            case "PUT", ["resourcegroups", name]:
                made = {"id": f"{of}/resourceGroups/{name}", "name": name, "location": body["location"]}
                groups[name] = made | {"properties": {"provisioningState": "Succeeded"}}
                return self.say(201, groups[name])
            case "DELETE", ["resourcegroups", name]:
                del groups[name]
                return self.say(202, location=f"{self.base()}{of}/operationresults/{name}?{version}", retry_after="0")
            case "GET", ["operationresults", name]:
                asked[name] = asked.get(name, 0) + 1
                if asked[name] < 3:
                    again = f"{self.base()}{of}/operationresults/{name}?{version}"
                    return self.say(202, location=again, retry_after="0")
                return self.say(200)
            case "PUT", ["resourcegroups", group, "providers", "microsoft.storage", "storageaccounts", name]:
                path = f"{of}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
                accounts[name] = {"id": path, "name": name, "location": body["location"], "sku": body["sku"]}
                operation = f"{of}/providers/Microsoft.Storage/locations/x/asyncoperations/{name}?{version}"
                waiting = accounts[name] | {"properties": {"provisioningState": "Creating"}}
                return self.say(202, waiting, azure_asyncoperation=self.base() + operation, retry_after="0")
            case "GET", ["providers", "microsoft.storage", "locations", "x", "asyncoperations", name]:
                asked[name] = asked.get(name, 0) + 1
                return self.say(200, {"status": "InProgress" if asked[name] < 3 else "Succeeded"}, retry_after="0")
            case "GET", ["resourcegroups", _, "providers", "microsoft.storage", "storageaccounts", name]:
                return self.say(200, accounts[name] | {"properties": {"provisioningState": "Succeeded"}})
        self.say(404, {"error": {"code": "NotFound", "message": self.path}})


ThreadingHTTPServer(("127.0.0.1", PORT), Stub).serve_forever()
