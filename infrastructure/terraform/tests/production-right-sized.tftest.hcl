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
  account_id    = "123456789012"
  secret_values = {}
  domain        = "seiketsu.example.com"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  image_digest  = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  variables     = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
}

run "production_right_sized_keeps_its_availability" {
  assert {
    condition     = var.environment == "production" && var.database.multi_az && length(module.cache.members) == 2 && var.gateway.min == 2 && length(var.availability_zones) == 2
    error_message = "two zones, two tasks, a standby and a replica"
  }
  assert {
    condition     = length(module.networking.nat_public_ips) == 2
    error_message = "each zone has a way out of its own"
  }
  assert {
    condition     = var.architecture == "ARM64" && var.gateway.max == 40 && var.gateway.max_calls == 200
    error_message = "arm64, up to forty tasks, 200 calls each"
  }
  assert {
    condition     = var.database.backup_retention_days == 30 && var.log_retention_days == 365 && module.compliance.detector_id != null && module.backup.copy_vault_arn != null && var.deletion_protection
    error_message = "cheaper, but no less safe"
  }
  assert {
    condition     = var.monthly_budget_usd <= 1000
    error_message = "the budget is a thousand dollars"
  }
}
