locals {
  name       = "seiketsu-${var.environment}"
  production = var.environment == "production"

  tags = {
    Project          = "seiketsu"
    Environment      = var.environment
    Owner            = var.owner
    CostCenter       = "seiketsu-${var.environment}"
    ManagedBy        = "terraform"
    Compliance       = "SOC2"
    MonitoringSystem = "21dev-ai"
    ContainerStudio  = "enabled"
  }

  # A replica of the platform holds 20 connections: 16 for tenants' work, 4 for everything else. In a release both colours run.
  release_connections = 2 * 20 * (var.gateway.max + var.worker.count)

  backup_tag = { key = "seiketsu:backup", value = local.name }

  # One secret per key of the described system and of the runtime contract, and who reads it.
  secrets = {
    ELEVENLABS_API_KEY      = { description = "Voice; second recogniser", readers = ["gateway"] }
    OPENAI_API_KEY          = { description = "Language model; second voice, third recogniser", readers = ["gateway"] }
    DEEPGRAM_API_KEY        = { description = "Recogniser", readers = ["gateway"] }
    TWILIO_AUTH_TOKEN       = { description = "Telephone; signs its webhooks", readers = ["gateway"] }
    JWT_SECRET              = { description = "Signs media tokens and client secrets; 32 characters at least, the same for all replicas", readers = ["gateway"] }
    RECORDING_MASTER_KEY    = { description = "Wraps the brokerages' keys: 32 bytes, base64. Whoever loses it has lost all recordings", readers = ["gateway", "worker"] }
    DATABASE_PASSWORD       = { description = "Login of the platform", readers = ["gateway", "worker", "migrate"] }
    SMTP_URL                = { description = "Mail server", readers = contains(var.optional_secrets, "SMTP_URL") ? ["gateway", "worker"] : [] }
    OPENAI_FALLBACK_API_KEY = { description = "A second place for language models", readers = contains(var.optional_secrets, "OPENAI_FALLBACK_API_KEY") ? ["gateway"] : [] }
    MONITORING_API_KEY      = { description = "21dev.ai", readers = ["forwarder"] }
    SUPABASE_KEY            = { description = "Named in the described system. PostgreSQL is RDS here, so that nothing reads it", readers = [] }
  }

  reader_role_arns = merge(module.ecs.execution_role_arns, { forwarder = module.monitoring.forwarder_role_arn })

  # The database's login is read by the proxy as well, if there is one.
  proxy_reader = { DATABASE_PASSWORD = compact([module.database.proxy_role_arn]) }

  objectives = jsondecode(file("${path.module}/objectives/objectives.json")).objectives

  # Also where another environment has the account's GuardDuty: it puts its agent beside every task of the account.
  agent_repository_arns = ["arn:aws:ecr:${var.region}:${var.guardduty_agent_registry}:repository/aws-guardduty-agent-fargate"]
}

module "networking" {
  source = "./modules/networking"

  name                    = local.name
  region                  = var.region
  account_id              = var.account_id
  cidr                    = var.vpc_cidr
  availability_zones      = var.availability_zones
  nat_gateway_per_zone    = var.nat_gateway_per_zone
  flow_log_retention_days = var.log_retention_days
  logs_kms_key_arn        = module.security.kms_key_arns.logs

  interface_endpoints = var.interface_endpoints_enabled ? null : {}
}

module "security" {
  source = "./modules/security"

  name                   = local.name
  region                 = var.region
  account_id             = var.account_id
  vpc_id                 = module.networking.vpc_id
  test_traffic_cidrs     = var.test_traffic_cidrs
  database_proxy_enabled = var.database.proxy_enabled
}

module "secrets" {
  source = "./modules/secrets"

  name                 = local.name
  kms_key_arn          = module.security.kms_key_arns.secrets
  recovery_window_days = local.production ? 30 : 0
  written_here         = var.secrets_written_here
  writers              = var.deployer_role_arns
  secret_values        = var.secret_values
  values_version       = var.secret_values_version

  secrets = { for variable, secret in local.secrets : variable => {
    description = secret.description
    username    = variable == "DATABASE_PASSWORD" ? "seiketsu_service" : null
  } }

  readers = { for variable, secret in local.secrets : variable => concat(
    [for reader in secret.readers : local.reader_role_arns[reader]],
    lookup(local.proxy_reader, variable, []),
  ) }
}

module "database" {
  source = "./modules/database"

  name                        = local.name
  account_id                  = var.account_id
  instance_class              = var.database.instance_class
  allocated_storage_gb        = var.database.allocated_storage_gb
  max_allocated_storage_gb    = var.database.max_allocated_storage_gb
  multi_az                    = var.database.multi_az
  backup_retention_days       = var.database.backup_retention_days
  read_replica_count          = var.database.read_replica_count
  monitoring_interval_seconds = var.database.monitoring_interval_seconds
  connections_alarm_at        = coalesce(var.database.connections_alarm_at, ceil(1.1 * local.release_connections))
  deletion_protection         = var.deletion_protection
  subnet_ids                  = module.networking.data_subnet_ids
  security_group_id           = module.security.security_group_ids.database
  kms_key_arn                 = module.security.kms_key_arns.data
  secrets_kms_key_arn         = module.security.kms_key_arns.secrets
  logs_kms_key_arn            = module.security.kms_key_arns.logs
  log_retention_days          = var.log_retention_days
  alarm_topic_arns            = [module.monitoring.topic_arns.warning]
  tags                        = { (local.backup_tag.key) = local.backup_tag.value }

  proxy_enabled           = var.database.proxy_enabled
  proxy_secret_arn        = var.database.proxy_enabled ? module.secrets.secret_arns["DATABASE_PASSWORD"] : null
  proxy_security_group_id = var.database.proxy_enabled ? module.security.security_group_ids.database_proxy : null

  master_password         = var.database_admin_password
  master_password_version = var.database.admin_password_version
  master_secret_readers   = [module.ecs.execution_role_arns.migrate]
  master_secret_writers   = var.deployer_role_arns
}

module "tenant" {
  source   = "./modules/tenant"
  for_each = var.dedicated_tenants

  name                  = local.name
  account_id            = var.account_id
  slug                  = each.key
  instance_class        = each.value.instance_class
  multi_az              = each.value.multi_az
  backup_retention_days = var.database.backup_retention_days
  connections_alarm_at  = each.value.connections_alarm_at
  deletion_protection   = var.deletion_protection
  subnet_ids            = module.networking.data_subnet_ids
  security_group_id     = module.security.security_group_ids.database
  logs_kms_key_arn      = module.security.kms_key_arns.logs
  secrets_kms_key_arn   = module.security.kms_key_arns.secrets
  alarm_topic_arns      = [module.monitoring.topic_arns.warning]
  backup_tags           = { (local.backup_tag.key) = local.backup_tag.value }
}

module "cache" {
  source = "./modules/cache"

  name               = local.name
  engine             = var.cache.engine
  node_type          = var.cache.node_type
  node_count         = var.cache.node_count
  subnet_ids         = module.networking.data_subnet_ids
  security_group_id  = module.security.security_group_ids.cache
  kms_key_arn        = module.security.kms_key_arns.data
  logs_kms_key_arn   = module.security.kms_key_arns.logs
  log_retention_days = var.log_retention_days
  alarm_topic_arns   = [module.monitoring.topic_arns.warning]
}

module "edge" {
  source = "./modules/edge"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name                       = local.name
  account_id                 = var.account_id
  region                     = var.region
  vpc_id                     = module.networking.vpc_id
  subnet_ids                 = module.networking.public_subnet_ids
  security_group_id          = module.security.security_group_ids.load_balancer
  domain                     = var.domain
  zone_id                    = var.zone_id
  longest_call_seconds       = var.longest_call_seconds
  deletion_protection        = var.deletion_protection
  blocked_countries          = var.blocked_countries
  cloudfront_origin_cidrs    = var.cloudfront_origin_cidrs
  shield_advanced_enabled    = var.shield_advanced_enabled
  logs_kms_key_arn           = module.security.kms_key_arns.logs
  us_east_1_logs_kms_key_arn = var.region == "us-east-1" ? module.security.kms_key_arns.logs : null
  log_retention_days         = var.log_retention_days
}

module "ecs" {
  source = "./modules/ecs"

  name         = local.name
  environment  = var.environment
  account_id   = var.account_id
  region       = var.region
  vpc_id       = module.networking.vpc_id
  subnet_ids   = module.networking.app_subnet_ids
  image_digest = var.image_digest
  architecture = var.architecture
  public_url   = module.edge.public_url
  variables    = var.variables

  security_group_ids = {
    gateway = module.security.security_group_ids.gateway
    worker  = module.security.security_group_ids.worker
  }

  gateway_size       = { cpu = var.gateway.cpu, memory = var.gateway.memory }
  min_tasks          = var.gateway.min
  max_tasks          = var.gateway.max
  calls_per_task     = var.gateway.calls_per_task
  max_calls_per_task = var.gateway.max_calls
  schedules          = var.schedules
  worker_size        = { cpu = var.worker.cpu, memory = var.worker.memory }
  worker_count       = var.worker.count
  worker_on_spot     = var.worker.spot
  container_insights = var.container_insights

  longest_call_seconds = var.longest_call_seconds
  canary               = var.canary
  blue_green           = module.edge.blue_green
  rollback_alarm_names = module.monitoring.rollback_alarm_names
  alarm_topic_arn      = module.monitoring.topic_arns.critical
  topic_kms_key_arn    = module.security.kms_key_arns.logs
  log_group_names      = module.monitoring.log_group_names
  rebuild_hook         = var.rebuild_hook

  agent_repository_arns = local.agent_repository_arns

  database = {
    address          = module.database.address
    primary_address  = module.database.primary_address
    admin_username   = module.database.master_username
    admin_secret_arn = module.database.master_secret_arn
  }

  redis_url          = module.cache.redis_url
  cache_connect_arns = module.cache.connect_arns

  secret_arns     = module.secrets.secret_arns
  gateway_secrets = [for variable, secret in local.secrets : variable if contains(secret.readers, "gateway") && variable != "DATABASE_PASSWORD"]
  worker_secrets  = [for variable, secret in local.secrets : variable if contains(secret.readers, "worker") && variable != "DATABASE_PASSWORD"]
  kms_key_arns    = { data = module.security.kms_key_arns.data, secrets = module.security.kms_key_arns.secrets }

  # An environment that can be taken down is.
  recordings_force_destroy = !var.deletion_protection
  guardduty_enabled        = var.deletion_protection
  backup_tags              = { (local.backup_tag.key) = local.backup_tag.value }
}

module "monitoring" {
  source = "./modules/monitoring"

  name               = local.name
  account_id         = var.account_id
  environment        = var.environment
  region             = var.region
  logs_kms_key_arn   = module.security.kms_key_arns.logs
  log_retention_days = var.log_retention_days
  alert_emails       = var.alert_emails
  slack              = var.slack
  pagerduty_url      = var.pagerduty_url
  objectives         = local.objectives

  cluster_name              = module.ecs.cluster_name
  gateway_service_name      = module.ecs.service_names.gateway
  min_tasks                 = var.gateway.min
  max_calls_per_task        = var.gateway.max_calls
  load_balancer_arn_suffix  = module.edge.load_balancer_arn_suffix
  target_group_arn_suffixes = module.edge.target_group_arn_suffixes
  database_identifier       = module.database.identifier
  cache_members             = module.cache.members

  forwarder_package              = var.forwarder_package
  forwarder_reserved_concurrency = var.forwarder_reserved_concurrency
  forwarder_secret_arn           = module.secrets.secret_arns["MONITORING_API_KEY"]
  secrets_kms_key_arn            = module.security.kms_key_arns.secrets
}

module "compliance" {
  source = "./modules/compliance"

  name                     = local.name
  account_id               = var.account_id
  region                   = var.region
  account_baseline_enabled = var.account_baseline_enabled
  topic_arns               = module.monitoring.topic_arns
  audit_retention_days     = var.audit.retention_days
  lock_mode                = var.audit.lock_mode
  force_destroy            = !var.deletion_protection
  watched_bucket_arns      = [module.ecs.recordings_bucket_arn]
  logs_kms_key_arn         = module.security.kms_key_arns.logs
}

module "backup" {
  source = "./modules/backup"

  providers = {
    aws         = aws
    aws.replica = aws.replica
  }

  name                      = local.name
  account_id                = var.account_id
  selection_tag             = local.backup_tag
  daily_retention_days      = var.backup.daily_retention_days
  weekly_retention_days     = var.backup.weekly_retention_days
  copy_retention_days       = var.backup.copy_retention_days
  lock_min_days             = var.backup.lock_min_days
  restore_test_enabled      = var.backup.restore_test
  restore_test_subnet_group = module.database.subnet_group_name
  force_destroy             = !var.deletion_protection
  topic_arn                 = module.monitoring.topic_arns.critical
  database_arns             = merge({ shared = module.database.arn }, { for slug, tenant in module.tenant : "tenant-${slug}" => tenant.arn })
}

module "cost" {
  source = "./modules/cost"

  name                    = local.name
  environment             = var.environment
  monthly_budget_usd      = var.monthly_budget_usd
  topic_arn               = module.monitoring.topic_arns.warning
  account_monitor_enabled = var.account_baseline_enabled
  anomaly_monitor_arn     = var.anomaly_monitor_arn
  cost_allocation_tags    = var.cost_allocation_tags
}
