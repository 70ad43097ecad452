// One change that waits: how often the JavaScript SDK tries, what it raises, and what it prints.
//
//   node held.mjs ENDPOINT      ORDAIN_TEST_NODE_MODULES: where the packages are, from the environment
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ORDAIN_TEST_NODE_MODULES}/from-here.js`);
const { EC2Client, TerminateInstancesCommand } = require("@aws-sdk/client-ec2");

const client = new EC2Client({ endpoint: process.argv[2], region: "us-east-1", maxAttempts: 4 });
try {
  const done = await client.send(new TerminateInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] }));
  console.log(JSON.stringify({ status: done.$metadata.httpStatusCode, attempts: done.$metadata.attempts }));
} catch (error) {
  console.log(
    JSON.stringify({
      status: error.$metadata?.httpStatusCode,
      attempts: error.$metadata?.attempts,
      code: error.name,
      message: error.message,
      hold: error.$response?.headers?.["ordain-hold-id"],
    }),
  );
}
