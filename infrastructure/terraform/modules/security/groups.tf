locals {
  groups = merge(
    {
      load_balancer = "Load balancer: callers, Twilio, CloudFront"
      gateway       = "Gateway tasks: hold the calls"
      worker        = "Worker and one-off tasks: nothing reaches them"
      database      = "PostgreSQL"
      cache         = "Redis"
    },
    var.database_proxy_enabled ? { database_proxy = "Proxy before PostgreSQL" } : {},
  )

  tasks = ["gateway", "worker"]

  # From one group to another: each becomes an egress rule of the first and an ingress rule of the second, so that none can
  # be without its counterpart.
  between = merge(
    {
      "load_balancer-gateway" = { from = "load_balancer", to = "gateway", port = var.ports.public }
      # One-off tasks ask the API by its name in Cloud Map.
      "worker-gateway" = { from = "worker", to = "gateway", port = var.ports.public }
    },
    { for task in local.tasks : "${task}-database" => { from = task, to = "database", port = var.ports.database } },
    { for task in local.tasks : "${task}-cache" => { from = task, to = "cache", port = var.ports.cache } },
    var.database_proxy_enabled ? merge(
      { for task in local.tasks : "${task}-database_proxy" => { from = task, to = "database_proxy", port = var.ports.database } },
      { "database_proxy-database" = { from = "database_proxy", to = "database", port = var.ports.database } },
    ) : {},
  )

  # Vendors and AWS's own services over TLS, and mail: submission with STARTTLS or TLS from the start.
  outward = { for pair in setproduct(local.tasks, [443, 465, 587]) : "${pair[0]}-${pair[1]}" => { from = pair[0], port = pair[1] } }
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name_prefix = "${var.name}-${replace(each.key, "_", "-")}-"
  description = each.value
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "internet" {
  for_each = { https = 443, http = 80 }

  security_group_id = aws_security_group.this["load_balancer"].id
  description       = each.key == "http" ? "Redirected to TLS" : "Callers, Twilio, CloudFront"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "test_traffic" {
  for_each = toset(var.test_traffic_cidrs)

  security_group_id = aws_security_group.this["load_balancer"].id
  description       = "Tests of a version before callers get it"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = var.ports.test_listener
  to_port           = var.ports.test_listener
}

resource "aws_vpc_security_group_egress_rule" "between" {
  for_each = local.between

  security_group_id            = aws_security_group.this[each.value.from].id
  description                  = "To ${each.value.to}"
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "between" {
  for_each = local.between

  security_group_id            = aws_security_group.this[each.value.to].id
  description                  = "From ${each.value.from}"
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "outward" {
  for_each = local.outward

  security_group_id = aws_security_group.this[each.value.from].id
  description       = each.value.port == 443 ? "Vendors and AWS" : "Mail"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}
