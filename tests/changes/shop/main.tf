# A shop's ground, of one resource of each of many types: what a plan of it is carried out by is held against the plan.
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
  s3_use_path_style           = true
  max_retries                 = 3
  endpoints {
    ec2            = var.endpoint
    iam            = var.endpoint
    s3             = var.endpoint
    sqs            = var.endpoint
    sts            = var.endpoint
    sns            = var.endpoint
    dynamodb       = var.endpoint
    kms            = var.endpoint
    lambda         = var.endpoint
    logs           = var.endpoint
    route53        = var.endpoint
    secretsmanager = var.endpoint
    ssm            = var.endpoint
    ecr            = var.endpoint
    rds            = var.endpoint
    elbv2          = var.endpoint
    elb            = var.endpoint
    cloudwatch     = var.endpoint
    events         = var.endpoint
    autoscaling    = var.endpoint
  }
}
resource "aws_vpc" "main" {
  cidr_block           = "10.66.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "main" }
}
resource "aws_subnet" "one" {
  vpc_id                  = aws_vpc.main.id
  cidr_block              = "10.66.1.0/24"
  availability_zone       = "us-east-1a"
  map_public_ip_on_launch = true
  tags                    = { Name = "one" }
}
resource "aws_subnet" "two" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.66.2.0/24"
  availability_zone = "us-east-1b"
}
resource "aws_internet_gateway" "gw" { vpc_id = aws_vpc.main.id }
resource "aws_route_table" "rt" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.gw.id
  }
}
resource "aws_route_table_association" "a" {
  subnet_id      = aws_subnet.one.id
  route_table_id = aws_route_table.rt.id
}
resource "aws_security_group" "web" {
  name   = "${var.prefix}-web"
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8", "192.168.0.0/16"]
    description = "tls"
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { team = "web" }
}
resource "aws_security_group" "ssh" {
  name   = "${var.prefix}-ssh"
  vpc_id = aws_vpc.main.id
}
resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.ssh.id
  cidr_ipv4         = "10.1.0.0/16"
  from_port         = 22
  to_port           = 22
  ip_protocol       = "tcp"
}
resource "aws_iam_role" "app" {
  name               = "${var.prefix}-app"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
resource "aws_iam_role_policy" "app" {
  name   = "inline"
  role   = aws_iam_role.app.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["sqs:SendMessage"], Resource = "*" }] })
}
resource "aws_iam_policy" "read" {
  name   = "${var.prefix}-read"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${aws_s3_bucket.data.arn}/*"] }] })
}
resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.app.name
  policy_arn = aws_iam_policy.read.arn
}
resource "aws_iam_instance_profile" "app" {
  name = "${var.prefix}-app"
  role = aws_iam_role.app.name
}
resource "aws_instance" "web" {
  ami                    = "ami-12c6146b"
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.one.id
  vpc_security_group_ids = [aws_security_group.web.id]
  iam_instance_profile   = aws_iam_instance_profile.app.name
  user_data              = "#!/bin/sh\necho hi"
  root_block_device {
    volume_size = 20
    volume_type = "gp3"
  }
  tags = { Name = "web" }
}
resource "aws_ebs_volume" "d" {
  availability_zone = "us-east-1a"
  size              = 10
  encrypted         = true
  kms_key_id        = aws_kms_key.k.arn
}
resource "aws_volume_attachment" "d" {
  device_name = "/dev/sdh"
  volume_id   = aws_ebs_volume.d.id
  instance_id = aws_instance.web.id
}
resource "aws_eip" "e" { instance = aws_instance.web.id }
resource "aws_s3_bucket" "data" {
  bucket = "${var.prefix}-data"
  tags   = { team = "web" }
}
resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_bucket_public_access_block" "data" {
  bucket                  = aws_s3_bucket.data.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}
resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = aws_iam_role.app.arn }, Action = "s3:GetObject", Resource = "${aws_s3_bucket.data.arn}/*" }] })
}
resource "aws_sqs_queue" "jobs" {
  name                       = "${var.prefix}-jobs"
  visibility_timeout_seconds = 60
  tags                       = { team = "web" }
}
resource "aws_sqs_queue" "dead" { name = "${var.prefix}-dead" }
resource "aws_sns_topic" "t" { name = "${var.prefix}-topic" }
resource "aws_sns_topic_subscription" "s" {
  topic_arn = aws_sns_topic.t.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.jobs.arn
}
resource "aws_dynamodb_table" "t" {
  name         = "${var.prefix}-orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  point_in_time_recovery { enabled = true }
  ttl {
    attribute_name = "exp"
    enabled        = true
  }
  tags = { team = "web" }
}
resource "aws_kms_key" "k" {
  description             = "k"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}
resource "aws_kms_alias" "k" {
  name          = "alias/${var.prefix}-k"
  target_key_id = aws_kms_key.k.key_id
}
resource "aws_cloudwatch_log_group" "l" {
  name              = "/${var.prefix}/web"
  retention_in_days = 30
}
resource "aws_route53_zone" "z" { name = "${var.prefix}.example.com" }
resource "aws_route53_record" "r" {
  zone_id = aws_route53_zone.z.zone_id
  name    = "www"
  type    = "A"
  ttl     = 300
  records = ["10.66.1.9"]
}
resource "aws_secretsmanager_secret" "s" { name = "${var.prefix}/db" }
resource "aws_secretsmanager_secret_version" "s" {
  secret_id     = aws_secretsmanager_secret.s.id
  secret_string = "hunter2"
}
resource "aws_ssm_parameter" "p" {
  name  = "/${var.prefix}/x"
  type  = "String"
  value = "1"
}
resource "aws_ecr_repository" "r" {
  name                 = "${var.prefix}-app"
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration { scan_on_push = true }
}
resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "${var.prefix}-cpu"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 2
  metric_name         = "CPUUtilization"
  namespace           = "AWS/EC2"
  period              = 120
  statistic           = "Average"
  threshold           = 80
  dimensions          = { InstanceId = aws_instance.web.id }
  alarm_actions       = [aws_sns_topic.t.arn]
}
resource "aws_launch_template" "lt" {
  name          = "${var.prefix}-launch"
  image_id      = "ami-12c6146b"
  instance_type = "t3.small"
}
resource "aws_autoscaling_group" "asg" {
  name                = "${var.prefix}-asg"
  min_size            = 1
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.one.id]
  launch_template {
    id      = aws_launch_template.lt.id
    version = "$Latest"
  }
}
resource "aws_cloudwatch_event_rule" "e" {
  name                = "${var.prefix}-every"
  schedule_expression = "rate(5 minutes)"
}
resource "aws_cloudwatch_event_target" "e" {
  rule = aws_cloudwatch_event_rule.e.name
  arn  = aws_sqs_queue.jobs.arn
}
