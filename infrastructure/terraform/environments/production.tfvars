# Production as the described system has it: three zones, db.r6g.2xlarge with 1 TB, three cache.r6g.xlarge, 2 to 40 tasks.
# Still to be given: account_id, domain, zone_id, image_digest, variables.
environment        = "production"
availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

vpc_cidr             = "10.0.0.0/16"
nat_gateway_per_zone = true

gateway = {
  cpu            = 1024
  memory         = 2048
  min            = 2
  max            = 40
  calls_per_task = 100
  max_calls      = 200
}

worker = { cpu = 512, memory = 1024, count = 2, spot = true }

# Brokerages are called by day. At night the minimum is what two zones need.
schedules = {
  day   = { cron = "cron(0 7 ? * * *)", min = 4, max = 40 }
  night = { cron = "cron(0 22 ? * * *)", min = 2, max = 40 }
}

database = {
  instance_class              = "db.r6g.2xlarge"
  allocated_storage_gb        = 1000
  max_allocated_storage_gb    = 10000
  multi_az                    = true
  backup_retention_days       = 30
  monitoring_interval_seconds = 60
}

cache = { node_type = "cache.r6g.xlarge", node_count = 3 }

backup = {
  daily_retention_days  = 35
  weekly_retention_days = 365
  copy_retention_days   = 35
  lock_min_days         = 7
  restore_test          = true
}

log_retention_days       = 365
container_insights       = "enhanced"
account_baseline_enabled = true
# COMPLIANCE cannot be undone: for a year nobody deletes an audit log or its bucket, not even the account's root, only the whole
# account. A trial that is to be taken down again has GOVERNANCE.
audit              = { retention_days = 365, lock_mode = "COMPLIANCE" }
monthly_budget_usd = 4000
