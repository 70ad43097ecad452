// Kinesis as its own SDK asks for it, which is over HTTP/2: a list, a change, and a subscription that is read as it comes.
//
//   node kinesis.mjs ENDPOINT      NODE_MODULES: where the packages are, from the environment
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ORDAIN_TEST_NODE_MODULES}/from-here.js`);
const { KinesisClient, CreateStreamCommand, ListStreamsCommand, SubscribeToShardCommand } =
  require("@aws-sdk/client-kinesis");

const client = new KinesisClient({ endpoint: process.argv[2], region: "us-east-1", maxAttempts: 2 });
const failed = (error) => `${error.name} ${error.$metadata?.httpStatusCode} after ${error.$metadata?.attempts}`;

try {
  console.log(`streams ${(await client.send(new ListStreamsCommand({}))).StreamNames}`);
} catch (error) {
  console.log(failed(error));
}
try {
  await client.send(new CreateStreamCommand({ StreamName: "clicks", ShardCount: 1 }));
  console.log("created");
} catch (error) {
  console.log(failed(error));
}
try {
  const consumer = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks/consumer/c:1";
  const answer = await client.send(new SubscribeToShardCommand({
    ConsumerARN: consumer, ShardId: "shardId-000000000000", StartingPosition: { Type: "LATEST" },
  }));
  for await (const event of answer.EventStream) {
    for (const record of event.SubscribeToShardEvent?.Records ?? []) {
      console.log(`record ${record.SequenceNumber}: ${Buffer.from(record.Data).toString()}`);
      await client.send(new ListStreamsCommand({}));
    }
  }
} catch (error) {
  console.log(failed(error));
}
client.destroy();
