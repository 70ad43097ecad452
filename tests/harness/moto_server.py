"""A moto server on a port of its own choosing, with moto's own signature and policy check on.

Writes its port to a file once it listens. Moto normally lets every request in; after the number of
requests below (none) it looks up the caller's key and computes the signature itself. The first key
pair is made here, in moto's own state, since nobody could ask for one: it belongs to an account's
administrator and is printed to the `--key-file`.

Leaves out everything a test does with it.
"""

import argparse
import json
import os
import pathlib

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")


def administrator():
    """Makes a user who may do everything, and returns its key pair."""
    from moto.iam.models import iam_backends

    backend = iam_backends["123456789012"]["aws"]
    backend.create_user("aws", "administrator")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    backend.put_user_policy("administrator", "everything", json.dumps(everything))
    key = backend.create_access_key("administrator")
    return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--port-file", type=pathlib.Path, required=True)
    arguments.add_argument("--key-file", type=pathlib.Path)
    arguments.add_argument("--no-auth", action="store_true", help="let every request in, whatever its signature")
    chosen = arguments.parse_args()

    if not chosen.no_auth:
        os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    # Functions are run by containers, which are not to be had everywhere: calls are answered without running any.
    from moto.core.config import default_user_config

    default_user_config["lambda"] = {"use_docker": False}
    key = administrator()
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", chosen.port, application, threaded=True)
    if chosen.key_file:
        written(chosen.key_file, json.dumps(key))
    written(chosen.port_file, str(server.server_port))
    server.serve_forever()


def written(path, text):
    """Readers must never see half a file."""
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.rename(path)


if __name__ == "__main__":
    main()
