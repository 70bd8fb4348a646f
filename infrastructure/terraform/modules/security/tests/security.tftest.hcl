mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name               = "seiketsu-test"
  region             = "us-east-1"
  account_id         = "123456789012"
  vpc_id             = "vpc-0123456789abcdef0"
  test_traffic_cidrs = ["203.0.113.10/32"]
}

# So that groups can be told from each other.
override_resource {
  target = aws_security_group.this["load_balancer"]
  values = { id = "sg-load-balancer" }
}

override_resource {
  target = aws_security_group.this["gateway"]
  values = { id = "sg-gateway" }
}

override_resource {
  target = aws_security_group.this["worker"]
  values = { id = "sg-worker" }
}

override_resource {
  target = aws_security_group.this["database"]
  values = { id = "sg-database" }
}

override_resource {
  target = aws_security_group.this["cache"]
  values = { id = "sg-cache" }
}

run "every_key_rotates_and_can_be_brought_back" {
  assert {
    condition     = toset(keys(aws_kms_key.this)) == toset(["data", "logs", "secrets"])
    error_message = "expected keys for data, logs and secrets"
  }
  assert {
    condition     = alltrue([for key in values(aws_kms_key.this) : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "a key rotates, and is kept for thirty days once deleted"
  }
  assert {
    condition     = alltrue([for key in values(aws_kms_key.this) : coalesce(key.customer_master_key_spec, "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT" && coalesce(key.key_usage, "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"])
    error_message = "a key is symmetric, which is AES-256"
  }
}

run "services_use_keys_for_this_account_only" {
  assert {
    condition = alltrue(flatten([for key in values(aws_kms_key.this) : [
      for statement in jsondecode(key.policy).Statement :
      can(statement.Condition) || try(statement.Principal.AWS, "") == "arn:aws:iam::123456789012:root"
    ]]))
    error_message = "whoever is not the account itself is bound by a condition"
  }
  assert {
    condition = alltrue(flatten([for key in values(aws_kms_key.this) : [
      for statement in jsondecode(key.policy).Statement : [
        for action in flatten([statement.Action]) : !strcontains(action, "*") if statement.Sid != "Account"
      ]
    ]]))
    error_message = "services get named actions"
  }
  assert {
    condition = [for statement in jsondecode(aws_kms_key.this["logs"].policy).Statement : statement.Condition if contains(flatten([try(statement.Principal.Service, [])]), "events.amazonaws.com")] == [
      { ArnLike = { "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:us-east-1:123456789012:seiketsu-test-*" } },
    ]
    error_message = "EventBridge names no account, so that the topics themselves bound it"
  }
  assert {
    condition = toset(flatten([for statement in jsondecode(aws_kms_key.this["logs"].policy).Statement : try(statement.Principal.Service, [])])) == toset([
      "logs.us-east-1.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com",
      "events.rds.amazonaws.com",
    ])
    error_message = "whoever speaks to a sealed topic may use its key"
  }
}

run "only_web_ports_and_tests_come_from_outside" {
  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_ingress_rule.internet) : rule.from_port]) == toset([80, 443])
    error_message = "the internet reaches 80 and 443 only"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.test_traffic) == 1 && aws_vpc_security_group_ingress_rule.test_traffic["203.0.113.10/32"].cidr_ipv4 == "203.0.113.10/32" && aws_vpc_security_group_ingress_rule.test_traffic["203.0.113.10/32"].to_port == 8443
    error_message = "the test listener is open to who was named"
  }
}

run "every_connection_has_both_of_its_rules" {
  assert {
    condition = { for key, rule in aws_vpc_security_group_egress_rule.between : key => { port = rule.from_port, from = rule.security_group_id, to = rule.referenced_security_group_id } } == {
      "load_balancer-gateway" = { port = 8080, from = "sg-load-balancer", to = "sg-gateway" }
      "worker-gateway"        = { port = 8080, from = "sg-worker", to = "sg-gateway" }
      "gateway-database"      = { port = 5432, from = "sg-gateway", to = "sg-database" }
      "worker-database"       = { port = 5432, from = "sg-worker", to = "sg-database" }
      "gateway-cache"         = { port = 6379, from = "sg-gateway", to = "sg-cache" }
      "worker-cache"          = { port = 6379, from = "sg-worker", to = "sg-cache" }
    }
    error_message = "each connection leaves its group on its port, towards the other"
  }
  assert {
    condition = { for key, rule in aws_vpc_security_group_ingress_rule.between : key => { port = rule.to_port, from = rule.referenced_security_group_id, to = rule.security_group_id } } == {
      "load_balancer-gateway" = { port = 8080, from = "sg-load-balancer", to = "sg-gateway" }
      "worker-gateway"        = { port = 8080, from = "sg-worker", to = "sg-gateway" }
      "gateway-database"      = { port = 5432, from = "sg-gateway", to = "sg-database" }
      "worker-database"       = { port = 5432, from = "sg-worker", to = "sg-database" }
      "gateway-cache"         = { port = 6379, from = "sg-gateway", to = "sg-cache" }
      "worker-cache"          = { port = 6379, from = "sg-worker", to = "sg-cache" }
    }
    error_message = "an egress rule without its ingress rule lets nothing through"
  }
  assert {
    condition = toset(keys(aws_vpc_security_group_ingress_rule.between)) == toset([
      "load_balancer-gateway", "worker-gateway", "gateway-database", "worker-database", "gateway-cache", "worker-cache",
    ])
    error_message = "expected exactly the connections of the architecture"
  }
  assert {
    condition     = alltrue([for key, rule in aws_vpc_security_group_ingress_rule.between : rule.from_port == rule.to_port && rule.from_port == (endswith(key, "-gateway") ? 8080 : endswith(key, "-cache") ? 6379 : 5432)])
    error_message = "each connection has one port: 8080, 5432 or 6379"
  }
  assert {
    condition     = alltrue([for rule in values(aws_vpc_security_group_egress_rule.outward) : contains([443, 465, 587], rule.from_port) && rule.from_port == rule.to_port])
    error_message = "tasks leave on TLS and mail ports only"
  }
  assert {
    # What EC2 itself asks of a description; the provider does not look at all of it.
    condition = alltrue([for description in concat(
      values(aws_security_group.this)[*].description, values(aws_vpc_security_group_ingress_rule.internet)[*].description, values(aws_vpc_security_group_ingress_rule.test_traffic)[*].description,
      values(aws_vpc_security_group_ingress_rule.between)[*].description, values(aws_vpc_security_group_egress_rule.between)[*].description, values(aws_vpc_security_group_egress_rule.outward)[*].description,
    ) : can(regex("^[a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{1,255}$", description))])
    error_message = "EC2 takes no apostrophe in a description"
  }
  assert {
    condition     = toset([for key in keys(aws_vpc_security_group_egress_rule.outward) : split("-", key)[0]]) == toset(["gateway", "worker"])
    error_message = "database and cache have no way out"
  }
}

run "a_proxy_stands_between" {
  variables {
    database_proxy_enabled = true
  }
  assert {
    condition     = contains(keys(aws_vpc_security_group_ingress_rule.between), "database_proxy-database") && contains(keys(aws_vpc_security_group_ingress_rule.between), "gateway-database_proxy")
    error_message = "with a proxy, tasks reach it and it reaches the database"
  }
}

run "a_test_listener_for_everybody_is_refused" {
  command = plan
  variables {
    test_traffic_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.test_traffic_cidrs]
}

run "a_key_that_goes_at_once_is_refused" {
  command = plan
  variables {
    key_deletion_window_days = 1
  }
  expect_failures = [var.key_deletion_window_days]
}
