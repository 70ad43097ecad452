"""Compares the host table with the vendor's own resolver, for every service, region and variant.

Leaves out endpoints that depend on a resource in the request. Needs the pinned botocore, which `run --check` installs.
Prints one line of figures, and fails on the first differences.
"""

import pathlib
import sys

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

VARIANTS = {"plain": (False, False), "fips": (True, False), "dualstack": (False, True), "fips-dualstack": (True, True)}


def read(path):
    """The table as a mapping from (service, region, variant) to host and signing region, and its partitions."""
    partitions, hosts, owners = {}, {}, set()
    for line in path.read_text().splitlines():
        word, *rest = line.split(" ")
        if word == "partition":
            name, suffix, dualstack, *regions = rest
            partitions[name] = (suffix, dualstack, regions)
        elif word == "host":
            owner, variant, template, signing, *places = rest
            owners.add(owner)
            signing = signing.split("/")[0]
            for place in places:
                name, _, listed = place.partition("/")
                suffix, dualstack, regions = partitions[name]
                ending = dualstack if variant.endswith("dualstack") else suffix
                for region in listed.split(",") if listed else regions:
                    host = template.replace("{region}", region).replace("{suffix}", ending)
                    key = (owner, region, variant)
                    assert key not in hosts, f"{key} stands twice"
                    hosts[key] = (host, region if signing == "-" else signing)
    return partitions, hosts, owners


def expected(provider, parameters):
    """What the vendor's resolver says: host and signing region, or nothing."""
    try:
        endpoint = provider.resolve_endpoint(**parameters)
    except EndpointProviderError:
        return None
    host = endpoint.url.split("://", 1)[1].split("/", 1)[0]
    schemes = endpoint.properties.get("authSchemes", [])
    scheme = next((scheme for scheme in schemes if scheme["name"] == "sigv4"), {})
    return host, scheme.get("signingRegion", parameters["Region"])


def static_parameters(owner):
    """The parameters after a slash in an owner, for operations with hosts of their own."""
    service, _, facet = owner.partition("/")
    words = [word.split("=") for word in facet.split("+")] if facet else []
    return service, {name: {"true": True, "false": False}.get(value, value) for name, value in words}


def main(table):
    """Compares, prints the figures, and says whether all are equal."""
    partitions, hosts, owners = read(pathlib.Path(table))
    loader = Loader()
    session = botocore.session.get_session()
    data = loader.load_data("partitions")
    services = set(session.get_available_services())
    compared, published, different = 0, 0, []
    for owner in sorted(owners | services):
        service, static = static_parameters(owner)
        provider = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), data)
        for _, _, regions in partitions.values():
            for region in regions:
                for variant, (fips, dualstack) in VARIANTS.items():
                    parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dualstack, **static}
                    want = expected(provider, parameters)
                    have = hosts.get((owner, region, variant))
                    compared += 1
                    published += want is not None
                    if want != have:
                        different.append(f"{owner} {region} {variant}: table {have}, resolver {want}")
    print(f"hosts: {compared} compared, {published} published, {len(different)} different")
    for line in different[:20]:
        print(line)
    return not different


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
