"""Parameters for any botocore shape: valid for the serialiser, seeded, the same every time.

Leaves out what services would think of the values: nothing is sent anywhere.
"""

import datetime
import random

ACCOUNT = "123456789012"
MOMENT = datetime.datetime(2026, 1, 15, 10, 30, 0)
DEPTH = 6

# Values a serialiser, an endpoint rule or a customisation looks into. First match wins; the key is
# compared with the member's name in lower case, as a suffix.
SUFFIXES = [
    ("bucketarn", "arn:aws:s3:::example-bucket"),
    ("streamarn", "arn:aws:kinesis:{region}:123456789012:stream/example"),
    ("consumerarn", "arn:aws:kinesis:{region}:123456789012:stream/example/consumer/one:1700000000"),
    ("topicarn", "arn:aws:sns:{region}:123456789012:example-topic"),
    ("tablearn", "arn:aws:dynamodb:{region}:123456789012:table/example"),
    ("rolearn", "arn:aws:iam::123456789012:role/example-role"),
    ("keyarn", "arn:aws:kms:{region}:123456789012:key/0c5a2f6e-1111-4222-8333-444455556666"),
    ("arn", "arn:aws:{service}:{region}:123456789012:thing/example-1"),
    ("accountid", ACCOUNT),
    ("awsaccountid", ACCOUNT),
    ("queueurl", "https://sqs.{region}.amazonaws.com/123456789012/example-queue"),
    ("cidrip", "10.1.0.0/16"),
    ("cidrblock", "10.1.0.0/16"),
    ("url", "https://files.example.com/a/b?c=d"),
    ("uri", "https://files.example.com/a/b?c=d"),
    ("email", "someone@example.com"),
    ("emailaddress", "someone@example.com"),
    ("region", "eu-west-1"),
]
# Where the name alone says it, for one service.
NAMED = {
    ("s3", "Bucket"): "example-bucket",
    ("s3", "Key"): "folder one/key+two=ä.txt",
    ("s3", "CopySource"): "source-bucket/some/key.txt",
    ("s3", "UploadId"): "VXBsb2FkIElE-1.2_3",
    ("s3", "VersionId"): "3/L4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY",
    ("s3", "ExpectedBucketOwner"): ACCOUNT,
    ("s3", "RequestRoute"): "example-route",
    ("s3", "RequestToken"): "example-token",
    ("s3control", "Bucket"): "example-bucket",
    ("s3control", "OutpostId"): "op-01ac5d28a6a232904",
    ("ec2", "InstanceId"): "i-0123456789abcdef0",
    ("ec2", "VpcId"): "vpc-0123456789abcdef0",
    ("ec2", "SubnetId"): "subnet-0123456789abcdef0",
    ("ec2", "GroupId"): "sg-0123456789abcdef0",
    ("ec2", "ImageId"): "ami-0123456789abcdef0",
    ("route53", "HostedZoneId"): "Z0123456789ABC",
    ("kinesis", "ResourceARN"): "arn:aws:kinesis:us-east-1:123456789012:stream/example",
    ("kinesis", "ChannelARN"): "arn:aws:kinesis:us-east-1:123456789012:channel/example",
    ("kinesis", "QueueARN"): "arn:aws:kinesis:us-east-1:123456789012:queue/example",
    ("cloudfront-keyvaluestore", "KvsARN"): (
        "arn:aws:cloudfront::123456789012:key-value-store/0c5a2f6e-1111-4222-8333-444455556666"
    ),
}
# Members of which one serialiser, endpoint rule or signer cannot make a request here.
LEFT_OUT = {
    ("events", "PutEvents", "EndpointId"),  # asks for SigV4a
}


class Shapes:
    """Fills shapes of one service."""

    def __init__(self, service, region, full, seed):
        self.service = service
        self.region = region
        self.full = full
        self.random = random.Random(f"{seed}/{service}/{full}")
        self.operation = ""

    def parameters(self, operation_model):
        """The parameters of one operation."""
        self.operation = operation_model.name
        self.random.seed(f"{self.service}/{operation_model.name}/{self.full}")
        shape = operation_model.input_shape
        if shape is None:
            return {}
        return self.structure(shape, shape.name, 0, ())

    def structure(self, shape, name, depth, seen):
        if getattr(shape, "is_document_type", False):
            return {"example": "document", "count": 3, "nested": {"list": [True, None, 1.5]}}
        members = dict(shape.members)
        if getattr(shape, "is_tagged_union", False):
            plain = [key for key in members if not self.recursive(members[key], seen)]
            chosen = plain or list(members)
            key = chosen[self.random.randrange(len(chosen))] if self.full else chosen[0]
            return {key: self.value(members[key], key, depth + 1, seen + (shape.name,))}
        filled = {}
        for key, member in members.items():
            required = key in shape.required_members
            host = member.serialization.get("hostLabel")
            if (self.service, self.operation, key) in LEFT_OUT:
                continue
            if member.serialization.get("eventstream"):
                continue
            if not required and not host:
                if not self.full or depth > 3 or self.recursive(member, seen):
                    continue
                if self.random.random() < 0.25:
                    continue
            if host:
                filled[key] = ACCOUNT if "account" in key.lower() else "label-1"
                continue
            value = self.value(member, key, depth + 1, seen + (shape.name,))
            if value is not None:
                filled[key] = value
        return filled

    def recursive(self, shape, seen):
        if shape.type_name == "list":
            return self.recursive(shape.member, seen)
        if shape.type_name == "map":
            return self.recursive(shape.value, seen)
        return shape.type_name == "structure" and shape.name in seen

    def value(self, shape, name, depth, seen):
        kind = shape.type_name
        if kind == "structure":
            return {} if depth > DEPTH + 4 else self.structure(shape, name, depth, seen)
        if kind == "list":
            return self.list(shape, name, depth, seen)
        if kind == "map":
            if self.recursive(shape.value, seen) or depth > DEPTH:
                return {}
            key = self.value(shape.key, "example-key", depth + 1, seen)
            return {key: self.value(shape.value, "Value", depth + 1, seen)}
        if kind in ("string", "character"):
            return self.string(shape, name)
        if kind == "boolean":
            if name == "DryRun":
                return False  # what a dry run may be read as is another question
            return self.random.random() < 0.5
        if kind in ("integer", "long"):
            return int(self.number(shape))
        if kind in ("float", "double", "bigdecimal"):
            return float(self.number(shape)) + 0.5
        if kind == "timestamp":
            return MOMENT
        if kind == "blob":
            return self.blob(shape)
        raise ValueError(f"no value for type {kind}")

    def list(self, shape, name, depth, seen):
        low = int(shape.metadata.get("min", 0) or 0)
        count = max(low, 2 if self.full and depth < 3 else 1)
        high = shape.metadata.get("max")
        if high:
            count = min(count, max(int(high), 1))
        if self.recursive(shape.member, seen) or depth > DEPTH:
            count = low
        singular = name[:-1] if name.endswith("s") else name
        return [self.value(shape.member, singular, depth + 1, seen) for _ in range(min(count, 20))]

    def number(self, shape):
        low = shape.metadata.get("min")
        high = shape.metadata.get("max")
        low = 1 if low is None else int(float(low))
        high = low + 9 if high is None else int(float(high))
        return min(max(low, 1), high) if not self.full else low + self.random.randrange(max(1, min(high - low + 1, 50)))

    def blob(self, shape):
        low = int(shape.metadata.get("min", 0) or 0)
        return (b"example body " + bytes([0, 255]) * 4).ljust(min(low, 4096), b".")

    def string(self, shape, name):
        if name.endswith("ChecksumAlgorithm"):
            # The other algorithms want native code that is not part of botocore.
            return "SHA256" if self.full else shape.enum[0]
        if getattr(shape, "enum", None):
            return shape.enum[self.random.randrange(len(shape.enum))]
        if (self.service, name) in NAMED:
            return NAMED[(self.service, name)]
        if shape.serialization.get("jsonvalue") and shape.serialization.get("location") == "header":
            return {"example": [1, "two"]}
        lower = name.lower()
        text = None
        for suffix, value in SUFFIXES:
            if lower.endswith(suffix):
                text = value.format(region=self.region, service=self.service)
                break
        if text is None:
            text = f"example-{self.random.randrange(1000)}"
            if self.full and self.random.random() < 0.15 and not shape.serialization.get("location"):
                text += " ä&=+%/?#"
        low = int(shape.metadata.get("min", 0) or 0)
        high = shape.metadata.get("max")
        if len(text) < low:
            text = text.ljust(min(low, 4096), "x")
        if high and len(text) > int(high):
            text = text[: max(int(high), 1)]
        return text
