"""Microsoft's own client of Graph, through the gate.

    client.py BASE TOKEN list | check | group | member | password | batch

prints what came of it in one line, and how often it was sent. With `-` for TOKEN the token is found as a managed identity's.
"""

import asyncio
import sys

import httpx
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator, BaseBearerTokenAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.users.item.check_member_groups.check_member_groups_post_request_body import CheckMemberGroupsPostRequestBody
from msgraph.graph_request_adapter import GraphRequestAdapter, options
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

BASE, TOKEN, WHAT = sys.argv[1:]
USER, GROUP = "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "11111111-2222-4333-8444-555555555555"


class Token(AccessTokenProvider):
    async def get_authorization_token(self, uri, additional_authentication_context=None):
        if TOKEN != "-":
            return TOKEN
        from azure.identity import ManagedIdentityCredential

        return ManagedIdentityCredential().get_token("https://graph.microsoft.com/.default").token

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator([])


class Counting(httpx.AsyncHTTPTransport):
    sent = 0

    async def handle_async_request(self, request):
        Counting.sent += 1
        return await super().handle_async_request(request)


async def ask(client):
    if WHAT == "list":
        page = await client.users.get()
        next_page = await client.users.with_url(page.odata_next_link).get()
        return ", ".join(user.display_name for user in page.value + next_page.value)
    if WHAT == "check":
        body = CheckMemberGroupsPostRequestBody(group_ids=[GROUP])
        return ", ".join((await client.users.by_user_id(USER).check_member_groups.post(body)).value)
    if WHAT == "group":
        group = Group(display_name="g", mail_enabled=False, mail_nickname="g", security_enabled=True)
        return f"made {(await client.groups.post(group)).id}"
    if WHAT == "member":
        body = ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{USER}")
        await client.groups.by_group_id(GROUP).members.ref.post(body)
        return "added"
    if WHAT == "password":
        from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody

        await client.applications.by_application_id(USER).add_password.post(AddPasswordPostRequestBody())
        return "minted"
    content = BatchRequestContent()
    for name, asked in (("1", client.users.by_user_id(USER)), ("2", client.groups)):
        item = BatchRequestItem(request_information=asked.to_get_request_information())
        # The client takes off what stands before the path of Graph's own hosts alone.
        item.url = item.url.removeprefix(f"{BASE}/v1.0")
        item.id = name
        content.add_request(name, item)
    answer = await client.batch.post(content)
    return ", ".join(f"{name} {one.status}" for name, one in sorted(answer.responses.items()))


async def main():
    http = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(transport=Counting()), options=options)
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token()), http)
    client = GraphServiceClient(request_adapter=adapter)
    adapter.base_url = f"{BASE}/v1.0"
    client.path_parameters["baseurl"] = adapter.base_url
    try:
        said = await ask(client)
    except ODataError as error:
        said = f"ODataError {error.response_status_code} {error.error.code}: {error.error.message}"
    print(f"{said} (sent {Counting.sent})")


asyncio.run(main())
