locals {
  # What is found, and whom it is told to. Security Hub also carries GuardDuty's findings, which come by their own rule.
  findings = {
    guardduty-high = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.guardduty"]
        detail-type = ["GuardDuty Finding"]
        detail      = { severity = [{ numeric = [">=", 7] }] }
      })
      paths = { title = "$.detail.title", resource = "$.detail.resource.resourceType", severity = "$.detail.severity" }
    }
    guardduty-medium = {
      topic = "warning"
      pattern = jsonencode({
        source      = ["aws.guardduty"]
        detail-type = ["GuardDuty Finding"]
        detail      = { severity = [{ numeric = [">=", 4, "<", 7] }] }
      })
      paths = { title = "$.detail.title", resource = "$.detail.resource.resourceType", severity = "$.detail.severity" }
    }
    securityhub-critical = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.securityhub"]
        detail-type = ["Security Hub Findings - Imported"]
        detail = { findings = {
          ProductName = [{ anything-but = "GuardDuty" }]
          RecordState = ["ACTIVE"]
          Severity    = { Label = ["CRITICAL"] }
          Workflow    = { Status = ["NEW"] }
        } }
      })
      paths = { title = "$.detail.findings[0].Title", resource = "$.detail.findings[0].Resources[0].Id", severity = "$.detail.findings[0].Severity.Label" }
    }
    securityhub-high = {
      topic = "warning"
      pattern = jsonencode({
        source      = ["aws.securityhub"]
        detail-type = ["Security Hub Findings - Imported"]
        detail = { findings = {
          ProductName = [{ anything-but = "GuardDuty" }]
          RecordState = ["ACTIVE"]
          Severity    = { Label = ["HIGH"] }
          Workflow    = { Status = ["NEW"] }
        } }
      })
      paths = { title = "$.detail.findings[0].Title", resource = "$.detail.findings[0].Resources[0].Id", severity = "$.detail.findings[0].Severity.Label" }
    }
    root-signs-in = {
      topic = "critical"
      pattern = jsonencode({
        detail-type = ["AWS Console Sign In via CloudTrail"]
        detail      = { userIdentity = { type = ["Root"] } }
      })
      paths = { title = "$.detail.eventName", resource = "$.account", severity = "$.detail.sourceIPAddress" }
    }
    audit-is-changed = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.cloudtrail", "aws.config", "aws.guardduty", "aws.securityhub"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = { eventName = [
          "StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "StopConfigurationRecorder", "DeleteConfigurationRecorder",
          "DeleteDeliveryChannel", "DeleteDetector", "UpdateDetector", "DisableSecurityHub",
        ] }
      })
      paths = local.caller
    }
    bucket-is-changed = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.s3"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = {
          eventName = [
            "DeleteBucket", "DeleteBucketEncryption", "DeleteBucketLifecycle", "DeleteBucketPolicy", "DeleteBucketPublicAccessBlock",
            "PutBucketEncryption", "PutBucketLifecycle", "PutBucketObjectLockConfiguration", "PutBucketPolicy",
            "PutBucketPublicAccessBlock", "PutBucketVersioning",
          ]
          requestParameters = { bucketName = [local.audit_bucket, local.config_bucket] }
        }
      })
      paths = local.caller
    }
    key-is-taken-away = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.kms"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail      = { eventName = ["DisableKey", "ScheduleKeyDeletion"] }
      })
      paths = local.caller
    }
    topic-is-taken-away = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.sns"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = {
          eventName = ["DeleteTopic", "Unsubscribe"]
          "$or" = [
            { requestParameters = { topicArn = values(var.topic_arns) } },
            { requestParameters = { subscriptionArn = [for arn in values(var.topic_arns) : { prefix = "${arn}:" }] } },
          ]
        }
      })
      paths = local.caller
    }
  }

  # Whoever means to be unseen begins with these rules. Only they, so that no other rule that is taken down wakes somebody.
  routes = merge(local.findings, {
    rule-is-taken-away = {
      topic = "critical"
      pattern = jsonencode({
        source      = ["aws.events"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = {
          eventName = ["DeleteRule", "DisableRule", "RemoveTargets"]
          "$or"     = [for parameter in ["name", "rule"] : { requestParameters = { (parameter) = [for name in keys(local.findings) : "${var.name}-${name}"] } }]
        }
      })
      paths = local.caller
    }
  })

  caller = { title = "$.detail.eventName", resource = "$.detail.userIdentity.arn", severity = "$.detail.sourceIPAddress" }
}

resource "aws_cloudwatch_event_rule" "route" {
  for_each = { for name, route in local.routes : name => route if var.account_baseline_enabled }

  name          = "${var.name}-${each.key}"
  description   = "Security: ${replace(each.key, "-", " ")}"
  event_pattern = each.value.pattern
}

resource "aws_cloudwatch_event_target" "route" {
  for_each = { for name, route in local.routes : name => route if var.account_baseline_enabled }

  rule = aws_cloudwatch_event_rule.route[each.key].name
  arn  = var.topic_arns[each.value.topic]

  # Slack shows this form of a message, and drops one that it does not know. jsonencode hides the brackets of what is filled in;
  # a title is somebody else's words, which EventBridge puts into quotes by itself, so that one with quotes in it breaks nothing.
  input_transformer {
    input_paths = merge(each.value.paths, { time = "$.time", region = "$.region" })
    input_template = replace(replace(replace(jsonencode({
      version = "1.0"
      source  = "custom"
      content = {
        textType    = "client-markdown"
        title       = "${var.name}: ${replace(each.key, "-", " ")} (<severity>)"
        description = "<title>"
        keywords    = ["<resource>", "<region>", "<time>"]
      }
    }), "\\u003c", "<"), "\\u003e", ">"), "\"<title>\"", "<title>")
  }
}

# PagerDuty understands alarms only, so what has to wake somebody is one as well. It has no end: a finding is not over because no
# second one follows.
resource "aws_cloudwatch_metric_alarm" "route" {
  for_each = { for name, route in local.routes : name => route if var.account_baseline_enabled && route.topic == "critical" }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "Security: ${replace(each.key, "-", " ")}. The message beside this one says what exactly."
  namespace           = "AWS/Events"
  metric_name         = "MatchedEvents"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.route[each.key].name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arns[each.value.topic]]
}
