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

variables {
  account_id    = "123456789012"
  secret_values = {}
  domain        = "seiketsu.example.com"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  image_digest  = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  variables     = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
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
    condition     = var.database.instance_class == "db.r6g.2xlarge" && var.database.allocated_storage_gb == 1000 && var.database.max_allocated_storage_gb == 10000 && var.database.multi_az && var.database.backup_retention_days == 30
    error_message = "the database is the described one"
  }
  assert {
    condition     = var.cache.node_type == "cache.r6g.xlarge" && length(module.cache.members) == 3
    error_message = "the cache is the described one"
  }
  assert {
    condition     = var.gateway.min == 2 && var.gateway.max == 40 && alltrue([for schedule in values(var.schedules) : schedule.min >= 2 && schedule.max == 40])
    error_message = "two to forty tasks, by day and by night"
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
    condition     = var.worker.spot
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
