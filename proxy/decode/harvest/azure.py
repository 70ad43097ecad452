"""The names of Azure Resource Manager as its management libraries spell them, and the POST actions that read.

    azure.py REQUESTS.JSONL NAMES.TXT

REQUESTS.JSONL is what `tests/planes/azure/sweep.py --all` writes. An action reads when its method in the library is
named so and its own name says so too, and it hands nothing out; DROPPED and ADDED are what a person made of the rest.
Leaves out everything that the grammar says.
"""

import collections
import json
import re
import sys

METHOD = re.compile(r"^(list|get|check|validate|query|search|calculate|what_if|find|is_|has_|count|summarize|evaluate)")
ACTION = re.compile(
    r"^(list|get|check|validate|query|search|calculate|whatif|is|has|count|summarize|nexthop|topology|usages|effective)"
)
HANDING_OUT = re.compile(
    r"key|secret|cred|password|passphrase|token|sas|connectionstring|connectioninfo|publish|kubeconfig|login|access"
    r"|callback|fullurl|delivery|debug|trace|value|rdp|callbackconfig|backup|appsettings|expression|download|export|vhd"
    r"|package|profile|rate|throttled|data|webhook|sso(?!ci)|git|feature|uri(?!ty)|url|script|authoriz|diagnostic|shareable"
    r"|functiontrigger",
    re.I,
)
# What the names say is a read and is none: it writes somewhere, confirms something, or its answer has secrets.
DROPPED = {
    "microsoft.apimanagement/service/tenant/validate",
    "microsoft.eventgrid/namespaces/validatecustomdomainownership",
    "microsoft.network/p2svpngateways/getp2svpnconnectionhealthdetailed",
    "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/recoverypoints/listinstantitemrecoveryoperationresult",
    "microsoft.resources/deploymentstackswhatifresults/whatif",
    "microsoft.web/sites/config/list",
    "microsoft.web/sites/slots/config/list",
    "microsoft.web/staticsites/customdomains/validate",
}
ADDED = (
    "Microsoft.Network/azureFirewalls/learnedIPPrefixes",
    "Microsoft.Network/expressRouteCircuits/peerings/arpTables",
    "Microsoft.Network/expressRouteCircuits/peerings/routeTables",
    "Microsoft.Network/expressRouteCircuits/peerings/routeTablesSummary",
    "Microsoft.Network/expressRouteCrossConnections/peerings/arpTables",
    "Microsoft.Network/expressRouteCrossConnections/peerings/routeTables",
    "Microsoft.Network/expressRouteCrossConnections/peerings/routeTablesSummary",
    "Microsoft.Network/interconnectGroups/nodeAvailability",
    "Microsoft.Network/networkWatchers/azureReachabilityReport",
    "Microsoft.Network/networkWatchers/networkConfigurationDiagnostic",
    "Microsoft.Network/virtualNetworks/ddosProtectionStatus",
    "Microsoft.Network/virtualHubs/bgpConnections/advertisedRoutes",
    "Microsoft.Network/virtualHubs/bgpConnections/learnedRoutes",
    "Microsoft.Network/virtualHubs/inboundRoutes",
    "Microsoft.Network/virtualHubs/outboundRoutes",
    "Microsoft.Resources/deploymentStacks/exportTemplate",
    "Microsoft.Storage/contextCacheCheckNameAvailability",
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups",
    "Microsoft.Network/networkWatchers/availableProvidersList",
    "Microsoft.Network/networkWatchers/ipFlowVerify",
    "Microsoft.Network/networkWatchers/securityGroupView",
    "Microsoft.Network/networkWatchers/topology",
    "Microsoft.Network/virtualNetworkGateways/supportedVpnDevices",
    "Microsoft.ResourceGraph/resources",
    "Microsoft.ResourceGraph/resourcesHistory",
    "Microsoft.Resources/deployments/exportTemplate",
    "Microsoft.Resources/deployments/validate",
    "Microsoft.Resources/deployments/whatIf",
    "Microsoft.Resources/subscriptions/resourceGroups/exportTemplate",
    "Microsoft.Resources/subscriptions/resourceGroups/validateMoveResources",
)
# What stands before any provider, which no template of a provider has.
ROOT = (
    "subscriptions resourceGroups resources tagNames tagValues locations tenants providers operations operationResults"
    " metadata deployments exportTemplate moveResources validateMoveResources"
).split()


def best(spellings):
    """Of several spellings the one that shows its words best."""

    def rank(one):
        capitals = sum(letter.isupper() for letter in one[0])
        return one[0][0].isupper(), -capitals, -one[1], one[0]

    return min(spellings.items(), key=rank)[0]


def best_name(spellings):
    """The spelling of a namespace that most requests have."""
    return min(spellings.items(), key=lambda one: (-one[1], one[0]))[0]


def main():
    source, target = sys.argv[1:]
    names = collections.defaultdict(collections.Counter)
    words = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    reads = collections.defaultdict(set)
    for word in ROOT:
        words["microsoft.resources"][word.lower()][word] = 1_000_000
    names["microsoft.resources"]["Microsoft.Resources"] = 1
    for line in open(source, encoding="utf-8"):
        request = json.loads(line)
        parts = request["url"].split("?")[0].rstrip("/").split("/")[3:]
        at = max((at for at, part in enumerate(parts) if part.lower() == "providers"), default=None)
        if at is not None and at >= 2 and parts[at - 2].lower() == "providers":
            # Features are those of another provider, which stands for a label.
            at -= 2
        if at is None or at + 1 == len(parts) or not request["labels"]:
            continue
        namespace, own, labels = parts[at + 1], parts[at + 2 :], request["labels"]
        if len(labels) != len(own) or not re.fullmatch(r"[A-Za-z]+(\.[A-Za-z]+)+", namespace):
            continue
        key = namespace.lower()
        names[key][namespace] += 1
        post = request["method"] == "POST"
        said = [word for place, word in enumerate(own) if place % 2 == 0 and not labels[place]]
        if post and len(own) % 2 == 0 and not labels[-1]:
            said.append(own[-1])
        for word in said:
            if re.fullmatch(r"[A-Za-z$][A-Za-z0-9$._-]*", word):
                words[key][word.lower()][word] += 1
        if post and len(own) % 2 == 1:
            method = re.sub("^begin_", "", request["id"].split("/")[1].split(".")[-1])
            path = "/".join(word for place, word in enumerate(own) if place % 2 == 0)
            told = METHOD.match(method) and ACTION.match(own[-1].lower())
            hands_out = HANDING_OUT.search(own[-1]) or HANDING_OUT.search(method.replace("_", ""))
            if told and not hands_out and f"{key}/{path}".lower() not in DROPPED:
                reads[key].add(path.lower())
    for one in ADDED:
        namespace, path = one.split("/", 1)
        names[namespace.lower()].setdefault(namespace, 1)
        reads[namespace.lower()].add(path.lower())
        for word in path.split("/"):
            words[namespace.lower()][word.lower()].setdefault(word, 1)
    with open(target, "w", encoding="utf-8") as stream:
        for key in sorted(names):
            stream.write(f"namespace {best_name(names[key])}\n")
            stream.write("words " + " ".join(sorted(map(best, words[key].values()), key=str.lower)) + "\n")
            if reads[key]:
                stream.write("reads " + " ".join(sorted(reads[key])) + "\n")


if __name__ == "__main__":
    main()
