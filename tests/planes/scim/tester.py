"""Runs scim2-tester against a server, and prints one line of JSON a check: what it is, and how it went.

    tester.py URL [TOKEN]

The reasons are left out where they carry identifiers, which differ from run to run.
"""

import json
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server


def main() -> None:
    url, *token = sys.argv[1:]
    headers = {"authorization": f"Bearer {token[0]}"} if token else {}
    client = Client(base_url=url, headers=headers, timeout=20)
    scim = SyncSCIMClient(client)
    for number, result in enumerate(check_server(scim)):
        line = {"number": number, "title": result.title, "status": result.status.name}
        if result.status.name not in ("SUCCESS", "SKIPPED"):
            line["reason"] = str(result.reason)
        print(json.dumps(line))


if __name__ == "__main__":
    main()
