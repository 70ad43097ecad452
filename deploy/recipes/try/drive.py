"""What boto3 sees of the gate's promises; `deploy/try` shows the same with the AWS CLI.

    drive.py ENDPOINT FOLDER            FOLDER holds things.json and the keys

Prints one line a promise and ends with 1 when one is not kept.
"""

import json
import pathlib
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
THINGS = json.loads((FOLDER / "things.json").read_text())
BROKEN = []


def ec2(actor):
    key = json.loads((FOLDER / f"key-{actor}.json").read_text())
    return boto3.client(
        "ec2", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"], config=Config(retries={"total_max_attempts": 1}),
    )


def promise(text, wanted, call):
    """`wanted` is what must stand in the denial, or None where there must be none."""
    try:
        call()
        code, message = None, "done"
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    kept = code is None if wanted is None else code is not None and all(word in message for word in wanted)
    if not kept:
        BROKEN.append(text)
    print(f"{'  kept  ' if kept else '  BROKEN'} {text}\n           {code or 'admitted'}: {message}", flush=True)


promise("a read passes", None, lambda: ec2("alice").describe_instances(InstanceIds=[THINGS["server"]]))
promise("an owner's change is admitted", None, lambda: ec2("alice").create_tags(
    Resources=[THINGS["server"]], Tags=[{"Key": "release", "Value": "42"}]))
promise("a stranger's change is denied (ownership)", ["mallory"],
        lambda: ec2("mallory").stop_instances(InstanceIds=[THINGS["server"]]))
promise("an agent may not terminate a host with thirty dependants (blast radius)", ["robot", "30"],
        lambda: ec2("robot").terminate_instances(InstanceIds=[THINGS["host"]]))
promise("port 22 is not opened to the world, not even by its owner (legitimacy)", ["0.0.0.0/0"],
        lambda: ec2("alice").authorize_security_group_ingress(GroupId=THINGS["group"], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]))
promise("the same port to the office is admitted", None,
        lambda: ec2("alice").authorize_security_group_ingress(GroupId=THINGS["group"], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.20.0.0/16"}]}]))

state = ec2("alice").describe_instances(InstanceIds=[THINGS["host"], THINGS["server"]])
running = {i["State"]["Name"] for r in state["Reservations"] for i in r["Instances"]}
if running != {"running"}:
    BROKEN.append(f"what was denied happened all the same: {running}")
    print(BROKEN[-1])
sys.exit(1 if BROKEN else 0)
