mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                = "seiketsu-test"
  account_id          = "123456789012"
  region              = "us-east-1"
  topic_arns          = { critical = "arn:aws:sns:us-east-1:123456789012:critical", warning = "arn:aws:sns:us-east-1:123456789012:warning" }
  logs_kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  watched_bucket_arns = ["arn:aws:s3:::recordings"]
}

run "the_trail_sees_all_and_cannot_be_changed_unseen" {
  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.include_global_service_events && aws_cloudtrail.this.kms_key_id == aws_kms_key.audit.arn
    error_message = "expected all regions, validation and a seal"
  }
  assert {
    condition     = anytrue(flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : contains(coalesce(field.starts_with, []), "arn:aws:s3:::recordings/")]]))
    error_message = "who listens to a recording is in the trail"
  }
}

run "audit_logs_are_locked_sealed_and_private" {
  assert {
    condition     = aws_s3_bucket.audit.object_lock_enabled && aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].days == 365 && aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "GOVERNANCE"
    error_message = "nothing in the audit bucket can be deleted for a year"
  }
  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.audit.rule).expiration[0].days > aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].days
    error_message = "what is locked cannot be asked to go"
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.audit.restrict_public_buckets && aws_s3_bucket_public_access_block.audit.block_public_policy && one(aws_s3_bucket_server_side_encryption_configuration.audit.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.audit.arn
    error_message = "the audit bucket is private and sealed with its own key"
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_s3_bucket_policy.audit.policy).Statement :
      statement.Effect == "Deny" ? try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
      : can(statement.Condition.StringEquals["aws:SourceArn"]) || can(statement.Condition.StringEquals["aws:SourceAccount"])
    ])
    error_message = "services write on this account's behalf only, and over TLS"
  }
}

run "the_account_is_watched" {
  assert {
    condition     = one(aws_guardduty_detector_feature.runtime).name == "RUNTIME_MONITORING" && one(one(aws_guardduty_detector_feature.runtime).additional_configuration).name == "ECS_FARGATE_AGENT_MANAGEMENT"
    error_message = "GuardDuty looks into tasks"
  }
  assert {
    condition     = length(aws_securityhub_standards_subscription.this) == 2 && length(aws_inspector2_enabler.this) == 1 && length(aws_accessanalyzer_analyzer.this) == 1
    error_message = "expected Security Hub's standards, Inspector and Access Analyzer"
  }
  assert {
    condition     = aws_config_configuration_recorder_status.this[0].is_enabled && aws_config_delivery_channel.this[0].s3_bucket_name == aws_s3_bucket.audit.id
    error_message = "the recorder records, and delivers to the audit bucket"
  }
  assert {
    condition     = alltrue([for rule in values(aws_config_config_rule.this) : can(regex("^SOC 2 (CC[0-9]|A1)\\.[0-9]", rule.description))])
    error_message = "every rule is evidence for something"
  }
  assert {
    condition     = aws_iam_account_password_policy.this[0].minimum_password_length >= 14 && aws_s3_account_public_access_block.this[0].restrict_public_buckets
    error_message = "passwords are long and no bucket can be public"
  }
}

run "findings_reach_somebody" {
  assert {
    condition     = aws_cloudwatch_event_target.route["guardduty-high"].arn == var.topic_arns.critical && aws_cloudwatch_event_target.route["guardduty-medium"].arn == var.topic_arns.warning
    error_message = "GuardDuty's findings are routed by severity"
  }
  assert {
    condition     = aws_cloudwatch_event_target.route["securityhub-critical"].arn == var.topic_arns.critical && aws_cloudwatch_event_target.route["securityhub-high"].arn == var.topic_arns.warning
    error_message = "Security Hub's findings are routed by severity"
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.route["guardduty-high"].event_pattern).detail.severity[0].numeric == [">=", 7] && jsondecode(aws_cloudwatch_event_rule.route["root-signs-in"].event_pattern).detail.userIdentity.type == ["Root"]
    error_message = "what is severe, and root, wakes somebody"
  }
  assert {
    condition     = alltrue([for target in values(aws_cloudwatch_event_target.route) : startswith(target.input_transformer[0].input_template, "\"") && endswith(target.input_transformer[0].input_template, "\"")])
    error_message = "a message is a JSON string"
  }
}

run "a_second_environment_of_an_account_has_a_trail_only" {
  variables {
    account_baseline_enabled = false
  }
  assert {
    condition     = length(aws_guardduty_detector.this) == 0 && length(aws_config_configuration_recorder.this) == 0 && length(aws_cloudwatch_event_rule.route) == 0 && length(aws_config_config_rule.this) == 0
    error_message = "an account has one detector and one recorder"
  }
  assert {
    condition     = aws_cloudtrail.this.enable_log_file_validation
    error_message = "each environment has its trail"
  }
}

run "a_short_memory_is_refused" {
  command = plan
  variables {
    audit_retention_days = 7
  }
  expect_failures = [var.audit_retention_days]
}

run "another_lock_is_refused" {
  command = plan
  variables {
    lock_mode = "NONE"
  }
  expect_failures = [var.lock_mode]
}
