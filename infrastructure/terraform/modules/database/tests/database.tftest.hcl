mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                = "seiketsu-test"
  account_id          = "123456789012"
  subnet_ids          = ["subnet-0000000000000000a", "subnet-0000000000000000b"]
  security_group_id   = "sg-0123456789abcdef0"
  kms_key_arn         = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  logs_kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  secrets_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/33333333-2222-3333-4444-555555555555"
  alarm_topic_arns    = ["arn:aws:sns:us-east-1:123456789012:infrastructure"]
}

run "it_is_what_the_described_system_asks_for" {
  assert {
    condition     = aws_db_instance.primary.engine == "postgres" && aws_db_instance.primary.instance_class == "db.r6g.2xlarge"
    error_message = "expected PostgreSQL on db.r6g.2xlarge"
  }
  assert {
    condition     = aws_db_instance.primary.allocated_storage == 1000 && aws_db_instance.primary.max_allocated_storage == 10000 && aws_db_instance.primary.storage_type == "gp3"
    error_message = "expected 1 TB of gp3 that grows to 10 TB"
  }
  assert {
    condition     = aws_db_instance.primary.backup_retention_period == 30 && aws_db_instance.primary.performance_insights_enabled
    error_message = "expected thirty days of point-in-time recovery, and Performance Insights"
  }
  assert {
    condition     = aws_db_instance.primary.multi_az && aws_db_instance.primary.deletion_protection && !aws_db_instance.primary.skip_final_snapshot && !aws_db_instance.primary.delete_automated_backups
    error_message = "it has a standby, cannot be deleted by mistake, and leaves its backups behind"
  }
}

run "it_is_sealed_and_private" {
  assert {
    condition     = aws_db_instance.primary.storage_encrypted && aws_db_instance.primary.kms_key_id == var.kms_key_arn && aws_db_instance.primary.performance_insights_kms_key_id == var.kms_key_arn
    error_message = "storage and insights are sealed with our own key"
  }
  assert {
    condition     = !aws_db_instance.primary.publicly_accessible && aws_db_instance.primary.vpc_security_group_ids == toset([var.security_group_id])
    error_message = "it is private and in its own group"
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1"
    error_message = "connections without TLS are refused"
  }
  assert {
    condition     = aws_db_instance.primary.manage_master_user_password && aws_db_instance.primary.password == null && aws_db_instance.primary.master_user_secret_kms_key_id == var.secrets_kms_key_arn
    error_message = "no password is in the state: RDS keeps it"
  }
  assert {
    condition     = aws_db_instance.primary.iam_database_authentication_enabled
    error_message = "people log in with IAM tokens"
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["log_parameter_max_length"] == "0"
    error_message = "what callers said must not get into the log with a statement's parameters"
  }
  assert {
    condition     = alltrue([for group in values(aws_cloudwatch_log_group.this) : group.kms_key_id == var.logs_kms_key_arn && group.retention_in_days == 365])
    error_message = "its logs are sealed and kept for a year"
  }
}

run "alarms_name_metrics_of_this_instance" {
  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.primary) : alarm.namespace == "AWS/RDS" && alarm.dimensions.DBInstanceIdentifier == "seiketsu-test-database" && alarm.alarm_actions == toset(var.alarm_topic_arns)])
    error_message = "every alarm watches this instance and tells somebody"
  }
  assert {
    condition = toset(values(aws_cloudwatch_metric_alarm.primary)[*].metric_name) == toset([
      "CPUUtilization", "FreeableMemory", "FreeStorageSpace", "DatabaseConnections", "ReadLatency", "WriteLatency",
    ])
    error_message = "expected alarms on CPU, memory, storage, connections and latency"
  }
}

run "replicas_are_as_sealed_as_the_primary" {
  variables {
    read_replica_count = 2
  }
  assert {
    condition     = length(aws_db_instance.replica) == 2 && alltrue([for replica in aws_db_instance.replica : replica.storage_encrypted && !replica.publicly_accessible && replica.kms_key_id == var.kms_key_arn && replica.replicate_source_db == "seiketsu-test-database"])
    error_message = "expected two sealed, private replicas of the primary"
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.replica_lag) == 2
    error_message = "each replica's lag is watched"
  }
}

run "staging_is_smaller_but_no_less_sealed" {
  variables {
    instance_class              = "db.t4g.medium"
    multi_az                    = false
    backup_retention_days       = 7
    monitoring_interval_seconds = 0
    allocated_storage_gb        = 50
    max_allocated_storage_gb    = 200
  }
  assert {
    condition     = !aws_db_instance.primary.multi_az && aws_db_instance.primary.backup_retention_period == 7 && length(aws_iam_role.monitoring) == 0
    error_message = "expected one zone, seven days and basic monitoring"
  }
  assert {
    condition     = aws_db_instance.primary.storage_encrypted && !aws_db_instance.primary.publicly_accessible
    error_message = "staging is sealed and private too"
  }
}

run "a_proxy_speaks_tls_and_reads_one_secret" {
  variables {
    proxy_enabled           = true
    proxy_secret_arn        = "arn:aws:secretsmanager:us-east-1:123456789012:secret:login-AbCdEf"
    proxy_security_group_id = "sg-0123456789abcdef1"
  }
  assert {
    condition     = aws_db_proxy.this[0].require_tls && output.address == aws_db_proxy.this[0].endpoint
    error_message = "tasks connect to the proxy, with TLS"
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.proxy[0].policy).Statement : !strcontains(statement.Resource, "*") && !strcontains(statement.Action, "*")])
    error_message = "the proxy reads its one secret and nothing else"
  }
}

run "a_proxy_without_a_login_is_refused" {
  command = plan
  variables {
    proxy_enabled = true
  }
  expect_failures = [var.proxy_enabled]
}

run "no_backups_is_refused" {
  command = plan
  variables {
    backup_retention_days = 0
  }
  expect_failures = [var.backup_retention_days]
}

run "storage_that_cannot_grow_is_refused" {
  command = plan
  variables {
    max_allocated_storage_gb = 1000
  }
  expect_failures = [var.max_allocated_storage_gb]
}

run "a_single_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-0000000000000000a"]
  }
  expect_failures = [var.subnet_ids]
}

run "an_old_postgresql_is_refused" {
  command = plan
  variables {
    engine_version = "12.4"
  }
  expect_failures = [var.engine_version]
}

run "an_interval_that_does_not_exist_is_refused" {
  command = plan
  variables {
    monitoring_interval_seconds = 7
  }
  expect_failures = [var.monitoring_interval_seconds]
}
