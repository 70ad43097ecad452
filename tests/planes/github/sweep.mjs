// Every method of octokit, as it would send it, as JSON lines.
//
// Drives the client's own code down to `fetch`, which is taken in the server's place. What each request must be read as
// is told by the method's own name, not by its path. Nothing is sent, and the same client gives the same bytes.
// Leaves out what the client does beside requests, and members of bodies that no path asks for.
//
//     node sweep.mjs FOLDER      where `npm i octokit` was run; writes requests.jsonl there

import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const require = createRequire(`${folder}/package.json`);
const { Octokit } = await import(pathToFileURL(require.resolve("octokit")).href);

const TEXTS = {
  owner: "Acme", repo: "Web", template_owner: "acme", template_repo: "template", org: "Acme", enterprise: "acme",
  username: "bob", branch: "feature/x", basehead: "main...feature/x", path: "src/a b.rs", dir: "src", tag: "v1/x",
  environment_name: "prod/eu", name: "a/b", secret_name: "TOKEN", workflow_id: "deploy.yml", team_slug: "ops",
  package_name: "@acme/web", security_product: "dependabot_alerts", enablement: "enable_all", actor_type: "User",
};

// What bodies must say for a path alone does not.
const BODIES = {
  "git/create-ref": { ref: "refs/heads/feature/x", sha: "aa218f56" },
  "repos/merge": { base: "main", head: "feature/x" },
  "repos/merge-upstream": { branch: "main" },
  "repos/rename-branch": { new_name: "other" },
  "markdown/render": { text: "x" },
  "markdown/render-raw": { data: "x" },
  "repos/upload-release-asset": { data: "x", name: "a.tgz" },
};

// Two names of one request.
const SAME = { "repos/compare-commits": "repos/compare-commits-with-basehead" };

const READING = /^(get|list|check|download|search|compare|render|root|codeowners|fetch|export|diff)(-|$)/;
// Names that read otherwise, each looked at.
const READS = new Set(`
  search/code search/commits search/issues-and-pull-requests search/labels search/repos search/topics search/users
  codespaces/codespace-machines-for-authenticated-user codespaces/repo-machines-for-authenticated-user
  codespaces/pre-flight-with-repo-for-authenticated-user copilot/copilot-metrics-for-organization
  copilot/copilot-metrics-for-team teams/external-idp-group-info-for-org dependabot/repository-access-for-org
  repos/generate-release-notes
  orgs/custom-properties-for-orgs-get-organization-values orgs/custom-properties-for-repos-get-organization-definition
  orgs/custom-properties-for-repos-get-organization-definitions
  orgs/custom-properties-for-repos-get-organization-values repos/custom-properties-for-repos-get-repository-values
`.split(/\s+/));
// Names that read as if they only did, and hand out what lets somebody in.
const CHANGES = /^(secret-scanning\/(get-alert|list-alerts)|apps\/check-token|codespaces\/export-)/;

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

class Taken extends Error {}

function client(baseUrl) {
  const taken = [];
  const renamed = [];
  const fetch = async (url, options) => {
    taken.push({ url, options });
    throw new Taken("taken");
  };
  const octokit = new Octokit({
    baseUrl, auth: "secret", request: { fetch, retries: 0 }, retry: { enabled: false }, throttle: { enabled: false },
    log: { debug() {}, info() {}, error() {}, warn: (text) => renamed.push(text) },
  });
  return { octokit, taken, renamed };
}

function value(name) {
  if (name in TEXTS) return TEXTS[name];
  if (name === "ref") return "heads/feature/x";
  if (/(_number|_id|_ids)$/.test(name)) return 7;
  return "x1";
}

const lines = [];
for (const baseUrl of ["https://api.github.com", "https://github.acme.example/api/v3"]) {
  const { octokit, taken, renamed } = client(baseUrl);
  for (const scope of Object.keys(octokit.rest).sort()) {
    for (const method of Object.keys(octokit.rest[scope]).sort()) {
      const call = octokit.rest[scope][method];
      if (!call.endpoint) continue;
      const { url } = call.endpoint.DEFAULTS;
      let operation = `${kebab(scope)}/${kebab(method)}`;
      const parameters = { ...BODIES[operation] };
      for (const [, names] of url.matchAll(/\{[?+]?([^}]+)\}/g)) {
        for (const name of names.split(",")) parameters[name] ??= value(name);
      }
      taken.length = renamed.length = 0;
      try {
        await call(parameters);
      } catch (error) {
        if (taken.length === 0) throw error;
      }
      // An older name says itself what it is called now.
      const now = /renamed to octokit\.(\w+)\.(\w+)\(\)/.exec(renamed.join("\n"));
      if (now) operation = `${kebab(now[1])}/${kebab(now[2])}`;
      operation = SAME[operation] ?? operation;
      const { url: sent, options } = taken[0];
      const body = options.body === undefined ? "" : Buffer.from(options.body).toString("base64");
      const verb = operation.split("/")[1];
      const reads = (READING.test(verb) || READS.has(operation)) && !CHANGES.test(operation);
      const headers = Object.entries(options.headers).filter(([name]) => name !== "user-agent" && name !== "authorization");
      lines.push(JSON.stringify({
        id: `${scope}.${method}/${baseUrl.includes("v3") ? "server" : "cloud"}`,
        method: options.method, url: sent, headers, body_b64: body,
        expect_operation: operation, expect_hint: reads ? "read" : "change",
      }));
    }
  }
}
writeFileSync(`${folder}/requests.jsonl`, lines.join("\n") + "\n");
console.error(`${lines.length} requests`);
