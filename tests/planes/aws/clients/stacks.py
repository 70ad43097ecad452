"""Stacks made, changed by a change set, and deleted, and what each call came to.

    stacks.py ENDPOINT PREFIX
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

QUEUE = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Seconds: {Type: Number, Default: 30}
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub '${AWS::StackName}-jobs'
      VisibilityTimeout: !Ref Seconds
Outputs:
  Url: {Value: !Ref Jobs}
"""
ROLE = json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}}})
OPEN = """
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
      - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}
"""
ADMIN = """
Resources:
  Everything:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Action: '*', Resource: '*'}]
"""

endpoint, prefix = sys.argv[1:]
config = Config(retries={"total_max_attempts": 3, "mode": "standard"})
client = boto3.client("cloudformation", endpoint_url=endpoint, region_name="us-east-1", config=config)
queues = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1", config=config)


def say(step, call):
    try:
        told = call()
    except ClientError as error:
        told = error.response["Error"]["Code"]
    except Exception as error:
        told = type(error).__name__
    print(json.dumps({"step": step, "told": told}).replace(prefix, "PREFIX"), flush=True)


def timeout():
    url = queues.get_queue_url(QueueName=f"{prefix}-jobs")["QueueUrl"]
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]


def changed():
    new = {"StackName": f"{prefix}new", "ChangeSetName": "c"}
    client.create_change_set(**new, ChangeSetType="CREATE", TemplateBody=QUEUE)
    changes = client.describe_change_set(**new)["Changes"]
    client.execute_change_set(**new)
    return len(changes)


name = {"StackName": prefix}
say("made", lambda: bool(client.create_stack(**name, TemplateBody=QUEUE)["StackId"]))
say("queue", timeout)
say("updated", lambda: bool(client.update_stack(**name, TemplateBody=QUEUE.replace("30", "40"), Parameters=[
    {"ParameterKey": "Seconds", "ParameterValue": "45"}])["StackId"]))
say("queue", timeout)
say("changed", changed)
for step, template in (("role", ROLE), ("open", OPEN), ("admin", ADMIN)):
    made = {"StackName": f"{prefix}{step}", "Capabilities": ["CAPABILITY_IAM"]}
    say(step, lambda: bool(client.create_stack(**made, TemplateBody=template)["StackId"]))
say("role by update", lambda: bool(client.update_stack(
    **name, TemplateBody=ROLE, Capabilities=["CAPABILITY_IAM"])["StackId"]))
say("listed", lambda: sorted(stack["StackName"] for stack in client.describe_stacks()["Stacks"]
                             if stack["StackName"].startswith(prefix)))
for stack in ("new", "role", "open", "admin", ""):
    say("deleted", lambda: client.delete_stack(StackName=f"{prefix}{stack}")["ResponseMetadata"]["HTTPStatusCode"])
