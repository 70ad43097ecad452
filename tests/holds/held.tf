# One queue, whose creation waits.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "endpoint" { type = string }
variable "prefix" { type = string }
provider "aws" {
  region                      = "us-east-1"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = true
  max_retries                 = 3
  endpoints {
    sqs = var.endpoint
    sts = var.endpoint
  }
}
resource "aws_sqs_queue" "held" { name = "${var.prefix}-held" }
