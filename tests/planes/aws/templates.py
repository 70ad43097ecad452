"""Templates that others wrote, each in the request that makes a stack of it, with what another reader finds in them.

Takes the unpacked source packages of cfn-lint (its test fixtures) and of troposphere (its examples, which are run), and
asks cfn-lint which resources each template declares, and the vendor's own serverless transform which types it makes.
Nothing is sent: a `before-send` hook takes the prepared request and answers in the service's place.

    templates.py --cfn-lint FOLDER --troposphere FOLDER --out FOLDER

writes requests.jsonl. Leaves out templates over the service's limit of 51,200 bytes, which it takes by a URL alone.
"""

import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys

import botocore.session
import cfnlint.decode
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials

LIMIT = 51_200


class Taken(Exception):
    """The request that was about to be sent."""


def client():
    session = botocore.session.Session()
    session._credentials = Credentials("AKIDEXAMPLE", "secret")
    made = session.create_client("cloudformation", region_name="eu-west-1")
    taken = {}

    def take(request, **_):
        taken["request"] = request
        return AWSResponse(request.url, 400, {}, None)

    made.meta.events.register("before-send.cloudformation", take)
    return made, taken


def declared(path):
    """The resources that cfn-lint finds, or none where it does not take the text for a template."""
    template, matches = cfnlint.decode.decode(str(path))
    if matches or not isinstance(template, dict):
        return None
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        return None
    found = []
    for name, resource in resources.items():
        if str(name).startswith("Fn::"):
            continue
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            return None
        found.append([str(name), str(resource["Type"])])
    return sorted(found)


def transformed(path):
    """The types that the vendor's own transform makes, or none where it does not take the template."""
    template, matches = cfnlint.decode.decode(str(path))
    if matches or not isinstance(template, dict):
        return None
    if "AWS::Serverless-2016-10-31" not in str(template.get("Transform", "")):
        return None
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    plain = json.loads(json.dumps(template, default=str))
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    try:
        made = Translator({}, Parser()).translate(plain, {})
    except Exception:
        return None
    return sorted({resource["Type"] for resource in made["Resources"].values()})


def templates(arguments, scratch):
    root = pathlib.Path(arguments.cfn_lint) / "test/fixtures/templates"
    for path in sorted(root.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json", ".template"):
            yield f"cfn-lint/{path.relative_to(root)}", path
    examples = pathlib.Path(arguments.troposphere) / "examples"
    for path in sorted(examples.glob("*.py")):
        made = subprocess.run(
            [sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        if made.returncode == 0 and made.stdout.strip():
            ending = "json" if made.stdout.lstrip().startswith("{") else "yaml"
            to = scratch / f"{path.stem}.{ending}"
            to.write_text(made.stdout)
            yield f"troposphere/{path.stem}", to


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cfn-lint", required=True)
    parser.add_argument("--troposphere", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    scratch = out / "made"
    scratch.mkdir(exist_ok=True)
    made, taken = client()
    count = 0
    with open(out / "requests.jsonl", "w", encoding="utf-8") as lines:
        for name, path in templates(arguments, scratch):
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if not text.strip() or len(text.encode()) > LIMIT:
                continue
            try:
                made.create_stack(StackName="s", TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"])
            except Exception:
                pass
            request = taken.pop("request")
            headers = [
                [key, value.decode() if isinstance(value, bytes) else str(value)]
                for key, value in sorted(request.headers.items())
                if key.lower() in ("content-type", "authorization", "x-amz-date")
            ]
            body = request.body if isinstance(request.body, bytes) else request.body.encode()
            line = {
                "id": name,
                "method": request.method,
                "url": request.url,
                "headers": headers,
                "body_b64": base64.b64encode(body).decode(),
                "expect_resources": declared(path),
                "expect_made": transformed(path),
            }
            lines.write(json.dumps(line, separators=(",", ":")) + "\n")
            count += 1
    print(f"{count} templates")


main()
