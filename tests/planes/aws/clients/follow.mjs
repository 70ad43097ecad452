// A subscription of Kinesis and a selection from an object of S3, read until somebody ends them: a line for each piece
// as it comes, and how each ended.
//
//   node follow.mjs ENDPOINT      NODE_MODULES: where the packages are, from the environment
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ORDAIN_TEST_NODE_MODULES}/from-here.js`);
const { KinesisClient, SubscribeToShardCommand } = require("@aws-sdk/client-kinesis");
const { S3Client, SelectObjectContentCommand } = require("@aws-sdk/client-s3");

const options = { endpoint: process.argv[2], region: "us-east-1", maxAttempts: 1, forcePathStyle: true };
const consumer = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks/consumer/c:1";

async function follow(name, stream) {
  try {
    for await (const event of await stream()) console.log(`${name} ${Object.keys(event)[0]}`);
    console.log(`${name} ended`);
  } catch {
    console.log(`${name} was cut`);
  }
}

const kinesis = new KinesisClient(options);
const s3 = new S3Client(options);
await Promise.all([
  follow("subscription", async () => (await kinesis.send(new SubscribeToShardCommand({
    ConsumerARN: consumer, ShardId: "shardId-000000000000", StartingPosition: { Type: "LATEST" },
  }))).EventStream),
  follow("selection", async () => (await s3.send(new SelectObjectContentCommand({
    Bucket: "lake", Key: "clicks.csv", Expression: "select * from s3object", ExpressionType: "SQL",
    InputSerialization: { CSV: {} }, OutputSerialization: { CSV: {} },
  }))).Payload),
]);
process.exit(0);
