locals {
  # What is found, and whom it is told to. Security Hub also carries GuardDuty's findings, which come by their own rule.
  routes = {
    guardduty-high = {
      topic = var.topic_arns.critical
      pattern = jsonencode({
        source      = ["aws.guardduty"]
        detail-type = ["GuardDuty Finding"]
        detail      = { severity = [{ numeric = [">=", 7] }] }
      })
      paths = { title = "$.detail.title", resource = "$.detail.resource.resourceType", severity = "$.detail.severity" }
    }
    guardduty-medium = {
      topic = var.topic_arns.warning
      pattern = jsonencode({
        source      = ["aws.guardduty"]
        detail-type = ["GuardDuty Finding"]
        detail      = { severity = [{ numeric = [">=", 4, "<", 7] }] }
      })
      paths = { title = "$.detail.title", resource = "$.detail.resource.resourceType", severity = "$.detail.severity" }
    }
    securityhub-critical = {
      topic = var.topic_arns.critical
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
      topic = var.topic_arns.warning
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
      topic = var.topic_arns.critical
      pattern = jsonencode({
        detail-type = ["AWS Console Sign In via CloudTrail"]
        detail      = { userIdentity = { type = ["Root"] } }
      })
      paths = { title = "$.detail.eventName", resource = "$.account", severity = "$.detail.sourceIPAddress" }
    }
    audit-is-changed = {
      topic = var.topic_arns.critical
      pattern = jsonencode({
        source      = ["aws.cloudtrail", "aws.config", "aws.guardduty", "aws.securityhub"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = { eventName = [
          "StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "StopConfigurationRecorder", "DeleteConfigurationRecorder",
          "DeleteDeliveryChannel", "DeleteDetector", "UpdateDetector", "DisableSecurityHub",
        ] }
      })
      paths = { title = "$.detail.eventName", resource = "$.detail.userIdentity.arn", severity = "$.detail.sourceIPAddress" }
    }
  }
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
  arn  = each.value.topic

  input_transformer {
    input_paths    = merge(each.value.paths, { time = "$.time", region = "$.region" })
    input_template = "\"${var.name}: ${replace(each.key, "-", " ")} (<severity>): <title>, <resource>, <region>, <time>\""
  }
}
