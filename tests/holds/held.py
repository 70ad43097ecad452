"""One change that waits: how often boto3 tries, what it raises, and what it prints.

    held.py ENDPOINT
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

config = Config(retries={"total_max_attempts": 4, "mode": "standard"})
client = boto3.client("ec2", endpoint_url=sys.argv[1], region_name="us-east-1", config=config)
attempts = []
client.meta.events.register("before-send", lambda request, **_: attempts.append(request) and None)
line = {}
try:
    client.terminate_instances(InstanceIds=["i-0123456789abcdef0"])
    line = {"status": 200}
except ClientError as error:
    metadata = error.response["ResponseMetadata"]
    line = {
        "status": metadata["HTTPStatusCode"],
        "code": error.response["Error"]["Code"],
        "message": str(error),
        "hold": metadata["HTTPHeaders"].get("ordain-hold-id"),
    }
print(json.dumps(line | {"attempts": len(attempts)}), flush=True)
