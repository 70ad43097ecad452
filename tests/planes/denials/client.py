"""One change by a plane's own client, set up as its documents say and as it is by default, and the error it raises.

    client.py CLIENT BASE TOKEN

The line says the error's class, the status that it has, and what it says; or that the change was done. Leaves out which
certificate authority is trusted and which proxy is asked: the libraries have variables for both.
"""

import asyncio
import logging
import sys
import warnings

client, base, token = sys.argv[1:]

# What libraries say of the tests' Python, and of errors that they raise as well.
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def github():
    """It tries a 403 again by default, ten times, where it takes that for a limit."""
    from github import Auth, Github

    Github(base_url=base, auth=Auth.Token(token)).get_repo("acme/web", lazy=True).delete()


def okta(**more):
    """By default an error is returned, and not raised.

    It shows its token as `SSWS` with nothing between the two.
    """
    from okta.client import Client

    client = Client({"orgUrl": base, "token": token, **more})
    *_, error = asyncio.run(client.delete_group("00g1"))
    return error


def okta_raising():
    okta(raiseException=True)


def keycloak():
    from keycloak import KeycloakAdmin

    issued = {"access_token": token, "expires_in": 3600, "refresh_token": token, "refresh_expires_in": 3600}
    KeycloakAdmin(server_url=base, realm_name="acme", token=issued).delete_user("7")


def vsphere():
    import requests
    from com.vmware.vcenter.vm_client import Power
    from vmware.vapi.lib.connect import get_requests_connector
    from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
    from vmware.vapi.security.session import create_session_security_context
    from vmware.vapi.stdlib.client.factories import StubConfigurationFactory

    session = LegacySecurityContextFilter(security_context=create_session_security_context(token))
    connector = get_requests_connector(requests.Session(), "rest", f"{base}/rest", provider_filter_chain=[session])
    Power(StubConfigurationFactory.new_std_configuration(connector)).stop("vm-42")


def scim():
    from httpx2 import Client
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_models import User

    http = Client(base_url=base, headers={"Authorization": f"Bearer {token}"})
    scim = SyncSCIMClient(http, resource_models=[User])
    scim.register_naive_resource_types()
    scim.delete(User, "7")


def vault():
    import hvac

    hvac.Client(url=base, token=token).secrets.kv.v2.delete_metadata_and_all_versions("shop")


def openstack():
    from openstack import connect

    cloud = connect(auth_type="admin_token", auth={"endpoint": f"{base}/identity/v3", "token": token})
    cloud.identity.delete_project("7", ignore_missing=False)


def azure():
    from azure.core.credentials import AccessToken
    from azure.mgmt.resource.resources import ResourceManagementClient

    class Issued:
        def get_token(self, *_scopes, **_options):
            return AccessToken(token, 2**40)

    options = {"base_url": base, "credential_scopes": ["https://management.azure.com/.default"]}
    subscription = "5a0b2f1c-9d3e-4c77-8f21-6e0d4b3a2c1f"
    ResourceManagementClient(Issued(), subscription, **options).resource_groups.begin_delete("web").result()


def google():
    """By the proxy that its variable names; of what is refused it tries again what it takes for a limit."""
    from google.oauth2.credentials import Credentials
    from googleapiclient.discovery import build

    compute = build("compute", "v1", credentials=Credentials(token), cache_discovery=False)
    compute.instances().delete(project="shop", zone="us-central1-a", instance="web").execute(num_retries=3)


def redfish(way=None):
    """By default it signs in, and has a session."""
    import sushy

    signs = {"auth": way("admin", token)} if way else {"username": "admin", "password": token}
    sushy.Sushy(base, **signs).get_system("/redfish/v1/Systems/1").reset_system(sushy.ResetType.FORCE_OFF)


def redfish_basic():
    from sushy.auth import BasicAuth

    redfish(BasicAuth)


try:
    error = globals()[client]()
except Exception as raised:  # noqa: BLE001 - which one is what is asked
    error = raised
if error is None:
    print("done")
else:
    names = ("status", "status_code", "response_code")
    status = next((value for name in names if isinstance(value := getattr(error, name, None), int)), "-")
    print(f"{type(error).__module__}.{type(error).__qualname__} {status} {' '.join(str(error).split())}")
