"""A stand-in for a cluster of Vault, of which no package is there to be installed: tokens, one way of signing in, and a
secret, answered as Vault's documentation has them.

    cluster.py PORT TOKEN     TOKEN is that of its root

Says a line a request: the method, the path, and whose token it was made with, never the token.
"""

import itertools
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, root = sys.argv[1:]
numbers = itertools.count(1)
lock = threading.Lock()
# Each with whose it is, its end and the one it descends from.
tokens = {root: {"whose": "root", "ends": None, "of": None}}


def auth(whose, of, seconds):
    token = f"hvs.REAL-{next(numbers)}-a-token-of-the-cluster"
    ends = time.time() + seconds if seconds else None
    tokens[token] = {"whose": whose, "ends": ends, "of": of}
    return shown(token, seconds)


def shown(token, seconds):
    return {
        "client_token": token, "accessor": f"accessor-of-{tokens[token]['whose']}", "policies": ["default"],
        "token_policies": ["default"], "metadata": None, "lease_duration": seconds, "renewable": bool(seconds),
        "entity_id": "", "token_type": "service", "orphan": False,
    }


def revoke(token):
    for other in [other for other, one in tokens.items() if one["of"] == token]:
        revoke(other)
    del tokens[token]


class Cluster(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, **said):
        body = json.dumps({"request_id": "r-1", "lease_id": "", "renewable": False, "lease_duration": 0, **said}).encode()
        body = b"" if status == 204 else body
        self.send_response(status)
        if body:
            self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        length = int(self.headers.get("content-length") or 0)
        said = json.loads(self.rfile.read(length) or b"{}")
        token = self.headers.get("x-vault-token")
        with lock:
            known = tokens.get(token)
            if known and known["ends"] and known["ends"] < time.time():
                known = None
            print(f'"{self.command} {self.path}" {known["whose"] if known else "nobody"}', file=sys.stderr, flush=True)
            self.asked(self.command, self.path.removeprefix("/v1/"), said, token, known)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one

    def asked(self, method, path, said, token, known):
        if path.startswith("auth/userpass/login/"):
            if said.get("password") != "t1meMa$heen":
                return self.answer(400, errors=["invalid username or password"])
            return self.answer(200, auth=auth(path.rsplit("/", 1)[1], None, 600), data=None)
        if not known:
            return self.answer(403, errors=["permission denied"])
        if path in ("auth/token/create", "auth/token/create-orphan", "auth/token/create/ci"):
            of = None if path.endswith("orphan") else token
            seconds = {"1h": 3600, "0": 0}.get(said.get("ttl", "1h"), 3600)
            made = auth(said.get("display_name", "child"), of, seconds)
            return self.answer(200, auth=made, data=None, warnings=None)
        if path == "auth/token/lookup-self":
            left = int(known["ends"] - time.time()) if known["ends"] else 0
            data = {"id": token, "accessor": f"accessor-of-{known['whose']}", "display_name": known["whose"], "ttl": left}
            return self.answer(200, data=data, auth=None)
        if path == "auth/token/renew-self":
            known["ends"] = time.time() + 7200
            return self.answer(200, auth=shown(token, 7200), data=None)
        if path == "auth/token/revoke-self":
            revoke(token)
            return self.answer(204)
        if path == "secret/data/x":
            return self.answer(200, data={"data": {"of": known["whose"]}, "metadata": {"version": 1}}, auth=None)
        # As some errors do, it says what it was asked with.
        return self.answer(404, errors=[f"no handler for `{path}`, asked with {token}"])

    def log_message(self, *_said):
        pass


ThreadingHTTPServer(("127.0.0.1", int(port)), Cluster).serve_forever()
