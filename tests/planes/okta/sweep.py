"""Every method of Okta's SDK for Python, as it would send it, as JSON lines.

Drives the client's own code that makes requests, and takes what it makes. What each request must be read as is told by the
method's own name. Nothing is sent. Leaves out authorization, and members of bodies; the SDK for Node.js, of another age, is
`sweep.mjs`'s.

    sweep.py --out FOLDER        # by a Python that has the `okta` of SOURCE.toml
"""

import argparse
import base64
import importlib
import inspect
import json
import pathlib
import pkgutil
import re

import okta.api
from okta.api_client import ApiClient

READING = re.compile(r"^(get|list|preview|retrieve|download|search)_|^create_policy_simulation$")
# Names that read as if they only did, and show a secret.
SHOWS = re.compile(r"client_secret|instance_secrets$|access_token_for_express_configuration$")
# Those that are whoever the credential is are refused, on purpose.
OWN = {"revoke_current_api_token", "close_current_session", "refresh_current_session", "end_user_sessions"}


class Word(str):
    """A text that is a member of an enumeration where one is asked for."""

    @property
    def value(self):
        return str(self)


def values(parameters, source):
    """A value for each parameter that has to be there: names of things in the path, and something as a body."""
    for name in parameters:
        if re.search(rf"_path_params\[\"\w+\"\] = {name}\b", source):
            yield name, Word("00u1abcdefghijklmnop" if "user" in name else "x1")
        elif re.search(rf"_body_params = {name}\b", source):
            yield name, {}
        elif name == "_host_index":
            yield name, 0
        else:
            yield name, None


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def main():
    """Writes the requests."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    folder = pathlib.Path(arguments.parse_args().out)
    configuration = {"client": {
        "orgUrl": "https://acme.okta.example", "token": "x", "authorizationMode": "SSWS", "requestTimeout": 0,
        "rateLimit": {"maxRetries": 0}, "logging": {"enabled": False}, "cache": {"enabled": False}, "connectionTimeout": 30,
    }}
    lines, left = [], []
    for _, module, _ in pkgutil.iter_modules(okta.api.__path__):
        for _, api in inspect.getmembers(importlib.import_module(f"okta.api.{module}"), inspect.isclass):
            if not issubclass(api, ApiClient) or api is ApiClient:
                continue
            made = api(configuration)
            for inner, method in sorted(inspect.getmembers(api, inspect.isfunction)):
                name = inner.removeprefix("_").removesuffix("_serialize")
                if not inner.endswith("_serialize") or name == "param" or name in OWN:
                    continue
                given = dict(values(list(inspect.signature(method).parameters)[1:], inspect.getsource(method)))
                try:
                    http, url, headers, body, _ = getattr(made, inner)(**given)
                except Exception as error:  # noqa: BLE001 - it is told, and counted
                    left.append(f"{module} {name}: {type(error).__name__} {error}")
                    continue
                body = json.dumps(body).encode() if body is not None else b""
                reads = READING.search(name) and not SHOWS.search(name)
                told = {key: value for key, value in headers.items() if key.lower() == "content-type" and body}
                lines.append(json.dumps({
                    "id": f"{module}.{name}", "method": http, "url": url, "headers": list(told.items()),
                    "body_b64": base64.b64encode(body).decode(), "expect_name": camel(name),
                    "expect_hint": "read" if reads else "change",
                }))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "python.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} requests, {len(left)} left out")
    for line in left:
        print(" ", line)


if __name__ == "__main__":
    main()
