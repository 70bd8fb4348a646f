# With -var-file=environments/staging.tfvars, as scripts/infra-check runs it.
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

run "staging_as_described" {
  assert {
    condition     = !module.database.settings.multi_az && module.database.settings.backup_retention_days == 7 && module.database.settings.monitoring_interval_seconds == 0
    error_message = "one zone, seven days, basic monitoring"
  }
  assert {
    condition     = length(module.cache.members) == 1 && module.cache.settings.node_count == 1 && !module.cache.settings.failover && module.ecs.settings.bounds == { min = 1, max = 4 } && module.ecs.settings.desired == { gateway = 1, worker = 1 }
    error_message = "one cache node, one task"
  }
  assert {
    condition     = module.database.settings.instance_class == "db.t4g.medium" && module.database.settings.max_allocated_storage_gb == 200 && module.cache.settings.node_type == "cache.t4g.micro" && module.ecs.settings.sizes.gateway == { cpu = 512, memory = 1024 }
    error_message = "small instances: burstable database and cache, half a vCPU"
  }
  assert {
    condition     = length(module.networking.app_subnet_ids) == 2 && length(module.networking.nat_public_ips) == 1
    error_message = "subnets in two zones, as load balancers demand, behind one NAT gateway"
  }
  assert {
    condition     = module.backup.copy_vault_arn == null && module.compliance.detector_id == null
    error_message = "no copies, and the account's baseline is production's"
  }
  assert {
    condition     = !var.account_baseline_enabled && local.agent_repository_arns == ["arn:aws:ecr:us-east-1:593207742271:repository/aws-guardduty-agent-fargate"]
    error_message = "tasks may pull the agent of the account's GuardDuty, which is production's"
  }
  assert {
    condition     = module.ecs.settings.container_insights == "disabled"
    error_message = "basic monitoring: nothing looks into tasks"
  }
  assert {
    condition     = !module.database.settings.deletion_protection && module.edge.settings.force_destroy && !module.edge.settings.deletion_protection && module.ecs.settings.force_delete && !module.ecs.settings.guardduty
    error_message = "staging can be taken down, with its images and whatever lies in buckets, and GuardDuty leaves nothing in its VPC"
  }
  assert {
    condition     = module.database.settings.connections_alarm_at == 300 && module.monitoring.settings.log_retention_days.gateway == 30 && module.cost.monthly_budget_usd == 400 && length(module.networking.settings.endpoints) == 0
    error_message = "a month of logs, a small budget, and no endpoint that costs by the hour"
  }
  assert {
    condition     = output.repository_url != "" && output.cluster_name == "seiketsu-staging"
    error_message = "names say which environment it is"
  }
}
