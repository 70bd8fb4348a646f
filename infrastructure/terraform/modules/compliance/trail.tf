resource "aws_cloudwatch_log_group" "trail" {
  name = "/${var.name}/cloudtrail"
  # For looking things up quickly; the bucket is the record.
  retention_in_days = 90
  kms_key_id        = var.logs_kms_key_arn
}

resource "aws_iam_role" "trail" {
  name_prefix = "${substr(var.name, 0, 24)}-trail-"
  description = "CloudTrail writes to its log group"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
    }]
  })
}

resource "aws_iam_role_policy" "trail" {
  name = "write"
  role = aws_iam_role.trail.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.trail.arn}:*" }]
  })
}

resource "aws_cloudtrail" "this" {
  name                          = var.name
  s3_bucket_name                = aws_s3_bucket.audit.id
  s3_key_prefix                 = "cloudtrail"
  kms_key_id                    = aws_kms_key.audit.arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  cloud_watch_logs_group_arn    = "${aws_cloudwatch_log_group.trail.arn}:*"
  cloud_watch_logs_role_arn     = aws_iam_role.trail.arn

  # The first copy of an account's management events is free, and one is enough: it is that of the environment with the
  # baseline. Any other one's trail has its own objects only.
  dynamic "advanced_event_selector" {
    for_each = var.account_baseline_enabled ? [1] : []

    content {
      name = "Management"

      field_selector {
        field  = "eventCategory"
        equals = ["Management"]
      }
    }
  }

  dynamic "advanced_event_selector" {
    for_each = length(var.watched_bucket_arns) > 0 ? [1] : []

    content {
      name = "Objects"

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }

      field_selector {
        field  = "resources.type"
        equals = ["AWS::S3::Object"]
      }

      field_selector {
        field       = "resources.ARN"
        starts_with = [for arn in var.watched_bucket_arns : "${arn}/"]
      }
    }
  }

  depends_on = [aws_s3_bucket_policy.audit, aws_iam_role_policy.trail]
}
