# With -var-file=environments/production-right-sized.tfvars, as scripts/infra-check runs it.
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
  account_id              = "123456789012"
  secret_values           = {}
  database_admin_password = ""
  domain                  = "seiketsu.example.com"
  zone_id                 = "Z0123456789ABCDEFGHIJ"
  image_digest            = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  variables               = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
}

run "production_right_sized_keeps_its_availability" {
  assert {
    condition     = output.cluster_name == "seiketsu-production" && module.database.settings.multi_az && module.cache.settings.node_count == 2 && module.cache.settings.failover && module.ecs.settings.bounds.min == 2 && length(module.networking.settings.zones) == 2
    error_message = "two zones, two tasks, a standby and a replica"
  }
  assert {
    condition     = length(module.networking.nat_public_ips) == 2
    error_message = "each zone has a way out of its own"
  }
  assert {
    condition     = module.ecs.settings.architecture == "ARM64" && module.ecs.settings.bounds.max == 18 && module.ecs.settings.max_calls == 200 && module.ecs.settings.calls_per_task == 140
    error_message = "arm64, up to eighteen tasks, 200 calls each"
  }
  assert {
    # 856 is RDS's limit for 8 GiB; three are for its own administrator, and some for migrations and people.
    condition     = module.database.settings.instance_class == "db.m7g.large" && 2 * 20 * (module.ecs.settings.bounds.max + module.ecs.settings.desired.worker) <= 856 - 3 - 40 && module.database.settings.connections_alarm_at > 2 * 20 * (module.ecs.settings.bounds.max + module.ecs.settings.desired.worker)
    error_message = "both colours of all tasks find connections in a deployment, and that is no alarm"
  }
  assert {
    condition     = module.database.settings.backup_retention_days == 30 && module.monitoring.settings.log_retention_days.gateway == 365 && module.networking.settings.flow_log_retention_days == 365 && module.compliance.detector_id != null && module.backup.copy_vault_arn != null && module.database.settings.deletion_protection && module.edge.settings.deletion_protection && !module.ecs.settings.force_delete
    error_message = "cheaper, but no less safe"
  }
  assert {
    condition     = module.compliance.audit_lock.mode == "COMPLIANCE" && keys(module.backup.no_backup_alarm_names) == ["shared"]
    error_message = "its audit is locked and its database's backup watched all the same"
  }
  assert {
    condition     = module.cost.monthly_budget_usd == 1000
    error_message = "the budget is a thousand dollars"
  }
}
