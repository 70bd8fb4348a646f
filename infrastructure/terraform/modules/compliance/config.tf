locals {
  # Managed rules, and the criterion of SOC 2 that each is evidence for.
  rules = {
    CLOUD_TRAIL_ENABLED                              = "CC7.2 what is done is recorded"
    CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED          = "CC7.2 records cannot be changed unseen"
    CLOUD_TRAIL_ENCRYPTION_ENABLED                   = "CC6.1 records are sealed"
    VPC_FLOW_LOGS_ENABLED                            = "CC7.2 traffic is recorded"
    VPC_DEFAULT_SECURITY_GROUP_CLOSED                = "CC6.6 nothing is open by default"
    IAM_ROOT_ACCESS_KEY_CHECK                        = "CC6.1 root has no keys"
    ROOT_ACCOUNT_MFA_ENABLED                         = "CC6.1 root has a second factor"
    MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS               = "CC6.1 people have a second factor"
    IAM_PASSWORD_POLICY                              = "CC6.1 passwords are long"
    IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS       = "CC6.3 nobody may do everything"
    RDS_STORAGE_ENCRYPTED                            = "CC6.1 the database is sealed"
    RDS_INSTANCE_PUBLIC_ACCESS_CHECK                 = "CC6.6 the database is private"
    DB_INSTANCE_BACKUP_ENABLED                       = "A1.2 the database is backed up"
    ELASTICACHE_REDIS_CLUSTER_AUTOMATIC_BACKUP_CHECK = "A1.2 the cache has snapshots"
    S3_BUCKET_PUBLIC_READ_PROHIBITED                 = "CC6.1 buckets are private"
    S3_BUCKET_PUBLIC_WRITE_PROHIBITED                = "CC6.1 buckets are private"
    S3_BUCKET_SSL_REQUESTS_ONLY                      = "CC6.7 buckets speak TLS"
    S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED         = "CC6.1 buckets are sealed"
    ALB_HTTP_TO_HTTPS_REDIRECTION_CHECK              = "CC6.7 plain HTTP is redirected"
    ALB_WAF_ENABLED                                  = "CC6.6 the load balancer has a firewall"
    ECS_CONTAINERS_READONLY_ACCESS                   = "CC6.8 containers cannot change themselves"
    ECS_CONTAINERS_NONPRIVILEGED                     = "CC6.8 containers have no privileges"
    ECR_PRIVATE_IMAGE_SCANNING_ENABLED               = "CC7.1 images are scanned"
    SECRETSMANAGER_USING_CMK                         = "CC6.1 secrets are sealed with our key"
    CMK_BACKING_KEY_ROTATION_ENABLED                 = "CC6.1 keys rotate"
    GUARDDUTY_ENABLED_CENTRALIZED                    = "CC7.2 threats are looked for"
  }
}

resource "aws_iam_role" "config" {
  count = local.baseline

  name_prefix = "${substr(var.name, 0, 24)}-config-"
  description = "Config reads how everything is configured"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "config.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "config" {
  count = local.baseline

  role       = aws_iam_role.config[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"
}

resource "aws_iam_role_policy" "config" {
  count = local.baseline

  name = "deliver"
  role = aws_iam_role.config[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.config[0].arn}/config/AWSLogs/${var.account_id}/*"
        Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" } }
      },
      { Effect = "Allow", Action = ["s3:GetBucketAcl", "s3:ListBucket"], Resource = aws_s3_bucket.config[0].arn },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = aws_kms_key.audit.arn },
    ]
  })
}

resource "aws_config_configuration_recorder" "this" {
  count = local.baseline

  name     = var.name
  role_arn = aws_iam_role.config[0].arn

  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "this" {
  count = local.baseline

  name           = var.name
  s3_bucket_name = aws_s3_bucket.config[0].id
  s3_key_prefix  = "config"
  s3_kms_key_arn = aws_kms_key.audit.arn

  snapshot_delivery_properties {
    delivery_frequency = "TwentyFour_Hours"
  }

  depends_on = [aws_config_configuration_recorder.this, aws_s3_bucket_policy.config, aws_iam_role_policy.config]
}

# Without it a recorder stands there and records nothing.
resource "aws_config_configuration_recorder_status" "this" {
  count = local.baseline

  name       = aws_config_configuration_recorder.this[0].name
  is_enabled = true

  depends_on = [aws_config_delivery_channel.this]
}

resource "aws_config_config_rule" "this" {
  for_each = var.account_baseline_enabled ? local.rules : {}

  name        = "${var.name}-${lower(replace(each.key, "_", "-"))}"
  description = "SOC 2 ${each.value}"

  source {
    owner             = "AWS"
    source_identifier = each.key
  }

  # Required by this rule alone; the figures are those of the policy in baseline.tf.
  input_parameters = each.key == "IAM_PASSWORD_POLICY" ? jsonencode({
    MinimumPasswordLength = tostring(aws_iam_account_password_policy.this[0].minimum_password_length)
    MaxPasswordAge        = tostring(aws_iam_account_password_policy.this[0].max_password_age)
  }) : null

  depends_on = [aws_config_configuration_recorder.this]
}
