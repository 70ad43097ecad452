#!/usr/bin/env python3
"""Makes proxy/catalog/github/operations.txt from the pinned packages: every operation of GitHub's REST API, as
`METHOD path operation class[,class] [data] [mints] [?parameter,…]`.

    github.py PACKAGES [--check]

`@octokit/openapi` gives methods, paths, names, the types of what stands in paths, and the parameters of queries. What
class an operation is of is reviewed here, by its name and its path: the first line of `REVIEWED` that fits says it.
Where none fits, a GET whose name only reads is a read, and everything else the change that its method says. In a path,
`{#id}` is a number, `{+name}` may hold a slash that is escaped, `{*path}` may go over several segments. What is gone
from the newest version and was in an older one is read too: servers and clients of then are about. Leaves out the
management API of a server, which has an address and a credential of its own.
"""

import hashlib
import json
import pathlib
import re
import sys
import tarfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/github"
METHODS = ("get", "put", "post", "patch", "delete")

# What may stand in a path over several segments, and what may hold a slash that is escaped.
SEVERAL = {"path", "ref", "basehead", "dir"}
SLASHES = {"branch", "environment_name", "tag", "package_name", "name"}

# First words of names that only read.
READING = {"get", "list", "check", "download", "compare", "search"}
# Other names that only read, each looked at.
READS = """
copilot/copilot-content-exclusion-for-enterprise copilot/copilot-content-exclusion-for-organization
copilot/copilot-enterprise-one-day-usage-metrics copilot/copilot-enterprise-usage-metrics
copilot/copilot-enterprise-repos-one-day-report copilot/copilot-enterprise-user-teams-one-day-report
copilot/copilot-users-one-day-usage-metrics copilot/copilot-users-usage-metrics
copilot/copilot-organization-one-day-usage-metrics copilot/copilot-organization-usage-metrics
copilot/copilot-organization-repos-one-day-report copilot/copilot-organization-user-teams-one-day-report
copilot/copilot-organization-users-one-day-usage-metrics copilot/copilot-organization-users-usage-metrics
copilot/copilot-metrics-for-organization copilot/copilot-metrics-for-team copilot/copilot-metrics-for-enterprise
copilot/copilot-metrics-for-enterprise-team copilot/usage-metrics-for-enterprise copilot/usage-metrics-for-org
copilot/usage-metrics-for-team copilot/usage-metrics-for-enterprise-team
codespaces/codespace-machines-for-authenticated-user codespaces/pre-flight-with-repo-for-authenticated-user
codespaces/repo-machines-for-authenticated-user
dependabot/repository-access-for-enterprise dependabot/repository-access-for-org
dependency-graph/diff-range dependency-graph/export-sbom dependency-graph/fetch-sbom-report
enterprise-admin/live-migration-get enterprise-admin/live-migration-list
enterprise-admin/custom-properties-for-orgs-get-enterprise-definition
enterprise-admin/custom-properties-for-orgs-get-enterprise-definitions
enterprise-admin/custom-properties-for-orgs-get-enterprise-values
enterprise-admin/custom-properties-for-repos-get-enterprise-definition
enterprise-admin/custom-properties-for-repos-get-enterprise-definitions
enterprise-apps/installable-organizations enterprise-apps/installable-organization-accessible-repositories
enterprise-apps/organization-installations enterprise-apps/organization-installation-repositories
meta/root orgs/custom-properties-for-orgs-get-organization-values
orgs/custom-properties-for-repos-get-organization-definition
orgs/custom-properties-for-repos-get-organization-definitions
orgs/custom-properties-for-repos-get-organization-values repos/codeowners-errors
repos/custom-properties-for-repos-get-repository-values
search/code search/commits search/issues-and-pull-requests search/labels search/repos search/topics search/users
teams/external-idp-group-info-for-org
""".split()

# The class of what a name or a path says, by a pattern over `METHOD operation path`; the first that fits.
REVIEWED = [
    # What a team says to itself is no team.
    (r"^POST teams/create-discussion", "create"),
    (r"^PATCH teams/update-discussion", "update"),
    (r"^DELETE teams/delete-discussion", "delete"),
    # Reads by another method: what is sent is looked up or put into another form, and nothing is kept.
    (r"^POST (markdown/render|markdown/render-raw|repos/generate-release-notes)\b", "read"),
    (r"^POST (orgs|users)/list-attestations-bulk\b", "read"),
    # Hands out credentials of this API, or what lets a machine in.
    (r" apps/(create-from-manifest|create-installation-access-token|scope-token|reset-token)\b", "grant mints"),
    (r" apps/check-token\b", "secret_read mints"),
    (r"^(POST|PUT) oauth-authorizations/", "grant mints"),
    (r"^PATCH oauth-authorizations/", "grant mints"),
    (r" enterprise-admin/create-impersonation-o-auth-token\b", "grant mints"),
    (r"/create-registration-token-for-|/generate-runner-jitconfig-for-", "grant mints"),
    (r"/create-remove-token-for-", "secret_read mints"),
    # The alerts carry the secrets that were found.
    (r"^GET secret-scanning/(get-alert|list-alerts)", "secret_read"),
    # A GET that starts something.
    (r"^GET dependency-graph/generate-sbom-report\b", "create"),
    # Runs something: workflows, agents, machines, hooks.
    (r" actions/(create-workflow-dispatch|re-run-|approve-workflow-run)", "execute"),
    (r" repos/(create-dispatch-event|request-pages-build)\b", "execute"),
    (r" repos/create-pages-deployment\b", "execute,expose"),
    (r" repos/create-deployment(-status)? ", "create,execute"),
    (r" actions/review-(custom-gates|pending-deployments)-for-run", "grant,execute"),
    (r" checks/(create-suite|rerequest-)", "execute"),
    (r" agent-tasks/create-task", "create,execute"),
    (r" codespaces/(create-for|create-with)", "create,execute"),
    (r" codespaces/start-", "execute"),
    (r" codespaces/publish-", "create"),
    (r" code-scanning/create-variant-analysis\b", "create,execute"),
    (r"-webhook-delivery\b|/ping-(global-)?webhook|/test-push-webhook", "execute"),
    (r"^POST enterprise-admin/(create-pre-receive-hook|create-pre-receive-environment)\b", "create,execute"),
    (r"^PATCH enterprise-admin/update-pre-receive-", "update,execute"),
    (r" enterprise-admin/start-pre-receive-environment-download\b", "execute"),
    (r" migrations/start-for-", "create,secret_read"),
    (r" copilot/set-copilot-custom-agents-source", "update,execute"),
    # Sends what happens to somebody outside, or shows it to the public.
    (r"^POST [a-z-]+/create-(global-)?webhook\b", "create,expose"),
    (r"^POST enterprise-admin/create-audit-log-stream\b", "create,expose"),
    (r"^PUT enterprise-admin/update-audit-log-stream\b", "update,expose"),
    (r"^POST repos/create-pages-site\b", "create,expose"),
    (r"^PUT repos/update-information-about-pages-site\b", "update,expose"),
    (r"^POST hosted-compute/create-network-configuration", "create,expose"),
    (r"^PATCH hosted-compute/update-network-configuration", "update,expose"),
    (r"^PUT orgs/set-public-membership", "update,expose"),
    (r"^PATCH users/set-primary-email-visibility", "update,expose"),
    (r"^POST security-advisories/create-fork\b", "create"),
    # Goes to somebody else.
    (r"^POST repos/transfer\b", "update,grant"),
    # Takes away what may be done, and what is there with it.
    (r"^DELETE (orgs/remove-member|orgs/remove-membership)", "grant,delete"),
    (r"^DELETE apps/(delete-installation|delete-authorization|delete-token)|^DELETE enterprise-apps/", "delete,grant"),
    (r"^DELETE apps/revoke-installation-access-token\b", "delete"),
    (r" credentials/revoke\b|/revoke-(all-)?credential", "delete"),
    (r"^DELETE (teams/delete-|enterprise-teams/delete|orgs/delete-custom-|orgs/remove-saml)", "delete,grant"),
    (r"^POST (teams/create|enterprise-teams/create)\b", "create,grant"),
    (r"^PATCH (teams/update-|enterprise-teams/update)", "update,grant"),
    (r"^POST orgs/create-custom-", "create,grant"),
    (r"^(PATCH|PUT) orgs/(update|patch)-custom-", "update,grant"),
    # Who may do what. What is made or taken away as a thing of its own is that too.
    (r"^POST (repos/create-(repo|org|enterprise)-ruleset|repos/create-deploy-key|repos/create-tag-protection)\b",
     "create,grant"),
    (r"^POST repos/create-deployment-(branch-policy|protection-rule)\b", "create,grant"),
    (r"^POST (orgs/create-invitation|scim/|enterprise-admin/provision)", "create,grant"),
    (r"^DELETE (scim/|enterprise-admin/delete-(scim-group|user)-from-enterprise)", "delete,grant"),
    (r"^PUT migrations/start-import\b", "create"),
    (r"/branches/\{\+?branch\}/protection|rulesets?\b.*|/tags/protection|-tag-protection", "grant"),
    (r"/collaborators/|/outside_collaborators/|/invitations|repository_invitations", "grant"),
    (r"/memberships/|/members/\{username\}$", "grant"),
    (r" (enterprise-)?team(s|-memberships|-organizations)/", "grant"),
    (r"-role\b|-roles-|organization-roles|enterprise-roles|security-managers|site_admin|/suspended|/blocks/", "grant"),
    (r" repos/(create|delete)-deploy-key\b", "grant"),
    (r"^POST users/(create-gpg-key|create-public-ssh-key|create-ssh-signing-key|add-email)", "create,grant"),
    (r"^DELETE users/(delete-gpg-key|delete-public-ssh-key|delete-ssh-signing-key|delete-email)", "delete,grant"),
    (r" enterprise-admin/(delete-public-key|update-ldap-mapping|sync-ldap-mapping)", "grant"),
    (r"personal-access-token|/pat_", "grant"),
    (r" apps/(add-repo-to|remove-repo-from|suspend|unsuspend)", "grant"),
    (r"^(POST|PATCH) enterprise-apps/", "grant"),
    (r"/actions/permissions|/oidc/customization|/access-restrictions/", "grant"),
    (r"^POST .*-runner-group-for-", "create,grant"),
    (r"^DELETE .*delete-self-hosted-runner-group", "delete,grant"),
    (r"/runner-groups/", "grant"),
    (r"/secrets/\{secret_name\}/repositories|/variables/\{\+?name\}/repositories", "grant"),
    (r"^PUT [a-z-]+/create-or-update-org-secret\b|^PATCH [a-z-]+/update-org-variable\b", "update,grant"),
    (r"^POST [a-z-]+/create-org-variable\b|^POST private-registries/", "create,grant"),
    (r"^PATCH private-registries/", "update,grant"),
    (r" repos/create-or-update-environment\b|deployment-branch-polic|deployment-protection-rule", "grant"),
    (r"custom-properties-for-|/properties/", "grant"),
    (r"/codespaces/access|/coding-agent/permissions|/policies/coding_agent|/copilot/billing/selected_", "grant"),
    (r"repository-access", "grant"),
    (r"review-bypass-request|dismiss-bypass-response|review-dismissal-request|create-push-protection-bypass", "grant"),
    (r" interactions/", "grant"),
    (r"^(POST|PUT|PATCH|DELETE) (scim/|enterprise-admin/.* /scim/)", "grant"),
    (r"scim|provision", "grant"),
    (r" orgs/(block|unblock)-user\b", "grant"),
    (r"^POST enterprise-admin/create-(user|org)\b", "create,grant"),
    (r"immutable-releases|-immutable-release", "grant"),
    (r"pre-receive-hook-enforcement", "grant"),
    (r"vss-manual-match", "grant"),
    # Labels.
    (r" repos/replace-all-topics\b", "tag"),
    # What names no creation and yet is one.
    (r"^POST (gists/fork|repos/merge|repos/merge-upstream)\b", "update"),
    (r"^POST projects/add-", "create"),
    (r"^POST (orgs|repos|users|git|gists|issues|pulls|checks|codespaces|billing|campaigns|packages)/create", "create"),
]

# Data that runs through: what people write to each other.
DATA = re.compile(
    r" (issues|reactions|activity|projects|projects-classic|copilot-spaces)/| teams/[a-z-]*discussion"
    r"| gists/.*(comment|star)| repos/[a-z-]*-commit-comment"
    r"| pulls/[a-z-]*comment| users/(un)?follow\b| classroom/"
)


def packages(folder):
    """The pinned packages, whose hashes are those that are written down, in the order that they are written in."""
    for one in tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"]:
        file = pathlib.Path(folder) / one["file"]
        if hashlib.sha256(file.read_bytes()).hexdigest() != one["sha256"]:
            raise SystemExit(f"{file} is not the pinned file; fetch it again")
        yield tarfile.open(file)


def operations(archives):
    """Every operation of every description: by method and path, the newest description first."""
    found, known = {}, set()
    for archive in archives:
        for key, operation in described(archive).items():
            bare = (key[0], re.sub(r"\{[^}]*\}", "{}", key[1]))
            if bare not in known:
                known.add(bare)
                found[key] = operation
    return found


def described(archive):
    """The operations of one package."""
    found = {}
    names = [name for name in archive.getnames() if re.search(r"generated/[^/]*\.json$", name) and "deref" not in name]
    servers = sorted((name for name in names if "ghes" in name), reverse=True)
    clouds = sorted(name for name in names if "ghes" not in name)
    for name in clouds + servers:
        description = json.load(archive.extractfile(name))
        for path, item in description["paths"].items():
            for method in METHODS:
                if method not in item or path.startswith(("/manage/", "/setup/")):
                    continue
                parameters = [
                    resolve(description, one) for one in item.get("parameters", []) + item[method].get("parameters", [])
                ]
                found.setdefault((method.upper(), path), (item[method]["operationId"], parameters))
    return found


def resolve(description, one):
    """A parameter, wherever it is described."""
    while "$ref" in one:
        at = description
        for part in one["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        one = at
    return one


def template(path, parameters):
    """A path whose variables say what may stand there; several where one of them is one of a few words."""
    schemas = {one["name"]: one.get("schema", {}) for one in parameters if one["in"] == "path"}

    def variable(match):
        name = match.group(1)
        schema = schemas.get(name, {})
        if schema.get("type") == "integer":
            return "{#%s}" % name
        if name in SEVERAL:
            return "{*%s}" % name
        return "{+%s}" % name if name in SLASHES else "{%s}" % name

    paths = [path]
    for name in ("security_product", "enablement"):
        values = schemas.get(name, {}).get("enum", [])
        if "{%s}" % name in path:
            paths = [one.replace("{%s}" % name, value) for one in paths for value in values]
    return [re.sub(r"\{([^}]+)\}", variable, one) for one in paths]


def classed(method, name, path):
    """The classes of an operation, and its marks."""
    line = f"{method} {name} {path}"
    # What is reviewed for all methods is not meant for what shows it.
    lines = [one for one in REVIEWED if method != "GET" or one[0].startswith("^GET")]
    fits = next((said for pattern, said in lines if re.search(pattern, line)), None)
    if fits is None and method == "GET":
        reads = name in READS or name.split("/")[1].split("-")[0] in READING
        if not reads:
            raise SystemExit(f"{line}: nobody has looked at what it does; say so in READS or REVIEWED")
        fits = "read"
    if fits is None:
        makes = method == "POST" and name.split("/")[1].startswith(("create", "upload"))
        fits = {"DELETE": "delete", "POST": "create" if makes else "update"}.get(method, "update")
    access, _, marks = fits.partition(" ")
    data = method != "GET" and DATA.search(line) and access in ("create", "update", "delete", "tag")
    return access, " ".join(mark for mark in ("data" if data else "", marks) if mark)


def main():
    """Writes the table, or says that it differs."""
    lines = []
    for (method, path), (name, parameters) in operations(packages(sys.argv[1])).items():
        if "{base}...{head}" in path:
            continue
        access, marks = classed(method, name, path)
        query = "" if method == "GET" else ",".join(one["name"] for one in parameters if one["in"] == "query")
        for one in template(path, parameters):
            lines.append(" ".join(part for part in (method, one, name, access, marks, query and "?" + query) if part))
    lines.sort(key=lambda line: (line.split()[1], METHODS.index(line.split()[0].lower())))
    text = "\n".join(lines) + "\n"
    file = CATALOGUE / "operations.txt"
    if "--check" in sys.argv:
        if file.read_text() != text:
            raise SystemExit("the catalogue of GitHub differs from what its source gives; regenerate it")
    else:
        file.write_text(text)


if __name__ == "__main__":
    main()
