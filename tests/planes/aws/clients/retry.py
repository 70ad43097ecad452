"""Calls that the service answers badly at first: how boto3 tries again, and what it comes to.

    retry.py ENDPOINT
"""

import json
import sys

import boto3
from botocore.config import Config

CALLS = [
    ("ec2", "stop_instances", {"InstanceIds": ["i-0123456789abcdef0"]}),
    ("ec2", "describe_instances", {}),
    ("sqs", "purge_queue", {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q"}),
]

for service, operation, parameters in CALLS:
    config = Config(retries={"total_max_attempts": 4, "mode": "standard"})
    client = boto3.client(service, endpoint_url=sys.argv[1], region_name="us-east-1", config=config)
    try:
        answer = getattr(client, operation)(**parameters)["ResponseMetadata"]
        print(json.dumps({"call": operation, "status": answer["HTTPStatusCode"], "retries": answer["RetryAttempts"]}))
    except Exception as error:
        print(json.dumps({"call": operation, "raised": f"{type(error).__name__}: {error}"}))
