"""Builds a little company in the AWS that `deploy/try` starts, and writes the Terraform state of it.

    seed.py ENDPOINT FOLDER

Two modules: `platform` has a build host that thirty workers boot from, `web` has a server and its security
group. The state is what Terraform would have written had it made them: types, identifiers, dependencies, tags.
"""

import json
import pathlib
import sys

import boto3

ENDPOINT, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ACCOUNT, REGION = "123456789012", "us-east-1"
WORKERS = 30

ec2 = boto3.client("ec2", endpoint_url=ENDPOINT, region_name=REGION)


def arn(kind, identifier):
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{identifier}"


def resource(kind, name, instances, indexed=False):
    """A managed resource of a state file of version 4."""
    return {
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [
            ({"index_key": index} if indexed else {})
            | {"schema_version": 1, "attributes": attributes, "sensitive_attributes": [], "dependencies": dependencies}
            for index, (attributes, dependencies) in enumerate(instances)
        ],
    }


def state(name, resources):
    document = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": f"try-{name}", "outputs": {},
                "resources": resources, "check_results": None}
    (FOLDER / f"{name}.tfstate").write_text(json.dumps(document, indent=1))


def launch(count, name, subnet, group):
    image = ec2.describe_images(Owners=["amazon"], MaxResults=5)["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image, MinCount=count, MaxCount=count, InstanceType="t3.micro", SubnetId=subnet, SecurityGroupIds=[group],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
    )
    return [
        {"id": one["InstanceId"], "arn": arn("instance", one["InstanceId"]), "ami": image, "instance_type": "t3.micro",
         "subnet_id": subnet, "vpc_security_group_ids": [group], "tags": {"Name": name}}
        for one in made["Instances"]
    ]


def main():
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    shared = ec2.create_security_group(GroupName="build", Description="build hosts", VpcId=vpc)["GroupId"]
    front = ec2.create_security_group(GroupName="web", Description="web servers", VpcId=vpc)["GroupId"]
    [host] = launch(1, "build-host", subnet, shared)
    workers = launch(WORKERS, "worker", subnet, shared)
    [server] = launch(1, "web-server", subnet, front)

    network = ["aws_subnet.main", "aws_vpc.main"]
    state("platform", [
        resource("aws_vpc", "main", [({"id": vpc, "arn": arn("vpc", vpc), "cidr_block": "10.0.0.0/16", "tags": {}}, [])]),
        resource("aws_subnet", "main", [({"id": subnet, "arn": arn("subnet", subnet), "vpc_id": vpc, "tags": {}}, ["aws_vpc.main"])]),
        resource("aws_security_group", "build", [({"id": shared, "arn": arn("security-group", shared), "name": "build",
                 "vpc_id": vpc, "tags": {}}, ["aws_vpc.main"])]),
        resource("aws_instance", "host", [(host, [*network, "aws_security_group.build"])]),
        resource("aws_instance", "worker", [(one, [*network, "aws_instance.host", "aws_security_group.build"]) for one in workers],
                 indexed=True),
    ])
    state("web", [
        resource("aws_security_group", "web", [({"id": front, "arn": arn("security-group", front), "name": "web",
                 "vpc_id": vpc, "tags": {}}, [])]),
        resource("aws_instance", "server", [(server, ["aws_security_group.web"])]),
    ])
    (FOLDER / "things.json").write_text(json.dumps({"host": host["id"], "server": server["id"], "group": front, "subnet": subnet}))


main()
