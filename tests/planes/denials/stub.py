"""A stub of whatever plane: none of them, and no state.

    stub.py PORT TOKEN

It answers what clients look at before they change something, and takes every change for done. It judges nothing, and prints a
line a request.
"""

import http.server
import json
import sys

MACHINE = "/redfish/v1/Systems/1"
RESET = {"target": f"{MACHINE}/Actions/ComputerSystem.Reset", "ResetType@Redfish.AllowableValues": ["ForceOff", "On"]}
ROOT = {
    "@odata.id": "/redfish/v1/", "Id": "RootService", "Name": "a stub", "RedfishVersion": "1.6.0",
    "Systems": {"@odata.id": "/redfish/v1/Systems"}, "SessionService": {"@odata.id": "/redfish/v1/SessionService"},
    "Links": {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}},
}
KEYSTONE = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": "/identity/v3/"}]}

SHOWN = {
    "/redfish/v1": ROOT,
    MACHINE: {"@odata.id": MACHINE, "Id": "1", "Name": "a stub", "Actions": {"#ComputerSystem.Reset": RESET}},
    "/identity/v3": {"version": KEYSTONE},
}


class Stub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "a stub: no plane/0"

    def log_message(self, *_):
        pass

    def serve(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.split("?")[0].rstrip("/")
        print(f"came {self.command} {path}", flush=True)
        # Azure's clients take an answer without a body for none.
        told = self.command in ("GET", "HEAD") or path.startswith("/subscriptions/")
        data = json.dumps(SHOWN.get(path, {})).encode() if told else b""
        self.send_response(200 if told else 204)
        if told:
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Stub).serve_forever()
