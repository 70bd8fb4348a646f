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
  master_password     = ""

  connections_alarm_at = 1848
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
  assert {
    condition     = aws_db_instance.primary.monitoring_interval == 60 && aws_db_instance.primary.monitoring_role_arn == aws_iam_role.monitoring[0].arn
    error_message = "expected Enhanced Monitoring every minute"
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
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["ssl_min_protocol_version"] == "TLSv1.2"
    error_message = "connections speak TLS 1.2 or newer"
  }
  assert {
    condition     = aws_db_instance.primary.manage_master_user_password && aws_db_instance.primary.password == null && aws_db_instance.primary.master_user_secret_kms_key_id == var.secrets_kms_key_arn
    error_message = "no password is in the state: RDS keeps it"
  }
  assert {
    condition     = aws_db_instance.primary.password_wo_version == null && length(aws_secretsmanager_secret.master) == 0 && strcontains(output.master_secret_arn, ":secret:rds!db-")
    error_message = "without replicas the administrator's secret is RDS's own"
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
  assert {
    condition     = aws_cloudwatch_metric_alarm.primary["storage"].threshold == 10 * 1024 * 1024 * 1024
    error_message = "of a terabyte, ten GiB that are left are an alarm"
  }
}

run "no_two_last_snapshots_have_one_name" {
  assert {
    condition     = aws_db_instance.primary.final_snapshot_identifier == "last-${aws_db_parameter_group.this.name}" && aws_db_parameter_group.this.name_prefix == "seiketsu-test-database-"
    error_message = "the last snapshot is named after something that is made anew with each database"
  }
}

run "replicas_are_as_sealed_as_the_primary" {
  variables {
    read_replica_count    = 2
    master_password       = "correct-horse-battery"
    master_secret_readers = ["arn:aws:iam::123456789012:role/start-migrate"]
    master_secret_writers = ["arn:aws:iam::123456789012:role/seiketsu-test-apply"]
  }
  assert {
    condition     = length(aws_db_instance.replica) == 2 && alltrue([for replica in aws_db_instance.replica : replica.storage_encrypted && !replica.publicly_accessible && replica.replicate_source_db == "seiketsu-test-database"])
    error_message = "expected two sealed, private replicas of the primary"
  }
  assert {
    condition     = alltrue([for replica in aws_db_instance.replica : replica.kms_key_id != var.kms_key_arn])
    error_message = "a replica in the same region has the primary's key; RDS wants it not to be named"
  }
  assert {
    condition     = length(output.replica_addresses) == 2
    error_message = "who reads from the replicas learns where they are"
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.replica_lag) == 2
    error_message = "each replica's lag is watched"
  }
  assert {
    condition     = aws_db_instance.primary.manage_master_user_password == null && aws_db_instance.primary.password_wo_version == 1
    error_message = "RDS makes no replica of an instance whose password it keeps"
  }
  assert {
    condition     = aws_db_instance.primary.password == null && aws_secretsmanager_secret_version.master[0].secret_string == null && aws_secretsmanager_secret_version.master[0].secret_string_wo_version == aws_db_instance.primary.password_wo_version
    error_message = "no password is in the state, and instance and secret get theirs together"
  }
  assert {
    condition     = output.master_secret_arn == aws_secretsmanager_secret.master[0].arn && aws_secretsmanager_secret.master[0].kms_key_id == var.secrets_kms_key_arn
    error_message = "the migration reads the secret that holds the password, and it is sealed with the secrets' key"
  }
  assert {
    condition = (
      { for statement in jsondecode(aws_secretsmanager_secret_policy.master[0].policy).Statement : statement.Sid => statement.Condition }["ReadersOnly"] == { ArnNotLike = { "aws:PrincipalArn" = ["arn:aws:iam::123456789012:role/start-migrate", "arn:aws:iam::123456789012:role/seiketsu-test-apply"] } }
      && alltrue([for statement in jsondecode(aws_secretsmanager_secret_policy.master[0].policy).Statement : statement.Effect == "Deny"])
    )
    error_message = "only migrations and who writes it read the administrator's password"
  }
}

run "replicas_without_a_password_are_refused" {
  command = plan
  variables {
    read_replica_count    = 1
    master_secret_readers = ["arn:aws:iam::123456789012:role/start-migrate"]
    master_secret_writers = ["arn:aws:iam::123456789012:role/seiketsu-test-apply"]
  }
  expect_failures = [var.read_replica_count]
}

run "a_password_that_rds_refuses_is_refused" {
  command = plan
  variables {
    master_password = "correct horse battery"
  }
  expect_failures = [var.master_password]
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
    condition     = aws_db_instance.primary.monitoring_interval == 0
    error_message = "basic monitoring takes no figures of the operating system"
  }
  assert {
    condition     = aws_db_instance.primary.instance_class == "db.t4g.medium" && output.settings.instance_class == aws_db_instance.primary.instance_class
    error_message = "expected a small instance, and that its settings are told as they are"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.primary["storage"].threshold == 2.5 * 1024 * 1024 * 1024
    error_message = "a small volume grows below a tenth of it: the alarm is at half of that"
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
