locals {
  # ElastiCache allows 40 characters for an id, and the user's is made of this one.
  id             = "${trimsuffix(substr(var.name, 0, 24), "-")}-cache"
  versions       = { valkey = "8.0", redis = "7.1" }
  engine_version = coalesce(var.engine_version, local.versions[var.engine])
  major          = split(".", local.engine_version)[0]
  family         = var.engine == "valkey" ? "valkey${local.major}" : "redis${local.major}"
  replicated     = var.node_count > 1
  members        = [for index in range(var.node_count) : format("%s-%03d", local.id, index + 1)]
}

resource "aws_elasticache_subnet_group" "this" {
  name        = local.id
  description = "Subnets without a way out"
  subnet_ids  = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${local.id}-${local.family}"
  family      = local.family
  description = "Leases, limits and presence"

  # All of it expires; when memory is short, what expires next goes first.
  parameter {
    name  = "maxmemory-policy"
    value = "volatile-ttl"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The platform logs in with a token that IAM signs: no password exists.
resource "aws_elasticache_user" "platform" {
  user_id   = "${local.id}-platform"
  user_name = "${local.id}-platform"
  engine    = var.engine
  # Neither configuration nor other people's connections are its business.
  access_string = "on ~* &* +@all -@admin -@dangerous"

  authentication_mode {
    type = "iam"
  }
}

# Redis wants a user called `default` in every group. This one may do nothing.
resource "aws_elasticache_user" "default" {
  count = var.engine == "redis" ? 1 : 0

  user_id       = "${local.id}-default"
  user_name     = "default"
  engine        = var.engine
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = local.id
  engine        = var.engine
  user_ids      = concat([aws_elasticache_user.platform.user_id], aws_elasticache_user.default[*].user_id)
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["slow-log", "engine-log"])

  name              = "/${var.name}/cache/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_kms_key_arn
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = local.id
  description          = "Leases, limits and presence of ${var.name}"
  engine               = var.engine
  engine_version       = local.engine_version
  node_type            = var.node_type
  num_cache_clusters   = var.node_count
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.this.name

  automatic_failover_enabled = local.replicated
  multi_az_enabled           = local.replicated

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [var.security_group_id]

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  snapshot_retention_limit   = var.snapshot_retention_days
  snapshot_window            = "07:00-08:00"
  maintenance_window         = "sun:11:00-sun:12:00"
  auto_minor_version_upgrade = true
  apply_immediately          = false

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = log_delivery_configuration.key
    }
  }
}
