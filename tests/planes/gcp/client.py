"""What Google's own libraries do in front of a server of theirs.

    client.py HOW WHAT DAY      # HOW is a server's own address, the gate's name and port, or `-` for Google's own hosts

WHAT is `compute`, `storage` or `services`; DAY is `day` for a day's work, `made` for what of it takes nothing away again, or
`denied` for its changes alone. The credential is the one that the libraries find on the machine
they run on, except in front of a server itself, which asks for none. Lines say what came of each step, without identifiers and
times, so that two runs can be held against each other.
"""

import io
import logging
import re
import socket
import sys

import google.auth
from google.api_core.exceptions import Forbidden, GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

how, what, day = sys.argv[1:4]
direct = how.startswith("http://")
PROJECT, ZONE, REGION = "shop", "us-central1-a", "us-central1"
LOCATION = f"projects/{PROJECT}/locations/{REGION}"
# So many bytes at a time; the library takes multiples of this alone.
CHUNK = 256 * 1024

logging.disable(logging.WARNING)

if not direct and how != "-":
    # What resolves names where the gate is has the gate's for whatever stands before it.
    gate = "." + how.split(":")[0]
    looked_up, connected = socket.getaddrinfo, socket.socket.connect

    def at(host):
        return "127.0.0.1" if isinstance(host, str) and host.endswith(gate) else host

    socket.getaddrinfo = lambda host, *rest, **more: looked_up(at(host), *rest, **more)
    socket.socket.connect = lambda self, address: connected(self, (at(address[0]), *address[1:]))


def host(service):
    return how if direct else f"https://{service}.googleapis.com.{how}"


def credential():
    return AnonymousCredentials() if direct else google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])[0]


def api(service, version, path):
    options = {} if how == "-" else {"api_endpoint": f"{host(service)}/{path}"}
    return build(service, version, credentials=credential(), client_options=options, cache_discovery=False)


def names(collection, items="items", name="name", **arguments):
    """Of all pages."""
    request, pages = collection.list(**arguments), []
    while request is not None:
        page = request.execute()
        pages.append([item[name].split("/")[-1] for item in page.get(items, [])])
        request = collection.list_next(request, page)
    return pages


class Compute:
    """Networks, disks and machines, with operations that are waited for."""

    DAY = (
        "network", "subnetwork", "firewall", "disks", "pages", "instance", "again", "widen", "shown", "unplug", "missing", "away",
    )
    DENIED = ("network", "firewall", "disks", "instance", "widen", "unplug", "away")

    def __init__(self):
        self.compute = api("compute", "v1", "compute/v1/")

    def done(self, operation):
        if operation.get("zone"):
            asked = self.compute.zoneOperations().get(project=PROJECT, zone=ZONE, operation=operation["name"])
        elif operation.get("region"):
            asked = self.compute.regionOperations().get(project=PROJECT, region=REGION, operation=operation["name"])
        else:
            asked = self.compute.globalOperations().get(project=PROJECT, operation=operation["name"])
        said = asked.execute()
        return said["operationType"], said["status"]

    def network(self):
        body = {"name": "main", "autoCreateSubnetworks": False}
        return self.done(self.compute.networks().insert(project=PROJECT, body=body).execute())

    def subnetwork(self):
        body = {"name": "one", "network": f"projects/{PROJECT}/global/networks/main", "ipCidrRange": "10.0.0.0/24"}
        self.done(self.compute.subnetworks().insert(project=PROJECT, region=REGION, body=body).execute())
        return self.compute.subnetworks().get(project=PROJECT, region=REGION, subnetwork="one").execute()["ipCidrRange"]

    def firewall(self):
        body = {
            "name": "in", "network": f"projects/{PROJECT}/global/networks/main", "sourceRanges": ["10.0.0.0/8"],
            "allowed": [{"IPProtocol": "tcp", "ports": ["443"]}],
        }
        return self.done(self.compute.firewalls().insert(project=PROJECT, body=body).execute())

    def disks(self):
        for disk in ("one", "two", "three", "four", "five"):
            body = {"name": disk, "sizeGb": "10"}
            done = self.done(self.compute.disks().insert(project=PROJECT, zone=ZONE, body=body).execute())
        return done

    def pages(self):
        return names(self.compute.disks(), project=PROJECT, zone=ZONE, maxResults=2)

    def instance(self):
        zone = f"projects/{PROJECT}/zones/{ZONE}"
        body = {
            "name": "web-1", "machineType": f"zones/{ZONE}/machineTypes/e2-micro", "labels": {"of": "web"},
            "disks": [{"source": f"{zone}/disks/one", "boot": True}],
            "networkInterfaces": [{"network": f"projects/{PROJECT}/global/networks/main"}],
        }
        return self.done(self.compute.instances().insert(project=PROJECT, zone=ZONE, body=body).execute())

    def again(self):
        found = self.compute.instances().get(project=PROJECT, zone=ZONE, instance="web-1").execute()
        return found["status"], found["labels"], found["disks"], sorted(found)

    def widen(self):
        body = {"sourceRanges": ["10.0.0.0/8", "192.168.0.0/16"]}
        return self.done(self.compute.firewalls().patch(project=PROJECT, firewall="in", body=body).execute())

    def shown(self):
        return self.compute.firewalls().get(project=PROJECT, firewall="in").execute()["sourceRanges"]

    def unplug(self):
        return self.done(self.compute.disks().delete(project=PROJECT, zone=ZONE, disk="two").execute())

    def missing(self):
        return self.compute.disks().get(project=PROJECT, zone=ZONE, disk="two").execute()

    def away(self):
        self.compute.instances().delete(project=PROJECT, zone=ZONE, instance="web-1").execute()
        return names(self.compute.instances(), project=PROJECT, zone=ZONE)


class Storage:
    """Buckets, and what is put into them in each of the ways that there are."""

    DAY = (
        "bucket", "buckets", "small", "described", "large", "begun", "listed", "below", "read", "part", "labelled", "copied",
        "policy", "missing", "removed", "gone",
    )
    DENIED = ("bucket", "small", "described", "large", "labelled", "copied", "policy", "removed", "gone")

    def __init__(self):
        options = {} if how == "-" else {"api_endpoint": host("storage")}
        self.client = storage.Client(project=PROJECT, credentials=credential(), client_options=options)
        self.content = bytes(number % 251 for number in range(2 * CHUNK + 1000))

    def of(self):
        return self.client.bucket("orders")

    def bucket(self):
        return self.client.create_bucket("orders", location="EU").location

    def buckets(self):
        return [bucket.name for bucket in self.client.list_buckets()]

    def small(self):
        blob = self.of().blob("2026/small.txt")
        blob.upload_from_string("a bicycle", content_type="text/plain")
        return blob.size, blob.content_type, blob.crc32c

    def described(self):
        blob = self.of().blob("2026/described.json")
        blob.metadata = {"of": "alice"}
        blob.upload_from_string("{}", content_type="application/json")
        return blob.metadata

    def large(self):
        """In parts, of nobody knows yet how many: the address that they go to is in the answer to the first request."""
        blob = self.of().blob("2026/large.bin", chunk_size=CHUNK)
        blob.upload_from_file(io.BytesIO(self.content))
        return blob.size

    def begun(self):
        """Begun by one, and sent by another."""
        blob = self.of().blob("2026/begun.bin")
        session = blob.create_resumable_upload_session(size=4, content_type="text/plain")
        put = self.client._http.put(session, data=b"four", headers={"content-type": "text/plain"})
        return put.status_code, put.json()["size"]

    def listed(self):
        return [(blob.name, blob.size) for blob in self.client.list_blobs("orders", page_size=2)]

    def below(self):
        found = self.client.list_blobs("orders", delimiter="/")
        return list(found), sorted(found.prefixes)

    def read(self):
        return self.of().blob("2026/large.bin").download_as_bytes() == self.content

    def part(self):
        return self.of().blob("2026/small.txt").download_as_bytes(start=2, end=8)

    def labelled(self):
        bucket = self.client.get_bucket("orders")
        bucket.labels = {"of": "web"}
        bucket.patch()
        return bucket.labels

    def copied(self):
        blob = self.of().blob("2026/small.txt")
        return self.of().copy_blob(blob, self.of(), "kept/small.txt").name

    def policy(self):
        policy = self.of().get_iam_policy()
        policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"group:web@example.com"}})
        return [binding["role"] for binding in self.of().set_iam_policy(policy).bindings]

    def missing(self):
        return self.client.get_bucket("missing").name

    def removed(self):
        self.of().blob("2026/described.json").delete()
        return [blob.name for blob in self.client.list_blobs("orders")]

    def gone(self):
        for blob in self.client.list_blobs("orders"):
            blob.delete()
        self.of().delete()
        return [bucket.name for bucket in self.client.list_buckets()]


class Services:
    """A few of the others: queues, schedules, keys, secrets, caches."""

    DAY = ("queue", "task", "paused", "schedule", "moved", "ring", "key", "secret", "labels", "cache", "grown", "away")
    DENIED = ("queue", "task", "paused", "schedule", "ring", "secret", "cache", "away")

    def __init__(self):
        self.tasks = api("cloudtasks", "v2", "").projects().locations().queues()
        self.jobs = api("cloudscheduler", "v1", "").projects().locations().jobs()
        self.rings = api("cloudkms", "v1", "").projects().locations().keyRings()
        self.secrets = api("secretmanager", "v1", "").projects().secrets()
        self.redis = api("redis", "v1", "").projects().locations()

    def queue(self):
        body = {"name": f"{LOCATION}/queues/mail", "rateLimits": {"maxConcurrentDispatches": 3}}
        return self.tasks.create(parent=LOCATION, body=body).execute()["state"]

    def task(self):
        body = {"task": {"httpRequest": {"url": "https://shop.example/send", "httpMethod": "POST"}}}
        self.tasks.tasks().create(parent=f"{LOCATION}/queues/mail", body=body).execute()
        return len(names(self.tasks.tasks(), "tasks", parent=f"{LOCATION}/queues/mail")[0])

    def paused(self):
        return self.tasks.pause(name=f"{LOCATION}/queues/mail", body={}).execute()["state"]

    def schedule(self):
        body = {
            "name": f"{LOCATION}/jobs/nightly", "schedule": "0 3 * * *",
            "httpTarget": {"uri": "https://shop.example/tidy", "httpMethod": "POST"},
        }
        return self.jobs.create(parent=LOCATION, body=body).execute()["schedule"]

    def moved(self):
        moved = {"name": f"{LOCATION}/jobs/nightly", "schedule": "0 4 * * *"}
        self.jobs.patch(name=f"{LOCATION}/jobs/nightly", body=moved, updateMask="schedule").execute()
        return self.jobs.get(name=f"{LOCATION}/jobs/nightly").execute()["schedule"]

    def ring(self):
        self.rings.create(parent=LOCATION, keyRingId="shop", body={}).execute()
        return names(self.rings, "keyRings", parent=LOCATION)

    def key(self):
        made = self.rings.cryptoKeys().create(
            parent=f"{LOCATION}/keyRings/shop", cryptoKeyId="orders", body={"purpose": "ENCRYPT_DECRYPT"}
        )
        return made.execute()["purpose"]

    def secret(self):
        body = {"replication": {"automatic": {}}}
        self.secrets.create(parent=f"projects/{PROJECT}", secretId="mail", body=body).execute()
        self.secrets.addVersion(
            parent=f"projects/{PROJECT}/secrets/mail", body={"payload": {"data": "YSBwYXNzd29yZA=="}}
        ).execute()
        return names(self.secrets, "secrets", parent=f"projects/{PROJECT}")

    def labels(self):
        labels = {"labels": {"of": "web"}}
        name = f"projects/{PROJECT}/secrets/mail"
        return self.secrets.patch(name=name, updateMask="labels", body=labels).execute()["labels"]

    def done(self, operation):
        return self.redis.operations().get(name=operation["name"]).execute()["done"]

    def cache(self):
        body = {"tier": "BASIC", "memorySizeGb": 1}
        return self.done(self.redis.instances().create(parent=LOCATION, instanceId="carts", body=body).execute())

    def grown(self):
        name = f"{LOCATION}/instances/carts"
        patch = self.redis.instances().patch(name=name, updateMask="memory_size_gb", body={"memorySizeGb": 5})
        return self.done(patch.execute()), self.redis.instances().get(name=name).execute()["memorySizeGb"]

    def away(self):
        self.redis.instances().delete(name=f"{LOCATION}/instances/carts").execute()
        self.secrets.delete(name=f"projects/{PROJECT}/secrets/mail").execute()
        self.tasks.delete(name=f"{LOCATION}/queues/mail").execute()
        return names(self.redis.instances(), "instances", parent=LOCATION)


def step(worker, name):
    try:
        return f"{name}: {getattr(worker, name)()}"
    except HttpError as error:
        return f"{name}: HttpError {error.resp.status} {said(error.reason)}"
    except Forbidden as error:
        return f"{name}: Forbidden {error.code} {said(error.message)}"
    except GoogleAPICallError as error:
        return f"{name}: {type(error).__name__} {error.code}"


def said(text):
    """Without the address that was asked, which the library says too."""
    return re.sub(r"https?://\S+", "URL", str(text))


worker = {"compute": Compute, "storage": Storage, "services": Services}[what]()
for name in {"day": worker.DAY, "made": worker.DAY[:-3], "denied": worker.DENIED}[day]:
    print(step(worker, name), flush=True)
