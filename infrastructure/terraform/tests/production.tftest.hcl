# With -var-file=environments/production.tfvars, as scripts/infra-check runs it.
mock_provider "aws" {
  source = "tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "tests/mocks"
}

mock_provider "aws" {
  alias  = "replica"
  source = "tests/mocks"
}

# They have tests of their own; here they would only cost minutes.
override_module {
  target = module.edge.module.load_balancer_firewall
  outputs = {
    arn  = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/load-balancer/11111111-2222-3333-4444-555555555555"
    name = "load-balancer"
  }
}

override_module {
  target = module.edge.module.console_firewall
  outputs = {
    arn  = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/console/11111111-2222-3333-4444-555555555555"
    name = "console"
  }
}

# Mocks give each type one ARN. What is compared with each other has its own.
override_resource {
  target = module.security.aws_kms_key.this["data"]
  values = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001" }
}

override_resource {
  target = module.security.aws_kms_key.this["logs"]
  values = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000002" }
}

override_resource {
  target = module.security.aws_kms_key.this["secrets"]
  values = { arn = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000003" }
}

override_resource {
  target = module.ecs.aws_iam_role.execution["gateway"]
  values = { arn = "arn:aws:iam::123456789012:role/start-gateway" }
}

override_resource {
  target = module.ecs.aws_iam_role.execution["worker"]
  values = { arn = "arn:aws:iam::123456789012:role/start-worker" }
}

override_resource {
  target = module.ecs.aws_iam_role.execution["migrate"]
  values = { arn = "arn:aws:iam::123456789012:role/start-migrate" }
}

override_resource {
  target = module.monitoring.aws_iam_role.forwarder
  values = { arn = "arn:aws:iam::123456789012:role/forwarder" }
}

override_resource {
  target = module.database.aws_iam_role.proxy[0]
  values = { arn = "arn:aws:iam::123456789012:role/proxy" }
}

override_resource {
  target = module.database.aws_secretsmanager_secret.master[0]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:administrator-AbCdEf" }
}

override_resource {
  target = module.secrets.aws_secretsmanager_secret.this["DATABASE_PASSWORD"]
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:login-AbCdEf" }
}

override_resource {
  target = module.security.aws_security_group.this["gateway"]
  values = { id = "sg-gateway" }
}

variables {
  account_id              = "123456789012"
  secret_values           = {}
  database_admin_password = ""
  domain                  = "seiketsu.example.com"
  zone_id                 = "Z0123456789ABCDEFGHIJ"
  image_digest            = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  variables               = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
}

run "production_as_described" {
  variables {
    secrets_written_here = ["OPENAI_API_KEY", "DATABASE_PASSWORD"]
    deployer_role_arns   = ["arn:aws:iam::123456789012:role/seiketsu-production-apply"]
    secret_values        = { OPENAI_API_KEY = "sk-test", DATABASE_PASSWORD = "correct horse" }
    dedicated_tenants    = { lone-star-homes = {} }
    forwarder_package    = { bucket = "artifacts", key = "forwarder/1.zip" }
    alert_emails         = ["operations@example.com"]
  }

  assert {
    condition = module.database.settings == {
      instance_class        = "db.r6g.2xlarge", allocated_storage_gb = 1000, max_allocated_storage_gb = 10000, multi_az = true
      backup_retention_days = 30, monitoring_interval_seconds = 60, deletion_protection = true, connections_alarm_at = 1848
      read_replica_count    = 0, log_retention_days = 365
    }
    error_message = "the database is the described one"
  }
  assert {
    condition     = module.cache.settings == { engine = "valkey", node_type = "cache.r6g.xlarge", node_count = 3, failover = true } && length(module.cache.members) == 3
    error_message = "the cache is the described one"
  }
  assert {
    condition     = module.ecs.settings.bounds == { min = 2, max = 40 } && module.ecs.settings.desired.gateway == 2 && length(module.ecs.settings.schedules) == 2 && alltrue([for schedule in values(module.ecs.settings.schedules) : schedule.min >= 2 && schedule.max == 40])
    error_message = "two to forty tasks, by day and by night"
  }
  assert {
    condition = module.ecs.settings.sizes == {
      gateway = { cpu = 1024, memory = 2048 }, worker = { cpu = 512, memory = 1024 }, migrate = { cpu = 256, memory = 512 }
    } && module.ecs.settings.max_calls == 200 && module.ecs.settings.calls_per_task == 100 && module.ecs.settings.container_insights == "enhanced"
    error_message = "tasks have the described size, hold 200 calls and are looked into"
  }
  assert {
    condition     = toset(module.networking.settings.zones) == toset(["us-east-1a", "us-east-1b", "us-east-1c"]) && module.networking.settings.nat_gateways == 3 && length(module.networking.settings.endpoints) == 5 && module.networking.settings.flow_log_retention_days == 365
    error_message = "each of three zones has its subnets and its NAT gateway; flows are kept for a year"
  }
  assert {
    condition     = module.edge.settings == { deletion_protection = true, force_destroy = false, longest_call_seconds = 3600 } && !module.ecs.settings.force_delete && module.ecs.settings.guardduty
    error_message = "nothing of production goes by mistake, calls have their hour, and GuardDuty looks into tasks"
  }
  assert {
    condition     = module.monitoring.settings.log_retention_days.gateway == 365 && module.cost.monthly_budget_usd == 4000
    error_message = "logs are kept for a year, and a month has its budget"
  }
  assert {
    condition = merge(
      { for what, key in module.database.sealed_with : "database ${what}" => key },
      { for what, key in module.cache.sealed_with : "cache ${what}" => key },
      { for what, key in module.ecs.sealed_with : "ecs ${what}" => key },
      { "secrets" = one(module.secrets.sealed_with), "topics" = module.monitoring.settings.topics_sealed_with },
      ) == {
      "database storage"       = module.security.kms_key_arns.data
      "database insights"      = module.security.kms_key_arns.data
      "database administrator" = module.security.kms_key_arns.secrets
      "database logs"          = module.security.kms_key_arns.logs
      "cache storage"          = module.security.kms_key_arns.data
      "cache logs"             = module.security.kms_key_arns.logs
      "ecs images"             = module.security.kms_key_arns.data
      "ecs recordings"         = module.security.kms_key_arns.data
      "ecs topic"              = module.security.kms_key_arns.logs
      "secrets"                = module.security.kms_key_arns.secrets
      "topics"                 = module.security.kms_key_arns.logs
    }
    error_message = "data, logs and secrets are sealed with their own keys, and CodeDeploy can use the topics'"
  }
  assert {
    condition     = length(distinct(values(module.security.kms_key_arns))) == 3 && length(distinct(values(module.ecs.execution_role_arns))) == 3
    error_message = "keys and roles can be told from each other here"
  }
  assert {
    condition = { for name, readers in module.secrets.readers : name => join(" ", sort([for reader in readers : split("/", reader)[1] if !endswith(reader, "/nobody")])) } == {
      ELEVENLABS_API_KEY      = "start-gateway"
      OPENAI_API_KEY          = "seiketsu-production-apply start-gateway"
      DEEPGRAM_API_KEY        = "start-gateway"
      TWILIO_AUTH_TOKEN       = "start-gateway"
      JWT_SECRET              = "start-gateway"
      RECORDING_MASTER_KEY    = "start-gateway start-worker"
      DATABASE_PASSWORD       = "seiketsu-production-apply start-gateway start-migrate start-worker"
      SMTP_URL                = ""
      OPENAI_FALLBACK_API_KEY = ""
      MONITORING_API_KEY      = "forwarder"
      SUPABASE_KEY            = ""
    }
    error_message = "each secret is read by who needs it, and by who writes it here"
  }
  assert {
    condition     = output.deployment.subnet_ids == tolist(module.networking.app_subnet_ids) && output.deployment.security_group_ids[0] == "sg-gateway" && length(output.deployment.security_group_ids) == 1
    error_message = "a release brings the gateway up in the app subnets and in its group"
  }
  assert {
    condition     = length(output.replica_addresses) == 0 && module.ecs.secrets.migrate.PGPASSWORD == "${output.database_master_secret_arn}:password::" && strcontains(output.database_master_secret_arn, ":secret:rds!")
    error_message = "without replicas, migrations read the secret that RDS keeps"
  }
  assert {
    condition = alltrue(flatten([
      for row in regexall("(?m)^\\| \\[([a-z]+)\\]\\(modules/[a-z]+\\) \\| [^|]+ \\| ([^|]+) \\| ([^|]+) \\|$", file("README.md")) : [
        [for name in regexall("`([a-z_]+)`", row[1]) : strcontains(file("modules/${row[0]}/variables.tf"), "variable \"${name[0]}\" {")],
        [for name in regexall("`([a-z_]+)`", row[2]) : strcontains(file("modules/${row[0]}/outputs.tf"), "output \"${name[0]}\" {")],
      ]
    ])) && length(regexall("(?m)^\\| \\[([a-z]+)\\]\\(modules/", file("README.md"))) == length(fileset("modules", "*/versions.tf")) && output.cluster_name == "seiketsu-production"
    error_message = "the README names modules, arguments and outputs that there are"
  }
  assert {
    condition     = length(module.networking.nat_public_ips) == 3 && length(module.networking.app_subnet_ids) == 3
    error_message = "three zones, each with a way out of its own"
  }
  assert {
    condition     = module.backup.copy_vault_arn != null && module.compliance.detector_id != null && length(module.compliance.rule_names) > 20
    error_message = "backups are copied, and the account is watched"
  }
  assert {
    condition = module.backup.no_backup_alarm_names == {
      shared = "seiketsu-production-no-backup-shared", tenant-lone-star-homes = "seiketsu-production-no-backup-tenant-lone-star-homes"
    }
    error_message = "each database that is not backed up for a day is told"
  }
  assert {
    condition     = module.compliance.audit_lock.mode == "COMPLIANCE" && module.compliance.audit_lock.days == 365
    error_message = "nobody deletes an audit log of production for a year"
  }
  assert {
    condition     = output.public_url == "https://voice.seiketsu.example.com" && output.console_url == "https://console.seiketsu.example.com"
    error_message = "Twilio reaches the load balancer, people the distribution"
  }
  assert {
    condition = length(setsubtract(
      ["ELEVENLABS_API_KEY", "OPENAI_API_KEY", "JWT_SECRET", "SUPABASE_KEY", "MONITORING_API_KEY", "DEEPGRAM_API_KEY", "TWILIO_AUTH_TOKEN", "DATABASE_PASSWORD", "RECORDING_MASTER_KEY"],
      keys(output.secret_names)
    )) == 0
    error_message = "each key of the described system and of the contract has a secret"
  }
  assert {
    condition     = keys(output.tenant_databases) == ["lone-star-homes"]
    error_message = "a dedicated tenant has a database"
  }
  assert {
    condition     = length(output.topic_arns) == 2 && length(module.monitoring.rollback_alarm_names) >= 3
    error_message = "alerts have channels, and deployments alarms"
  }
  assert {
    condition = contains(module.monitoring.rollback_alarm_names, "seiketsu-production-first-audio-fast-short") && [
      for objective in local.objectives : objective.target if objective.name == "first-audio"
    ] == [0.999]
    error_message = "a word within two seconds is the objective for 99.9 % of turns, and has alarms"
  }
  assert {
    condition     = [for objective in local.objectives : [objective.threshold.statistic, objective.threshold.above] if objective.name == "api-latency"] == [["p95", 0.5]]
    error_message = "the API's objective is half a second, 95th percentile"
  }
  assert {
    condition = length(setsubtract(["Project", "Environment", "Owner", "CostCenter"], keys(local.tags))) == 0 && length(regexall("tags = local\\.tags", file("versions.tf"))) == length(
      regexall("(?m)^provider \"aws\"", file("versions.tf"))
    )
    error_message = "every provider puts the tags that bills are broken down by on whatever it makes"
  }
  assert {
    condition = alltrue([
      for given in regexall("(?m)^(?:# )?([a-z_]+) += ", "${file("terraform.tfvars.example")}\n${file("environments/${var.environment}.tfvars")}") :
      strcontains(file("variables.tf"), "variable \"${given[0]}\" {")
    ])
    error_message = "the template and the environment's file give variables that there are"
  }
  assert {
    condition = length(setsubtract(
      [for declared in regexall("(?s)variable \"([a-z_]+)\" \\{(.*?)\n\\}", file("variables.tf")) : declared[0] if !strcontains(declared[1], "\n  default ")],
      [for given in regexall("(?m)^([a-z_]+) += ", "${file("terraform.tfvars.example")}\n${file("environments/${var.environment}.tfvars")}") : given[0]]
    )) == 0
    error_message = "the template and the environment's file give all that has no default"
  }
  assert {
    condition     = module.ecs.settings.worker_capacity == "FARGATE_SPOT" && module.ecs.settings.desired.worker == 2
    error_message = "the worker is on spare capacity"
  }
}

run "a_proxy_is_wired_to_its_login" {
  variables {
    database = {
      instance_class        = "db.r6g.2xlarge", allocated_storage_gb = 1000, max_allocated_storage_gb = 10000, multi_az = true
      backup_retention_days = 30, monitoring_interval_seconds = 60, proxy_enabled = true
    }
  }

  assert {
    condition     = module.database.proxy_role_arn != null && contains(keys(module.security.security_group_ids), "database_proxy") && output.database_address != module.database.primary_address
    error_message = "tasks reach the proxy, and migrations the database itself"
  }
  assert {
    condition     = join(" ", sort([for reader in module.secrets.readers.DATABASE_PASSWORD : split("/", reader)[1] if !endswith(reader, "/nobody")])) == "proxy start-gateway start-migrate start-worker"
    error_message = "the proxy may read the login, which the secret's policy would refuse otherwise"
  }
  assert {
    condition     = module.database.proxy_role_arn == "arn:aws:iam::123456789012:role/proxy" && alltrue([for name, readers in module.secrets.readers : !contains(readers, module.database.proxy_role_arn) if name != "DATABASE_PASSWORD"])
    error_message = "the proxy reads no other secret"
  }
}

run "read_replicas_take_a_password_of_ours" {
  variables {
    deployer_role_arns      = ["arn:aws:iam::123456789012:role/seiketsu-production-apply"]
    database_admin_password = "correct-horse-battery"
    database = {
      instance_class        = "db.r6g.2xlarge", allocated_storage_gb = 1000, max_allocated_storage_gb = 10000, multi_az = true
      backup_retention_days = 30, monitoring_interval_seconds = 60, read_replica_count = 2
    }
  }

  assert {
    condition     = length(output.replica_addresses) == 2 && module.database.settings.read_replica_count == 2
    error_message = "read replicas are one variable away, and say where they are"
  }
  assert {
    condition     = output.database_master_secret_arn == "arn:aws:secretsmanager:us-east-1:123456789012:secret:administrator-AbCdEf" && module.ecs.secrets.migrate.PGPASSWORD == "${output.database_master_secret_arn}:password::"
    error_message = "migrations read the password from the secret that is made here"
  }
  assert {
    condition     = join(" ", [for reader in module.database.master_secret_readers : split("/", reader)[1]]) == "start-migrate seiketsu-production-apply" && module.database.sealed_with.administrator == module.security.kms_key_arns.secrets
    error_message = "what starts migrations may read it, and what writes it; it is sealed with the secrets' key"
  }
}

run "replicas_without_a_password_are_refused" {
  command = plan
  variables {
    database = {
      instance_class        = "db.r6g.2xlarge", allocated_storage_gb = 1000, max_allocated_storage_gb = 10000, multi_az = true
      backup_retention_days = 30, monitoring_interval_seconds = 60, read_replica_count = 2
    }
  }
  expect_failures = [var.database]
}

run "an_alarm_that_every_release_would_raise_is_refused" {
  command = plan
  variables {
    database = {
      instance_class        = "db.r6g.2xlarge", allocated_storage_gb = 1000, max_allocated_storage_gb = 10000, multi_az = true
      backup_retention_days = 30, monitoring_interval_seconds = 60, connections_alarm_at = 1680
    }
  }
  expect_failures = [var.database]
}

run "the_same_region_for_copies_is_refused" {
  command = plan
  variables {
    replica_region = "us-east-1"
  }
  expect_failures = [var.replica_region]
}

run "zones_of_another_region_are_refused" {
  command = plan
  variables {
    availability_zones = ["eu-west-1a", "eu-west-1b"]
  }
  expect_failures = [var.availability_zones]
}

run "another_regions_agent_is_refused" {
  command = plan
  variables {
    region             = "eu-west-1"
    availability_zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  }
  expect_failures = [var.guardduty_agent_registry]
}

run "tasks_that_could_not_start_are_refused" {
  command = plan
  variables {
    variables = {}
  }
  expect_failures = [var.variables]
}

run "an_account_that_is_none_is_refused" {
  command = plan
  variables {
    account_id = "seiketsu"
  }
  expect_failures = [var.account_id]
}
