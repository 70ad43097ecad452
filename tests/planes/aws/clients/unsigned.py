"""Operations that clients send without a signature: which error boto3 raises, and how often it tried.

    unsigned.py ENDPOINT
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/deploy"
CALLS = [
    ("sts", "assume_role_with_web_identity",
     {"RoleArn": ROLE, "RoleSessionName": "a-session", "WebIdentityToken": "header.claims.signature"}),
    ("sts", "assume_role_with_saml",
     {"RoleArn": ROLE, "PrincipalArn": "arn:aws:iam::123456789012:saml-provider/provider", "SAMLAssertion": "PHg+PC94Pg=="}),
    ("cognito-identity", "get_id", {"IdentityPoolId": "us-east-1:00000000-0000-0000-0000-000000000000"}),
    ("cognito-idp", "initiate_auth",
     {"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "client", "AuthParameters": {"REFRESH_TOKEN": "token"}}),
]

for service, operation, parameters in CALLS:
    config = Config(retries={"total_max_attempts": 4, "mode": "standard"})
    client = boto3.client(service, endpoint_url=sys.argv[1], region_name="us-east-1", config=config)
    attempts = []
    client.meta.events.register("before-send", lambda **_: attempts.append(1) and None)
    line = {"call": f"{service}.{operation}"}
    try:
        getattr(client, operation)(**parameters)
    except ClientError as error:
        detail, metadata = error.response["Error"], error.response["ResponseMetadata"]
        line |= {
            "code": detail["Code"],
            "message": detail["Message"],
            "status": metadata["HTTPStatusCode"],
            "reason": metadata["HTTPHeaders"].get("ordain-reason-code"),
        }
    except Exception as error:
        line |= {"raised": f"{type(error).__name__}: {error}"}
    print(json.dumps(line | {"attempts": len(attempts)}), flush=True)
