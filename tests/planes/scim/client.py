"""One call of scim2-client, and what it makes of the answer.

    client.py URL TOKEN create NAME
    client.py URL TOKEN list

`-` for both takes them from the variables that scim2-cli reads.
"""

import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Error

url, token, verb, *rest = sys.argv[1:]
header = f"Authorization: Bearer {token}"
if url == "-":
    url, header = os.environ["SCIM_CLI_URL"], os.environ["SCIM_CLI_HEADERS"]
client = Client(base_url=url, headers=[header.split(": ", 1)], timeout=20)
scim = SyncSCIMClient(client)
scim.discover()
model = scim.get_resource_model("User")
if verb == "create":
    answer = scim.create(model(user_name=rest[0]), raise_scim_errors=False)
    print(f"Error {answer.status}: {answer.detail}" if isinstance(answer, Error) else f"created {answer.id}")
else:
    print(f"{scim.query(model).total_results} users")
