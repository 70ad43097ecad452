"""Writes a secret by `hvac`, a client of Vault that others wrote, and reads it as the gate does: by a login of its own.

    store_client.py ADDRESS PATH FIELD=VALUE…       nothing but a path deletes its latest version
    store_client.py --as TOKEN ADDRESS PATH …       does both with a token, and no login
"""

import sys

import hvac

arguments = sys.argv[1:]
token = arguments[1] if arguments[0] == "--as" else None
address, path, *fields = arguments[2:] if token else arguments
owner = hvac.Client(url=address, token=token or "root")
if not fields:
    owner.secrets.kv.v2.delete_latest_version_of_secret(path)
    sys.exit()
secret = dict(field.split("=", 1) for field in fields)
owner.secrets.kv.v2.create_or_update_secret(path, secret=secret)
gate = hvac.Client(url=address, token=token)
if not token:
    gate.auth.approle.login(role_id="gate", secret_id="the-secret-id")
assert gate.secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=True)["data"]["data"] == secret
