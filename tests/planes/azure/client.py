"""What the vendor's SDK does in front of Resource Manager, with the credential of the machine it runs on.

    client.py SUBSCRIPTION BASE day | denied     # BASE is `-` for the provider's own host
"""

import sys

from azure.core.exceptions import HttpResponseError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient

subscription, base, what = sys.argv[1:4]
options = {} if base == "-" else {"base_url": base, "credential_scopes": ["https://management.azure.com/.default"]}
credential = ManagedIdentityCredential()
resources = ResourceManagementClient(credential, subscription, polling_interval=0, **options)
storage = StorageManagementClient(credential, subscription, polling_interval=0, **options)


def account(group, name):
    sku = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "location": "westeurope"}
    return storage.storage_accounts.begin_create(group, name, sku).result()


def day():
    for name in ("one", "two", "three", "four", "five"):
        print("made", resources.resource_groups.create_or_update(name, {"location": "westeurope"}).name)
    print("there", resources.resource_groups.check_existence("one"), resources.resource_groups.check_existence("six"))
    print("pages", [group.name for group in resources.resource_groups.list()])
    print("account", account("one", "shop").provisioning_state.value)
    resources.resource_groups.begin_delete("two").result()
    print("pages", [group.name for group in resources.resource_groups.list()])


def denied():
    changes = {
        "create": lambda: resources.resource_groups.create_or_update("six", {"location": "westeurope"}),
        "delete": lambda: resources.resource_groups.begin_delete("six").result(),
        "account": lambda: account("six", "other"),
    }
    for name, change in changes.items():
        try:
            change()
            print(name, "passed")
        except HttpResponseError as error:
            print(name, error.status_code, error.error.code, error.error.message)
    print("pages", [group.name for group in resources.resource_groups.list()])


{"day": day, "denied": denied}[what]()
