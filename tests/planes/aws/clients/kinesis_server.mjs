// A stub of Kinesis that takes it over HTTP/2 alone, over TLS, and checks signatures with the SDK's own signer. Beside
// it stands as much of STS as says whose account it is, and a selection of S3 that takes its time.
//
//   node kinesis_server.mjs KEY CERTIFICATE ID SECRET
//
// Prints its port, then a line for each request: the operation and whether its signature is right.
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ORDAIN_TEST_NODE_MODULES}/from-here.js`);
const { EventStreamCodec } = require("@smithy/core/event-streams");
const { fromUtf8, toUtf8 } = require("@smithy/core/serde");
const { HttpRequest } = require("@smithy/core/protocols");
const { Hash } = require("@smithy/core/serde");
const { SignatureV4 } = require("@smithy/signature-v4");

const [key, certificate, accessKeyId, secretAccessKey] = process.argv.slice(2);
let seen = () => {};
let unsubscribed = () => {};
const subscribed = new Promise((done) => { unsubscribed = done; });
const codec = new EventStreamCodec(toUtf8, fromUtf8);
const text = (value) => ({ type: "string", value });

function event(type, body, media = "application/x-amz-json-1.1") {
  const headers = {
    ":message-type": text("event"),
    ":event-type": text(type),
    ":content-type": text(media),
  };
  const written = typeof body === "string" ? body : JSON.stringify(body);
  return codec.encode({ headers, body: fromUtf8(written) });
}

function record(number) {
  const data = Buffer.from(`record ${number}`).toString("base64");
  const record = { SequenceNumber: `${number}`, Data: data, PartitionKey: "k" };
  return event("SubscribeToShardEvent", {
    Records: [record], ContinuationSequenceNumber: `${number}`, MillisBehindLatest: 0,
  });
}

async function signed(headers, path, body) {
  const given = headers.authorization ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1].split(";") ?? [];
  const [, id, , region, service] = /Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\//.exec(given) ?? [];
  if (id !== accessKeyId) return "another key";
  const known = { ...headers, host: headers[":authority"] };
  const kept = Object.fromEntries(names.map((name) => [name, known[name]]));
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, sessionToken: headers["x-amz-security-token"] },
    region, service, sha256: Hash.bind(null, "sha256"), applyChecksum: "x-amz-content-sha256" in kept,
  });
  const when = headers["x-amz-date"].replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z");
  const request = new HttpRequest({ method: "POST", path, headers: kept, body });
  const again = await signer.sign(request, { signingDate: new Date(when) });
  const theirs = /Signature=([0-9a-f]+)/.exec(given)?.[1];
  return again.headers.authorization.includes(`Signature=${theirs}`) ? "signed" : "signed wrongly";
}

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:iam::123456789012:user/gate</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account>
  </GetCallerIdentityResult></GetCallerIdentityResponse>`;

const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate), allowHTTP1: true });
server.on("request", async (request, response) => {
  if (request.httpVersion === "2.0") return;
  const parts = [];
  for await (const part of request) parts.push(part);
  const known = Buffer.concat(parts).toString().includes("Action=GetCallerIdentity");
  response.writeHead(known ? 200 : 505, { "content-type": "text/xml" }).end(known ? identity : "");
});
// A request may be broken off.
server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  answer(stream, headers).catch(() => {});
});

async function answer(stream, headers) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  const body = Buffer.concat(parts);
  if (body.includes("Action=GetCallerIdentity")) {
    stream.respond({ ":status": 200, "content-type": "text/xml" });
    stream.end(identity);
    return;
  }
  if (headers[":path"].includes("select")) {
    stream.respond({ ":status": 200, "content-type": "application/vnd.amazon.eventstream" });
    stream.write(event("Records", "1,2\n", "application/octet-stream"));
    // It ends a while after the subscription did.
    subscribed.then(() => setTimeout(() => stream.end(event("End", "", "text/plain")), 3000));
    return;
  }
  const operation = `${headers["x-amz-target"]}`.split(".")[1];
  console.log(`${operation} ${await signed(headers, headers[":path"], body)}`);
  if (operation === "SubscribeToShard") {
    stream.respond({ ":status": 200, "content-type": "application/vnd.amazon.eventstream" });
    stream.on("close", unsubscribed);
    stream.write(event("initial-response", {}));
    // The next one is sent once somebody who saw the one before it has asked for something: nothing may wait for the end.
    for (let number = 1; number <= 3; number += 1) {
      const asked = new Promise((done) => { seen = done; });
      stream.write(record(number));
      await asked;
    }
    stream.end();
  } else {
    stream.respond({ ":status": 200, "content-type": "application/x-amz-json-1.1" });
    if (operation === "ListStreams") seen();
    stream.end(operation === "ListStreams" ? '{"StreamNames":["clicks"],"HasMoreStreams":false}' : "{}");
  }
}

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
