"""What somebody does at Keystone who has a token and nothing else, with openstacksdk and keystoneauth.

    tokens.py URL TOKEN       URL is where `/identity` stands

Lines say what came of each step, without identifiers, so that two runs can be held against each other; those with `#`
before them say of the run itself what its tokens begin with, and how many answers showed one of Keystone's.
"""

import json
import pathlib
import sys

# This file is called as the package is: what is beside it is not looked for.
sys.path = [entry for entry in sys.path if pathlib.Path(entry).resolve() != pathlib.Path(__file__).resolve().parent]

import openstack
import requests
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3

url, given = sys.argv[1:]
TOKENS = f"{url}/identity/v3/auth/tokens"
seen = []


def kept(answer, **_options):
    seen.append(f"{dict(answer.headers)} {answer.text}")


def connections():
    made = requests.Session()
    made.hooks["response"].append(kept)
    return made


class Day:
    STEPS = ("login", "catalog", "domains", "made", "again", "beside", "look", "check", "end", "over", "lasts", "secret")

    def __init__(self):
        self.auth = v3.Token(f"{url}/identity/v3", given, project_name="admin", project_domain_id="default")
        self.session = session.Session(self.auth, session=connections())
        self.identity = openstack.connection.Connection(session=self.session, region_name="one").identity

    def access(self, auth):
        access = auth.get_access(session.Session(auth, session=connections()))
        return access.username, access.project_name, sorted(access.role_names)

    def login(self):
        return self.access(self.auth)

    def catalog(self):
        """Where the services are: at the address that was asked."""
        endpoints = [one["url"] for service in self.auth.get_access(self.session).service_catalog.catalog
                     for one in service["endpoints"]]
        return len(endpoints), all(one.startswith(f"{url}/identity") for one in endpoints)

    def domains(self):
        return sorted(one.name for one in self.identity.domains())

    def made(self):
        project = self.identity.create_project(name="of-a-token", domain_id="default")
        self.identity.delete_project(project, ignore_missing=False)
        return project.name

    def again(self):
        """A token for the token that was handed out, of no project."""
        self.second = v3.Token(f"{url}/identity/v3", self.session.get_token(), unscoped=True)
        return self.access(self.second)

    def beside(self):
        """The same by one who shows the token in the head too."""
        shown = self.session.get_token()
        asked = {"auth": {"identity": {"methods": ["token"], "token": {"id": shown}}}}
        answer = self.session.post(TOKENS, json=asked)
        return answer.status_code, answer.headers["X-Subject-Token"] != shown

    def look(self):
        subject = self.second.get_token(self.session)
        answer = self.session.get(TOKENS, headers={"X-Subject-Token": subject})
        return answer.json()["token"]["user"]["name"], answer.headers["X-Subject-Token"] == subject

    def check(self):
        subject = self.second.get_token(self.session)
        answer = self.session.head(TOKENS, headers={"X-Subject-Token": subject})
        return answer.status_code, answer.headers["X-Subject-Token"] == subject

    def end(self):
        self.ended = self.second.get_token(self.session)
        return self.session.delete(TOKENS, headers={"X-Subject-Token": self.ended}).status_code

    def over(self):
        answer = requests.get(f"{url}/identity/v3/domains", headers={"X-Auth-Token": self.ended}, timeout=30)
        return answer.status_code

    def lasts(self):
        return self.domains()

    def secret(self):
        """For a token that nobody has there is none."""
        asked = {"auth": {"identity": {"methods": ["token"], "token": {"id": "nobody-has-this-one"}}}}
        answer = requests.post(TOKENS, json=asked, timeout=30)
        return answer.status_code >= 400, "X-Subject-Token" in answer.headers


def main():
    day = Day()
    for name in Day.STEPS:
        try:
            said = getattr(day, name)()
        except (exceptions.HttpError, openstack.exceptions.HttpException) as error:
            said = f"{type(error).__name__}: {error}"
        print(f"{name}: {said}", flush=True)
    begins = {token[:7] for token in (day.session.get_token(), day.ended)}
    print(f"# tokens begin with {json.dumps(sorted(begins))}")
    print(f"# of Keystone's own {sum('gAAAAA' in one for one in seen)}")


if __name__ == "__main__":
    main()
