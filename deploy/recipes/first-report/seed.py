"""Builds the company of `deploy/first-report` in an AWS of its own, and writes what Terraform would have kept of it.

    seed.py ENDPOINT FOLDER

Writes terraform.tfstate and .terraform/modules/modules.json: three modules with some forty resources. Leaves out
whose they are (CODEOWNERS) and who works there (people.yaml).
"""

import json
import pathlib
import sys

import boto3

ENDPOINT, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ACCOUNT, REGION = "123456789012", "us-east-1"
RESOURCES = []


def client(service):
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=REGION)


def declare(module, kind, name, instances, depends=()):
    """A managed resource of a state file of version 4: one instance, or several by their numbers."""
    indexed = isinstance(instances, list)
    RESOURCES.append({
        "module": f"module.{module}", "mode": "managed", "type": kind, "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [
            ({"index_key": index} if indexed else {})
            | {"schema_version": 1, "attributes": attributes, "sensitive_attributes": [], "dependencies": list(depends)}
            for index, attributes in enumerate(instances if indexed else [instances])
        ],
    })
    return f"module.{module}.{kind}.{name}"


ec2 = client("ec2")


def arn(kind, identifier):
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{identifier}"


def group(module, vpc, name):
    identifier = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    attributes = {"id": identifier, "arn": arn("security-group", identifier), "name": name, "vpc_id": vpc, "tags": {}}
    return identifier, declare(module, "aws_security_group", name, attributes, ["module.network.aws_vpc.main"])


def machines(module, name, count, subnet, security, depends):
    image = ec2.describe_images(Owners=["amazon"], MaxResults=5)["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, InstanceType="t3.micro", SubnetId=subnet,
                             SecurityGroupIds=[security])["Instances"]
    kept = [{"id": one["InstanceId"], "arn": arn("instance", one["InstanceId"]), "instance_type": "t3.micro",
             "subnet_id": subnet, "vpc_security_group_ids": [security], "tags": {"Name": f"{name}-{number}"}}
            for number, one in enumerate(made)]
    return [one["id"] for one in kept], declare(module, "aws_instance", name, kept, depends)


def bucket(module, name):
    client("s3").create_bucket(Bucket=name)
    declare(module, "aws_s3_bucket", name, {"id": name, "bucket": name, "arn": f"arn:aws:s3:::{name}", "tags": {}})


def table(module, name):
    client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    declare(module, "aws_dynamodb_table", name, {
        "id": name, "name": name, "arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}", "tags": {}})


def queue(module, name):
    url = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    declare(module, "aws_sqs_queue", name, {"id": url, "url": url, "name": name,
                                            "arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", "tags": {}})


def main():
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    declare("network", "aws_vpc", "main", {"id": vpc, "arn": arn("vpc", vpc), "cidr_block": "10.0.0.0/16", "tags": {}})
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in range(3)]
    inside = declare("network", "aws_subnet", "inside", [
        {"id": one, "arn": arn("subnet", one), "vpc_id": vpc, "tags": {}} for one in subnets], ["module.network.aws_vpc.main"])

    front, of_front = group("shop", vpc, "front")
    [cache], of_cache = machines("shop", "cache", 1, subnets[0], front, [inside, of_front])
    web, _ = machines("shop", "web", 14, subnets[0], front, [inside, of_front, of_cache])
    for name in ("shop-assets", "shop-invoices"):
        bucket("shop", name)
    for name in ("orders", "returns"):
        queue("shop", name)

    store, of_store = group("data", vpc, "store")
    workers, _ = machines("data", "worker", 8, subnets[1], store, [inside, of_store])
    for name in ("data-lake", "data-exports"):
        bucket("data", name)
    for name in ("customers", "carts"):
        table("data", name)

    state = {"version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "first-report", "outputs": {},
             "resources": RESOURCES, "check_results": None}
    (FOLDER / "terraform.tfstate").write_text(json.dumps(state, indent=1))
    modules = [{"Key": name, "Source": f"./modules/{name}", "Dir": f"modules/{name}"} for name in ("network", "shop", "data")]
    (FOLDER / ".terraform/modules").mkdir(parents=True)
    (FOLDER / ".terraform/modules/modules.json").write_text(
        json.dumps({"Modules": [{"Key": "", "Source": "", "Dir": "."}, *modules]}))
    things = {"cache": cache, "web": web, "front": front, "workers": workers, "subnet": subnets[2]}
    (FOLDER / "things.json").write_text(json.dumps(things))


main()
