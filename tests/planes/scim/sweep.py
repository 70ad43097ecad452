"""Everything that scim2-client can build, as it would send it, as JSON lines.

Drives the client's own code down to the transport, where the request is taken in a server's place. What each request must be
read as is told by the method that was called. Nothing is sent.

    sweep.py --out FOLDER
"""

import argparse
import base64
import itertools
import json
import pathlib

from httpx2 import Client, MockTransport, Response
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    BulkOperation, BulkRequest, EnterpriseUser, Group, GroupMember, PatchOp, PatchOperation, ResourceType, SearchRequest,
    Schema, ServiceProviderConfig, User,
)

FULL = User[EnterpriseUser]
HEADERS = {"content-type", "if-match"}


def user(**more):
    return FULL(user_name="bjensen", **more)


def main():
    """Writes the requests."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    folder = pathlib.Path(arguments.parse_args().out)
    taken = []

    def answer(request):
        taken.append(request)
        return Response(204)

    client = Client(base_url="https://directory.example/scim/v2", transport=MockTransport(answer))
    config = ServiceProviderConfig.model_validate({
        "patch": {"supported": True}, "bulk": {"supported": True, "maxOperations": 100, "maxPayloadSize": 1 << 20},
        "filter": {"supported": True, "maxResults": 100}, "changePassword": {"supported": True}, "sort": {"supported": True},
        "etag": {"supported": True}, "authenticationSchemes": [],
    })
    scim = SyncSCIMClient(
        client, resource_models=[FULL, Group], resource_types=[ResourceType.from_resource(of) for of in (FULL, Group)],
        service_provider_config=config, check_response_payload=False, check_response_status_codes=False,
        check_response_content_type=False,
    )
    lines, failed = [], []

    def tell(name, expect, call):
        taken.clear()
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever an answer that is none does to it
            if not taken:
                failed.append(f"{name}: {type(error).__name__} {error}")
        for request in taken[-1:]:
            headers = [[key, value] for key, value in request.headers.items() if key in HEADERS]
            verb = name.split()[0]
            # What is asked for without a name may be one thing or a list of them.
            named = {} if verb in ("query", "bulk") else {"expect_name": verb}
            lines.append(json.dumps({
                "id": name, **named, "method": request.method, "url": str(request.url), "headers": headers,
                "body_b64": base64.b64encode(request.read()).decode(), "expect_hint": expect,
            }))

    filters = [None, 'userName eq "bjensen"', 'emails[type eq "work"].value co "@"']
    for (at, of), (number, asked) in itertools.product(enumerate([FULL, Group, None, Schema, ResourceType, ServiceProviderConfig]), enumerate(filters)):
        parameters = SearchRequest(filter=asked, attributes=["userName"], start_index=1, count=10)
        tell(f"query {at} {number}", "read", lambda: scim.query(of, query_parameters=parameters if asked else None))
        if at < 3:
            tell(f"search {at} {number}", "read", lambda: scim.search(of, search_request=SearchRequest(filter=asked, count=5)))
    for of in (FULL, Group):
        tell(f"retrieve {of.__name__}", "read", lambda: scim.query(of, "2819c223"))
        tell(f"delete {of.__name__}", "change", lambda: scim.delete(of, "2819c223"))
    people = {
        "plain": user(), "inactive": user(active=False), "password": user(password="t1meMa$heen"),
        "roles": user(roles=[{"value": "admin"}]), "entitlements": user(entitlements=[{"value": "all"}]),
        "key": user(x509_certificates=[{"value": "MIID"}]),
    }
    enterprise = user()
    enterprise[EnterpriseUser] = EnterpriseUser.model_validate({"employeeNumber": "7", "manager": {"value": "26118915"}})
    people["enterprise"] = enterprise
    for name, one in people.items():
        tell(f"create {name}", "change", lambda: scim.create(one))
        one.id = "2819c223"
        tell(f"replace {name}", "change", lambda: scim.replace(one))
    group = Group(display_name="admins", members=[GroupMember(value="2819c223", type="User")])
    tell("create group", "change", lambda: scim.create(group))
    group.id = "e9e30dba"
    tell("replace group", "change", lambda: scim.replace(group))
    operations = {
        "active": ("replace", "active", False), "password": ("replace", "password", "x"), "nickname": ("remove", "nickName", None),
        "whole": ("add", None, {"nickName": "Babs", "roles": [{"value": "admin"}]}),
        "one email": ("replace", 'emails[type eq "work"].value', "b@example.com"),
        "manager": ("add", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "7"),
    }
    for name, (op, path, value) in operations.items():
        patch = PatchOp[FULL](operations=[PatchOperation[FULL](op=op, path=path, value=value)])
        tell(f"modify {name}", "change", lambda: scim.modify(FULL, "2819c223", patch))
    for op, path, value in (("add", "members", [{"value": "2819c223"}]), ("remove", 'members[value eq "2819c223"]', None)):
        patch = PatchOp[Group](operations=[PatchOperation[Group](op=op, path=path, value=value)])
        tell(f"modify members {op}", "change", lambda: scim.modify(Group, "e9e30dba", patch))
    bulk = BulkRequest[FULL](operations=[
        BulkOperation[FULL](method="POST", path="/Users", bulk_id="one", data=user()),
        BulkOperation[FULL](
            method="PATCH", path="/Users/2819c223",
            data=PatchOp[FULL](operations=[PatchOperation[FULL](op="replace", path="active", value=False)]),
        ),
        BulkOperation[FULL](method="PUT", path="/Users/26118915", data=user(roles=[{"value": "admin"}])),
        BulkOperation[FULL](method="DELETE", path="/Users/2819c223"),
    ])
    tell("bulk", "change", lambda: scim.bulk(bulk))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requests.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} requests, {len(failed)} that the client does not build")
    for line in failed:
        print(" ", line)


if __name__ == "__main__":
    main()
