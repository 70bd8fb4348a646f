locals {
  # critical wakes somebody; warning is read in the morning.
  topics = toset(["critical", "warning"])

  publishers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com", "events.rds.amazonaws.com"]
}

resource "aws_sns_topic" "this" {
  for_each = local.topics

  name              = "${var.name}-${each.key}"
  kms_master_key_id = var.logs_kms_key_arn
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.topics

  arn = aws_sns_topic.this[each.key].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Services"
        Effect    = "Allow"
        Principal = { Service = local.publishers }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[each.key].arn
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
      {
        # EventBridge says neither for which account nor for which rule it speaks: with a condition nothing of it gets here.
        Sid       = "Events"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[each.key].arn
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = { for pair in setproduct(local.topics, var.alert_emails) : "${pair[0]} ${pair[1]}" => { topic = pair[0], address = pair[1] } }

  topic_arn = aws_sns_topic.this[each.value.topic].arn
  protocol  = "email"
  endpoint  = each.value.address
}

resource "aws_sns_topic_subscription" "pagerduty" {
  # Whether there is one is no secret.
  count = nonsensitive(var.pagerduty_url != null) ? 1 : 0

  topic_arn              = aws_sns_topic.this["critical"].arn
  protocol               = "https"
  endpoint               = var.pagerduty_url
  endpoint_auto_confirms = true
}

resource "aws_iam_role" "slack" {
  count = var.slack == null ? 0 : 1

  name_prefix = "${substr(var.name, 0, 24)}-slack-"
  description = "What the Slack channel may look at: nothing beyond what is sent to it"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "chatbot.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "slack" {
  count = var.slack == null ? 0 : 1

  name = "pictures-of-alarms"
  role = aws_iam_role.slack[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    # Reading metrics has no resources to name.
    Statement = [{ Effect = "Allow", Action = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], Resource = "*" }]
  })
}

resource "aws_chatbot_slack_channel_configuration" "this" {
  count = var.slack == null ? 0 : 1

  configuration_name = var.name
  slack_team_id      = var.slack.team_id
  slack_channel_id   = var.slack.channel_id
  iam_role_arn       = aws_iam_role.slack[0].arn
  # Nobody runs commands from a chat, whatever their role would allow.
  guardrail_policy_arns = ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"]
  logging_level         = "ERROR"
  sns_topic_arns        = values(aws_sns_topic.this)[*].arn
}
