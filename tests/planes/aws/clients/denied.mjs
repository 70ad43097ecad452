// One denied change in every protocol: which error the JavaScript SDK raises, and how often it tried.
//
//   node denied.mjs ENDPOINT      NODE_MODULES: where the packages are, from the environment
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ORDAIN_TEST_NODE_MODULES}/from-here.js`);
const { CloudWatchClient, DeleteAlarmsCommand } = require("@aws-sdk/client-cloudwatch");
const { DynamoDBClient, DeleteTableCommand } = require("@aws-sdk/client-dynamodb");
const { EC2Client, TerminateInstancesCommand } = require("@aws-sdk/client-ec2");
const { IAMClient, DeleteRoleCommand } = require("@aws-sdk/client-iam");
const { KMSClient, ScheduleKeyDeletionCommand } = require("@aws-sdk/client-kms");
const { LambdaClient, DeleteFunctionCommand } = require("@aws-sdk/client-lambda");
const { Route53Client, DeleteHostedZoneCommand } = require("@aws-sdk/client-route-53");
const { S3Client, DeleteBucketCommand } = require("@aws-sdk/client-s3");
const { SQSClient, PurgeQueueCommand } = require("@aws-sdk/client-sqs");

const { SmithyRpcV2CborProtocol } = require("@smithy/core/cbor");

const options = { endpoint: process.argv[2], region: "us-east-1", maxAttempts: 4, forcePathStyle: true };
const key = "11111111-2222-3333-4444-555555555555";
const calls = [
  ["ec2", EC2Client, new TerminateInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] })],
  ["iam", IAMClient, new DeleteRoleCommand({ RoleName: "r" })],
  ["dynamodb", DynamoDBClient, new DeleteTableCommand({ TableName: "some-table" })],
  ["kms", KMSClient, new ScheduleKeyDeletionCommand({ KeyId: key })],
  ["sqs", SQSClient, new PurgeQueueCommand({ QueueUrl: "https://sqs.us-east-1.amazonaws.com/123456789012/q" })],
  ["lambda", LambdaClient, new DeleteFunctionCommand({ FunctionName: "f" })],
  ["s3", S3Client, new DeleteBucketCommand({ Bucket: "some-bucket" })],
  ["route53", Route53Client, new DeleteHostedZoneCommand({ Id: "Z0123456789ABC" })],
  ["cloudwatch", CloudWatchClient, new DeleteAlarmsCommand({ AlarmNames: ["a"] })],
  ["cloudwatch", CloudWatchClient, new DeleteAlarmsCommand({ AlarmNames: ["b"] }), { protocol: SmithyRpcV2CborProtocol }],
];

for (const [service, Client, command, more] of calls) {
  const line = { call: service };
  let sent = "";
  const client = new Client({ ...options, ...more });
  client.middlewareStack.add(
    (next) => async (args) => {
      sent = `${args.request.headers["content-type"] ?? ""} ${args.request.headers["smithy-protocol"] ?? ""}`.trim();
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  try {
    await client.send(command);
  } catch (error) {
    Object.assign(line, {
      code: error.name,
      message: error.message,
      status: error.$metadata?.httpStatusCode,
      attempts: error.$metadata?.attempts,
      decision: error.$response?.headers?.["ordain-decision-id"],
      form: sent,
    });
  }
  console.log(JSON.stringify(line));
}
