#!/usr/bin/env python3
"""Makes proxy/catalog/okta/operations.txt from the pinned package: every operation of Okta's management API, as
`METHOD path service/operation class[,class] [data] [mints]`.

    okta.py PACKAGES [--check]

PyPI's `okta` gives methods, paths and operations. What class an operation is of is reviewed here, by its method, its name
and its path: the first line of `REVIEWED` that fits says it. Where none fits it may change who may do what, beside what
its method says, for that is what this API is for; nothing is a read that is no GET there. Leaves out what people sign in
by.
"""

import hashlib
import pathlib
import re
import sys
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
    (r"^GET ", "read"),
    (r"/policies/simulate$", "read"),
    # Hands out what lets somebody in.
    (r"^POST .*/credentials/secrets$", "create,grant,secret_read mints"),
    (r"^POST .*/sessions/.*refresh$", "update"),
    (r"^POST /api/v1/sessions$", "grant mints"),
    (r"/credentials/forgot_password|/credentials/recovery|expire_password_with_temp_password", "grant mints"),
    (r"^POST .*/users/\{\w+\}/factors$", "create,grant,secret_read"),
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


def package(folder):
    """The pinned package, whose hash is the one that is written down."""
    one = tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"][0]
    file = pathlib.Path(folder) / one["file"]
    if hashlib.sha256(file.read_bytes()).hexdigest() != one["sha256"]:
        raise SystemExit(f"{file} is not the pinned file; fetch it again")
    return zipfile.ZipFile(file)


def camel(name):
    """A name as the API's own description writes it."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def rows(archive):
    """Methods, paths, services and operations, as the package has them."""
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
    everything = list(rows(package(sys.argv[1]))) + BY_HAND
    for method, path, service, name in sorted(everything, key=lambda row: (row[1], METHODS.index(row[0]))):
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
        lines.append(f"{method} {path} {service}/{name} {said}")
    text = "\n".join(lines) + "\n"
    file = CATALOGUE / "operations.txt"
    if "--check" in sys.argv:
        if file.read_text() != text:
            raise SystemExit("the catalogue of Okta differs from what its source gives; regenerate it")
    else:
        file.write_text(text)


if __name__ == "__main__":
    main()
