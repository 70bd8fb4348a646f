mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name               = "seiketsu-test"
  region             = "us-east-1"
  account_id         = "123456789012"
  availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
  logs_kms_key_arn   = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "each_zone_has_every_tier_and_a_way_out_of_its_own" {
  assert {
    condition     = length(aws_subnet.public) == 3 && length(aws_subnet.app) == 3 && length(aws_subnet.data) == 3
    error_message = "expected three subnets of each tier"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route.app_nat) == 3
    error_message = "expected a NAT gateway and a route to it per zone"
  }
  assert {
    condition = length(distinct(concat(
      values(aws_subnet.public)[*].cidr_block, values(aws_subnet.app)[*].cidr_block, values(aws_subnet.data)[*].cidr_block
    ))) == 9
    error_message = "expected nine different blocks"
  }
  assert {
    condition     = !anytrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.app), values(aws_subnet.data)) : coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "no subnet gives out public addresses by itself"
  }
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.app), values(aws_subnet.data)) : subnet.vpc_id == aws_vpc.this.id])
    error_message = "every subnet is in the VPC"
  }
  assert {
    condition = alltrue([for zone, route in aws_route.app_nat : (
      route.nat_gateway_id == aws_nat_gateway.this[zone].id
      && aws_route_table_association.app[zone].route_table_id == route.route_table_id
      && route.route_table_id != aws_route.public_internet.route_table_id
    )])
    error_message = "tasks leave by the NAT gateway of their zone, and nobody reaches them from outside"
  }
}

run "what_stands_in_subnets_waits_for_their_routes" {
  # The order of things cannot be seen in a run, so it is read.
  assert {
    condition     = length(output.public_subnet_ids) == 3 && strcontains(regex("(?s)output \"public_subnet_ids\" \\{.*?\n\\}", file("outputs.tf")), "depends_on = [aws_route.public_internet,")
    error_message = "a load balancer cannot be made in a VPC without a way in"
  }
  assert {
    condition     = length(output.app_subnet_ids) == 3 && strcontains(regex("(?s)output \"app_subnet_ids\" \\{.*?\n\\}", file("outputs.tf")), "depends_on = [aws_route.app_nat,")
    error_message = "a worker's circuit breaker gives up when its first tasks find no way out"
  }
}

run "data_has_no_way_out" {
  assert {
    condition     = length([for route in concat([aws_route.public_internet], values(aws_route.app_nat)) : route if route.route_table_id == aws_route_table.data.id]) == 0
    error_message = "the data tier's table must have no route but the VPC's own"
  }
  assert {
    condition     = length(coalesce(aws_route_table.data.route, [])) == 0 && length(coalesce(aws_route_table.data.propagating_vgws, [])) == 0
    error_message = "no route stands in the data tier's table itself, and no gateway puts one there"
  }
  assert {
    condition     = !contains(aws_vpc_endpoint.s3.route_table_ids, aws_route_table.data.id) && length(regexall("resource \"aws_route\" ", join("", [for path in fileset(".", "*.tf") : file(path)]))) == 2
    error_message = "the two routes there are, and the endpoint of S3, are of other tables"
  }
  assert {
    condition     = alltrue([for zone, association in aws_route_table_association.data : association.route_table_id == aws_route_table.data.id && association.subnet_id == aws_subnet.data[zone].id]) && length(aws_route_table_association.data) == length(aws_subnet.data)
    error_message = "every data subnet has the data tier's table"
  }
  assert {
    condition     = alltrue([for key, rule in aws_network_acl_rule.allow : rule.cidr_block != "0.0.0.0/0" if startswith(key, "data-")])
    error_message = "nothing goes from the data tier to anywhere, or comes from there"
  }
}

run "acls_let_answers_back_in" {
  assert {
    condition     = anytrue([for key, rule in aws_network_acl_rule.allow : startswith(key, "app-in-") && rule.cidr_block == "0.0.0.0/0" && rule.from_port <= 1024 && rule.to_port == 65535])
    error_message = "answers from vendors come to the app tier from anywhere on ephemeral ports"
  }
  assert {
    condition     = anytrue([for key, rule in aws_network_acl_rule.allow : startswith(key, "public-out-") && rule.cidr_block == "0.0.0.0/0" && rule.to_port == 65535])
    error_message = "answers to callers leave the public tier on ephemeral ports"
  }
  assert {
    condition = alltrue([for zone, cidr in { for z, s in aws_subnet.app : z => s.cidr_block } :
      contains(keys(aws_network_acl_rule.allow), "data-in-5432-5432-${cidr}")
      && contains(keys(aws_network_acl_rule.allow), "data-in-6379-6379-${cidr}")
      && contains(keys(aws_network_acl_rule.allow), "data-out-1024-65535-${cidr}")
    ])
    error_message = "the data tier takes PostgreSQL and Redis from each app subnet and may answer"
  }
  assert {
    condition     = alltrue([for tier in ["public", "app", "data"] : length(aws_network_acl.tier[tier].subnet_ids) == 3])
    error_message = "every subnet is behind the table of its tier"
  }
  assert {
    condition     = alltrue([for rule in values(aws_network_acl_rule.allow) : rule.protocol == "tcp" && rule.rule_action == "allow"])
    error_message = "only TCP is let through"
  }
}

run "endpoints_serve_this_account_only" {
  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sts"])
    error_message = "expected endpoints for ECR, logs, Secrets Manager and STS"
  }
  assert {
    condition = alltrue([for endpoint in values(aws_vpc_endpoint.interface) :
      jsondecode(endpoint.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
      && !anytrue([for action in jsondecode(endpoint.policy).Statement[0].Action : strcontains(action, "*")])
      && endpoint.private_dns_enabled
    ])
    error_message = "an endpoint lets named actions of this account's principals through, under the service's own name"
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_vpc_endpoint.s3.policy).Statement : can(statement.Condition) || statement.Resource == "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"])
    error_message = "without a condition on the account, only image layers are reachable"
  }
}

run "everything_that_flows_is_logged_and_sealed" {
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.kms_key_id == var.logs_kms_key_arn && aws_cloudwatch_log_group.flow.retention_in_days == 365
    error_message = "flow logs hold all traffic for a year, sealed with the logs' key"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.flow.policy).Statement[0].Resource == "${aws_cloudwatch_log_group.flow.arn}:*"
    error_message = "the flow logs' role writes to its own group only"
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "the default security group lets nothing through"
  }
}

run "staging_has_two_zones_and_one_nat" {
  variables {
    availability_zones   = ["us-east-1a", "us-east-1b"]
    nat_gateway_per_zone = false
  }
  assert {
    condition     = length(aws_subnet.app) == 2 && length(aws_nat_gateway.this) == 1 && length(aws_route.app_nat) == 2
    error_message = "expected two zones behind one NAT gateway"
  }
}

run "a_single_zone_is_refused" {
  command = plan
  variables {
    availability_zones = ["us-east-1a"]
  }
  expect_failures = [var.availability_zones]
}

run "a_block_that_is_too_small_is_refused" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "a_retention_that_logs_do_not_have_is_refused" {
  command = plan
  variables {
    flow_log_retention_days = 42
  }
  expect_failures = [var.flow_log_retention_days]
}

run "an_endpoint_for_every_action_is_refused" {
  command = plan
  variables {
    interface_endpoints = { sts = ["sts:*"] }
  }
  expect_failures = [var.interface_endpoints]
}
