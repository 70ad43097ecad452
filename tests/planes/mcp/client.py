"""The protocol's own Python client: lists the tools, calls some, and prints a line of each answer.

    client.py URL TOKEN list              # what the server answers to tools/list, as JSON
    client.py URL TOKEN call TOOL JSON…   # each tool with its arguments
"""

import asyncio
import json
import sys

from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client


async def main() -> None:
    url, token, verb, *rest = sys.argv[1:]
    headers = {"authorization": f"Bearer {token}"}
    async with streamablehttp_client(url, headers=headers) as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()
            if verb == "list":
                print((await session.list_tools()).model_dump_json(by_alias=True, exclude_none=True))
                return
            for tool, arguments in zip(rest[::2], rest[1::2]):
                try:
                    answer = await session.call_tool(tool, json.loads(arguments))
                    print(tool, "ok", [part.text for part in answer.content])
                except McpError as error:
                    print(tool, "error", error.error.code, error.error.message)


asyncio.run(main())
