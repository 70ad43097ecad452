"""What the libraries of Azure and Google find where they look for the identity of the machine that they run on.

    identity.py azure | google     # prints the token, as the environment leads to one
"""

import sys


def azure():
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential().get_token("https://management.azure.com/.default").token


def google():
    import google.auth
    from google.auth.transport.requests import Request

    credentials, project = google.auth.default()
    credentials.refresh(Request())
    return f"{project} {credentials.token}"


print({"azure": azure, "google": google}[sys.argv[1]]())
