"""One flow of boto3 against an endpoint: what every step came to, one JSON line each, normalised.

    flow.py ENDPOINT PREFIX

Run directly and through the gate, it must print the same lines: identifiers are numbered in the order
they first appear, times and request ids are left out. Credentials come from the environment.
"""

import io
import json
import re
import sys
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ENDPOINT, PREFIX = sys.argv[1:3]
IDENTIFIER = re.compile(r"\b(?:vpc|subnet|sg|sgr|i|r|vol|eni|ami|rtb|acl|eipalloc)-[0-9a-f]{8,17}\b")
SEEN = {}


def client(service, **config):
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **config)
    return boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", config=config)


def normalised(value):
    """The same text, whichever run made it."""
    text = json.dumps(value, sort_keys=True, default=str).replace(PREFIX, "PREFIX")
    # What names the endpoint names another one in the other run; moto answers with its own address.
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    return IDENTIFIER.sub(lambda found: SEEN.setdefault(found.group(0), f"id-{len(SEEN) + 1}"), text)


def step(name, action, pick=lambda answer: None):
    """Runs one step and prints what it came to; returns the answer."""
    try:
        answer = action()
        line, result = {"step": name, "value": pick(answer)}, answer
    except ClientError as error:
        detail = error.response["Error"]
        line, result = {"step": name, "error": detail.get("Code"), "message": detail.get("Message")}, None
    except BotoCoreError as error:
        line, result = {"step": name, "error": type(error).__name__}, None
    print(normalised(line), flush=True)
    return result


def identity():
    sts = client("sts")
    step("sts.identity", sts.get_caller_identity, lambda answer: answer["Account"])


def ec2():
    ec2 = client("ec2")
    vpc = step("ec2.vpc", lambda: ec2.create_vpc(CidrBlock="10.9.0.0/16"), lambda a: a["Vpc"]["CidrBlock"])["Vpc"]["VpcId"]
    subnet = step("ec2.subnet", lambda: ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24"),
                  lambda a: [a["Subnet"]["VpcId"], a["Subnet"]["CidrBlock"]])["Subnet"]["SubnetId"]
    group = step("ec2.group", lambda: ec2.create_security_group(GroupName=f"{PREFIX}-g", Description="a b&c=d ä", VpcId=vpc),
                 lambda a: a["GroupId"])["GroupId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    step("ec2.ingress", lambda: ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule), lambda a: a["Return"])
    step("ec2.groups", lambda: ec2.describe_security_groups(GroupIds=[group]),
         lambda a: a["SecurityGroups"][0]["IpPermissions"])
    images = step("ec2.images", lambda: ec2.describe_images(Owners=["amazon"], MaxResults=5), lambda a: len(a["Images"]) > 0)
    image = images["Images"][0]["ImageId"]
    run = step("ec2.run", lambda: ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, InstanceType="t3.micro",
               SubnetId=subnet, SecurityGroupIds=[group], TagSpecifications=[
                   {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"{PREFIX} one"}]}]),
               lambda a: [[i["InstanceId"], i["State"]["Name"], i["SubnetId"]] for i in a["Instances"]])
    ids = [instance["InstanceId"] for instance in run["Instances"]]
    step("ec2.tag", lambda: ec2.create_tags(Resources=ids, Tags=[{"Key": "team", "Value": "platform"}]))
    pages = ec2.get_paginator("describe_instances")
    step("ec2.describe", lambda: list(pages.paginate(InstanceIds=ids)),
         lambda a: sorted(t["Value"] for p in a for r in p["Reservations"] for i in r["Instances"] for t in i["Tags"]))
    step("ec2.dry", lambda: ec2.stop_instances(InstanceIds=ids, DryRun=True))
    step("ec2.stop", lambda: ec2.stop_instances(InstanceIds=ids), lambda a: len(a["StoppingInstances"]))
    step("ec2.missing", lambda: ec2.describe_instances(InstanceIds=["i-0123456789abcdef0"]))
    step("ec2.terminate", lambda: ec2.terminate_instances(InstanceIds=ids),
         lambda a: [i["CurrentState"]["Name"] for i in a["TerminatingInstances"]])
    step("ec2.delete-group", lambda: ec2.delete_security_group(GroupId=group))
    step("ec2.delete-subnet", lambda: ec2.delete_subnet(SubnetId=subnet))
    step("ec2.delete-vpc", lambda: ec2.delete_vpc(VpcId=vpc))


def fetch(url, method="GET", data=None):
    request = urllib.request.Request(url, method=method, data=data)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def s3():
    s3 = client("s3")
    bucket = f"{PREFIX}-bucket"
    step("s3.create", lambda: s3.create_bucket(Bucket=bucket))
    step("s3.wait", lambda: s3.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig={"Delay": 1, "MaxAttempts": 5}))
    step("s3.missing", lambda: s3.head_object(Bucket=bucket, Key="nothing"))
    for key in ("plain.txt", "folder one/key+two=ä.txt", "a/../b", "a//b"):
        step(f"s3.put {key}", lambda: s3.put_object(Bucket=bucket, Key=key, Body=key.encode()), lambda a: a["ETag"])
        step(f"s3.get {key}", lambda: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(), lambda text: text)
    stream = io.BytesIO(b"0123456789" * 40_000)
    step("s3.put stream", lambda: s3.put_object(Bucket=bucket, Key="stream", Body=stream, ChecksumAlgorithm="SHA256"),
         lambda a: [a["ETag"], a.get("ChecksumSHA256")])
    step("s3.range", lambda: s3.get_object(Bucket=bucket, Key="stream", Range="bytes=5-14")["Body"].read().decode(), lambda t: t)
    step("s3.empty", lambda: s3.put_object(Bucket=bucket, Key="empty", Body=b""), lambda a: a["ETag"])
    step("s3.copy", lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "plain.txt"}),
         lambda a: a["CopyObjectResult"]["ETag"])
    upload = step("s3.multipart", lambda: s3.create_multipart_upload(Bucket=bucket, Key="parts"), lambda a: a["Key"])["UploadId"]
    parts = []
    for number in (1, 2):
        body = bytes([64 + number]) * (5 << 20)
        answer = step(f"s3.part {number}", lambda: s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload,
                      PartNumber=number, Body=body), lambda a: a["ETag"])
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    step("s3.complete", lambda: s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload,
         MultipartUpload={"Parts": parts}), lambda a: a["ETag"])
    step("s3.size", lambda: s3.head_object(Bucket=bucket, Key="parts"), lambda a: a["ContentLength"])
    step("s3.list", lambda: s3.list_objects_v2(Bucket=bucket), lambda a: [[o["Key"], o["Size"]] for o in a["Contents"]])
    pages = s3.get_paginator("list_objects_v2")
    step("s3.pages", lambda: list(pages.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})),
         lambda a: [[o["Key"] for o in page["Contents"]] for page in a])
    signer = client("s3", signature_version="s3v4")
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "plain.txt"})
    step("s3.presigned get", lambda: fetch(url), lambda answer: answer)
    url = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"})
    step("s3.presigned put", lambda: fetch(url, "PUT", b"by url"), lambda answer: answer)
    step("s3.tagging", lambda: s3.put_object_tagging(Bucket=bucket, Key="plain.txt", Tagging={"TagSet": [
         {"Key": "a b", "Value": "ä&<>"}]}))
    step("s3.tags", lambda: s3.get_object_tagging(Bucket=bucket, Key="plain.txt"), lambda a: a["TagSet"])
    keys = [{"Key": o["Key"]} for o in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    step("s3.delete many", lambda: s3.delete_objects(Bucket=bucket, Delete={"Objects": keys}), lambda a: len(a["Deleted"]) == len(keys))
    step("s3.delete", lambda: s3.delete_bucket(Bucket=bucket))


def dynamodb():
    db = client("dynamodb")
    table = f"{PREFIX}-table"
    step("db.create", lambda: db.create_table(TableName=table, BillingMode="PAY_PER_REQUEST",
         KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
         AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}]), lambda a: a["TableDescription"]["TableStatus"])
    step("db.wait", lambda: db.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 5}))
    step("db.put", lambda: db.put_item(TableName=table, Item={"id": {"S": "a"}, "n": {"N": "18446744073709551617"}}))
    step("db.get", lambda: db.get_item(TableName=table, Key={"id": {"S": "a"}}), lambda a: a["Item"])
    step("db.batch", lambda: db.batch_write_item(RequestItems={table: [
         {"PutRequest": {"Item": {"id": {"S": "b"}}}}, {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]}),
         lambda a: a["UnprocessedItems"])
    step("db.transact", lambda: db.transact_write_items(TransactItems=[
         {"Put": {"TableName": table, "Item": {"id": {"S": "c"}}}}]))
    pages = db.get_paginator("scan")
    step("db.pages", lambda: list(pages.paginate(TableName=table, PaginationConfig={"PageSize": 1})), lambda a: len(a))
    step("db.scan", lambda: db.scan(TableName=table), lambda a: sorted(i["id"]["S"] for i in a["Items"]))
    step("db.condition", lambda: db.put_item(TableName=table, Item={"id": {"S": "c"}},
         ConditionExpression="attribute_not_exists(id)"))
    step("db.delete", lambda: db.delete_table(TableName=table), lambda a: a["TableDescription"]["TableName"])


def sqs():
    sqs = client("sqs")
    url = step("sqs.create", lambda: sqs.create_queue(QueueName=f"{PREFIX}-q"), lambda a: a["QueueUrl"])["QueueUrl"]
    step("sqs.send", lambda: sqs.send_message(QueueUrl=url, MessageBody="a&b=c ä"), lambda a: a["MD5OfMessageBody"])
    got = step("sqs.receive", lambda: sqs.receive_message(QueueUrl=url), lambda a: [m["Body"] for m in a["Messages"]])
    step("sqs.remove", lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle=got["Messages"][0]["ReceiptHandle"]))
    step("sqs.delete", lambda: sqs.delete_queue(QueueUrl=url))


def iam():
    iam = client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    step("iam.role", lambda: iam.create_role(RoleName=f"{PREFIX}-role", AssumeRolePolicyDocument=trust), lambda a: a["Role"]["Arn"])
    step("iam.get", lambda: iam.get_role(RoleName=f"{PREFIX}-role"), lambda a: a["Role"]["AssumeRolePolicyDocument"])
    step("iam.delete", lambda: iam.delete_role(RoleName=f"{PREFIX}-role"))
    step("iam.gone", lambda: iam.get_role(RoleName=f"{PREFIX}-role"))


def role():
    """A session of a role: its credentials are ours, and work as the real ones do."""
    iam, sts = client("iam"), client("sts")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]})
    arn = step("sts.role", lambda: iam.create_role(RoleName=f"{PREFIX}-session", AssumeRolePolicyDocument=trust))["Role"]["Arn"]
    got = step("sts.assume", lambda: sts.assume_role(RoleArn=arn, RoleSessionName="flow"),
               lambda a: [a["AssumedRoleUser"]["Arn"], sorted(a["Credentials"])])["Credentials"]
    session = boto3.Session(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"], "us-east-1")
    step("sts.session", lambda: session.client("sts", endpoint_url=ENDPOINT).get_caller_identity(), lambda a: a["Arn"])
    step("sts.delete", lambda: iam.delete_role(RoleName=f"{PREFIX}-session"))


def kms():
    kms = client("kms")
    key = step("kms.create", lambda: kms.create_key(Description=PREFIX), lambda a: a["KeyMetadata"]["KeyState"])["KeyMetadata"]["KeyId"]
    step("kms.alias", lambda: kms.create_alias(AliasName=f"alias/{PREFIX}", TargetKeyId=key))
    sealed = step("kms.encrypt", lambda: kms.encrypt(KeyId=key, Plaintext=b"plain"))["CiphertextBlob"]
    step("kms.decrypt", lambda: kms.decrypt(CiphertextBlob=sealed), lambda a: a["Plaintext"].decode())
    step("kms.unalias", lambda: kms.delete_alias(AliasName=f"alias/{PREFIX}"))
    step("kms.delete", lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7))
    step("kms.gone", lambda: kms.encrypt(KeyId=key, Plaintext=b"plain"), lambda a: None)


def functions():
    """Invoking needs what runs functions, so that the service's own refusal is compared where there is none."""
    functions, iam = client("lambda"), client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    arn = step("fn.role", lambda: iam.create_role(RoleName=f"{PREFIX}-fn", AssumeRolePolicyDocument=trust))["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("main.py"), "def handler(event, context): return event")
    step("fn.create", lambda: functions.create_function(FunctionName=f"{PREFIX}-fn", Runtime="python3.11", Role=arn,
         Handler="main.handler", Code={"ZipFile": packed.getvalue()}), lambda a: [a["State"], a["CodeSize"]])
    step("fn.get", lambda: functions.get_function(FunctionName=f"{PREFIX}-fn"), lambda a: a["Configuration"]["Handler"])
    step("fn.invoke", lambda: functions.invoke(FunctionName=f"{PREFIX}-fn", Payload=b"{}"),
         lambda a: [a["StatusCode"], a["Payload"].read().decode()])
    step("fn.delete", lambda: functions.delete_function(FunctionName=f"{PREFIX}-fn"))
    step("fn.unrole", lambda: iam.delete_role(RoleName=f"{PREFIX}-fn"))


def cloudwatch():
    watch = client("cloudwatch")
    step("cw.put", lambda: watch.put_metric_data(Namespace=PREFIX, MetricData=[{"MetricName": "m", "Value": 1.5}]))
    step("cw.list", lambda: watch.list_metrics(Namespace=PREFIX), lambda a: [m["MetricName"] for m in a["Metrics"]])


for part in (identity, ec2, s3, dynamodb, sqs, iam, role, kms, functions, cloudwatch):
    try:
        part()
    except Exception as error:  # the next part is still worth comparing
        print(normalised({"part": part.__name__, "stopped": f"{type(error).__name__}: {error}"}), flush=True)
