"""Calls etcd with the Python client of gRPC: unary, with a stream as the answer, and with streams both ways.

usage: client.py descriptors FILE
       client.py CALL ADDRESS CA TOKEN [ARGUMENT...]

`descriptors` writes what etcd's API is, as its Python package has it. A call prints what came, one line a message, or
the status and the text of the error.
"""

import queue
import sys

import grpc
from etcetra.grpc_api import rpc_pb2 as rpc
from etcetra.grpc_api import rpc_pb2_grpc as stubs
from google.protobuf import descriptor_pb2


def descriptors(path):
    files = descriptor_pb2.FileDescriptorSet()
    seen = set()

    def add(of):
        if of.name in seen:
            return
        seen.add(of.name)
        for other in of.dependencies:
            add(other)
        of.CopyToProto(files.file.add())

    add(rpc.DESCRIPTOR)
    with open(path, "wb") as out:
        out.write(files.SerializeToString())


class Stream:
    """The requests of one side, given as they are asked for."""

    def __init__(self, first):
        self.requests = queue.Queue()
        self.requests.put(first)

    def __iter__(self):
        return self

    def __next__(self):
        request = self.requests.get()
        if request is None:
            raise StopIteration
        return request


def say(*words):
    print(*words, flush=True)


def call(name, channel, metadata, arguments):
    kv, lease = stubs.KVStub(channel), stubs.LeaseStub(channel)
    if name == "put":
        key, value = (argument.encode() for argument in arguments)
        kv.Put(rpc.PutRequest(key=key, value=value), metadata=metadata)
        say("put")
    elif name == "put-gzip":
        key, value = (argument.encode() for argument in arguments)
        gzip = grpc.Compression.Gzip
        kv.Put(rpc.PutRequest(key=key, value=value * 1000), metadata=metadata, compression=gzip)
        say("put")
    elif name == "get":
        answer = kv.Range(rpc.RangeRequest(key=arguments[0].encode()), metadata=metadata)
        say(*(pair.value.decode() for pair in answer.kvs))
    elif name in ("remove", "remove-all"):
        key = arguments[0].encode()
        end = key[:-1] + bytes([key[-1] + 1]) if name == "remove-all" else b""
        answer = kv.DeleteRange(rpc.DeleteRangeRequest(key=key, range_end=end), metadata=metadata)
        say("removed", answer.deleted)
    elif name in ("unread-put", "unread-authenticate"):
        # With a field that no descriptor has.
        path = "/etcdserverpb.KV/Put" if name == "unread-put" else "/etcdserverpb.Auth/Authenticate"
        channel.unary_unary(path)(b"\x0a\x04root\x12\x07hunter2\xfa\x07\x01x", metadata=metadata)
        say("answered")
    elif name == "authenticate":
        stubs.AuthStub(channel).Authenticate(
            rpc.AuthenticateRequest(name="root", password="hunter2"), metadata=metadata
        )
    elif name == "snapshot":
        parts = stubs.MaintenanceStub(channel).Snapshot(rpc.SnapshotRequest(), metadata=metadata)
        say(sum(len(part.blob) for part in parts))
    elif name == "watch":
        asking = Stream(rpc.WatchRequest(create_request=rpc.WatchCreateRequest(key=arguments[0].encode())))
        for answer in stubs.WatchStub(channel).Watch(asking, metadata=metadata):
            if answer.created:
                say("created")
            for event in answer.events:
                say(event.kv.value.decode())
    elif name == "keep-alive":
        granted = lease.LeaseGrant(rpc.LeaseGrantRequest(TTL=600), metadata=metadata)
        asking = Stream(rpc.LeaseKeepAliveRequest(ID=granted.ID))
        for count, answer in enumerate(lease.LeaseKeepAlive(asking, metadata=metadata), 1):
            say("alive", answer.TTL)
            # By lines from outside: each asks for one more, and an empty one ends it.
            line = sys.stdin.readline().strip()
            asking.requests.put(rpc.LeaseKeepAliveRequest(ID=granted.ID) if line else None)
    elif name == "unknown":
        method = channel.unary_unary("/etcdserverpb.KV/Obliterate")
        method(b"", metadata=metadata)
    else:
        sys.exit(f"unknown call `{name}`")


def main():
    if sys.argv[1] == "descriptors":
        return descriptors(sys.argv[2])
    name, address, authority, token, *arguments = sys.argv[1:]
    with open(authority, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.secure_channel(address, credentials) as channel:
        try:
            call(name, channel, metadata, arguments)
        except grpc.RpcError as error:
            say(error.code().name, error.details())
            sys.exit(3)


if __name__ == "__main__":
    main()
