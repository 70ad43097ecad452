#!/usr/bin/env bash
# One flow of the AWS CLI (version 1) against an endpoint: every step's exit code and answer, normalised.
#
#   flow.sh ENDPOINT PREFIX FOLDER     # AWS: the program to run, from the environment
set -uo pipefail
endpoint=$1 prefix=$2 folder=$3
aws=${ORDAIN_TEST_AWS:?}
export AWS_ENDPOINT_URL=$endpoint AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 AWS_PAGER=

normalised() {
    sed -E -e "s/$prefix/PREFIX/g" -e 's/127\.0\.0\.1:[0-9]+/HOST/g' \
        -e 's/\b(vpc|sg|i)-[0-9a-f]{8,17}\b/\1-ID/g' -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.+Z]+/TIME/g' \
        -e '/^Completed /d' -e 's/Completed [^\r]*\r//g' -e 's/ +$//' -e '/^$/d'
}
step() {
    echo "== $*" | normalised
    timeout 60 "$aws" "$@" 2>&1 | tr '\r' '\n' | normalised
    echo "exit ${PIPESTATUS[0]}"
}

head -c 300000 /dev/zero | tr '\0' 'a' >"$folder/large"
step sts get-caller-identity --query Account
step ec2 describe-vpcs --filters Name=cidr,Values=10.77.0.0/16 --query 'length(Vpcs)'
vpc=$("$aws" ec2 create-vpc --cidr-block 10.77.0.0/16 --query Vpc.VpcId --output text)
step ec2 describe-vpcs --vpc-ids "$vpc" --query 'Vpcs[].CidrBlock'
step ec2 create-tags --resources "$vpc" --tags "Key=Name,Value=$prefix"
step ec2 delete-vpc --vpc-id "$vpc"
step ec2 delete-vpc --vpc-id "$vpc"
step s3 mb "s3://$prefix-cli"
step s3 cp "$folder/large" "s3://$prefix-cli/folder/large" --no-progress
step s3 ls "s3://$prefix-cli" --recursive --summarize
step s3 cp "s3://$prefix-cli/folder/large" "$folder/back" --no-progress
cmp "$folder/large" "$folder/back" && echo "same bytes"
step s3 rm "s3://$prefix-cli" --recursive
step s3 rb "s3://$prefix-cli"
step sqs create-queue --queue-name "$prefix-cli"
step sqs list-queues --queue-name-prefix "$prefix-cli"
step dynamodb describe-table --table-name "$prefix-none"
step iam get-role --role-name "$prefix-none"
step sqs delete-queue --queue-url "$endpoint/123456789012/$prefix-cli"
