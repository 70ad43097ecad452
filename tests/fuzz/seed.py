"""Seeds for the fuzzer, made from what is committed: the sweep, the room's cases, the raw attacks.

    seed.py FOLDER        # writes FOLDER/TARGET/NAME for every target
"""

import base64
import hashlib
import io
import json
import pathlib
import re
import sys
import urllib.parse

import zstandard

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(sys.argv[1])
SHORT = 3_000
# One request in so many of the sweep.
EACH = 23


def put(target, data):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    if 0 < len(data) <= SHORT:
        (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def request(method, target, headers, body):
    """A request as `request.rs` reads it."""
    lines = [f"{method} {target}"] + [f"{name}: {value}" for name, value in headers]
    return "\n".join(lines).encode() + b"\n\n" + body


def body_of(headers, body):
    """The body, for the reader of its form."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    if "cbor" in kind:
        put("cbor", body)
    elif "json" in kind or body.startswith(b"{"):
        put("json", body)
    elif "form" in kind:
        put("query", body)
    elif body.startswith(b"<"):
        put("xml", body)


def sweep():
    for file in ("override", "presigned", "variants"):
        path = ROOT / f"tests/planes/aws/sweep/{file}.jsonl.zst"
        with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
            for number, line in enumerate(io.TextIOWrapper(plain, encoding="utf-8")):
                if number % EACH:
                    continue
                one = json.loads(line)
                body = base64.b64decode(one.get("body_b64", ""))
                url = urllib.parse.urlsplit(one["url"])
                target = (url.path or "/") + (f"?{url.query}" if url.query else "")
                headers = [(name, value) for name, value in one["headers"] if name.lower() != "content-length"]
                text = request(one["method"], target, headers, body)
                put("room", text)
                if number % (EACH * 8) == 0:
                    for control in (b"\0\0\0\0\0", b"\1\0\0\0\0", b"\2\3\1a\0", b"\3\6\2b\1"):
                        put("signature", control + text)
                body_of(headers, body)


def cases():
    for path in sorted((ROOT / "proxy/decode/src/aws/cases").glob("*.txt")):
        for part in path.read_text().split("\n== ")[1:]:
            text = part.split("\n", 1)[1].split("-- reads")[0].rstrip("\n")
            head, _, body = text.partition("\n\n")
            raw = base64.b64decode(body[7:]) if body.startswith("base64:") else body.encode()
            put("room", head.encode() + b"\n\n" + raw)
            put("signature", b"\0\0\0\0\0" + head.encode() + b"\n\n" + raw)
            headers = [tuple(line.split(": ", 1)) for line in head.split("\n")[1:]]
            body_of(headers, raw)


def clusters():
    """The cases of the Kubernetes room and its sweep; the line that names the cluster is a header like any other."""
    for path in sorted((ROOT / "proxy/decode/src/kubernetes/cases").glob("*.txt")):
        for part in path.read_text().split("\n== ")[1:]:
            text = part.split("\n", 1)[1].split("-- reads")[0].rstrip("\n")
            head, _, body = text.partition("\n\n")
            raw = base64.b64decode(body[7:]) if body.startswith("base64:") else body.encode()
            put("cluster", head.encode() + b"\n\n" + raw)
            headers = [tuple(line.split(": ", 1)) for line in head.split("\n")[1:]]
            put("yaml" if any("yaml" in value for _, value in headers) else "json", raw)
    for block in (ROOT / "proxy/decode/src/kubernetes/cases/kubectl.captured").read_text().rstrip().split("\n\n")[1:]:
        _, body, text = block.split("\n")
        version, kind = json.loads(text)["apiVersion"], json.loads(text)["kind"].lower()
        plural = kind + ("es" if kind.endswith("s") else "s")
        root = ("apis/" if "/" in version else "api/") + version
        headers = [("cluster", "prod"), ("content-type", "application/vnd.kubernetes.protobuf")]
        for folder in ("", "/namespaces/shop"):
            put("cluster", request("POST", f"/{root}{folder}/{plural}", headers, base64.b64decode(body)))
    # Objects that the target makes of bytes, of each of its kinds.
    for kind in range(6):
        for rest in (b"", b"\x05name\x03va\x02\x04abc\x01\x07\x81\x09" * 4, bytes(range(120))):
            put("cluster", b"\0\x40\x08\1\3k.v\2w\0\3u1\5" + bytes([kind]) + rest)
    path = ROOT / "tests/planes/kubernetes/sweep/requests.jsonl.zst"
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
        for number, line in enumerate(io.TextIOWrapper(plain, encoding="utf-8")):
            if number % EACH == 0:
                one = json.loads(line)
                url = urllib.parse.urlsplit(one["url"])
                target = url.path + (f"?{url.query}" if url.query else "")
                put("cluster", request(one["method"], target, one["headers"], base64.b64decode(one["body_b64"])))
    for path in sorted((ROOT / "deploy").rglob("*.yaml")):
        put("yaml", path.read_bytes()[:SHORT])


def planes():
    """The cases of every other room, each for a run of its own; the line that names the plane is left out."""
    for room in sorted((ROOT / "proxy/decode/src").glob("*/cases")):
        word = room.parent.name
        if word in ("aws", "grpc", "kubernetes"):
            continue
        for path in sorted(room.glob("*.txt")):
            for part in path.read_text().split("\n== ")[1:]:
                text = part.split("\n", 1)[1].split("-- reads")[0].rstrip("\n")
                head, _, body = text.partition("\n\n")
                lines = [line for line in head.split("\n") if not line.startswith("plane: ")]
                if body.startswith("base64:"):
                    put(f"plane-{word}", "\n".join(lines).encode() + b"\n\n" + base64.b64decode(body[7:]))
                elif not body.startswith("proto "):
                    put(f"plane-{word}", "\n".join(lines).encode() + b"\n\n" + body.encode())
    # Messages of gRPC, as Google's own clients frame them, and the same requests over REST.
    path = ROOT / "tests/planes/gcp/sweep/calls.jsonl.zst"
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
        for number, line in enumerate(io.TextIOWrapper(plain, encoding="utf-8")):
            if number // 2 % 5 == 0:
                one = json.loads(line)
                url = urllib.parse.urlsplit(one["url"])
                target = url.path + (f"?{url.query}" if url.query else "")
                headers = [("host", url.hostname), *one["headers"]]
                put("plane-gcp", request(one["method"], target, headers, base64.b64decode(one["body_b64"])))


def answers():
    """Answers of a cluster in which a credential (`@`) may stand."""
    secret = '{"kind":"Secret","metadata":{"name":"s"},"data":{"ca.crt":"Y2E=","%s":"@"},"type":"%s"}'
    token = secret % ("token", "kubernetes.io/service-account-token")
    signed = '{"spec":{"signerName":"kubernetes.io/%s"},"status":{"certificate":"@"}}'
    objects = (token, secret % ("token-secret", "bootstrap.kubernetes.io/token"), secret % ("token", "Opaque"))
    requests = tuple(signed % name for name in ("kube-apiserver-client", "kubelet-serving")) + ('{"status":"Failure"}',)
    for what, those in ((0, objects), (2, requests)):
        for size in (1, 7, 255):
            for one in those:
                put("withheld", bytes([what, size]) + one.encode())
                event = '{"type":"ADDED","object":' + one + "}\n"
                put("withheld", bytes([what + 1, size]) + (event * 2).encode())
            listed = '{"kind":"List","metadata":{},"items":[' + ",".join(those) + ']}\n'
            put("withheld", bytes([what, size]) + listed.encode())
            rows = ",".join('{"cells":["a",1],"object":' + one + "}" for one in those)
            put("withheld", bytes([what, size]) + ('{"kind":"Table","columnDefinitions":[{}], "rows": [' + rows + "]}").encode())


def attacks():
    """The raw requests of `tests/attacks/cases`, whose README says how they are written."""
    letters = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}

    def plain(line):
        line = line.replace("{gate}", "127.0.0.1:7070")
        line = re.sub(r"\{long:(\d+)\}", lambda found: "a" * min(int(found[1]), 500), line)
        line = re.sub(r"\{headers:\d+\}", "x-1: a", line)
        return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", lambda found: chr(int(found[1][1:], 16)) if found[1][0] == "x"
                      and len(found[1]) == 3 else letters.get(found[1], found[1]), line)

    for path in sorted((ROOT / "tests/attacks/cases").glob("*.txt")):
        for case in re.split(r"^=== .*\n", path.read_text(), flags=re.M)[1:]:
            raw = ""
            for line in case.split("---\n", 1)[1].rstrip("\n").split("\n"):
                if line in ("<pause>", "<end>"):
                    continue
                open_end = line.endswith("\\") and not line.endswith("\\\\")
                raw += plain(line[:-1]) if open_end else plain(line) + "\r\n"
            for step in (b"\0", b"\x3f"):
                put("guard", step + raw.encode("latin-1", "replace"))


def by_hand():
    for head in (
        "CONNECT ec2.eu-west-1.amazonaws.com:443 HTTP/1.0\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: A.example:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n",
        "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nhost: [2001:db8::1]\r\ncontent-length: 0\r\n\r\n",
    ):
        put("connect", head.encode())
    for statement in (
        'SELECT * FROM "Music" WHERE Artist=\'x\'', 'select a from Music."ByYear" where a = ?',
        'INSERT INTO "Music" VALUE {\'Artist\':\'x\'}', 'UPDATE "Music" SET a=1 WHERE b=2',
        "DELETE FROM Music WHERE Artist='x';", 'EXISTS(SELECT * FROM "Music" WHERE a=1)',
    ):
        put("partiql", statement.encode())
    session = (
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>"
        "<Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAREAL"
        "</AccessKeyId><SecretAccessKey>se/cr+et=</SecretAccessKey><SessionToken>real//token==</SessionToken>"
        "<Expiration>2026-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
    inner = {"AccessKeyId": "ASIAREAL", "SecretAccessKey": "s3cret", "SessionToken": "tok", "Expiration": 1.5}
    lasting = (
        "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>u</UserName><AccessKeyId>AKIAREAL"
        "</AccessKeyId><SecretAccessKey>sec+ret</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
    )
    put("answer", b"\0\0" + session.encode())
    put("answer", b"\0\1" + json.dumps({"Credentials": inner}).encode())
    put("answer", b"\1\0" + lasting.encode())
    cbor = b"\xa3" + b"".join(
        bytes([0x60 + len(word)]) + word.encode() for word in
        ("accessKeyId", "ASIAREAL", "secretAccessKey", "s3cret", "sessionToken", "tok")
    )
    put("answer", b"\0\3" + cbor)
    for form in range(3):
        for large in (0, 1, 33):
            put("chunks", bytes([form, 1, 200, large, 9, 7]))
            put("chunks", bytes([form, 1, 200, large, 9, 7]) + b"\0\0\x50a\1\0\x10b")
    put("chunks", bytes([2, 0, 5, 33, 9, 7]) + b"5\r\nabcde\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n")
    for name, kind in (("tests/harness/model.yaml", b"\0"), ("deploy/recipes/try/people.yaml", b"\0")):
        put("model", kind + (ROOT / name).read_bytes())
    state = json.loads((ROOT / "rules/tests/import/terraform.tfstate.json").read_text())
    for resource in state["resources"]:
        put("model", b"\1" + json.dumps({**state, "resources": [resource]}).encode())
    put("model", b"\2/infra/ @platform @web\n*.tf @security\n[Section]\n/a\\ b/ @c # why\n")
    exports = ROOT / "rules/tests/import"
    for kind, name in ((0, "terraform.tfstate.json"), (0, "show.json"), (2, "cluster.json"), (2, "definitions.yaml"),
                       (6, "graph.json"), (6, "containers.json"), (6, "resources.json")):
        put("import", bytes([kind]) + (exports / name).read_bytes())
    # What stands in the tests of the importers as texts.
    texts = {1: "main", 3: "aws_config", 4: "resource_explorer", 5: "cloudformation", 7: "asset_inventory", 8: "backstage",
             9: "servicenow", 10: "cyclonedx", 11: "service_graph"}
    for kind, name in texts.items():
        for text in re.findall(r'(?s)r#*"(.*?)"#', (exports / f"{name}.rs").read_text()):
            put("import", bytes([kind]) + text.encode())
    identity = b"\x0a\x0a\x0a\x05bikes\x12\x01" + b"7"
    for more in (
        b"", b"\x10\x01", b"\x1a\x05\x0a\x03a.b", b"\x22\x05\x0a\x01x\x10\x03", b"\x2a\x01a", b"\x30\x07", b"\x3a\x02\x01\x04",
        b"\x40\x01", b"\x49\0\0\0\0\0\0\xf8\x3f", b"\x52\x01c", b"\x5a\x0c" + identity, b"\x62\x05\x0a\x01t\x12\0", b"\x75\7\0\0\0",
    ):
        put("grpc", b"\0" + identity + more)
    put("grpc", b"\1\x0a\x01a\x12\x01b")
    put("grpc", b"\1\x1a\x01" + b"1\x1a\x01" + b"2")
    for step in (3, 9, 40):
        put("frame", bytes([1, step, 1, 0, 70, 0, 255]) + bytes(range(200)))
        put("frame", bytes([1, step, 2, 0, 70, 2, 255]) + b"an entry, and another, and a blob " * 8)


for part in (sweep, cases, clusters, planes, answers, attacks, by_hand):
    part()
