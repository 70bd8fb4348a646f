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

# One of its own for each: with the mocks' single ARN nobody would see two of a kind exchanged.
override_resource {
  target = aws_s3_bucket.audit
  values = { arn = "arn:aws:s3:::the-audit", id = "the-audit" }
}

override_resource {
  target = aws_s3_bucket.config
  values = { arn = "arn:aws:s3:::the-config", id = "the-config" }
}

override_resource {
  target = aws_kms_key.audit
  values = { arn = "arn:aws:kms:us-east-1:123456789012:key/aaaaaaaa-2222-3333-4444-555555555555" }
}

override_resource {
  target = aws_iam_role.trail
  values = { arn = "arn:aws:iam::123456789012:role/trail" }
}

override_resource {
  target = aws_iam_role.config
  values = { arn = "arn:aws:iam::123456789012:role/config" }
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
  assert {
    condition     = anytrue(flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : field.equals == tolist(["Management"])]]))
    error_message = "what is done to the account is in the trail"
  }
  assert {
    condition     = aws_cloudtrail.this.s3_bucket_name == "the-audit" && aws_cloudtrail.this.cloud_watch_logs_role_arn == aws_iam_role.trail.arn
    error_message = "the trail is written into the locked bucket, by its own role"
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
    condition = { for transition in one(aws_s3_bucket_lifecycle_configuration.audit.rule).transition : transition.storage_class => transition.days } == {
      STANDARD_IA = 30, GLACIER_IR = 90
    }
    error_message = "audit logs move to cheaper classes after one month and after three"
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
  assert {
    condition     = !strcontains(aws_s3_bucket_policy.audit.policy, "config.amazonaws.com")
    error_message = "Config has a bucket of its own, since it does not write into a locked one"
  }
}

run "configs_history_is_sealed_and_private_and_can_be_written" {
  assert {
    condition     = one(aws_config_delivery_channel.this).s3_bucket_name == "the-config" && !coalesce(one(aws_s3_bucket.config).object_lock_enabled, false)
    error_message = "Config delivers into a bucket whose objects are not locked by default"
  }
  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.config).rule).apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.audit.arn
      && one(aws_config_delivery_channel.this).s3_kms_key_arn == aws_kms_key.audit.arn
      && one(aws_s3_bucket_public_access_block.config).restrict_public_buckets && one(aws_s3_bucket_public_access_block.config).block_public_policy
      && one(one(aws_s3_bucket_ownership_controls.config).rule).object_ownership == "BucketOwnerEnforced"
      && one(one(aws_s3_bucket_versioning.config).versioning_configuration).status == "Enabled"
    )
    error_message = "Config's bucket is sealed with the audit's key, private and versioned"
  }
  assert {
    condition = alltrue([for statement in jsondecode(one(aws_s3_bucket_policy.config).policy).Statement :
      statement.Effect == "Deny" ? try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
      : statement.Principal.Service == "config.amazonaws.com" && statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012" && alltrue([for resource in flatten([statement.Resource]) : startswith(resource, "arn:aws:s3:::the-config")])
    ])
    error_message = "Config alone writes there, on this account's behalf, and over TLS"
  }
  assert {
    condition = one(aws_config_configuration_recorder.this).role_arn == "arn:aws:iam::123456789012:role/config" && alltrue([
      for statement in jsondecode(one(aws_iam_role_policy.config).policy).Statement :
      startswith(statement.Resource, startswith(flatten([statement.Action])[0], "s3:") ? "arn:aws:s3:::the-config" : aws_kms_key.audit.arn)
    ])
    error_message = "the recorder's role writes into that bucket with that key"
  }
  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.config).rule).expiration[0].days == 395
    error_message = "Config's history is kept as long as the audit logs"
  }
}

run "the_account_is_watched" {
  assert {
    condition = aws_guardduty_detector.this[0].enable && toset(keys(aws_guardduty_detector_feature.this)) == toset(["S3_DATA_EVENTS", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS"]) && alltrue([
      for feature in values(aws_guardduty_detector_feature.this) : feature.status == "ENABLED" && feature.detector_id == aws_guardduty_detector.this[0].id
    ])
    error_message = "GuardDuty is on, and looks at buckets, logins to databases and functions too"
  }
  assert {
    condition = one(aws_guardduty_detector_feature.runtime).name == "RUNTIME_MONITORING" && one(aws_guardduty_detector_feature.runtime).status == "ENABLED" && [
      for configuration in one(aws_guardduty_detector_feature.runtime).additional_configuration : "${configuration.name} ${configuration.status}"
    ] == ["EKS_ADDON_MANAGEMENT DISABLED", "ECS_FARGATE_AGENT_MANAGEMENT ENABLED", "EC2_AGENT_MANAGEMENT DISABLED"]
    error_message = "GuardDuty looks into tasks"
  }
  assert {
    condition     = length(aws_securityhub_standards_subscription.this) == 2 && length(aws_inspector2_enabler.this) == 1 && length(aws_accessanalyzer_analyzer.this) == 1
    error_message = "expected Security Hub's standards, Inspector and Access Analyzer"
  }
  assert {
    condition     = aws_config_configuration_recorder_status.this[0].is_enabled && aws_config_delivery_channel.this[0].s3_bucket_name == "the-config"
    error_message = "the recorder records, and delivers to its own bucket"
  }
  assert {
    condition     = aws_config_configuration_recorder.this[0].recording_group[0].all_supported && aws_config_configuration_recorder.this[0].recording_group[0].include_global_resource_types
    error_message = "the recorder takes down every kind of resource"
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
    condition = alltrue([for name, target in aws_cloudwatch_event_target.route : jsondecode(replace(target.input_transformer[0].input_template, ":<title>", ":\"<title>\"")) == {
      version = "1.0"
      source  = "custom"
      content = {
        textType    = "client-markdown"
        title       = "seiketsu-test: ${replace(name, "-", " ")} (<severity>)"
        description = "<title>"
        keywords    = ["<resource>", "<region>", "<time>"]
      }
    }])
    error_message = "a message has the form that Slack shows"
  }
  assert {
    condition = alltrue([for target in values(aws_cloudwatch_event_target.route) :
      toset(flatten(regexall("<([a-z]+)>", target.input_transformer[0].input_template))) == toset(keys(target.input_transformer[0].input_paths))
    ])
    error_message = "what a message names is taken from the event"
  }
  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.route)) == toset([for name, target in aws_cloudwatch_event_target.route : name if target.arn == var.topic_arns.critical]) && alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.route :
      "${alarm.namespace} ${alarm.metric_name} ${alarm.dimensions.RuleName} ${alarm.threshold} ${alarm.treat_missing_data}" == "AWS/Events MatchedEvents ${aws_cloudwatch_event_rule.route[name].name} 0 notBreaching" && alarm.alarm_actions == toset([var.topic_arns.critical])
    ])
    error_message = "what is critical is an alarm as well, since PagerDuty understands nothing else"
  }
}

run "whoever_blinds_us_is_told" {
  assert {
    condition = { for name in ["bucket-is-changed", "key-is-taken-away", "topic-is-taken-away", "rule-is-taken-away"] : name => jsondecode(aws_cloudwatch_event_rule.route[name].event_pattern).source[0] } == {
      bucket-is-changed = "aws.s3", key-is-taken-away = "aws.kms", topic-is-taken-away = "aws.sns", rule-is-taken-away = "aws.events"
    }
    error_message = "buckets, keys, topics and rules are watched beside trail, Config, GuardDuty and Security Hub"
  }
  assert {
    condition     = alltrue([for name in ["bucket-is-changed", "key-is-taken-away", "topic-is-taken-away", "rule-is-taken-away", "audit-is-changed", "root-signs-in"] : aws_cloudwatch_event_target.route[name].arn == var.topic_arns.critical])
    error_message = "it wakes somebody"
  }
  assert {
    condition = (
      jsondecode(aws_cloudwatch_event_rule.route["bucket-is-changed"].event_pattern).detail.requestParameters.bucketName == ["seiketsu-test-audit-123456789012", "seiketsu-test-config-123456789012"]
      && length(setsubtract(["PutBucketPolicy", "DeleteBucketPolicy", "PutBucketLifecycle", "PutBucketObjectLockConfiguration", "DeleteBucket"], jsondecode(aws_cloudwatch_event_rule.route["bucket-is-changed"].event_pattern).detail.eventName)) == 0
    )
    error_message = "only the audit's buckets are watched, so that no other bucket's change wakes somebody"
  }
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.route["topic-is-taken-away"].event_pattern).detail["$or"] == [
      { requestParameters = { topicArn = [var.topic_arns.critical, var.topic_arns.warning] } },
      { requestParameters = { subscriptionArn = [{ prefix = "${var.topic_arns.critical}:" }, { prefix = "${var.topic_arns.warning}:" }] } },
    ]
    error_message = "only the alert channels are watched"
  }
  assert {
    condition = alltrue([for name, rule in aws_cloudwatch_event_rule.route : name == "rule-is-taken-away" || alltrue([
      for choice in jsondecode(aws_cloudwatch_event_rule.route["rule-is-taken-away"].event_pattern).detail["$or"] : contains(one(values(choice.requestParameters)), rule.name)
    ])])
    error_message = "these rules watch each other"
  }
  assert {
    condition     = alltrue([for rule in values(aws_cloudwatch_event_rule.route) : length(rule.event_pattern) <= 2048 && length(rule.name) <= 64])
    error_message = "EventBridge takes patterns of 2048 characters"
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
    condition     = aws_cloudtrail.this.enable_log_file_validation && [for selector in aws_cloudtrail.this.advanced_event_selector : selector.name] == ["Objects"]
    error_message = "each environment has its trail, and management events are in one of them only: the second copy is paid for"
  }
  assert {
    condition     = length(aws_s3_bucket.config) == 0 && length(aws_cloudwatch_metric_alarm.route) == 0
    error_message = "where nothing records, nothing is kept"
  }
}

run "a_short_memory_is_refused" {
  command = plan
  variables {
    audit_retention_days = 7
  }
  expect_failures = [var.audit_retention_days]
}

run "a_lock_may_be_one_that_nobody_opens" {
  command = plan
  variables {
    lock_mode = "COMPLIANCE"
  }
  assert {
    condition     = output.audit_lock.mode == "COMPLIANCE"
    error_message = "the lock is the one that was asked for"
  }
}

run "another_lock_is_refused" {
  command = plan
  variables {
    lock_mode = "NONE"
  }
  expect_failures = [var.lock_mode]
}

run "a_trail_that_watches_nothing_is_refused" {
  command = plan
  variables {
    account_baseline_enabled = false
    watched_bucket_arns      = []
  }
  expect_failures = [var.watched_bucket_arns]
}
