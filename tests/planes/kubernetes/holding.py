"""The part of the stub that holds credentials of the cluster: secrets of the types that do, and a signed certificate.

It answers in the form that is asked for, as the API server does: protobuf and CBOR too, tables, lists, watches by either
path. So what a gate lets through in any of these forms is seen.
"""

import asyncio
import base64
import json

from aiohttp import web

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6InN0dWIifQ.a-real-token-of-the-cluster.that-must-never-be-seen"
SIGNED = "a real certificate of the cluster that must never be seen"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def secret(name, kind, data, namespace="default"):
    return {"kind": "Secret", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "7",
                         "creationTimestamp": "2026-01-01T00:00:00Z"},
            "data": {key: b64(value) for key, value in data.items()}, "type": kind}


SECRETS = [
    secret("bot-token", "kubernetes.io/service-account-token", {"ca.crt": "ca", "namespace": "default", "token": TOKEN}),
    secret("own", "Opaque", {"token": "of somebody's own"}),
    secret("bootstrap-token-abcdef", "bootstrap.kubernetes.io/token", {"token-id": "abcdef", "token-secret": TOKEN[:40]}),
]
REQUEST = {"kind": "CertificateSigningRequest", "apiVersion": "certificates.k8s.io/v1",
           "metadata": {"name": "someone", "uid": "uid-someone", "creationTimestamp": "2026-01-01T00:00:00Z"},
           "spec": {"request": b64("request"), "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"]},
           "status": {"certificate": b64(SIGNED), "conditions": [{"type": "Approved", "status": "True"}]}}


def listed(objects):
    return {"kind": objects[0]["kind"] + "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": objects}


def table(objects):
    columns = [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
               {"name": "Type", "type": "string", "format": "", "description": "", "priority": 0}]
    rows = [{"cells": [one["metadata"]["name"], one.get("type", "Active")], "object": one} for one in objects]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "7"},
            "columnDefinitions": columns, "rows": rows}


def answer(request, objects, single=False):
    """In the first form of those asked for."""
    form = request.headers.get("accept", "application/json").split(",")[0].strip()
    media = form.split(";")[0]
    if media == "application/vnd.kubernetes.protobuf":
        return web.Response(body=b"k8s\0" + json.dumps(objects).encode(), content_type=media)
    if media == "application/cbor":
        return web.Response(body=b"\xd9\xd9\xf7" + json.dumps(objects).encode(), content_type=media)
    if media == "application/yaml":
        return web.Response(text=json.dumps(objects), content_type=media)
    if "as=Table" in form:
        return web.json_response(table(objects))
    return web.json_response(objects[0] if single else listed(objects))


def found(name):
    return [one for one in SECRETS if one["metadata"]["name"] == name]


async def secrets(request):
    if request.query.get("watch") in ("true", "1") or "/watch/" in request.path:
        return await watched(request)
    return answer(request, SECRETS)


async def watched(request):
    response = web.StreamResponse(headers={"content-type": "application/json"})
    await response.prepare(request)
    for one in SECRETS:
        await response.write(json.dumps({"type": "ADDED", "object": one}).encode() + b"\n")
        await asyncio.sleep(0.05)
    if request.query.get("labelSelector"):
        # An event that nobody can read, with a token in it.
        await response.write(b'{"type":"MODIFIED","object":{"data":{"token":"' + b64(TOKEN).encode() + b'"}}}\n')
    while True:
        await asyncio.sleep(0.2)
        await response.write(json.dumps({"type": "MODIFIED", "object": SECRETS[1]}).encode() + b"\n")


async def one_secret(request):
    name = request.match_info["secret"]
    if name == "odd":
        return web.Response(text='{"data":{"token":"' + b64(TOKEN) + '"}', content_type="application/json")
    if not found(name):
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound",
                "message": f'secrets "{name}" not found', "code": 404}
        return web.json_response(body, status=404)
    return answer(request, found(name), single=True)


async def made(request):
    return web.json_response(json.loads(await request.read()), status=201)


async def minted(_):
    return web.json_response({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
                              "status": {"token": TOKEN, "expirationTimestamp": "2036-01-01T00:00:00Z"}}, status=201)


async def requests(_):
    body = {"kind": "CertificateSigningRequestList", "apiVersion": "certificates.k8s.io/v1", "metadata": {}, "items": [REQUEST]}
    return web.json_response(body)


async def one_request(_):
    return web.json_response(REQUEST)


def route(router):
    namespace = "/api/v1/namespaces/{namespace}"
    for path in ("/api/v1/secrets", namespace + "/secrets", "/api/v1/watch/secrets",
                 "/api/v1/watch/namespaces/{namespace}/secrets"):
        router.add_get(path, secrets)
    router.add_post(namespace + "/secrets", made)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        router.add_route(method, namespace + "/secrets/{secret}", one_secret)
    router.add_post(namespace + "/serviceaccounts/{account}/token", minted)
    router.add_get("/apis/certificates.k8s.io/v1/certificatesigningrequests", requests)
    router.add_get("/apis/certificates.k8s.io/v1/certificatesigningrequests/{request}", one_request)
