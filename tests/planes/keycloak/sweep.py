"""Every method of python-keycloak's KeycloakAdmin, as it would send it, as JSON lines.

Drives the client's own code down to the last step before a socket, where the request is taken in the server's place.
What each request is told by the method's own name, not by its path. Nothing is sent. Leaves out what needs an answer of a
real server to go on, and methods that several requests make: only the last of those is kept.

    sweep.py --out FOLDER
"""

import argparse
import base64
import inspect
import json
import pathlib
import re

import keycloak
import requests
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection

READING = re.compile(r"^(get|is|has|users_count|organizations_count|user_consents|export)(_|$)|_count$")
# Names that read as if they only did, and show a secret, or start something.
SHOWS = {
    "get_client", "get_clients", "get_client_id", "get_client_secrets", "get_credentials", "get_client_installation_provider",
    "get_client_secret_rotated", "get_client_certificate_key_info", "export_realm",
}
# Puts names of headers into the query, twice.
LEFT_OUT = {"upload_certificate"}
VALUES = {
    "payload": {"name": "n", "alias": "a", "username": "u", "realm": "r"},
    "roles": [{"id": "r1", "name": "ops"}], "client_roles": [{"id": "r1", "name": "ops"}], "realm_roles": [{"id": "r1", "name": "ops"}],
    "role": {"id": "r1", "name": "ops"}, "query": {}, "realm_name": "acme", "password": "x", "enabled": True, "path": "/eu/ops",
    "skip_exists": True, "skip_exist": False, "certcont": "x", "provider_id": "ldap", "config": {}, "translations": {"a": "b"},
}


class Answer(requests.Response):
    """What stands for an answer."""

    def __init__(self, method, url):
        super().__init__()
        self.status_code = {"POST": 201, "DELETE": 204, "PUT": 204}.get(method, 200)
        last = url.split("?")[0].rstrip("/").split("/")[-1]
        many = {"clients", "groups", "roles", "users", "flows", "executions", "instances", "available", "realm", "composites"}
        one = {"id": "i1", "name": "n", "clientId": "c1", "alias": "a", "username": "u", "path": "/eu/ops", "subGroups": [], "displayName": "a"}
        self._content = json.dumps([one] if last in many else one).encode()
        self.headers["location"] = url + "/i1"
        self.headers["content-type"] = "application/json"


def main():
    """Writes the requests."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    folder = pathlib.Path(arguments.parse_args().out)
    taken = []

    def send(self, request, **_):
        taken.append(request)
        return Answer(request.method, request.url)

    requests.Session.send = send
    token = {"access_token": "x", "expires_in": 10**9, "refresh_token": "y", "refresh_expires_in": 10**9}
    connection = KeycloakOpenIDConnection(server_url="https://sso.example/", realm_name="acme", client_id="c", token=token)
    admin = KeycloakAdmin(connection=connection)
    lines, failed = [], []
    for name, method in sorted(inspect.getmembers(KeycloakAdmin, inspect.isfunction)):
        if name.startswith(("_", "a_")) or name in LEFT_OUT or name in ("change_current_realm", "get_current_realm", "connection"):
            continue
        given = {}
        for parameter in list(inspect.signature(method).parameters.values())[1:]:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            if parameter.default is inspect.Parameter.empty:
                value = VALUES.get(parameter.name, "x1")
                if "list" in str(parameter.annotation):
                    value = [{"id": "r1", "name": "ops"}]
                elif "dict" in str(parameter.annotation) and not isinstance(value, (dict, list)):
                    value = dict(VALUES["payload"])
                elif "bool" in str(parameter.annotation):
                    value = True
                given[parameter.name] = value
        taken.clear()
        try:
            getattr(admin, name)(**given)
        except Exception as error:  # noqa: BLE001 - whatever an answer that is none does to it
            failed.append(f"{name}: {type(error).__name__} {error}")
        if not taken:
            continue
        request = taken[-1]
        if not READING.search(name) and request.method == "GET":
            failed.append(f"{name}: did not come to its change")
            continue
        body = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        body = body.encode() if isinstance(body, str) else bytes(body)
        headers = [
            [key, value] for key, value in request.headers.items()
            if key.lower() not in ("authorization", "user-agent", "accept-encoding", "connection", "accept", "content-length")
        ]
        reads = READING.search(name) and name not in SHOWS
        lines.append(json.dumps({
            "id": name, "method": request.method, "url": request.url, "headers": headers,
            "body_b64": base64.b64encode(body).decode(), "expect_hint": "read" if reads else "change",
        }))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requests.jsonl").write_text("\n".join(lines) + "\n")
    print(f"python-keycloak {getattr(keycloak, '__version__', '')}: {len(lines)} requests; {len(failed)} notes")
    for line in failed:
        print(" ", line)


if __name__ == "__main__":
    main()
