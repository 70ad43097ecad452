#!/usr/bin/env bash
# One flow of Terraform against an endpoint, under a role that it assumes: apply, an empty plan, destroy.
# Prints one line a step, with what it came to.
#
#   terraform.sh ENDPOINT PREFIX FOLDER PLUGINS     # ORDAIN_TEST_TERRAFORM, ORDAIN_TEST_AWS: the programs
set -uo pipefail
endpoint=$1 prefix=$2 folder=$3 plugins=$4
mkdir -p "$folder" && cd "$folder" || exit 1
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}'
allowed='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","sqs:*"],"Resource":"*"}]}'
aws() { timeout 60 "$ORDAIN_TEST_AWS" --endpoint-url "$endpoint" "$@" >>aws.log 2>&1; }
aws iam create-role --role-name "$prefix-role" --assume-role-policy-document "$trust"
echo "role: exit $?"
aws iam put-role-policy --role-name "$prefix-role" --policy-name allowed --policy-document "$allowed"
echo "policy: exit $?"

cat >main.tf <<TF
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region                      = "us-east-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = false
  s3_use_path_style           = true
  max_retries                 = 5
  assume_role { role_arn = "arn:aws:iam::123456789012:role/$prefix-role" }
  endpoints {
    ec2 = "$endpoint"
    iam = "$endpoint"
    s3  = "$endpoint"
    sqs = "$endpoint"
    sts = "$endpoint"
  }
}
resource "aws_vpc" "main" {
  cidr_block = "10.66.0.0/16"
  tags       = { Name = "$prefix" }
}
resource "aws_subnet" "one" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.66.1.0/24"
}
resource "aws_security_group" "web" {
  name   = "$prefix-web"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_sqs_queue" "jobs" { name = "$prefix-jobs" }
TF
export TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 TF_CLI_ARGS="-no-color"
step() {
    timeout 200 "$ORDAIN_TEST_TERRAFORM" "${@:2}" >>"$1.log" 2>&1
    echo "$1: exit $?; $(grep -E '^(Apply complete|Destroy complete|No changes|Plan:|Error:|│ Error)' "$1.log" | head -3 | sed "s/$prefix/PREFIX/g" | tr '\n' ' ')"
}
step init init -input=false -plugin-dir="$plugins"
step apply apply -input=false -auto-approve
step plan plan -input=false -detailed-exitcode
step destroy destroy -input=false -auto-approve
aws iam delete-role-policy --role-name "$prefix-role" --policy-name allowed
aws iam delete-role --role-name "$prefix-role"
echo "role deleted: exit $?"
