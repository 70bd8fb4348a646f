locals {
  failed = ["FAILED", "ABORTED", "EXPIRED"]

  # What each kind of job calls its state, and what says that it is one of ours.
  jobs = {
    backup  = { state = "state", resource = "resourceArn", id = "backupJobId", ours = { backupVaultName = [aws_backup_vault.this.name] } }
    copy    = { state = "state", resource = "resourceArn", id = "copyJobId", ours = { sourceBackupVaultArn = [aws_backup_vault.this.arn] } }
    restore = { state = "status", resource = "resourceType", id = "restoreJobId", ours = { iamRoleArn = [aws_iam_role.backup.arn] } }
  }
}

# The vault's own notifications know no failures any more.
resource "aws_cloudwatch_event_rule" "failed" {
  for_each = local.jobs

  name        = "${var.name}-${each.key}-failed"
  description = "AWS Backup: a ${each.key} job failed"

  event_pattern = jsonencode({
    source      = ["aws.backup"]
    detail-type = ["${title(each.key)} Job State Change"]
    detail      = merge({ (each.value.state) = local.failed }, each.value.ours)
  })
}

resource "aws_cloudwatch_event_target" "failed" {
  for_each = local.jobs

  rule = aws_cloudwatch_event_rule.failed[each.key].name
  arn  = var.topic_arn

  # The form that Slack shows. jsonencode hides the brackets of what is filled in.
  input_transformer {
    input_paths = {
      state    = "$.detail.${each.value.state}"
      resource = "$.detail.${each.value.resource}"
      id       = "$.detail.${each.value.id}"
      time     = "$.time"
    }
    input_template = replace(replace(jsonencode({
      version = "1.0"
      source  = "custom"
      content = {
        textType    = "client-markdown"
        title       = "${var.name}: ${each.key} job <state>"
        description = "<resource>, job <id>, <time>"
      }
    }), "\\u003c", "<"), "\\u003e", ">")
  }
}

# That nothing was made is no event.
resource "aws_cloudwatch_metric_alarm" "none" {
  alarm_name          = "${var.name}-no-backup"
  alarm_description   = "No backup was completed for a day."
  namespace           = "AWS/Backup"
  metric_name         = "NumberOfBackupJobsCompleted"
  dimensions          = { BackupVaultName = aws_backup_vault.this.name }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 86400
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
}

# The recordings' backup does not stand for a database's. The rule tells nobody: what it matches is counted.
resource "aws_cloudwatch_event_rule" "database" {
  for_each = var.database_arns

  name        = "${var.name}-backed-up-${each.key}"
  description = "AWS Backup: the database ${each.key} was backed up"

  event_pattern = jsonencode({
    source      = ["aws.backup"]
    detail-type = ["Backup Job State Change"]
    detail = {
      state           = ["COMPLETED"]
      backupVaultName = [aws_backup_vault.this.name]
      resourceArn     = [each.value]
    }
  })
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each = var.database_arns

  alarm_name          = "${var.name}-no-backup-${each.key}"
  alarm_description   = "No backup of the database ${each.key} was completed for a day."
  namespace           = "AWS/Events"
  metric_name         = "MatchedEvents"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.database[each.key].name }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 86400
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
}
