// One flow of the JavaScript SDK (version 3) against an endpoint: what every step came to, normalised.
//
//   node flow.mjs ENDPOINT PREFIX      NODE_MODULES: where the packages are, from the environment
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ORDAIN_TEST_NODE_MODULES}/from-here.js`);
const [endpoint, prefix] = process.argv.slice(2);
const { CloudWatchClient, PutMetricDataCommand, ListMetricsCommand } = require("@aws-sdk/client-cloudwatch");
const { DynamoDBClient, CreateTableCommand, PutItemCommand, GetItemCommand, DeleteTableCommand } = require("@aws-sdk/client-dynamodb");
const { EC2Client, CreateVpcCommand, DescribeVpcsCommand, DeleteVpcCommand } = require("@aws-sdk/client-ec2");
const { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand, DeleteObjectsCommand, HeadObjectCommand, DeleteBucketCommand } = require("@aws-sdk/client-s3");
const { SQSClient, CreateQueueCommand, SendMessageCommand, DeleteQueueCommand } = require("@aws-sdk/client-sqs");
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const options = { endpoint, region: "us-east-1", maxAttempts: 1, forcePathStyle: true };

function normalised(value) {
  return JSON.stringify(value)
    .replaceAll(prefix, "PREFIX")
    .replace(/127\.0\.0\.1:\d+/g, "HOST")
    .replace(/\b(vpc)-[0-9a-f]{8,17}\b/g, "$1-ID");
}

async function step(name, action, pick = () => null) {
  try {
    const answer = await action();
    console.log(normalised({ step: name, value: (await pick(answer)) ?? null }));
    return answer;
  } catch (error) {
    console.log(normalised({ step: name, error: error.name, message: error.message }));
    return undefined;
  }
}

const sts = new STSClient(options);
await step("sts.identity", () => sts.send(new GetCallerIdentityCommand({})), (a) => a.Account);

const ec2 = new EC2Client(options);
const vpc = await step("ec2.vpc", () => ec2.send(new CreateVpcCommand({ CidrBlock: "10.55.0.0/16" })), (a) => a.Vpc.CidrBlock);
const VpcId = vpc?.Vpc.VpcId;
await step("ec2.describe", () => ec2.send(new DescribeVpcsCommand({ VpcIds: [VpcId] })), (a) => a.Vpcs.length);
await step("ec2.delete", () => ec2.send(new DeleteVpcCommand({ VpcId })));
await step("ec2.gone", () => ec2.send(new DeleteVpcCommand({ VpcId })));

const s3 = new S3Client(options);
const Bucket = `${prefix}-js`;
await step("s3.create", () => s3.send(new CreateBucketCommand({ Bucket })));
await step("s3.put", () => s3.send(new PutObjectCommand({ Bucket, Key: "a b/ä+c", Body: "hello" })), (a) => a.ETag);
await step("s3.get", () => s3.send(new GetObjectCommand({ Bucket, Key: "a b/ä+c" })), (a) => a.Body.transformToString());
await step("s3.missing", () => s3.send(new HeadObjectCommand({ Bucket, Key: "none" })));
const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "a b/ä+c" }), { expiresIn: 300 });
await step("s3.presigned", () => fetch(url), async (a) => [a.status, await a.text()]);
await step("s3.delete", () => s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a b/ä+c" }] } })), (a) => a.Deleted?.length);
await step("s3.remove", () => s3.send(new DeleteBucketCommand({ Bucket })));

const db = new DynamoDBClient(options);
const TableName = `${prefix}-js`;
await step("db.create", () => db.send(new CreateTableCommand({
  TableName,
  BillingMode: "PAY_PER_REQUEST",
  KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
})), (a) => a.TableDescription.TableName);
await step("db.put", () => db.send(new PutItemCommand({ TableName, Item: { id: { S: "a" }, n: { N: "1.5" } } })));
await step("db.get", () => db.send(new GetItemCommand({ TableName, Key: { id: { S: "a" } } })), (a) => a.Item);
await step("db.delete", () => db.send(new DeleteTableCommand({ TableName })));

const sqs = new SQSClient(options);
const queue = await step("sqs.create", () => sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-js` })), (a) => a.QueueUrl);
await step("sqs.send", () => sqs.send(new SendMessageCommand({ QueueUrl: queue?.QueueUrl, MessageBody: "a&b ä" })), (a) => a.MD5OfMessageBody);
await step("sqs.delete", () => sqs.send(new DeleteQueueCommand({ QueueUrl: queue?.QueueUrl })));

const watch = new CloudWatchClient(options);
await step("cw.put", () => watch.send(new PutMetricDataCommand({ Namespace: prefix, MetricData: [{ MetricName: "m", Value: 1.5 }] })));
await step("cw.list", () => watch.send(new ListMetricsCommand({ Namespace: prefix })), (a) => a.Metrics.map((m) => m.MetricName));
