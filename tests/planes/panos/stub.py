"""A stub of a firewall's XML API, for tests: no firewall, and no configuration but what is set here.

    stub.py PORT KEY

Keeps entries by their xpaths, answers `show system info`, jobs and commits as PAN-OS does, and takes KEY as `X-PAN-KEY` or as a parameter. Writes
one line a request to its output, and `a stub: …` in its `Server` header. Leaves out everything that needs a schema.
"""

import http.server
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ET

PORT, KEY = int(sys.argv[1]), sys.argv[2]
SYSTEM = (
    "<system><hostname>a stub</hostname><sw-version>10.2.0</sw-version><model>PA-VM</model><serial>0</serial>"
    "<multi-vsys>off</multi-vsys><app-version>1</app-version></system>"
)
JOB = (
    "<job><id>7</id><user>a</user><tenq>1</tenq><tfin>2</tfin><status>FIN</status><result>OK</result>"
    "<details><line>done</line></details></job>"
)
ENTRIES = {}


def ok(result="", code=20):
    return f'<response status="success" code="{code}"><result>{result}</result></response>'


def error(code, text):
    return f'<response status="error" code="{code}"><msg><line>{text}</line></msg></response>'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "a stub: no firewall/0"

    def log_message(self, *_):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        query = urllib.parse.urlsplit(self.path).query
        form = dict(urllib.parse.parse_qsl(query) + urllib.parse.parse_qsl(body))
        print(self.command, form.get("type"), form.get("action"), form.get("xpath") or form.get("cmd"), flush=True)
        known = KEY in (self.headers.get("X-PAN-KEY"), form.get("key"))
        answer = self.answer(form) if known else error(403, "Invalid credentials.")
        data = answer.encode()
        self.send_response(200 if known else 403)
        self.send_header("Content-Type", "application/xml; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, form):
        kind = form.get("type")
        if kind == "version":
            return ok("<sw-version>10.2.0</sw-version>")
        if kind == "commit":
            return ok("<job>7</job>", 19)
        if kind == "op":
            command = form["cmd"]
            if "<system><info" in command.replace(" ", ""):
                return ok(SYSTEM)
            if "<jobs>" in command:
                return ok(JOB)
            return ok()
        return self.config(form)

    def config(self, form):
        action, xpath = form.get("action"), form.get("xpath", "")
        if action in ("get", "show"):
            found = [text for at, text in ENTRIES.items() if at == xpath or at.startswith(xpath + "/")]
            return ok("".join(found)) if found else error(7, "No such node")
        if action == "set":
            for entry in ET.fromstring(f"<x>{form['element']}</x>"):
                ENTRIES[f"{xpath}/entry[@name='{entry.get('name')}']"] = ET.tostring(entry).decode()
            return ok()
        if action == "edit":
            ENTRIES[xpath] = form["element"]
            return ok()
        if xpath not in ENTRIES:
            return error(7, "No such node")
        text = ENTRIES.pop(xpath)
        if action == "rename":
            new = form["newname"]
            ENTRIES[re.sub(r"@name='[^']*'\]$", f"@name='{new}']", xpath)] = text
        return ok()

    do_GET = do_POST = serve


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
