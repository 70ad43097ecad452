"""A day's work of one actor, by boto3 as its variables send it: the gate is told of nowhere here.

    day.py alice|bob|deploy|robot

Prints how many changes were asked for. Leaves out what the gate makes of them.
"""

import json
import pathlib
import sys

import boto3
from botocore.config import Config

THINGS = json.loads((pathlib.Path(__file__).parent / "things.json").read_text())
ASKED = 0


def call(service, operation, **arguments):
    global ASKED
    ASKED += 1
    client = CLIENTS.setdefault(service, boto3.client(service, config=Config(retries={"total_max_attempts": 1})))
    return getattr(client, operation)(**arguments)


CLIENTS = {}


def tag(machine, key, value):
    call("ec2", "create_tags", Resources=[machine], Tags=[{"Key": key, "Value": value}])


def open_to(group, port, source):
    call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}])


def alice():
    """Looks after the shop. Of the ports she opens to everybody, two are those that machines are administered by."""
    for number, machine in enumerate(THINGS["web"]):
        tag(machine, "checked", f"day-{number}")
        call("ec2", "stop_instances", InstanceIds=[machine])
        call("ec2", "start_instances", InstanceIds=[machine])
    for number in range(8):
        call("s3", "put_object", Bucket="shop-assets", Key=f"banner-{number}", Body=b"a banner")
    open_to(THINGS["front"], 443, "10.0.0.0/16")
    for port in (22, 2222, 3389):
        open_to(THINGS["front"], port, "0.0.0.0/0")


def bob():
    """Looks after data. Six changes are of machines that are the shop's, by mistake."""
    for number, machine in enumerate(THINGS["workers"]):
        tag(machine, "checked", f"day-{number}")
        call("ec2", "stop_instances", InstanceIds=[machine])
        call("ec2", "start_instances", InstanceIds=[machine])
    for number in range(10):
        call("dynamodb", "put_item", TableName="carts", Item={"id": {"S": str(number)}})
    for machine in THINGS["web"][:6]:
        tag(machine, "checked", "bob")


def deploy():
    """Rolls a version out on the shop's machines, and tells them."""
    for number in range(3):
        for machine in THINGS["web"]:
            tag(machine, "version", f"41.{number}")
    for number in range(6):
        call("s3", "put_object", Bucket="shop-assets", Key=f"bundle-{number}", Body=b"a bundle")


def robot():
    """Is asked to tidy up: mends what it may, and then wants more than an agent may without being told."""
    for machine in THINGS["web"]:
        for key in ("tidied", "costs", "patched"):
            tag(machine, key, "yes")
        call("ec2", "reboot_instances", InstanceIds=[machine])
    for number in range(8):
        call("s3", "put_object", Bucket="shop-assets", Key=f"index-{number}", Body=b"an index")
    for _ in range(3):
        open_to(THINGS["front"], 8000 + ASKED, "0.0.0.0/0")
    call("iam", "create_role", RoleName="tidier", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    call("iam", "put_role_policy", RoleName="tidier", PolicyName="all", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    call("ec2", "terminate_instances", InstanceIds=[THINGS["cache"]])


{"alice": alice, "bob": bob, "deploy": deploy, "robot": robot}[sys.argv[1]]()
print(f"{sys.argv[1]} asked for {ASKED} changes")
