// Every method of Okta's SDK for Node.js, as it would send it, as JSON lines.
//
// Drives the client's own code that makes requests, and takes what it makes. What each request must be read as is told by
// the method's own name, which is Okta's name for the operation. Nothing is sent. Leaves out authorization, retries, and
// members of bodies.
//
//     node sweep.mjs FOLDER      where `npm i @okta/okta-sdk-nodejs` was run; writes requests.jsonl there

import { createRequire } from "node:module";
import { readdirSync, writeFileSync } from "node:fs";

const folder = process.argv[2];
const require = createRequire(`${folder}/package.json`);
const base = `${folder}/node_modules/@okta/okta-sdk-nodejs/src/generated`;
const { ServerConfiguration } = require(`${base}/servers.js`);

const configuration = { baseServer: new ServerConfiguration("https://acme.okta.example", {}), authMethods: {}, middleware: [] };
const READING = /^(get|list|preview|retrieve|download)(?=[A-Z])|^(createPolicySimulation|search)/;
// Names that read as if they only did, and show a secret.
const SHOWS = /OAuth2ClientSecret|IntegrationInstanceSecrets$|AccessTokenForExpressConfiguration$|^getOAuth2ClientSecret/;

// Names that Okta has given anew since.
const NOW = {
  updateGroupMembership: "updateAdGroupMembership", createGroup: "addGroup", getOrgContactTypes: "listOrgContactTypes",
  updateOrgHideOktaUIFooter: "setOrgHideOktaUiFooter", updateOrgShowOktaUIFooter: "setOrgShowOktaUiFooter",
  listRoleSubscriptions: "listSubscriptionsRole", listUserSubscriptions: "listSubscriptionsUser",
  listRoleSubscriptionsByNotificationType: "getSubscriptionsNotificationTypeRole",
  listUserSubscriptionsByNotificationType: "getSubscriptionsNotificationTypeUser",
  subscribeRoleSubscriptionByNotificationType: "subscribeByNotificationTypeRole",
  subscribeUserSubscriptionByNotificationType: "subscribeByNotificationTypeUser",
  unsubscribeRoleSubscriptionByNotificationType: "unsubscribeByNotificationTypeRole",
  unsubscribeUserSubscriptionByNotificationType: "unsubscribeByNotificationTypeUser",
  expirePasswordAndGetTemporaryPassword: "expirePasswordWithTempPassword", generateResetPasswordToken: "resetPassword",
  setLinkedObjectForUser: "assignLinkedObjectValueForPrimary",
};
const OWN = new Set(["revokeCurrentApiToken", "closeCurrentSession", "refreshCurrentSession", "endUserSessions"]);

const lines = [];
const left = [];
for (const file of readdirSync(`${base}/apis`).filter((name) => name.endsWith("Api.js")).sort()) {
  const factory = Object.entries(require(`${base}/apis/${file}`)).find(([name]) => name.endsWith("RequestFactory"))[1];
  const api = new factory(configuration);
  for (const name of Object.getOwnPropertyNames(factory.prototype).sort()) {
    // Those that are whoever the credential is are refused, on purpose.
    if (name === "constructor" || OWN.has(name)) continue;
    const text = api[name].toString();
    const names = text.slice(text.indexOf("(") + 1, text.indexOf(")")).split(",").map((one) => one.trim());
    const path = /path = '([^']+)'/.exec(text)?.[1] ?? "";
    const values = names.map((one) => {
      if (one === "_options") return undefined;
      if (path.includes(`{${one}}`)) return /user/i.test(one) || path.includes(`/users/{${one}}`) ? "00u1abcdefghijklmnop" : "x1";
      if (text.includes(`serialize(${one},`) && !text.includes(`setQueryParam('${one}'`)) return {};
      return undefined;
    });
    let context;
    try {
      context = await api[name](...values);
    } catch (error) {
      // A parameter that has to be there and is none of the path: given as a text.
      try {
        context = await api[name](...values.map((value, at) => (value === undefined && names[at] !== "_options" ? "true" : value)));
      } catch (again) {
        left.push(`${file} ${name}: ${again.message}`);
        continue;
      }
    }
    let body = await context.getBody();
    if (body !== undefined && typeof body !== "string") body = "";
    const headers = Object.entries(context.getHeaders?.() ?? {}).filter(([key, value]) => typeof value === "string" && !/^(accept|user-agent)$/i.test(key));
    const reads = READING.test(name) && !SHOWS.test(name);
    lines.push(JSON.stringify({
      id: `${file.replace("Api.js", "")}.${name}`, method: context.getHttpMethod(), url: context.getUrl(), headers,
      body_b64: body ? Buffer.from(body).toString("base64") : "", expect_name: NOW[name] ?? name, expect_hint: reads ? "read" : "change",
    }));
  }
}
writeFileSync(`${folder}/okta.jsonl`, lines.join("\n") + "\n");
console.error(`${lines.length} requests, ${left.length} left out`);
for (const line of left) console.error(" ", line);
