"""A key that is made through the gate, asked about, rested and deleted by the id it was issued under.

    issued.py ENDPOINT USER
"""

import json
import sys

import boto3

iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1")
user = {"UserName": sys.argv[2]}


def say(step, **what):
    print(json.dumps({"step": step, **what}), flush=True)


def listed():
    return [(key["AccessKeyId"], key["Status"]) for key in iam.list_access_keys(**user)["AccessKeyMetadata"]]


iam.create_user(**user)
made = iam.create_access_key(**user)["AccessKey"]["AccessKeyId"]
say("made", id=made, listed=listed())
say("used", user=iam.get_access_key_last_used(AccessKeyId=made)["UserName"])
iam.update_access_key(AccessKeyId=made, Status="Inactive", **user)
say("rested", listed=listed())
iam.delete_access_key(AccessKeyId=made, **user)
say("deleted", listed=listed())
try:
    iam.delete_access_key(AccessKeyId=made, **user)
except iam.exceptions.NoSuchEntityException:
    say("gone")
iam.delete_user(**user)
