mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name              = "seiketsu-test"
  subnet_ids        = ["subnet-0000000000000000a", "subnet-0000000000000000b"]
  security_group_id = "sg-0123456789abcdef0"
  kms_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  logs_kms_key_arn  = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  alarm_topic_arns  = ["arn:aws:sns:us-east-1:123456789012:infrastructure"]
}

run "it_is_what_the_described_system_asks_for" {
  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 3 && aws_elasticache_replication_group.this.node_type == "cache.r6g.xlarge"
    error_message = "expected three nodes of cache.r6g.xlarge"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.snapshot_retention_limit == 7
    error_message = "expected failover over zones, and snapshots"
  }
}

run "it_is_sealed_and_private_and_has_no_password" {
  assert {
    condition = (
      aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
      && aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn
      && aws_elasticache_replication_group.this.transit_encryption_enabled
      && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    )
    error_message = "storage is sealed with our key and TLS is required"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null && aws_elasticache_user.platform.authentication_mode[0].type == "iam" && aws_elasticache_user.platform.user_id == aws_elasticache_user.platform.user_name
    error_message = "the platform logs in with IAM, for which id and name have to be equal"
  }
  assert {
    condition     = strcontains(aws_elasticache_user.platform.access_string, "-@dangerous") && strcontains(aws_elasticache_user.platform.access_string, "-@admin")
    error_message = "the platform may not administer the cache"
  }
  assert {
    condition     = startswith(output.redis_url, "rediss://seiketsu-test-cache-platform@") && !strcontains(split("@", output.redis_url)[0], ":seiketsu")
    error_message = "the URL speaks TLS and holds no password"
  }
  assert {
    condition     = alltrue([for group in values(aws_cloudwatch_log_group.this) : group.kms_key_id == var.logs_kms_key_arn])
    error_message = "its logs are sealed"
  }
}

run "every_node_is_watched" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.member) == 12 && toset([for alarm in values(aws_cloudwatch_metric_alarm.member) : alarm.dimensions.CacheClusterId]) == toset(["seiketsu-test-cache-001", "seiketsu-test-cache-002", "seiketsu-test-cache-003"])
    error_message = "expected four alarms on each of three nodes"
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.lag) == 3
    error_message = "any node may become a replica, so each one's lag is watched"
  }
}

run "the_cache_speaks_to_no_sealed_topic" {
  assert {
    condition     = aws_elasticache_replication_group.this.notification_topic_arn == null
    error_message = "ElastiCache calls a sealed topic inactive and stays silent"
  }
  assert {
    condition     = output.settings.node_type == aws_elasticache_replication_group.this.node_type && output.settings.node_count == 3 && output.settings.failover
    error_message = "its settings are told as they are"
  }
}

run "redis_gets_a_default_user_that_may_do_nothing" {
  variables {
    engine = "redis"
  }
  assert {
    condition     = aws_elasticache_user.default[0].access_string == "off -@all" && length(aws_elasticache_user_group.this.user_ids) == 2
    error_message = "the default user of Redis is off"
  }
  assert {
    condition     = aws_elasticache_parameter_group.this.family == "redis7"
    error_message = "expected the parameter family of Redis 7"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.engine == "redis" && aws_elasticache_user.platform.engine == "redis"
    error_message = "Redis itself is one variable away"
  }
}

run "staging_has_one_node_and_says_so" {
  variables {
    node_count = 1
    node_type  = "cache.t4g.micro"
  }
  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled && length(aws_cloudwatch_metric_alarm.lag) == 0
    error_message = "one node has nowhere to fail over to"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled
    error_message = "staging speaks TLS too"
  }
}

run "another_engine_is_refused" {
  command = plan
  variables {
    engine = "memcached"
  }
  expect_failures = [var.engine]
}

run "no_node_is_refused" {
  command = plan
  variables {
    node_count = 0
  }
  expect_failures = [var.node_count]
}

run "no_snapshots_is_refused" {
  command = plan
  variables {
    snapshot_retention_days = 0
  }
  expect_failures = [var.snapshot_retention_days]
}
