"""A stub of a cluster's API server, for what a kubelet is needed for: exec, attach, log, port-forward, and watches.

It is labelled a stub and serves one Pod, and what `holding.py` holds. What it speaks is the API server's own: WebSocket with the channel protocols
`v4.channel.k8s.io` and `v5.channel.k8s.io`, SPDY/3.1 by itself and in a WebSocket (`spdy.py`), chunked logs and watches, `Status` errors. Commands are really run, in a
folder of the stub's own. Every request is appended to a journal, one line of JSON each: what arrived, under which
credential.

    cluster.py --folder FOLDER --token TOKEN      # writes ca.pem, port and journal.jsonl into FOLDER
"""

import argparse
import asyncio
import datetime
import ipaddress
import json
import os
import ssl
import struct

import holding
import spdy
from aiohttp import WSMsgType, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

UID = "11111111-2222-3333-4444-555555555555"
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


def certify(folder):
    """A certificate authority, and a server certificate for 127.0.0.1 under it."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def build(subject, issuer, public, signer, extensions):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256())

    authority = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    root = build("stub authority", "stub authority", authority.public_key(), authority,
                 [(x509.BasicConstraints(ca=True, path_length=None), True)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("cluster.test")])
    leaf = build("stub", "stub authority", key.public_key(), authority, [(names, False)])
    pem = serialization.Encoding.PEM
    with open(os.path.join(folder, "ca.pem"), "wb") as file:
        file.write(root.public_bytes(pem))
    with open(os.path.join(folder, "server.pem"), "wb") as file:
        file.write(leaf.public_bytes(pem))
        file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def status(code, reason, message):
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}
    return web.json_response(body, status=code)


def pod(name):
    return {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "default", "uid": UID, "resourceVersion": "7",
                     "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "main", "image": "stub", "ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "ready": True, "state": {"running": {}}}]},
    }


class Cluster:
    def __init__(self, folder, token):
        self.folder, self.token = folder, token
        self.work = os.path.join(folder, "container")
        os.makedirs(self.work, exist_ok=True)
        self.journal = open(os.path.join(folder, "journal.jsonl"), "a", buffering=1)

    @web.middleware
    async def admit(self, request, handler):
        body = await request.read() if request.can_read_body else b""
        self.journal.write(json.dumps({
            "method": request.method, "target": request.raw_path, "headers": dict(request.headers),
            "body": body.decode("latin-1"),
        }) + "\n")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return status(401, "Unauthorized", "Unauthorized")
        return await handler(request)

    async def other(self, request):
        return status(404, "NotFound", f"the stub has no {request.path}")

    async def version(self, _):
        return web.json_response({"major": "1", "minor": "37", "gitVersion": "v1.37.0-stub", "platform": "stub"})

    async def api(self, _):
        return web.json_response({"kind": "APIVersions", "versions": ["v1"]})

    async def groups(self, _):
        version = {"groupVersion": "certificates.k8s.io/v1", "version": "v1"}
        group = {"name": "certificates.k8s.io", "versions": [version], "preferredVersion": version}
        return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})

    async def certificates(self, _):
        resources = [{"name": "certificatesigningrequests", "singularName": "certificatesigningrequest",
                      "namespaced": False, "kind": "CertificateSigningRequest", "shortNames": ["csr"],
                      "verbs": ["get", "list"]}]
        return web.json_response({"kind": "APIResourceList", "groupVersion": "certificates.k8s.io/v1",
                                  "resources": resources})

    async def core(self, _):
        verbs = ["create", "delete", "get", "list", "watch"]
        resources = [{"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace",
                      "verbs": verbs + ["patch", "update"], "shortNames": ["ns"]},
                     {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": verbs,
                      "shortNames": ["po"]},
                     {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret",
                      "verbs": verbs + ["patch", "update"]}]
        return web.json_response({"kind": "APIResourceList", "groupVersion": "v1", "resources": resources})

    async def namespace(self, request):
        name = request.match_info["name"]
        return web.json_response({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, "uid": UID}})

    async def namespaces(self, request):
        items = [{"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, "uid": UID}}
                 for name in ("default", "shop")]
        return holding.answer(request, items)

    async def pods(self, request):
        if request.query.get("watch") not in ("true", "1"):
            return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"},
                                      "items": [pod("web")]})
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        number = 0
        while True:
            number += 1
            event = {"type": "MODIFIED", "object": pod(f"web-{number}")}
            await response.write(json.dumps(event).encode() + b"\n")
            await asyncio.sleep(0.2)

    async def pod(self, request):
        return web.json_response(pod(request.match_info["pod"]))

    async def delete(self, request):
        return web.json_response(pod(request.match_info["pod"]))

    async def log(self, request):
        response = web.StreamResponse(headers={"content-type": "text/plain"})
        await response.prepare(request)
        number = 0
        while True:
            number += 1
            await response.write(f"line {number}\n".encode())
            if request.query.get("follow") != "true" and number >= 3:
                return response
            await asyncio.sleep(0.05)

    async def execute(self, request):
        return await self.run(request, request.query.getall("command"))

    async def run(self, request, command):
        """Runs a command, its streams on the channels of the protocol (KEP-4006)."""
        offered = ("v5.channel.k8s.io", "v4.channel.k8s.io")
        socket = web.WebSocketResponse(protocols=offered)
        if not socket.can_prepare(request).ok:
            return status(400, "BadRequest", "Upgrade request required")
        await socket.prepare(request)
        wants = request.query.get("stdin") == "true"
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.work, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)

        async def out(channel, stream):
            while chunk := await stream.read(32768):
                await socket.send_bytes(bytes([channel]) + chunk)

        async def into():
            async for message in socket:
                if message.type != WSMsgType.BINARY or not message.data:
                    continue
                channel, data = message.data[0], message.data[1:]
                if channel == STDIN:
                    process.stdin.write(data)
                    await process.stdin.drain()
                elif channel == CLOSE and data[:1] == bytes([STDIN]):
                    process.stdin.close()

        reading = asyncio.create_task(into()) if wants else None
        if not wants:
            process.stdin.close()
        await asyncio.gather(out(STDOUT, process.stdout), out(STDERR, process.stderr))
        code = await process.wait()
        if reading:
            reading.cancel()
        ended = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        if code:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            ended = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                     "reason": "NonZeroExitCode", "message": f"command terminated with exit code {code}",
                     "details": {"causes": causes}}
        await socket.send_bytes(bytes([ERROR]) + json.dumps(ended).encode())
        await socket.close()
        return socket

    async def attach(self, request):
        """A process that is there already, and says back what it is told."""
        return await self.run(request, ["sh", "-c", 'read line && echo "heard: $line"'])

    async def forward(self, request):
        """One port, in capitals, by whichever way the client asks for it."""
        if request.headers.get("upgrade", "").lower() == "spdy/3.1":
            return await spoken(request)
        tunnel = "SPDY/3.1+portforward.k8s.io"
        socket = web.WebSocketResponse(protocols=(tunnel, "v4.channel.k8s.io"), max_msg_size=64 << 20)
        if not socket.can_prepare(request).ok:
            return status(400, "BadRequest", "Upgrade request required")
        await socket.prepare(request)
        if socket.ws_protocol == tunnel:
            forwarding = spdy.PortForward()
            async for message in socket:
                if message.type == WSMsgType.BINARY and (answer := forwarding.take(message.data)):
                    await socket.send_bytes(answer)
            return socket
        # Two channels, each beginning with the port's number.
        port = int(request.query["ports"].split(",")[0])
        for channel in (0, 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
        async for message in socket:
            if message.type == WSMsgType.BINARY and message.data[:1] == b"\0":
                await socket.send_bytes(b"\0" + message.data[1:].upper())
        return socket


class Spoken(asyncio.Protocol):
    """A connection that has changed to SPDY."""

    def __init__(self, transport):
        self.transport, self.forwarding, self.over = transport, spdy.PortForward(), asyncio.Event()

    def data_received(self, data):
        self.transport.write(self.forwarding.take(data))

    def connection_lost(self, _):
        self.over.set()


async def spoken(request):
    """What clients of before 1.31 do: the connection itself changes its protocol."""
    offered = request.headers.get("x-stream-protocol-version", "")
    request.transport.write(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                            f"X-Stream-Protocol-Version: {offered}\r\n\r\n".encode())
    protocol = Spoken(request.transport)
    request.transport.set_protocol(protocol)
    await protocol.over.wait()
    return web.Response()


async def serve(arguments):
    certify(arguments.folder)
    cluster = Cluster(arguments.folder, arguments.token)
    app = web.Application(middlewares=[cluster.admit], client_max_size=64 << 20)
    one = "/api/v1/namespaces/default/pods/{pod}"
    app.router.add_get("/version", cluster.version)
    app.router.add_get("/api", cluster.api)
    app.router.add_get("/apis", cluster.groups)
    app.router.add_get("/api/v1", cluster.core)
    app.router.add_get("/api/v1/namespaces", cluster.namespaces)
    for method in ("GET", "DELETE", "PATCH"):
        app.router.add_route(method, "/api/v1/namespaces/{name}", cluster.namespace)
    app.router.add_get("/api/v1/namespaces/default/pods", cluster.pods)
    app.router.add_get(one, cluster.pod)
    app.router.add_delete(one, cluster.delete)
    app.router.add_get(one + "/log", cluster.log)
    app.router.add_route("*", one + "/exec", cluster.execute)
    app.router.add_route("*", one + "/attach", cluster.attach)
    app.router.add_route("*", one + "/portforward", cluster.forward)
    app.router.add_get("/apis/certificates.k8s.io/v1", cluster.certificates)
    holding.route(app.router)
    app.router.add_route("*", "/{rest:.*}", cluster.other)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(arguments.folder, "server.pem"))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    temporary = os.path.join(arguments.folder, "port.new")
    with open(temporary, "w") as file:
        file.write(str(port))
    os.rename(temporary, os.path.join(arguments.folder, "port"))
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--token", required=True)
    asyncio.run(serve(parser.parse_args()))


main()
