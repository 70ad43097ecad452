// An application of AWS's Cloud Development Kit, for the template that it makes of it.
//
//     node cdk.cjs FOLDER     # where `npm i aws-cdk-lib constructs` was run; writes FOLDER/cdk.out/Shop.template.json
const { createRequire } = require("node:module");
const folder = process.argv[2];
const cdk = createRequire(`${folder}/package.json`)("aws-cdk-lib");

const app = new cdk.App({ outdir: `${folder}/cdk.out` });
const env = { account: "123456789012", region: "eu-west-1" };
const stack = new cdk.Stack(app, "Shop", { env, analyticsReporting: true });
const vpc = new cdk.aws_ec2.Vpc(stack, "Net", { maxAzs: 2, natGateways: 1 });
const bucket = new cdk.aws_s3.Bucket(stack, "Photos", {
  versioned: true, encryption: cdk.aws_s3.BucketEncryption.S3_MANAGED, removalPolicy: cdk.RemovalPolicy.DESTROY, autoDeleteObjects: true,
});
const table = new cdk.aws_dynamodb.Table(stack, "Carts", { partitionKey: { name: "id", type: cdk.aws_dynamodb.AttributeType.STRING } });
const queue = new cdk.aws_sqs.Queue(stack, "Jobs", { visibilityTimeout: cdk.Duration.seconds(60) });
const worker = new cdk.aws_lambda.Function(stack, "Worker", {
  runtime: cdk.aws_lambda.Runtime.NODEJS_22_X, handler: "index.handler", vpc, environment: { TABLE: table.tableName },
  code: cdk.aws_lambda.Code.fromInline("exports.handler = async () => {}"),
});
table.grantReadWriteData(worker);
bucket.grantRead(worker);
queue.grantSendMessages(worker);
new cdk.aws_apigateway.LambdaRestApi(stack, "Api", { handler: worker });
new cdk.aws_rds.DatabaseInstance(stack, "Orders", {
  vpc, credentials: cdk.aws_rds.Credentials.fromGeneratedSecret("shop"),
  engine: cdk.aws_rds.DatabaseInstanceEngine.postgres({ version: cdk.aws_rds.PostgresEngineVersion.VER_16 }),
});
app.synth();
