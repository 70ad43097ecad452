"""Every method of hvac's secrets engines, auth methods and system backend, as it would send it, as JSON lines.

Drives hvac down to its adapter, where the request is taken in the server's place. What each request must be read as is
told by the method's own name, not by its path. Nothing is sent, and the same hvac gives the same bytes. Leaves out what
hvac does beside requests: signing for AWS, and waiting for a browser.

    sweep.py --out FOLDER

writes requests.jsonl: every method with the least and with all parameters that it takes.
"""

import argparse
import base64
import importlib.metadata
import inspect
import json
import pathlib
import re
import sys
import urllib.parse

import hvac
import requests
from hvac import adapters

HOST = "https://vault.example:8200"

# Methods by what their names say, the first that fits.
NAMES = [
    # These show what is there and hand out nothing.
    ("read", r"(list|is|validate|retrieve)_.*|get_(capabilities|encryption_key_status)|introspect_.*|lookup_(entity|group|accessor)"),
    ("read", r"(calculate_hash|hash_data|generate_random_bytes|read_health_status|check_tokenization|resolve_path|wrapping_lookup)"),
    ("token", r"(.*_)?login|create|create_orphan|lookup|lookup_self|renew|renew_self|wrap|unwrap|initialize|generate_root|.*callback"),
    ("token", r"start_root_token_generation|generate_secret_id|create_custom_secret_id|rekey|rekey_multi|read_backup_keys"),
    ("token", r"oidc_authorization_url_request"),
    ("secret", r"generate_(credentials|static_credentials|certificate|intermediate|root|signed_id_token|.*token|.*account_key)"),
    ("secret", r"generate_(data_key|ssh_credentials)|get_static_credentials|decrypt_data|export_key|backup_key|take_raft_snapshot"),
    ("secret", r"read_(secret|secret_version|role_id)|decode|export_decoded_tokenization_state|.*_static_account_oauth2.*"),
    ("delete", r"(delete|disable|destroy|revoke|remove)_.*|revoke|seal|force_restore_.*|restore_raft_snapshot|trim_key"),
    ("delete", r"merge_entities"),
    ("read", r"read_.*"),
    ("change", r".*"),
]

# Names that mean something else in one class.
EXCEPTIONS = {
    ("AppRole", "read_secret_id"): "read",
    ("AppRole", "read_secret_id_accessor"): "read",
    ("Identity", "rotate_named_key"): "change",
    ("Ssh", "read_public_key"): "read",
    # Read by the server with a request that writes, which hands back the lease and nothing of its secret.
    ("Lease", "read_lease"): "read",
    ("Key", "rekey_verify"): "change",
    ("Key", "rekey_verify_multi"): "change",
    ("Pki", "generate_intermediate"): "secret",
    ("Pki", "generate_root"): "secret",
    ("Pki", "rotate_crl"): "change",
    ("Token", "tidy"): "change",
    ("Transit", "generate_hmac"): "change",
}

# What is read where nothing is known of the engine is taken for a secret, as it may be one.
UNKNOWN = {"Transform"}

SKIPPED = {"get_private_attr_name", "validate_member_id_params_for_group_type", "resolve_path", "iam_login"}

VALUES = {
    "algorithm": "sha2-256",
    "auth_type": "exported",
    "backend_type": "kv",
    "batch_input": [{"plaintext": "dGV4dA=="}],
    "batch_results": None,
    "cert_auth_pem": "-----BEGIN CERTIFICATE-----",
    "certificate": "-----BEGIN CERTIFICATE-----",
    "client_flow_level": None,
    "common_name": "example.com",
    "context": "Y29udGV4dA==",
    "credential_type": "iam_user",
    "default_lease_ttl": "1h",
    "device_type": "file",
    "accessor": None,
    "endpoint": "creds",
    "environment": "AzurePublicCloud",
    "listing_visibility": "unauth",
    "salt_length": "auto",
    "extra_params": None,
    "group_type": "internal",
    "hash_input": "dGV4dA==",
    "key_type": "aes256-gcm96",
    "keys": ["one"],
    "legacy_params": False,
    "lease_id": "database/creds/reader/abc",
    "marshaling_algorithm": "asn1",
    "member_entity_ids": ["e1"],
    "member_group_ids": None,
    "method": "PUT",
    "metadata": {"team": "shop"},
    "mode": "fips",
    "mount_point": None,
    "namespace": None,
    "nonce": "bm9uY2Vub25jZQ==",
    "num_bytes": 16,
    "options": {"version": "2"},
    "otp": None,
    "output_format": "hex",
    "params": {"team": "shop"},
    "path": "team/shop",
    "policies": ["deployer"],
    "policy_document": {"Statement": []},
    "prefix": "database/creds/reader",
    "recovery_shares": None,
    "recovery_threshold": None,
    "rewrap_from": None,
    "role_type": "jwt",
    "scheme": "shamir",
    "secret": {"password": "s"},
    "secret_shares": 5,
    "secret_threshold": 3,
    "signature_algorithm": "pss",
    "snapshot": b"snapshot",
    "token_type": "service",
    "tokenization_state": b"state",
    "transform_type": "fpe",
    "ttl": "1h",
    "type": "kv",
    "use_pre_hashed": None,
    "use_token_groups": True,
    "versions": [1, 2],
    "wrap_ttl": None,
    "pgp_key": None,
    "pgp_keys": None,
    "recovery_pgp_keys": None,
    "root_token_pgp_key": None,
    "stored_shares": None,
    "iam_alias": "unique_id",
    "ec2_alias": "role_id",
    "gce_alias": "role_id",
    "recovery_key": False,
    "user_lockout_config": {"lockout_threshold": 1},
    "custom_metadata": {"team": "shop"},
    "cas": 1,
    "data": {"a": "b"},
    "payload": {"a": "b"},
}

WORDS = {"name": "shop", "secret_type": "token", "username": "bob", "role": "reader", "role_name": "reader"}


class Taking(adapters.JSONAdapter):
    """Takes requests and answers them as far as the caller looks at answers."""

    taken = []

    def request(self, method, url, headers=None, raise_exception=True, **kwargs):
        url = self.urljoin(self.base_uri, url)
        prepared = requests.Request(
            method.upper(),
            url,
            headers={**self.get_headers(headers), **(headers or {})},
            params=kwargs.get("params"),
            json=kwargs.get("json"),
            data=kwargs.get("data"),
        ).prepare()
        self.taken.append(prepared)
        if method.lower() == "head":
            return requests.Response()
        return json.loads(json.dumps(ANSWER))

    def get_headers(self, _):
        found = {"X-Vault-Request": "true"}
        if self.namespace:
            found["X-Vault-Namespace"] = self.namespace
        return found


# What one method takes that others of the same name do not.
OWN = {
    ("Gcp", "create_role"): {"role_type": "iam"},
    ("Gcp", "create_or_update_roleset"): {"secret_type": "access_token"},
    ("Gcp", "create_or_update_static_account"): {"secret_type": "access_token"},
    ("Gcp", "generate_service_account_key"): {"method": "GET"},
    ("Gcp", "generate_static_account_service_account_key"): {"method": "GET"},
    ("Gcp", "edit_labels_on_gce_role"): {"add": ["a:b"], "remove": ["c"]},
    ("Gcp", "edit_service_accounts_on_iam_role"): {"add": ["a"], "remove": ["c"]},
    ("Health", "read_health_status"): {"method": "GET"},
    ("Kubernetes", "configure"): {"kubernetes_ca_cert": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"},
    ("Auth", "tune_auth_method"): {"listing_visibility": ""},
    ("Cert", "create_ca_certificate_role"): {"certificate": "-----BEGIN CERTIFICATE-----", "certificate_file": ""},
    ("Token", "lookup_accessor"): {"accessor": "a"},
    ("Token", "renew_accessor"): {"accessor": "a"},
    ("Token", "revoke_accessor"): {"accessor": "a"},
    ("KvV2", "update_metadata"): {"cas_required": True},
    ("Ldap", "create_or_update_user"): {"groups": ["one"]},
    ("Ssh", "read_role"): {"name": "reader"},
    ("Ssh", "verify_ssh_otp"): {"otp": "one"},
    ("Transit", "export_key"): {"key_type": "encryption-key"},
    ("Transit", "generate_data_key"): {"key_type": "plaintext", "bits": 256},
    ("Transit", "decrypt_data"): {"ciphertext": "vault:v1:x", "batch_input": None},
    ("Transit", "encrypt_data"): {"plaintext": "dGV4dA==", "batch_input": None, "type": None},
    ("Transit", "sign_data"): {"hash_input": "dGV4dA==", "batch_input": None, "hash_algorithm": "sha2-256"},
    ("Transit", "verify_signed_data"): {
        "hash_input": "dGV4dA==",
        "batch_input": None,
        "signature": "vault:v1:x",
        "hmac": None,
        "hash_algorithm": "sha2-256",
    },
    ("Transit", "create_key"): {"auto_rotate_period": "0"},
}

# Methods of lists that take the verb too.
LISTS = {"method": "LIST"}

ANSWER = {
    "initialized": True,
    "sealed": True,
    "type": "shamir",
    "auth": {"client_token": "none"},
    "keys": ["one"],
    "data": {"keys": [], "metadata": {"version": 1}, "data": {"a": "b"}, "type": "shamir"},
}


def classes(client):
    for category in (client.auth, client.secrets):
        for one in category.implemented_classes:
            if one.__name__ == "Kv":
                yield from ((type(kv).__name__, kv) for kv in (client.secrets.kv.v1, client.secrets.kv.v2))
            else:
                yield one.__name__, one(adapter=client.adapter)
    for one in type(client.sys).__mro__:
        if one.__module__.startswith("hvac.api.system_backend.") and not one.__name__.startswith("System"):
            yield one.__name__, one(adapter=client.adapter)


def value(name, parameter):
    if name in VALUES:
        return VALUES[name]
    if name in WORDS:
        return WORDS[name]
    default = parameter.default
    if isinstance(default, bool) or isinstance(default, (int, float)):
        return default
    if isinstance(default, str) and default:
        return default
    if name.endswith(("_ttl", "period", "duration", "leeway", "timeout")):
        return "1h"
    if name.endswith(("_ids", "_policies", "_uris", "_roles", "_algs", "_names", "_cidrs")):
        return ["one"]
    return f"a-{name.replace('_', '-')}"


def calls(owner, method, function):
    own = OWN.get((owner, method), LISTS if method.startswith("list_") else {})
    if owner in ("JWT", "OIDC"):
        own = {"path": owner.lower(), **own}
    parameters = inspect.signature(function).parameters
    known = {name: one for name, one in parameters.items() if name != "self" and one.kind.name != "VAR_KEYWORD"}
    full = {name: own[name] if name in own else value(name, one) for name, one in known.items()}
    for name in ("mount_point", "otp"):
        # Where it has to be said.
        if name in known and known[name].default is inspect.Parameter.empty:
            full[name] = own.get(name, "mfa")
    required = {name for name, one in known.items() if one.default is inspect.Parameter.empty}
    yield "least", {name: given for name, given in full.items() if name in required or own.get(name)}
    yield "full", {name: given for name, given in full.items() if given is not None}


def told(owner, method):
    if (owner, method) in EXCEPTIONS:
        return EXCEPTIONS[owner, method]
    hint = next(hint for hint, pattern in NAMES if re.fullmatch(pattern, method))
    return "secret" if owner in UNKNOWN and hint == "read" and not method.startswith("list_") else hint


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, type=pathlib.Path)
    chosen = arguments.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    lines, asked = [], set()
    # One method goes round the adapter.
    requests.Session.send = lambda session, prepared, **_: Taking.taken.append(prepared) or requests.Response()
    for namespace in (None, "team-a/dev"):
        client = hvac.Client(url=HOST, token="none", adapter=Taking, namespace=namespace)
        for owner, one in sorted(classes(client), key=lambda found: found[0]):
            for method, function in inspect.getmembers(type(one), inspect.isfunction):
                if method.startswith("_") or method in SKIPPED:
                    continue
                asked.add(f"{owner}.{method}")
                for variant, given in calls(owner, method, function):
                    Taking.taken = []
                    try:
                        getattr(one, method)(**given)
                    except Exception as why:
                        # It would not send that, or could not read this answer.
                        if not Taking.taken:
                            print(f"{owner}.{method}/{variant}: {type(why).__name__} {why}", file=sys.stderr)
                    # What a method asks before it acts is no part of its name.
                    for number, sent in enumerate(Taking.taken):
                        is_last = number == len(Taking.taken) - 1
                        lines.append(line(f"{owner}.{method}/{variant}/{namespace or ''}/{number}", sent,
                                          told(owner, method) if is_last else "any"))
    with open(chosen.out / "requests.jsonl", "w", encoding="utf-8") as stream:
        for one in lines:
            stream.write(json.dumps(one, separators=(",", ":"), ensure_ascii=False) + "\n")
    sent = {one["id"].split("/")[0] for one in lines}
    for one in sorted(asked - sent):
        print(f"sent nothing: {one}", file=sys.stderr)
    print(f"hvac {importlib.metadata.version('hvac')}: {len(lines)} requests of {len(sent)} methods", file=sys.stderr)


def line(name, sent, hint):
    body = sent.body or b""
    body = body.encode() if isinstance(body, str) else body
    # The gate takes the token before a room sees the request.
    left_out = ("content-length", "x-vault-token")
    headers = [[key.lower(), given] for key, given in sent.headers.items() if key.lower() not in left_out]
    return {
        "id": name,
        "method": sent.method,
        "url": sent.url,
        "headers": sorted(headers),
        "body_b64": base64.b64encode(body).decode(),
        "expect_path": urllib.parse.urlsplit(sent.url).path,
        "expect_hint": hint,
    }


if __name__ == "__main__":
    main()
