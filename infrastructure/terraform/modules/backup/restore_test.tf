# A backup that was never restored is a hope.
resource "aws_backup_restore_testing_plan" "this" {
  count = var.restore_test_enabled ? 1 : 0

  # Letters, digits and underscores only.
  name                         = replace(var.name, "-", "_")
  schedule_expression          = "cron(0 10 ? * MON *)"
  schedule_expression_timezone = "UTC"
  start_window_hours           = 4

  recovery_point_selection {
    algorithm             = "LATEST_WITHIN_WINDOW"
    include_vaults        = [aws_backup_vault.this.arn]
    recovery_point_types  = ["SNAPSHOT"]
    selection_window_days = 7
  }
}

resource "aws_backup_restore_testing_selection" "database" {
  count = var.restore_test_enabled ? 1 : 0

  name                      = "database"
  restore_testing_plan_name = aws_backup_restore_testing_plan.this[0].name
  protected_resource_type   = "RDS"
  iam_role_arn              = aws_iam_role.backup.arn
  validation_window_hours   = 4

  protected_resource_conditions {
    string_equals {
      key   = "aws:ResourceTag/${var.selection_tag.key}"
      value = var.selection_tag.value
    }
  }

  restore_metadata_overrides = {
    dbSubnetGroupName  = var.restore_test_subnet_group
    multiAZ            = "false"
    publiclyAccessible = "false"
  }
}
