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

# The database below takes about 856 connections (8 GiB over 9,531,392 bytes each, less what RDS keeps for itself). A task holds
# 20, and in a deployment both colours run: 18 tasks are 2 x 18 x 20 = 720, the worker's two 40. What is left is for migrations
# and people. More tasks need a larger database.
gateway = {
  cpu            = 1024
  memory         = 2048
  min            = 2
  max            = 18
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
  # Beyond what a deployment at 18 tasks takes.
  connections_alarm_at = 780
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
# COMPLIANCE cannot be undone: for a year nobody deletes an audit log or its bucket, not even the account's root, only the whole
# account. A trial that is to be taken down again has GOVERNANCE.
audit              = { retention_days = 365, lock_mode = "COMPLIANCE" }
monthly_budget_usd = 1000
