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
  database_arns             = { shared = "arn:aws:rds:us-east-1:123456789012:db:shared", lone-star-homes = "arn:aws:rds:us-east-1:123456789012:db:lone-star-homes" }
}

# One of its own for each: with the mocks' single ARN nobody would see the two regions exchanged.
override_resource {
  target = aws_kms_key.vault
  values = { arn = "arn:aws:kms:us-east-1:123456789012:key/aaaaaaaa-2222-3333-4444-555555555555" }
}

override_resource {
  target = aws_kms_key.copy
  values = { arn = "arn:aws:kms:us-west-2:123456789012:key/bbbbbbbb-2222-3333-4444-555555555555" }
}

override_resource {
  target = aws_backup_vault.this
  values = { arn = "arn:aws:backup:us-east-1:123456789012:backup-vault:here" }
}

override_resource {
  target = aws_backup_vault.copy
  values = { arn = "arn:aws:backup:us-west-2:123456789012:backup-vault:there" }
}

override_resource {
  target = aws_iam_role.backup
  values = { arn = "arn:aws:iam::123456789012:role/backup" }
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
  assert {
    condition = aws_backup_vault.this.kms_key_arn == "arn:aws:kms:us-east-1:123456789012:key/aaaaaaaa-2222-3333-4444-555555555555" && [
      for rule in aws_backup_plan.this.rule : one(rule.copy_action).destination_vault_arn if rule.rule_name == "daily"
    ] == ["arn:aws:backup:us-west-2:123456789012:backup-vault:there"] && alltrue([for rule in aws_backup_plan.this.rule : rule.target_vault_name == "seiketsu-test"])
    error_message = "what is made here is copied there"
  }
}

run "something_is_selected" {
  assert {
    condition     = one(one(aws_backup_selection.tagged.condition).string_equals) == { key = "aws:ResourceTag/seiketsu:backup", value = "seiketsu-test" } && aws_backup_selection.tagged.iam_role_arn == "arn:aws:iam::123456789012:role/backup"
    error_message = "the plan selects what carries the tag"
  }
  assert {
    # A tag beside resources would be a choice between both: everything of these types, of any environment.
    condition     = aws_backup_selection.tagged.resources == toset(["arn:aws:rds:*:*:db:*", "arn:aws:s3:::*"]) && length(aws_backup_selection.tagged.selection_tag) == 0
    error_message = "types are named, so that what the region has opted in to does not count"
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
    condition     = aws_cloudwatch_metric_alarm.none.treat_missing_data == "breaching" && one(aws_cloudwatch_metric_alarm.none.alarm_actions) == var.topic_arn && alltrue([for target in values(aws_cloudwatch_event_target.failed) : target.arn == var.topic_arn])
    error_message = "failures and their absence are told"
  }
}

run "a_job_that_fails_is_told" {
  assert {
    condition = { for kind, rule in aws_cloudwatch_event_rule.failed : jsondecode(rule.event_pattern)["detail-type"][0] => jsondecode(rule.event_pattern).detail } == {
      "Backup Job State Change"  = { state = ["FAILED", "ABORTED", "EXPIRED"], backupVaultName = ["seiketsu-test"] }
      "Copy Job State Change"    = { state = ["FAILED", "ABORTED", "EXPIRED"], sourceBackupVaultArn = ["arn:aws:backup:us-east-1:123456789012:backup-vault:here"] }
      "Restore Job State Change" = { status = ["FAILED", "ABORTED", "EXPIRED"], iamRoleArn = ["arn:aws:iam::123456789012:role/backup"] }
    }
    error_message = "backups, copies and restores of this environment are watched; a restore calls its state a status"
  }
  assert {
    condition = alltrue([for target in values(aws_cloudwatch_event_target.failed) : (
      "${jsondecode(target.input_transformer[0].input_template).version} ${jsondecode(target.input_transformer[0].input_template).source}" == "1.0 custom"
      && toset(flatten(regexall("<([a-z]+)>", target.input_transformer[0].input_template))) == toset(keys(target.input_transformer[0].input_paths))
    )])
    error_message = "a message has the form that Slack shows, and says which job"
  }
}

run "each_database_is_backed_up_every_day" {
  assert {
    condition = { for name, rule in aws_cloudwatch_event_rule.database : name => jsondecode(rule.event_pattern).detail } == { for name, arn in var.database_arns : name => {
      state = ["COMPLETED"], backupVaultName = ["seiketsu-test"], resourceArn = [arn]
    } }
    error_message = "a completed backup of the database itself is what counts"
  }
  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.database)) == toset(["shared", "lone-star-homes"]) && alltrue([for name, alarm in aws_cloudwatch_metric_alarm.database : (
      "${alarm.namespace} ${alarm.metric_name} ${alarm.dimensions.RuleName}" == "AWS/Events MatchedEvents ${aws_cloudwatch_event_rule.database[name].name}"
      && "${alarm.comparison_operator} ${alarm.threshold} ${alarm.period} ${alarm.treat_missing_data}" == "LessThanThreshold 1 86400 breaching"
      && one(alarm.alarm_actions) == var.topic_arn
    )])
    error_message = "the recordings' backup does not stand for a database's"
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
