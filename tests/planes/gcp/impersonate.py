"""A token of a service account, by google-auth's own way of being another account, and what is read with it.

    impersonate.py HOW TOKEN      HOW is the gate's name and port, before which the services' hosts stand

Says what was read, what the token begins with, and how long it lasts.
"""

import datetime
import socket
import sys

from google.auth import impersonated_credentials
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials

how, given = sys.argv[1:]
ACCOUNT = "web@acme.iam.gserviceaccount.com"

# What resolves names where the gate is has the gate's for whatever stands before it.
looked_up = socket.getaddrinfo
socket.getaddrinfo = lambda _host, *rest, **more: looked_up("127.0.0.1", *rest, **more)

acting = impersonated_credentials.Credentials(
    source_credentials=Credentials(token=given),
    target_principal=ACCOUNT,
    target_scopes=["https://www.googleapis.com/auth/cloud-platform"],
    iam_endpoint_override=f"http://iamcredentials.googleapis.com.{how}/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken",
)
session = AuthorizedSession(acting)
answer = session.get(f"http://compute.googleapis.com.{how}/compute/v1/projects/acme/zones/z/instances")
print(answer.status_code, answer.json())
left = acting.expiry - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
print(acting.token.split(".")[0], round(left.total_seconds() / 60))
