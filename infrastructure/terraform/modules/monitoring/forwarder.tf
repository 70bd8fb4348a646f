locals {
  forwarder = "${var.name}-forwarder"
  forwarded = var.forwarder_package == null ? 0 : 1

  # Every five minutes, as 21dev.ai expects.
  forwarder_every_minutes = 5
}

resource "aws_cloudwatch_log_group" "forwarder" {
  count = local.forwarded

  name              = "/aws/lambda/${local.forwarder}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_kms_key_arn
}

# What could not be sent after all attempts is kept for two weeks.
resource "aws_sqs_queue" "forwarder" {
  count = local.forwarded

  name                      = "${local.forwarder}-undelivered"
  message_retention_seconds = 1209600
  kms_master_key_id         = var.logs_kms_key_arn
}

resource "aws_sqs_queue_policy" "forwarder" {
  count = local.forwarded

  queue_url = aws_sqs_queue.forwarder[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.forwarder[0].arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_iam_role" "forwarder" {
  name_prefix = "${substr(var.name, 0, 24)}-forwarder-"
  description = "Reads metrics and sends them to 21dev.ai"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "forwarder" {
  count = local.forwarded

  name = "forward"
  role = aws_iam_role.forwarder.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Reading metrics has no resources to name.
      { Sid = "Read", Effect = "Allow", Action = "cloudwatch:GetMetricData", Resource = "*" },
      { Sid = "Key", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.forwarder_secret_arn },
      { Sid = "OpenKey", Effect = "Allow", Action = "kms:Decrypt", Resource = var.secrets_kms_key_arn },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.forwarder[0].arn}:*" },
      { Sid = "Keep", Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.forwarder[0].arn },
      { Sid = "SealKept", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = var.logs_kms_key_arn },
    ]
  })
}

resource "aws_lambda_function" "forwarder" {
  count = local.forwarded

  function_name = local.forwarder
  description   = "Metrics to 21dev.ai"
  role          = aws_iam_role.forwarder.arn
  runtime       = "provided.al2023"
  architectures = ["arm64"]
  handler       = "bootstrap"
  timeout       = 60
  memory_size   = 128
  # It takes a minute at most of five, so that two at once would be a retry's; 1 rules that out as well.
  reserved_concurrent_executions = var.forwarder_reserved_concurrency

  s3_bucket         = var.forwarder_package.bucket
  s3_key            = var.forwarder_package.key
  s3_object_version = var.forwarder_package.version_id
  source_code_hash  = var.forwarder_package.sha256

  environment {
    variables = {
      MONITORING_ENDPOINT           = var.forwarder_endpoint
      MONITORING_API_KEY_SECRET_ARN = var.forwarder_secret_arn
      PROJECT_NAME                  = var.name
      ENVIRONMENT                   = var.environment
      CLUSTER_NAME                  = var.cluster_name
      SERVICE_NAME                  = var.gateway_service_name
      LOAD_BALANCER                 = var.load_balancer_arn_suffix
      DATABASE_IDENTIFIER           = var.database_identifier
      CACHE_MEMBERS                 = join(",", var.cache_members)
    }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.forwarder[0].arn
  }

  depends_on = [aws_iam_role_policy.forwarder, aws_cloudwatch_log_group.forwarder]
}

resource "aws_lambda_function_event_invoke_config" "forwarder" {
  count = local.forwarded

  function_name                = aws_lambda_function.forwarder[0].function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600
}

resource "aws_cloudwatch_event_rule" "forwarder" {
  count = local.forwarded

  name                = local.forwarder
  description         = "Metrics to 21dev.ai"
  schedule_expression = "rate(${local.forwarder_every_minutes} minutes)"
}

resource "aws_cloudwatch_event_target" "forwarder" {
  count = local.forwarded

  rule = aws_cloudwatch_event_rule.forwarder[0].name
  arn  = aws_lambda_function.forwarder[0].arn
}

resource "aws_lambda_permission" "forwarder" {
  count = local.forwarded

  statement_id  = "schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.forwarder[0].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.forwarder[0].arn
}

resource "aws_cloudwatch_metric_alarm" "forwarder" {
  for_each = local.forwarded == 0 ? {} : {
    failed = {
      namespace  = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = local.forwarder }
      comparison = "GreaterThanThreshold", threshold = 0, periods = 3, missing = "notBreaching"
      because    = "it has failed three times in a row"
    }
    silent = {
      namespace  = "AWS/Lambda", metric = "Invocations", dimensions = { FunctionName = local.forwarder }
      comparison = "LessThanThreshold", threshold = 1, periods = 3, missing = "breaching"
      because    = "it has not run for a quarter of an hour"
    }
    undelivered = {
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = "${local.forwarder}-undelivered" }
      comparison = "GreaterThanThreshold", threshold = 0, periods = 1, missing = "notBreaching"
      because    = "some windows of metrics did not get there"
    }
  }

  alarm_name          = "${local.forwarder}-${each.key}"
  alarm_description   = "Forwarder to 21dev.ai: ${each.value.because}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.metric == "ApproximateNumberOfMessagesVisible" ? "Maximum" : "Sum"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60 * local.forwarder_every_minutes
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this["warning"].arn]
  ok_actions          = [aws_sns_topic.this["warning"].arn]
}
