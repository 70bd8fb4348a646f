# Staging: a database, a cache and tasks in one zone each, a week of backups, basic monitoring, small instances. The subnets
# stand in two zones because load balancers and subnet groups refuse one.
# Still to be given: account_id, domain, zone_id, image_digest, variables.
environment        = "staging"
availability_zones = ["us-east-1a", "us-east-1b"]

vpc_cidr                    = "10.1.0.0/16"
nat_gateway_per_zone        = false
interface_endpoints_enabled = false

gateway = {
  cpu            = 512
  memory         = 1024
  min            = 1
  max            = 4
  calls_per_task = 50
  max_calls      = 100
}

worker = { cpu = 256, memory = 512, count = 1, spot = true }

database = {
  instance_class              = "db.t4g.medium"
  allocated_storage_gb        = 50
  max_allocated_storage_gb    = 200
  multi_az                    = false
  backup_retention_days       = 7
  monitoring_interval_seconds = 0
  connections_alarm_at        = 300
}

cache = { node_type = "cache.t4g.micro", node_count = 1 }

deletion_protection = false

backup = {
  daily_retention_days  = 7
  weekly_retention_days = 0
  copy_retention_days   = 0
  lock_min_days         = 0
  restore_test          = false
}

log_retention_days       = 30
container_insights       = "disabled"
account_baseline_enabled = false
audit                    = { retention_days = 30 }
monthly_budget_usd       = 400
