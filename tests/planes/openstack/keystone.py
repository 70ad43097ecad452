"""A real Keystone on one port, and what openstacksdk asks of one.

    keystone.py serve PORT FOLDER     starts one below `/identity`, with a database of its own in FOLDER, and writes a
                                      token of its administrator to FOLDER/token; tokens last as long as FOLDER/lasts
                                      says, in seconds
    keystone.py gate URL TOKEN FOLDER makes a user `gate` who may do all, and an application credential of the
                                      administrator's, whose id and secret it writes to FOLDER
    keystone.py password URL TOKEN P  gives that user another password, which ends its tokens
    keystone.py clear URL TOKEN       takes away what single steps have made
    keystone.py day URL TOKEN         a day of identity work, one line a step; URL is where `/identity` stands
    keystone.py try URL TOKEN STEP    one step alone, and what the library makes of the answer

Lines say what was asked and what came of it, without identifiers, so that two runs can be held against each other.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.request

# This file is called as the package is: what is beside it is not looked for.
sys.path = [entry for entry in sys.path if pathlib.Path(entry).resolve() != pathlib.Path(__file__).resolve().parent]

PASSWORD = "a-password-of-a-test-that-nobody-else-has"

CONFIGURATION = """
[DEFAULT]
log_dir = {folder}
use_stderr = false
[database]
connection = sqlite:///{folder}/keystone.db
[token]
provider = fernet
expiration = {lasts}
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[fernet_receipts]
key_repository = {folder}/receipts
[cache]
enabled = false
[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
"""


def manage(folder, *arguments):
    program = pathlib.Path(sys.executable).with_name("keystone-manage")
    command = [str(program), "--config-file", f"{folder}/keystone.conf", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"keystone-manage {arguments[0]}: {done.stdout}{done.stderr}")


def serve(port, folder):
    # Whoever waits for it finds it at once, and is answered when all is there.
    listening = socket.create_server(("127.0.0.1", int(port)))
    lasts = pathlib.Path(folder, "lasts")
    lasts = lasts.read_text() if lasts.exists() else 3600
    pathlib.Path(folder, "keystone.conf").write_text(CONFIGURATION.format(folder=folder, lasts=lasts))
    for name in ("fernet", "credential", "receipts"):
        pathlib.Path(folder, name).mkdir(mode=0o700)
    manage(folder, "db_sync")
    import pwd

    me = pwd.getpwuid(os.getuid())
    whose = ["--keystone-user", me.pw_name, "--keystone-group", str(os.getgid())]
    manage(folder, "fernet_setup", *whose)
    manage(folder, "credential_setup", *whose)
    url = f"http://127.0.0.1:{port}/identity/v3/"
    named = [part for kind in ("admin", "public", "internal") for part in (f"--bootstrap-{kind}-url", url)]
    manage(folder, "bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", "one", *named)

    os.environ["OS_KEYSTONE_CONFIG_DIR"] = folder
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = f"{folder}/keystone.conf"
    from keystone.server import wsgi
    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Kept(WSGIRequestHandler):
        """Keeps connections, as uwsgi does with `--http-keepalive`."""

        protocol_version = "HTTP/1.1"

        def log_request(self, code="-", size="-"):
            print(f'"{self.requestline}" {code}', file=sys.stderr, flush=True)

    sys.argv = ["keystone"]
    application = DispatcherMiddleware(nothing, {"/identity": wsgi.initialize_public_application()})
    server = make_server("127.0.0.1", int(port), application, threaded=True, request_handler=Kept, fd=listening.fileno())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    written = pathlib.Path(folder, "token.new")
    written.write_text(token(url))
    written.rename(pathlib.Path(folder, "token"))
    while True:
        time.sleep(3600)


def nothing(_environ, start):
    start("404 Not Found", [("content-length", "0")])
    return []


def token(url):
    domain = {"id": "default"}
    user = {"name": "admin", "domain": domain, "password": PASSWORD}
    scope = {"project": {"name": "admin", "domain": domain}}
    asked = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    request = urllib.request.Request(
        url + "auth/tokens", json.dumps(asked).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["X-Subject-Token"]


def connect(url, shown):
    import openstack

    return openstack.connect(
        auth_type="admin_token",
        auth={"endpoint": url, "token": shown},
        identity_endpoint_override=f"{url}/identity/v3",
        identity_api_version="3",
        load_yaml_config=False,
        load_envvars=False,
    ).identity


class Day:
    """What somebody who looks after who may do what does in a day."""

    STEPS = (
        "domains", "project", "user", "role", "group", "assign", "check", "assigned", "member", "tag", "disable",
        "unassign", "service", "endpoint", "credential", "leave", "remove",
    )

    def __init__(self, identity):
        self.identity = identity
        self.made = {}

    def domains(self):
        return sorted(one.name for one in self.identity.domains())

    def project(self):
        self.made["project"] = self.identity.create_project(name="shop", domain_id="default", description="bikes")
        return self.made["project"].name

    def user(self):
        made = self.identity.create_user(name="bjensen", password="t1meMa$heen", domain_id="default")
        self.made["user"] = made
        return self.identity.find_user("bjensen").name, made.is_enabled

    def role(self):
        self.made["role"] = self.identity.create_role(name="keeper")
        return self.identity.get_role(self.made["role"]).name

    def group(self):
        self.made["group"] = self.identity.create_group(name="keepers", domain_id="default")
        return self.identity.update_group(self.made["group"], description="who keep").description

    def assign(self):
        return self.identity.assign_project_role_to_user(self.made["project"], self.made["user"], self.made["role"])

    def check(self):
        return self.identity.validate_user_has_project_role(
            self.made["project"], self.made["user"], self.made["role"]
        )

    def assigned(self):
        return len(list(self.identity.role_assignments(user_id=self.made["user"].id)))

    def member(self):
        self.identity.add_user_to_group(self.made["user"], self.made["group"])
        return self.identity.check_user_in_group(self.made["user"], self.made["group"])

    def tag(self):
        project = self.made["project"]
        project.add_tag(self.identity, "blue")
        return self.identity.get_project(project).tags

    def disable(self):
        return self.identity.update_user(self.made["user"], is_enabled=False).is_enabled

    def unassign(self):
        return self.identity.unassign_project_role_from_user(
            self.made["project"], self.made["user"], self.made["role"]
        )

    def service(self):
        self.made["service"] = self.identity.create_service(name="bikes", type="bike")
        return self.made["service"].type

    def endpoint(self):
        made = self.identity.create_endpoint(
            service_id=self.made["service"].id, interface="public", url="https://bikes.example", region_id="one"
        )
        self.made["endpoint"] = made
        return made.url

    def credential(self):
        return len(list(self.identity.credentials()))

    def leave(self):
        self.identity.remove_user_from_group(self.made["user"], self.made["group"])
        return self.identity.check_user_in_group(self.made["user"], self.made["group"])

    def remove(self):
        for kind in ("endpoint", "service", "group", "role", "user", "project"):
            getattr(self.identity, f"delete_{kind}")(self.made[kind], ignore_missing=False)
        return self.identity.find_project("shop")

    def secret(self):
        """An application credential, whose secret is in the answer."""
        user = self.identity.find_user("admin")
        return self.identity.create_application_credential(user, "ci").name

    def admin(self):
        """A role on everything."""
        user, role = self.identity.find_user("admin"), self.identity.find_role("admin")
        return self.identity.assign_system_role_to_user(user, role, "all")


def gate(identity, folder):
    user = identity.create_user(name="gate", password="the-first-password-of-the-gate", domain_id="default")
    identity.assign_project_role_to_user(identity.find_project("admin"), user, identity.find_role("admin"))
    made = identity.create_application_credential(identity.find_user("admin"), "ci")
    pathlib.Path(folder, "application-id").write_text(made.id)
    pathlib.Path(folder, "application-secret").write_text(made.secret + "\n")


def clear(identity):
    for kind, name in (("project", "shop"), ("role", "keeper"), ("group", "keepers")):
        identity_of = getattr(identity, f"find_{kind}")(name, ignore_missing=False)
        getattr(identity, f"delete_{kind}")(identity_of, ignore_missing=False)


def password(identity, new):
    # What is ended with the password are tokens that were made before this second.
    time.sleep(1.1)
    identity.update_user(identity.find_user("gate"), password=new)
    time.sleep(1.1)


def step(day, name):
    from openstack import exceptions

    try:
        return f"{name}: {getattr(day, name)()}"
    except exceptions.HttpException as error:
        return f"{name}: {type(error).__name__} {error.response.status_code}: {error.details}"


def main():
    verb, *rest = sys.argv[1:]
    if verb == "serve":
        return serve(*rest)
    url, shown, *steps = rest
    if verb in (verbs := {"gate": gate, "password": password, "clear": clear}):
        return verbs[verb](connect(url, shown), *steps)
    day = Day(connect(url, shown))
    for name in steps or Day.STEPS:
        print(step(day, name), flush=True)


if __name__ == "__main__":
    main()
