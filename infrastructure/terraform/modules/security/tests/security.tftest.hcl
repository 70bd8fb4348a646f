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

run "every_key_rotates_and_can_be_brought_back" {
  assert {
    condition     = toset(keys(aws_kms_key.this)) == toset(["data", "logs", "secrets"])
    error_message = "expected keys for data, logs and secrets"
  }
  assert {
    condition     = alltrue([for key in values(aws_kms_key.this) : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "a key rotates, and is kept for thirty days once deleted"
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
}

run "only_web_ports_and_tests_come_from_outside" {
  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_ingress_rule.internet) : rule.from_port]) == toset([80, 443])
    error_message = "the internet reaches 80 and 443 only"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.test_traffic) == 1 && aws_vpc_security_group_ingress_rule.test_traffic[0].cidr_ipv4 == "203.0.113.10/32" && aws_vpc_security_group_ingress_rule.test_traffic[0].to_port == 8443
    error_message = "the test listener is open to who was named"
  }
}

run "every_connection_has_both_of_its_rules" {
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.between)) == toset(keys(aws_vpc_security_group_ingress_rule.between))
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
