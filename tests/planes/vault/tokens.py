"""What somebody does with tokens of a cluster of Vault, with hvac.

    tokens.py URL TOKEN

Lines say what came of each step, without identifiers, so that two runs can be held against each other; those with `#`
before them say of the run itself what its tokens begin with, and how many answers showed one of the cluster's.
"""

import json
import sys

import hvac
import requests

url, given = sys.argv[1:]
seen, tokens = [], []


def client(token=None):
    session = requests.Session()
    session.hooks["response"].append(lambda answer, **_: seen.append(f"{dict(answer.headers)} {answer.text}"))
    return hvac.Client(url=url, token=token, session=session)


def handed(answer):
    tokens.append(answer["auth"]["client_token"])
    return tokens[-1]


class Day:
    STEPS = ("create", "use", "look", "renew", "child", "orphan", "role", "login", "lasting", "end", "over", "childless")

    def create(self):
        made = client(given).auth.token.create(ttl="1h", display_name="worker")
        self.worker = client(handed(made))
        auth = made["auth"]
        return auth["lease_duration"], auth["accessor"], auth["renewable"]

    def use(self):
        read = self.worker.secrets.kv.v2.read_secret_version("x", raise_on_deleted_version=True)
        return read["data"]["data"]

    def look(self):
        data = self.worker.auth.token.lookup_self()["data"]
        return data["display_name"], data["id"] == self.worker.token, data["ttl"] > 3000

    def renew(self):
        auth = self.worker.auth.token.renew_self(increment="2h")["auth"]
        return auth["lease_duration"], auth["client_token"] == self.worker.token

    def child(self):
        self.child = client(handed(self.worker.auth.token.create(display_name="child")))
        return self.child.auth.token.lookup_self()["data"]["display_name"]

    def orphan(self):
        made = client(given).auth.token.create_orphan(display_name="orphan")
        return client(handed(made)).auth.token.lookup_self()["data"]["display_name"]

    def role(self):
        made = client(given).auth.token.create(role_name="ci", display_name="ci")
        return client(handed(made)).auth.token.lookup_self()["data"]["display_name"]

    def login(self):
        """Another's password, by somebody who is known."""
        signed_in = client(given)
        handed(signed_in.auth.userpass.login("bob", "t1meMa$heen"))
        signed_in.token = tokens[-1]
        return signed_in.auth.token.lookup_self()["data"]["display_name"]

    def lasting(self):
        """One without an end."""
        return client(given).auth.token.create(ttl="0")["auth"]["lease_duration"]

    def end(self):
        self.worker.auth.token.revoke_self()

    def over(self):
        return self.worker.auth.token.lookup_self()

    def childless(self):
        """What descends from it has ended too."""
        return self.child.auth.token.lookup_self()


def main():
    day = Day()
    for name in Day.STEPS:
        try:
            said = getattr(day, name)()
        except hvac.exceptions.VaultError as error:
            said = f"{type(error).__name__} {str(error).split(', on ')[0]}"
        print(f"{name}: {said}", flush=True)
    print(f"# tokens begin with {json.dumps(sorted({token.split('.')[0] for token in tokens}))}")
    print(f"# of the cluster's own {sum('hvs.REAL' in one for one in seen)}")


if __name__ == "__main__":
    main()
