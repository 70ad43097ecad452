#!/usr/bin/env python3
"""Makes proxy/catalog/keycloak/operations.txt from the pinned package: every operation of Keycloak's admin API, as
`METHOD path operation class[,class] [mints]`.

    keycloak.py PACKAGES [--check]

`@keycloak/keycloak-admin-client` gives methods and paths. What class an operation is of is reviewed here, by its method
and its path: the first line of `REVIEWED` that fits says it, and nothing is a read that is no GET there. The operation
is called by the words of its path and by what Keycloak's own events call such a thing. Leaves out what only the console
asks for.
"""

import hashlib
import pathlib
import re
import sys
import tarfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/keycloak"
METHODS = ("GET", "POST", "PUT", "DELETE")
REALM = "/admin/realms/{realm}"

# Operations of the API that the package has under other words, or not at all; each stands in the API's documents.
BY_HAND = """
GET {R}/authentication/config-description/{providerId}
GET {R}/authentication/per-client-config-description
GET {R}/authentication/executions/{id}
GET {R}/authentication/executions/{id}/config/{configId}
POST {R}/authentication/executions
GET {R}/client-types
GET {R}/clients/{id}/client-secret/rotated
POST {R}/clients/{id}/client-secret/rotated
GET {R}/clients/{id}/roles/{roleName}/composites
POST {R}/clients/{id}/roles/{roleName}/composites
DELETE {R}/clients/{id}/roles/{roleName}/composites
GET {R}/clients/{id}/roles/{roleName}/composites/clients/{client}
GET {R}/clients/{id}/roles/{roleName}/composites/realm
GET {R}/clients/{id}/roles/{roleName}/groups
GET {R}/clients/{id}/roles/{roleName}/management/permissions
PUT {R}/clients/{id}/roles/{roleName}/management/permissions
GET {R}/clients/{id}/authz/resource-server/resource/search
GET {R}/clients/{id}/authz/resource-server/scope/search
GET {R}/clients/{id}/authz/resource-server/permission/providers
GET {R}/clients/{id}/authz/resource-server/permission/search
POST {R}/clients/{id}/authz/resource-server/permission
POST {R}/clients/{id}/authz/resource-server/policy
GET {R}/credential-registrators
GET {R}/groups/{groupId}/role-mappings/clients/{client}
GET {R}/roles/{name}/composites
POST {R}/roles/{name}/composites
DELETE {R}/roles/{name}/composites
GET {R}/roles/{name}/composites/clients/{clientId}
GET {R}/roles/{name}/composites/realm
GET {R}/roles/{name}/groups
GET {R}/roles/{name}/management/permissions
PUT {R}/roles/{name}/management/permissions
GET {R}/client-templates
GET {R}/client-scopes/{id}/protocol-mappers/models/{mapperId}
GET {R}/clients/{id}/evaluate-scopes/scope-mappings/{roleContainer}/granted
GET {R}/clients/{id}/evaluate-scopes/scope-mappings/{roleContainer}/not-granted
POST {R}/localization/{locale}
DELETE {R}/localization/{locale}
GET {R}/localization/{locale}/{key}
PUT {R}/users/{id}/disable-credential-types
PUT {R}/users/{id}/reset-password-email
PUT {R}/users-management-permissions
POST {R}/testSMTPConnection/{config}
GET {R}/organizations/count
GET {R}/organizations/{orgId}/members/count
GET {R}/organizations/{orgId}/members/{userId}/organizations
GET {R}/organizations/{orgId}/identity-providers/{alias}
GET {R}/default-groups
DELETE {R}/sessions/{session}
GET /realms/{realm}
GET /realms/{realm}/.well-known/openid-configuration
GET /realms/{realm}/protocol/openid-connect/certs
POST /realms/{realm}/protocol/openid-connect/token
"""

# The classes of what a method and a path say; the first that fits. `{R}` is a realm.
REVIEWED = [
    # Shows secrets: the representation of a client has its own, and what is made to be put into an application too.
    (r"^GET {R}/clients(/\{id\})?$|^GET .*/(client-secret|client-secret/rotated)$", "secret_read"),
    (r"^GET .*/installation/providers/|^GET .*/certificates/\{attr\}$", "secret_read"),
    (r"^GET .*/users/\{id\}/credentials$", "secret_read"),
    (r"^POST .*/partial-export$", "secret_read"),
    (r"^POST .*/certificates/\{attr\}/download$", "secret_read mints"),
    (r"^POST .*/certificates/\{attr\}/generate$", "grant,secret_read mints"),
    (r"^POST .*/certificates/\{attr\}/generate-and-download$", "update,grant,secret_read mints"),
    # Hands out what lets somebody in.
    (r"^POST .*/client-secret(/rotated)?$", "update,secret_read mints"),
    (r"^POST .*/registration-access-token$", "update,grant mints"),
    (r"^POST .*/clients-initial-access$", "create,grant mints"),
    (r"^POST .*/impersonation$", "grant mints"),
    (r"^POST .*/openid-connect/token$", "secret_read mints"),
    # A GET that does something.
    (r"^GET .*/reload-keys$", "update"),
    (r"^GET .*/test-nodes-available$", "execute"),
    (r"^GET ", "read"),
    # A question that is too long for a GET.
    (r"^POST .*/policy/evaluate$", "read"),
    # Calls somebody whom the request names, some with a password.
    (r"^POST .*/(testLDAPConnection|testSMTPConnection|testSMTPConnection/\{config\}|ldap-server-capabilities)$",
     "execute,expose"),
    (r"^POST .*/identity-provider/import-config$", "execute"),
    (r"^POST .*/identity-provider/upload-certificate$", "update"),
    (r"^POST .*/push-revocation$|^POST .*/nodes$|^POST .*/clear-[a-z]+-cache$", "update"),
    (r"^DELETE .*/nodes/", "update"),
    (r"^POST .*/user-storage/\{id\}/remove-imported-users$", "delete"),
    (r"^POST .*/user-storage/", "update"),
    (r"/workflows", {"POST": "create,execute", "PUT": "update,execute", "DELETE": "delete"}),
    # Ends sessions.
    (r"^POST .*/(logout|logout-all)$", "delete"),
    (r"^DELETE .*/(sessions/\{[a-zA-Z]+\}|consents/\{clientId\}|clients-initial-access/\{id\})$", "delete"),
    # Events and texts.
    (r"/(admin-events|events|events/config|localization.*)$", {"PUT": "update", "POST": "update", "DELETE": "delete"}),
    # A realm, all of whose settings say who may come in.
    (r"^POST /admin/realms$", "create,grant"),
    (r"^PUT {R}$", "update,grant"),
    (r"^DELETE {R}$", "delete"),
    (r"^POST .*/partialImport$", "create,update,grant"),
    # People. What a body adds is read there.
    (r"^POST {R}/users$", "create,grant"),
    (r"^PUT {R}/users/\{id\}$", "update"),
    (r"^DELETE {R}/users/\{id\}$", "delete"),
    (r"^PUT .*/(userLabel|send-verify-email)$|/moveToFirst$|/moveAfter/", "update"),
    # Roles that are given and taken, and groups that are joined and left.
    (r"/(role-mappings|scope-mappings)/|/users/\{id\}/groups/", "grant"),
    # What is there by itself, and says who may do what.
    (r"^POST .*/(clients|groups|roles|client-scopes|components|children|models|add-models|instances|mappers"
     r"|organizations|flows|copy|execution|flow|executions|resource|scope|\{type\}|policy|permission)$", "create,grant"),
    (r"^DELETE .*/(clients|groups|roles|roles-by-id|client-scopes|components|models|instances|mappers|organizations"
     r"|flows|executions|resource|scope|config|credentials|policy|\{type\})/\{[a-zA-Z]+\}$", "delete,grant"),
    (r"^PUT ({R}/clients/\{id\}|{R}/groups/\{id\}|{R}/organizations/\{id\}|.*/organizations/\{orgId\}/groups/\{id\}"
     r"|{R}/client-scopes/\{id\}|{R}/components/\{id\}|{R}/roles/\{name\}|{R}/roles-by-id/\{id\}"
     r"|.*/instances/\{alias\})$", "update,grant"),
    (r"", "grant"),
]

# The second signal of a read, beside the method: the last words of paths of which somebody has looked at what a GET of them
# does. (An example token is signed by nobody.)
LOOKED = set("""
admin-events associatedPolicies authenticator-providers available certs children client-authenticator-providers
client-scopes client-session-stats client-templates client-types clients clients-initial-access components composite
composites config config-description configured-user-storage-credential-types consents count credential-registrators
credentials default-client-scopes default-default-client-scopes default-groups default-optional-client-scopes
dependentPolicies events executions federated-identity flows form-action-providers form-providers
generate-example-access-token generate-example-id-token generate-example-saml-response generate-example-userinfo
granted group-by-path groups identity-providers instances invitations issued-credentials keys localization
mapper-types mappers members metadata models name not-granted offline-session-count offline-sessions
openid-configuration optional-client-scopes organizations per-client-config-description permission permissions
policies policy profile profiles protocol protocol-mappers providers realm realms required-actions resource
resource-server resources role-mappings roles roles-by-id scheduled scope scope-mappings scopes search serverinfo
service-account-user session-count sessions settings sub-component-types unmanagedAttributes
unregistered-required-actions user-sessions users users-management-permissions workflows
""".split())

VERBS = {"GET": "view", "PUT": "update", "DELETE": "delete"}


def package(folder):
    """The pinned package, whose hash is the one that is written down."""
    one = tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"][0]
    file = pathlib.Path(folder) / one["file"]
    if hashlib.sha256(file.read_bytes()).hexdigest() != one["sha256"]:
        raise SystemExit(f"{file} is not the pinned file; fetch it again")
    return tarfile.open(file)


def rows(archive):
    """Methods and paths, as the package's own resources have them."""
    found = set()
    for name in archive.getnames():
        if not re.search(r"/lib/resources/\w+\.js$", name):
            continue
        text = archive.extractfile(name).read().decode()
        base = re.search(r'super\(client,\s*\{\s*path:\s*"([^"]+)"', text)
        bases = [base.group(1)] if base else [REALM + "/groups", REALM + "/organizations/{orgId}/groups"]
        if name.endswith("/serverInfo.js"):
            bases = [""]
        for call in re.finditer(r"(?:makeRequest|makeUpdateRequest)\(\{(.*?)\}\)", text, re.S):
            method = re.search(r'method:\s*"(\w+)"', call.group(1))
            path = re.search(r'path:\s*"([^"]*)"', call.group(1))
            if not method or (not base and name.endswith(("/resource.js", "/agent.js"))):
                continue
            for base_path in bases:
                rest = path.group(1).strip("/") if path else ""
                found.add((method.group(1), (base_path + "/" + rest).rstrip("/").replace("//", "/")))
    return found


def main():
    """Writes the table, or says that it differs."""
    found = rows(package(sys.argv[1]))
    found |= {tuple(line.replace("{R}", REALM).split(" ")) for line in BY_HAND.split("\n") if line}
    lines, known = [], set()
    for method, path in sorted(found, key=lambda row: (row[1], METHODS.index(row[0]))):
        bare = (method, re.sub(r"\{[^}]*\}", "{}", path))
        if not path.startswith(("/admin/", "/realms/")) or "console" in path or ".." in path or "themeType" in path or bare in known:
            continue
        known.add(bare)
        said = next(
            said for pattern, said in REVIEWED
            if re.search(pattern.replace("{R}", re.escape(REALM)), f"{method} {path}")
        )
        said = said[method] if isinstance(said, dict) else said
        below = path.removeprefix(REALM).removeprefix("/realms/{realm}")
        words = [part for part in below.split("/") if part and not part.startswith("{")]
        words = [word for word in words if word != "admin"] or ["realms"]
        last = [part for part in path.split("/") if part and not part.startswith("{")][-1]
        if method == "GET" and said == "read" and last not in LOOKED:
            raise SystemExit(f"{method} {path}: nobody has looked at what it does; say so in LOOKED or REVIEWED")
        makes = "create" in said or said == "grant" and words[-1] not in ("raise-priority", "lower-priority")
        verb = VERBS.get(method) or ("create" if makes else "action")
        lines.append(f"{method} {path.replace('{path}', '{*path}')} {'/'.join(words)}/{verb} {said}")
    text = "\n".join(lines) + "\n"
    file = CATALOGUE / "operations.txt"
    if "--check" in sys.argv:
        if file.read_text() != text:
            raise SystemExit("the catalogue of Keycloak differs from what its source gives; regenerate it")
    else:
        file.write_text(text)


if __name__ == "__main__":
    main()
