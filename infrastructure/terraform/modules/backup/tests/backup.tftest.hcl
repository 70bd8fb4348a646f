mock_provider "aws" {
  source = "../../tests/mocks"
}

mock_provider "aws" {
  alias  = "replica"
  source = "../../tests/mocks"
}

variables {
  name                      = "seiketsu-test"
  account_id                = "123456789012"
  selection_tag             = { key = "seiketsu:backup", value = "seiketsu-test" }
  restore_test_subnet_group = "seiketsu-test-database"
  topic_arn                 = "arn:aws:sns:us-east-1:123456789012:critical"
}

run "daily_weekly_and_in_another_region" {
  assert {
    condition     = toset([for rule in aws_backup_plan.this.rule : "${rule.rule_name} ${rule.lifecycle[0].delete_after}"]) == toset(["daily 35", "weekly 365"])
    error_message = "expected daily backups for 35 days, weekly ones for a year"
  }
  assert {
    condition     = anytrue([for rule in aws_backup_plan.this.rule : length(rule.copy_action) == 1 && one(rule.copy_action).lifecycle[0].delete_after == 35 if rule.rule_name == "daily"])
    error_message = "the daily backup is copied to another region"
  }
  assert {
    condition     = length(aws_backup_vault.copy) == 1 && aws_backup_vault.copy[0].kms_key_arn == aws_kms_key.copy[0].arn && aws_backup_vault.this.kms_key_arn == aws_kms_key.vault.arn
    error_message = "each vault is sealed with a key of its own region"
  }
}

run "something_is_selected" {
  assert {
    condition     = one(aws_backup_selection.tagged.selection_tag).key == "seiketsu:backup" && one(aws_backup_selection.tagged.selection_tag).value == "seiketsu-test"
    error_message = "the plan selects what carries the tag"
  }
}

run "nobody_deletes" {
  assert {
    condition     = aws_backup_vault_lock_configuration.this[0].min_retention_days == 7 && aws_backup_vault_lock_configuration.copy[0].min_retention_days == 7
    error_message = "both vaults are locked"
  }
  assert {
    condition     = alltrue([for policy in [aws_backup_vault_policy.this[0].policy, aws_backup_vault_policy.copy[0].policy] : jsondecode(policy).Statement[0].Effect == "Deny" && contains(jsondecode(policy).Statement[0].Action, "backup:DeleteRecoveryPoint")])
    error_message = "backups cannot be deleted by hand"
  }
}

run "restoring_is_tried" {
  assert {
    condition     = aws_backup_restore_testing_selection.database[0].protected_resource_type == "RDS" && aws_backup_restore_testing_selection.database[0].restore_metadata_overrides["publiclyAccessible"] == "false"
    error_message = "the database is restored, privately"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.none.treat_missing_data == "breaching" && contains(aws_backup_vault_notifications.this.backup_vault_events, "BACKUP_JOB_FAILED")
    error_message = "failures and their absence are told"
  }
}

run "staging_keeps_a_week_here_only" {
  variables {
    daily_retention_days  = 7
    weekly_retention_days = 0
    copy_retention_days   = 0
    lock_min_days         = 0
    restore_test_enabled  = false
    force_destroy         = true
  }
  assert {
    condition     = length(aws_backup_plan.this.rule) == 1 && length(aws_backup_vault.copy) == 0 && length(aws_backup_vault_lock_configuration.this) == 0
    error_message = "staging has one rule and no copy"
  }
}

run "a_lock_longer_than_a_backup_lives_is_refused" {
  command = plan
  variables {
    lock_min_days = 90
  }
  expect_failures = [var.lock_min_days]
}

run "a_restore_without_a_place_is_refused" {
  command = plan
  variables {
    restore_test_subnet_group = null
  }
  expect_failures = [var.restore_test_subnet_group]
}

run "three_days_are_refused" {
  command = plan
  variables {
    daily_retention_days = 3
    lock_min_days        = 0
  }
  expect_failures = [var.daily_retention_days]
}
