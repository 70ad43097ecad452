"""A STUB of a secret store: the part of the API of Vault and OpenBao that is needed, as they document it. No server of theirs.

    store_server.py PORT_FILE

It keeps secrets by version (KV version 2) below `secret/`, logs applications in that show `the-secret-id`, and says of a token
that it is one. Beside the gate it has to satisfy `hvac`, a client that others wrote (`store_client.py`).
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRETS: dict[str, list] = {}
TOKENS = {"root"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def wrapped(self, **fields):
        usual = {"request_id": "r", "lease_id": "", "renewable": False, "lease_duration": 0, "data": None,
                 "wrap_info": None, "warnings": None, "auth": None}
        self.answer(200, usual | fields)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")

    def admitted(self):
        if self.headers.get("x-vault-request") != "true":
            return self.answer(400, {"errors": ["no X-Vault-Request"]})
        if self.headers.get("x-vault-token") not in TOKENS:
            return self.answer(403, {"errors": ["permission denied"]})
        return True

    def do_GET(self):
        if not self.admitted():
            return
        if self.path == "/v1/auth/token/lookup-self":
            return self.wrapped(data={"path": "auth/approle/login", "policies": ["gate"], "ttl": 3600})
        versions = SECRETS.get(self.path.removeprefix("/v1/secret/data/"), [])
        if not versions or versions[-1] is None:
            return self.answer(404, {"errors": []})
        self.wrapped(data={"data": versions[-1], "metadata": {
            "created_time": "2026-11-27T00:00:00Z", "custom_metadata": None, "deletion_time": "", "destroyed": False,
            "version": len(versions)}})

    def do_POST(self):
        body = self.body()
        if self.path == "/v1/auth/approle/login":
            if body != {"role_id": "gate", "secret_id": "the-secret-id"}:
                return self.answer(400, {"errors": ["invalid role or secret ID"]})
            token = f"login-{len(TOKENS)}"
            TOKENS.add(token)
            return self.wrapped(auth={"client_token": token, "accessor": "a", "policies": ["gate"], "metadata": None,
                                      "lease_duration": 3600, "renewable": True})
        if not self.admitted():
            return
        versions = SECRETS.setdefault(self.path.removeprefix("/v1/secret/data/"), [])
        versions.append(body["data"])
        self.wrapped(data={"version": len(versions)})

    do_PUT = do_POST

    def do_DELETE(self):
        if self.admitted():
            SECRETS[self.path.removeprefix("/v1/secret/data/")].append(None)
            self.send_response(204)
            self.end_headers()


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
Path(sys.argv[1]).write_text(str(server.server_port))
server.serve_forever()
