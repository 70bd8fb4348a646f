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
  account_id    = "123456789012"
  secret_values = {}
  domain        = "seiketsu.example.com"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  image_digest  = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  variables     = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
}

run "staging_as_described" {
  assert {
    condition     = !var.database.multi_az && var.database.backup_retention_days == 7 && var.database.monitoring_interval_seconds == 0
    error_message = "one zone, seven days, basic monitoring"
  }
  assert {
    condition     = length(module.cache.members) == 1 && var.gateway.min == 1
    error_message = "one cache node, one task"
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
    condition     = var.container_insights == "disabled"
    error_message = "basic monitoring"
  }
  assert {
    condition     = output.repository_url != "" && output.cluster_name == "seiketsu-staging"
    error_message = "names say which environment it is"
  }
}
