"""A stub of a RESTCONF server, for tests: no device, and no schema behind it.

    stub.py PORT TOKEN

Keeps nodes by their paths, answers as RFC 8040 has it, and takes `Bearer TOKEN` or `Basic` with TOKEN as the password. Writes
one line a request to its output, and `a stub: …` in its `Server` header. Leaves out everything that needs a schema: defaults,
lists inside of bodies, validation.
"""

import base64
import http.server
import json
import sys
import urllib.parse

XRD = '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="restconf" href="/restconf"/></XRD>'
PORT, TOKEN = int(sys.argv[1]), sys.argv[2]
NODES = {
    "ietf-interfaces:interfaces/interface=eth0": {"name": "eth0", "enabled": True},
    "ietf-yang-library:modules-state": {"module": [{"name": "ietf-interfaces", "revision": "2018-02-20"}]},
}
KEYS = ("name", "id")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "a stub: no RESTCONF server/0"

    def answer(self, status, value=None, media="application/yang-data+json", **headers):
        body = b"" if value is None else (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        if body:
            self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, tag):
        self.answer(status, {"ietf-restconf:errors": {"error": [{"error-type": "protocol", "error-tag": tag}]}})

    def known(self):
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            rest = base64.b64decode(rest).decode().partition(":")[2]
        return rest == TOKEN

    def log_message(self, *_):
        print(self.command, self.path, flush=True)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urllib.parse.urlsplit(self.path).path
        if not self.known():
            return self.error(401, "access-denied")
        if path == "/.well-known/host-meta":
            return self.answer(200, XRD, "application/xrd+xml")
        if path == "/restconf/yang-library-version":
            return self.answer(200, {"ietf-restconf:yang-library-version": "2019-01-04"})
        if path == "/restconf/operations":
            return self.answer(200, {"ietf-restconf:operations": {"ietf-system:system-restart": [None]}})
        if path.startswith("/restconf/operations/"):
            return self.answer(204)
        if path.startswith("/restconf/data/"):
            return self.data(path.removeprefix("/restconf/data/"), body)
        return self.error(404, "invalid-value")

    def data(self, path, body):
        name = path.rsplit("/", 1)[-1].partition("=")[0]
        if self.command in ("GET", "HEAD"):
            below = {at: value for at, value in NODES.items() if at == path or at.startswith(path + "/")}
            return self.answer(200, {name: below.get(path, below)}) if below else self.error(404, "invalid-value")
        if self.command == "DELETE":
            return self.answer(204) if NODES.pop(path, None) is not None else self.error(404, "data-missing")
        if self.command == "POST" and not body:
            return self.answer(204)
        (member, value), = json.loads(body).items()
        if self.command == "POST" and member.endswith("input"):
            return self.answer(204)
        value = value[0] if isinstance(value, list) else value
        if self.command == "POST":
            key = next((value[key] for key in KEYS if key in value), None)
            at = f"{path}/{member.rpartition(':')[2]}" + (f"={key}" if key else "")
            if at in NODES:
                return self.error(409, "data-exists")
            NODES[at] = value
            return self.answer(201, Location=f"/restconf/data/{at}")
        if self.command == "PATCH":
            NODES[path] = {**NODES.get(path, {}), **value}
            return self.answer(204)
        was = path in NODES
        NODES[path] = value
        return self.answer(204 if was else 201)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
