"""Makes calls of Cloud Storage over gRPC by Google's own clients for it, and what Google's client for its JSON API sends for the
same. Neither says how the one is the other, and the files do not: what belongs together is written here. Nothing is sent.

usage: sweep_storage.py OUT [--sample]

Writes `storage.jsonl` into OUT: pairs of lines, the call and then the request, which have to be read as the same. With
`--sample`, compressed. Needs the client libraries that `sweep/SOURCE.toml` names, beside `zstd` for a sample. Left out is
what a caller sends as a stream.
"""

import base64
import json
import pathlib
import re
import subprocess
import sys

from google.cloud import _storage_v2, storage_control_v2
from google.cloud._storage_v2.services.storage.transports.grpc import StorageGrpcTransport
from google.cloud.storage_control_v2.services.storage_control.transports.grpc import StorageControlGrpcTransport
from googleapiclient import discovery, http
from sweep_rpc import Channel, Kept

BUCKET = "projects/_/buckets/carts"
OBJECT = "2026/a b%2F?.txt"
KEY = "projects/keys/locations/eu/keyRings/r/cryptoKeys/k"
POLICY = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}
MINE = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["user:li@example.com"]}]}
FOLDER = {"bucket": "carts", "folder": "books/lives/"}
MANAGED = {"bucket": "carts", "managedFolder": "books/lives/"}
CACHE = {"bucket": "carts", "anywhereCacheId": "eu-a"}
RAPID = {"bucket": "carts", "rapidCacheId": "eu-a"}

# A method of Storage, what it is called with, the method of the JSON API, and what that is called with.
STORAGE = [
    ("create_bucket", {"parent": "projects/_", "bucket_id": "carts", "bucket": {"project": "projects/shop", "location": "EU"}},
     "buckets.insert", {"project": "shop", "body": {"name": "carts", "location": "EU"}}),
    ("create_bucket", {"bucket_id": "carts", "predefined_acl": "publicRead", "bucket": {"project": "projects/shop"}},
     "buckets.insert", {"project": "shop", "predefinedAcl": "publicRead", "body": {"name": "carts"}}),
    ("create_bucket",
     {"bucket_id": "carts", "bucket": {
         "project": "projects/shop", "iam_config": {"public_access_prevention": "inherited"},
         "acl": [{"entity": "allUsers", "role": "READER"}], "labels": {"team": "a"}}},
     "buckets.insert",
     {"project": "shop", "body": {
         "name": "carts", "iamConfiguration": {"publicAccessPrevention": "inherited"},
         "acl": [{"entity": "allUsers", "role": "READER"}], "labels": {"team": "a"}}}),
    ("list_buckets", {"parent": "projects/shop"}, "buckets.list", {"project": "shop"}),
    ("get_bucket", {"name": BUCKET}, "buckets.get", {"bucket": "carts"}),
    ("delete_bucket", {"name": BUCKET, "if_metageneration_match": 3}, "buckets.delete", {"bucket": "carts", "ifMetagenerationMatch": "3"}),
    ("lock_bucket_retention_policy", {"bucket": BUCKET, "if_metageneration_match": 3},
     "buckets.lockRetentionPolicy", {"bucket": "carts", "ifMetagenerationMatch": "3"}),
    ("update_bucket", {"bucket": {"name": BUCKET, "labels": {"team": "a"}}, "update_mask": {"paths": ["labels"]}},
     "buckets.patch", {"bucket": "carts", "body": {"labels": {"team": "a"}}}),
    ("update_bucket",
     {"bucket": {"name": BUCKET, "iam_config": {"uniform_bucket_level_access": {"enabled": False}}}, "update_mask": {"paths": ["iam_config.uniform_bucket_level_access"]}},
     "buckets.patch", {"bucket": "carts", "body": {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}}}),
    ("update_bucket", {"bucket": {"name": BUCKET}, "update_mask": {"paths": ["iam_config.public_access_prevention"]}},
     "buckets.patch", {"bucket": "carts", "body": {"iamConfiguration": {"publicAccessPrevention": None}}}),
    ("update_bucket", {"bucket": {"name": BUCKET}, "predefined_default_object_acl": "publicRead", "update_mask": {"paths": ["default_object_acl"]}},
     "buckets.patch", {"bucket": "carts", "predefinedDefaultObjectAcl": "publicRead", "body": {}}),
    ("get_iam_policy", {"resource": BUCKET}, "buckets.getIamPolicy", {"bucket": "carts"}),
    ("set_iam_policy", {"resource": BUCKET, "policy": POLICY}, "buckets.setIamPolicy", {"bucket": "carts", "body": POLICY}),
    ("test_iam_permissions", {"resource": BUCKET, "permissions": ["storage.objects.get"]},
     "buckets.testIamPermissions", {"bucket": "carts", "permissions": ["storage.objects.get"]}),
    ("test_iam_permissions", {"resource": f"{BUCKET}/objects/{OBJECT}", "permissions": ["storage.objects.get"]},
     "objects.testIamPermissions", {"bucket": "carts", "object": OBJECT, "permissions": ["storage.objects.get"]}),
    ("test_iam_permissions", {"resource": f"{BUCKET}/managedFolders/books/lives/", "permissions": ["storage.objects.get"]},
     "managedFolders.testIamPermissions", {**MANAGED, "permissions": ["storage.objects.get"]}),
    ("list_objects", {"parent": BUCKET, "prefix": "2026/"}, "objects.list", {"bucket": "carts", "prefix": "2026/"}),
    ("get_object", {"bucket": BUCKET, "object": OBJECT}, "objects.get", {"bucket": "carts", "object": OBJECT}),
    ("read_object", {"bucket": BUCKET, "object": OBJECT, "read_offset": 10}, "objects.get_media", {"bucket": "carts", "object": OBJECT}),
    ("delete_object", {"bucket": BUCKET, "object": OBJECT, "generation": 7},
     "objects.delete", {"bucket": "carts", "object": OBJECT, "generation": "7"}),
    ("restore_object", {"bucket": BUCKET, "object": OBJECT, "generation": 7},
     "objects.restore", {"bucket": "carts", "object": OBJECT, "generation": "7"}),
    ("update_object", {"object": {"bucket": BUCKET, "name": OBJECT, "metadata": {"a": "b"}}, "update_mask": {"paths": ["metadata"]}},
     "objects.patch", {"bucket": "carts", "object": OBJECT, "body": {"metadata": {"a": "b"}}}),
    ("update_object",
     {"object": {"bucket": BUCKET, "name": OBJECT, "acl": [{"entity": "allUsers", "role": "READER"}]}, "update_mask": {"paths": ["acl"]}},
     "objects.patch", {"bucket": "carts", "object": OBJECT, "body": {"acl": [{"entity": "allUsers", "role": "READER"}]}}),
    ("compose_object", {"destination": {"bucket": BUCKET, "name": OBJECT}, "source_objects": [{"name": "a/1"}, {"name": "a/2"}]},
     "objects.compose", {"destinationBucket": "carts", "destinationObject": OBJECT, "body": {"sourceObjects": [{"name": "a/1"}, {"name": "a/2"}]}}),
    ("compose_object",
     {"destination": {"bucket": BUCKET, "name": OBJECT}, "source_objects": [{"name": "a/1"}], "kms_key": KEY, "delete_source_objects": True},
     "objects.compose",
     {"destinationBucket": "carts", "destinationObject": OBJECT, "kmsKeyName": KEY,
      "body": {"sourceObjects": [{"name": "a/1"}], "deleteSourceObjects": True}}),
    ("rewrite_object",
     {"source_bucket": "projects/_/buckets/mine", "source_object": "a/1", "destination_bucket": BUCKET, "destination_name": OBJECT,
      "destination_predefined_acl": "publicRead"},
     "objects.rewrite",
     {"sourceBucket": "mine", "sourceObject": "a/1", "destinationBucket": "carts", "destinationObject": OBJECT,
      "destinationPredefinedAcl": "publicRead", "body": {}}),
    ("move_object", {"bucket": BUCKET, "source_object": "a/1", "destination_object": OBJECT},
     "objects.move", {"bucket": "carts", "sourceObject": "a/1", "destinationObject": OBJECT}),
    ("start_resumable_write", {"write_object_spec": {"resource": {"bucket": BUCKET, "name": OBJECT}}},
     "objects.insert", {"bucket": "carts", "name": OBJECT, "body": {}}),
]
CONTROL = [
    ("create_folder", {"parent": BUCKET, "folder_id": "books/lives/", "recursive": True},
     "folders.insert", {"bucket": "carts", "recursive": True, "body": {"name": "books/lives/"}}),
    ("get_folder", {"name": f"{BUCKET}/folders/books/lives/"}, "folders.get", FOLDER),
    ("list_folders", {"parent": BUCKET, "prefix": "books/"}, "folders.list", {"bucket": "carts", "prefix": "books/"}),
    ("delete_folder", {"name": f"{BUCKET}/folders/books/lives/"}, "folders.delete", FOLDER),
    ("rename_folder", {"name": f"{BUCKET}/folders/books/lives/", "destination_folder_id": "books/deaths/"},
     "folders.rename", {"bucket": "carts", "sourceFolder": "books/lives/", "destinationFolder": "books/deaths/"}),
    ("delete_folder_recursive", {"name": f"{BUCKET}/folders/books/lives/"}, "folders.deleteRecursive", FOLDER),
    ("get_storage_layout", {"name": f"{BUCKET}/storageLayout"}, "buckets.getStorageLayout", {"bucket": "carts"}),
    ("create_managed_folder", {"parent": BUCKET, "managed_folder_id": "books/lives/"},
     "managedFolders.insert", {"bucket": "carts", "body": {"name": "books/lives/"}}),
    ("get_managed_folder", {"name": f"{BUCKET}/managedFolders/books/lives/"}, "managedFolders.get", MANAGED),
    ("list_managed_folders", {"parent": BUCKET}, "managedFolders.list", {"bucket": "carts"}),
    ("delete_managed_folder", {"name": f"{BUCKET}/managedFolders/books/lives/", "allow_non_empty": True},
     "managedFolders.delete", {**MANAGED, "allowNonEmpty": True}),
    ("create_anywhere_cache", {"parent": BUCKET, "anywhere_cache": {"zone": "eu-a"}},
     "anywhereCaches.insert", {"bucket": "carts", "body": {"zone": "eu-a"}}),
    ("update_anywhere_cache",
     {"anywhere_cache": {"name": f"{BUCKET}/anywhereCaches/eu-a", "admission_policy": "admit-on-first-miss"}, "update_mask": {"paths": ["admission_policy"]}},
     "anywhereCaches.update", {**CACHE, "body": {"admissionPolicy": "admit-on-first-miss"}}),
    ("disable_anywhere_cache", {"name": f"{BUCKET}/anywhereCaches/eu-a"}, "anywhereCaches.disable", CACHE),
    ("pause_anywhere_cache", {"name": f"{BUCKET}/anywhereCaches/eu-a"}, "anywhereCaches.pause", CACHE),
    ("resume_anywhere_cache", {"name": f"{BUCKET}/anywhereCaches/eu-a"}, "anywhereCaches.resume", CACHE),
    ("get_anywhere_cache", {"name": f"{BUCKET}/anywhereCaches/eu-a"}, "anywhereCaches.get", CACHE),
    ("list_anywhere_caches", {"parent": BUCKET}, "anywhereCaches.list", {"bucket": "carts"}),
    ("get_iam_policy", {"resource": f"{BUCKET}/managedFolders/books/lives/"}, "managedFolders.getIamPolicy", MANAGED),
    ("set_iam_policy", {"resource": f"{BUCKET}/managedFolders/books/lives/", "policy": MINE},
     "managedFolders.setIamPolicy", {**MANAGED, "body": MINE}),
    ("set_iam_policy", {"resource": BUCKET, "policy": MINE}, "buckets.setIamPolicy", {"bucket": "carts", "body": MINE}),
]
# These are where the library has them.
NEWER = [
    ("create_rapid_cache", {"parent": BUCKET, "rapid_cache": {}}, "rapidCaches.insert", {"bucket": "carts", "body": {}}),
    ("update_rapid_cache", {"rapid_cache": {"name": f"{BUCKET}/rapidCaches/eu-a"}, "update_mask": {"paths": ["ttl"]}},
     "rapidCaches.update", {**RAPID, "body": {}}),
    ("get_rapid_cache", {"name": f"{BUCKET}/rapidCaches/eu-a"}, "rapidCaches.get", RAPID),
    ("list_rapid_caches", {"parent": BUCKET}, "rapidCaches.list", {"bucket": "carts"}),
    ("view_object_full_context", {"name": f"{BUCKET}/objects/{OBJECT}", "context_key": "a"},
     "objects.viewFullContext", {"bucket": "carts", "object": OBJECT, "contextKey": "a"}),
]


def main():
    out = pathlib.Path(sys.argv[1])
    api = discovery.build("storage", "v1", requestBuilder=http.HttpRequest, developerKey=None, http=object(), static_discovery=True)
    lines = []

    def write(method, url, headers, body):
        lines.append(json.dumps({
            "id": str(len(lines) + 1), "method": method, "url": url, "headers": headers,
            "body_b64": base64.b64encode(body).decode(),
        }))

    def pair(client, channel, call, message, method, arguments):
        try:
            getattr(client, call)(request=message, retry=None)
        except Kept:
            pass
        path, body, metadata = channel.kept
        framed = b"\0" + len(body).to_bytes(4, "big") + body
        headers = [["content-type", "application/grpc"], ["te", "trailers"]]
        write("POST", f"https://storage.googleapis.com{path}", headers + [one for one in metadata if isinstance(one[1], str)], framed)
        resource, name = method.rsplit(".", 1)
        at = api
        for word in resource.split("."):
            at = getattr(at, word)()
        request = getattr(at, name)(**arguments)
        body = request.body or ""
        url = re.sub(r"[?&]alt=json$", "", request.uri).replace("alt=json&", "")
        write(request.method, url, [["content-type", "application/json"]] if body else [], body.encode())

    channel = Channel()
    of_storage = _storage_v2.StorageClient(transport=StorageGrpcTransport(channel=channel))
    for one in STORAGE:
        pair(of_storage, channel, *one)
    of_control = storage_control_v2.StorageControlClient(transport=StorageControlGrpcTransport(channel=channel))
    for one in CONTROL + [one for one in NEWER if hasattr(of_control, one[0])]:
        pair(of_control, channel, *one)
    path = out / "storage.jsonl"
    path.write_text("\n".join(lines) + "\n")
    print(f"{len(lines) // 2} calls")
    if "--sample" in sys.argv[2:]:
        subprocess.run(["zstd", "-19", "-q", "-f", "--rm", str(path)], check=True)


main()
