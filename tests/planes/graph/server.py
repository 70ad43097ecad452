"""A stand-in for Graph: it answers a few paths as Graph does, and writes down what came.

    server.py PORT TOKEN
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER = {"id": "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "displayName": "Alice"}


class Graph(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        print(f"came {self.command} {self.path}", flush=True)
        path = self.path.split("?")[0]
        if self.headers.get("authorization") != f"Bearer {sys.argv[2]}":
            status, said = 401, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}}
        elif path == "/v1.0/$batch":
            answers = [{"id": one["id"], "status": 200, "headers": {"Content-Type": "application/json"}, "body": USER} for one in body["requests"]]
            status, said = 200, {"responses": answers}
        elif self.command == "GET" and path == "/v1.0/users":
            said = {"value": [USER]}
            if "skiptoken" not in self.path:
                said["@odata.nextLink"] = f"http://{self.headers['host']}/v1.0/users?$skiptoken=2"
            status = 200
        elif self.command == "GET":
            status, said = 200, {"value": [USER]}
        elif self.command == "POST" and path == "/v1.0/groups":
            status, said = 201, {**body, "id": "11111111-2222-4333-8444-555555555555"}
        elif path.endswith("/checkMemberGroups"):
            status, said = 200, {"value": body["groupIds"]}
        else:
            status, said = 204, None
        sent = json.dumps(said).encode() if said is not None else b""
        self.send_response(status)
        if sent:
            self.send_header("content-type", "application/json")
        self.send_header("request-id", "99999999-2222-4333-8444-555555555555")
        if status != 204:
            self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Graph).serve_forever()
