#!/usr/bin/env python3
"""Makes proxy/catalog/okta/operations.txt from the pinned packages: every operation of Okta's management API, as
`METHOD path service/operation class[,class] [data] [mints]`.

    okta.py PACKAGES [--check]

PyPI's `okta` gives methods, paths and operations, and npm's `@okta/okta-sdk-nodejs` those that it lacks. What class an
operation is of is reviewed here, by its method and its path: the first line of `REVIEWED` that fits says it. Where none
fits it may change who may do what, beside what its method says, for that is what this API is for; nothing is a read
that is no GET there. Leaves out what people sign in by.
"""

import hashlib
import pathlib
import re
import sys
import tarfile
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/okta"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Operations of the API that the package does not have; each stands in the API's documents.
BY_HAND = [
    ("POST", "/api/v1/sessions", "session", "createSession"),
    ("POST", "/api/v1/policies/simulate", "policy", "createPolicySimulation"),
]

REVIEWED = [
    # Shows secrets.
    (r"^GET .*/credentials/secrets(/\{\w+\})?$", "secret_read"),
    (r"^GET .*/clients/\{\w+\}/secrets", "secret_read"),
    (r"^GET .*/express-configure/oauth2/authorize$", "secret_read mints"),
    (r"^GET ", "read"),
    (r"/policies/simulate$", "read"),
    # Hands out what lets somebody in.
    (r"^POST .*/credentials/secrets$", "create,grant,secret_read mints"),
    (r"^POST .*/sessions/.*refresh$", "update"),
    (r"^POST /api/v1/sessions$", "grant mints"),
    (r"/credentials/forgot_password|/credentials/recovery|expire_password_with_temp_password", "grant mints"),
    (r"^POST .*/users/\{\w+\}/factors$", "create,grant,secret_read"),
    (r"^POST .*/privileged-access/.*/(claim|rotate-password)$", "update,grant,secret_read mints"),
    (r"^POST .*/api-services$", "create,grant,secret_read mints"),
    (r"^(POST|PUT) .*/privileged-access/", "update,grant"),
    (r"/webauthn-registration/.*(fulfillment-request|send-pin|enroll)", "create,grant"),
    # Runs or calls something.
    (r"^POST .*(inlineHooks/\{\w+\}/execute|eventHooks/\{\w+\}/lifecycle/verify)$", "execute"),
    (r"^POST .*/(test|ping)$", "execute"),
    # Sends what happens to somebody outside, or lets somebody outside ask.
    (r"^POST .*/(inlineHooks|eventHooks|logStreams|ssf/stream|trustedOrigins|domains|email-domains|email-servers)$",
     "create,expose"),
    (r"^(PUT|POST|PATCH) .*/(inlineHooks|eventHooks|logStreams|trustedOrigins|domains|email-domains|email-servers)"
     r"/\{\w+\}$", "update,expose"),
    (r"^(PUT|PATCH) .*/ssf/stream$", "update,expose"),
    (r"^POST .*/apps/\{\w+\}/connections/default", "update,expose"),
    # Whoever is turned off cannot sign in any more; whatever is turned off does not work.
    (r"/lifecycle/(deactivate|suspend)$", "delete,grant"),
    (r"^DELETE .*/users/\{\w+\}/(sessions|devices/\{\w+\})$|^DELETE /api/v1/sessions", "delete"),
    (r"/bulk-[a-z-]*delete$", "delete,grant"),
    # People. What a body adds is read there.
    (r"^POST .*/api/v1/users$", "create,grant"),
    (r"^(POST|PUT) .*/api/v1/users/\{\w+\}$", "update"),
    (r"^DELETE .*/api/v1/users/\{\w+\}$", "delete"),
    # Where people type their passwords.
    (r"/pages/", {"PUT": "update,grant", "DELETE": "delete,grant"}),
    # What people see, and how much they may ask.
    (r"/(brands|themes|customizations|templates|captchas|emailNotifications|org/contacts|org/logo|logo|deviceSecurity"
     r"|principal-rate-limits|rate-limit-settings|ui-schemas|uischemas|org/preferences|push-providers)(/|$)",
     {"POST": "update", "PUT": "update", "PATCH": "update", "DELETE": "delete"}),
    (r"/agentPools/", {"POST": "update", "DELETE": "delete"}),
    (r"/risk/events/|/security/api/v1/security-events|threats/configuration",
     {"POST": "update", "PUT": "update", "PATCH": "update", "DELETE": "delete"}),
]

PLAIN = {"PUT": "update,grant", "PATCH": "update,grant", "DELETE": "delete,grant"}


def packages(folder):
    """The pinned packages, whose hashes are those that are written down."""
    for one in tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"]:
        file = pathlib.Path(folder) / one["file"]
        if hashlib.sha256(file.read_bytes()).hexdigest() != one["sha256"]:
            raise SystemExit(f"{file} is not the pinned file; fetch it again")
        yield file


def camel(name):
    """A name as the API's own description writes it."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def rows_of_node(archive):
    """The same, as the package for Node.js has them."""
    for name in archive.getnames():
        match = re.search(r"/generated/apis/(\w+)Api\.js$", name)
        if not match:
            continue
        service = re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", match.group(1)).lower()
        text = archive.extractfile(name).read().decode()
        for call in re.finditer(r"\n  async (\w+)\((.*?)(?=\n  async |\Z)", text, re.S):
            method = re.search(r"HttpMethodEnum\.(\w+)", call.group(2))
            path = re.search(r"path = '([^']+)'", call.group(2))
            if method and path:
                yield method.group(1), path.group(1), service, call.group(1)


def rows(archive):
    """Methods, paths, services and operations, as the package for Python has them."""
    for name in archive.namelist():
        match = re.match(r"okta/api/(\w+)_api\.py$", name)
        if not match:
            continue
        text = archive.read(name).decode()
        for call in re.finditer(r"def _(\w+)_serialize\((.*?)(?=\n    def |\Z)", text, re.S):
            method = re.search(r'method="(\w+)"', call.group(2))
            path = re.search(r'resource_path=((?:\s*"[^"]*")+)', call.group(2))
            if method and path:
                whole = "".join(re.findall(r'"([^"]*)"', path.group(1)))
                yield method.group(1), whole, match.group(1).replace("_", "-"), camel(call.group(1))


def main():
    """Writes the table, or says that it differs."""
    lines, known = [], set()
    python, node = packages(sys.argv[1])
    everything = BY_HAND + list(rows(zipfile.ZipFile(python)))
    everything += rows_of_node(tarfile.open(node))
    for method, path, service, name in everything:
        bare = (method, re.sub(r"\{[^}]*\}", "{}", path))
        if bare in known:
            continue
        known.add(bare)
        said = next((said for pattern, said in REVIEWED if re.search(pattern, f"{method} {path}")), None)
        if said is None:
            makes = re.match(r"(create|add|assign|enroll|upload|generate|register)", name)
            said = PLAIN.get(method) or ("create,grant" if makes else "update,grant")
        said = said.get(method, "update,grant") if isinstance(said, dict) else said
        if said == "update" and method == "POST" and name.startswith("create"):
            said = "create"
        # A read by two signals: the method, and a name that only reads.
        if method == "GET" and said == "read" and not re.match("(get|list|retrieve|preview)[A-Z]", name):
            raise SystemExit(f"{method} {path} {name}: nobody has looked at what it does; say so in REVIEWED")
        lines.append(f"{method} {path} {service}/{name} {said}")
    lines.sort(key=lambda line: (line.split()[1], METHODS.index(line.split()[0])))
    text = "\n".join(lines) + "\n"
    file = CATALOGUE / "operations.txt"
    if "--check" in sys.argv:
        if file.read_text() != text:
            raise SystemExit("the catalogue of Okta differs from what its source gives; regenerate it")
    else:
        file.write_text(text)


if __name__ == "__main__":
    main()
