"""One denied change in every protocol: which error boto3 raises, and how often it tried.

    denied.py ENDPOINT
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
CALLS = [
    ("ec2", "terminate_instances", {"InstanceIds": ["i-0123456789abcdef0"]}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}),
    ("sns", "create_topic", {"Name": "t"}),
    ("dynamodb", "delete_table", {"TableName": "some-table"}),
    ("kms", "schedule_key_deletion", {"KeyId": "11111111-2222-3333-4444-555555555555"}),
    ("sqs", "purge_queue", {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q"}),
    ("lambda", "delete_function", {"FunctionName": "f"}),
    ("s3", "delete_bucket", {"Bucket": "some-bucket"}),
    ("route53", "delete_hosted_zone", {"Id": "Z0123456789ABC"}),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["a"]}),
    # The SDK speaks CBOR only where the service speaks nothing else.
    ("eventbridgev2", "delete_event_bus", {"EventBusArn": "arn:aws:events:us-east-1:123456789012:event-bus/b"}),
]

for service, operation, parameters in CALLS:
    config = Config(retries={"total_max_attempts": 4, "mode": "standard"}, s3={"addressing_style": "path"})
    client = boto3.client(service, endpoint_url=sys.argv[1], region_name="us-east-1", config=config)
    attempts = []
    client.meta.events.register("before-send", lambda request, **_: attempts.append(request) and None)
    line = {"call": f"{service}.{operation}"}
    try:
        getattr(client, operation)(**parameters)
    except ClientError as error:
        detail, metadata = error.response["Error"], error.response["ResponseMetadata"]
        line |= {
            "code": detail["Code"],
            "message": detail["Message"],
            "status": metadata["HTTPStatusCode"],
            "decision": metadata["HTTPHeaders"].get("ordain-decision-id"),
        }
    except Exception as error:
        line |= {"raised": f"{type(error).__name__}: {error}"}
    sent = {name.lower(): value for name, value in attempts[0].headers.items()} if attempts else {}
    plain = [value.decode() if isinstance(value, bytes) else value for value in
             (sent.get("content-type", ""), sent.get("smithy-protocol", ""))]
    print(json.dumps(line | {"attempts": len(attempts), "form": " ".join(plain).strip()}), flush=True)
