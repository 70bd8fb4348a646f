# Production for forty tenants without paying for what they do not use. High availability is kept: two zones, two tasks, a
# standby of the database, a replica of the cache. What is given up: the third zone, and head room in database and cache.
# At 200 calls a task, two tasks hold 400 calls, and scaling adds tasks at 140 each.
environment        = "production"
availability_zones = ["us-east-1a", "us-east-1b"]

vpc_cidr             = "10.0.0.0/16"
nat_gateway_per_zone = true
# Ten endpoints (five services, two zones) cost more by the hour than the same traffic through NAT costs by the gigabyte.
interface_endpoints_enabled = false

# Needs an image for arm64.
architecture = "ARM64"

gateway = {
  cpu            = 1024
  memory         = 2048
  min            = 2
  max            = 40
  calls_per_task = 140
  max_calls      = 200
}

worker = { cpu = 256, memory = 512, count = 1, spot = true }

database = {
  # Two vCPUs, 8 GiB: each turn of a call writes a few rows.
  instance_class              = "db.m7g.large"
  allocated_storage_gb        = 100
  max_allocated_storage_gb    = 10000
  multi_az                    = true
  backup_retention_days       = 30
  monitoring_interval_seconds = 60
  connections_alarm_at        = 600
}

cache = { node_type = "cache.t4g.small", node_count = 2 }

backup = {
  daily_retention_days  = 35
  weekly_retention_days = 365
  copy_retention_days   = 35
  lock_min_days         = 7
  restore_test          = true
}

log_retention_days       = 365
container_insights       = "enabled"
account_baseline_enabled = true
audit                    = { retention_days = 365 }
monthly_budget_usd       = 1000
