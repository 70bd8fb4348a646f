# Network ACLs are stateless: what answers a connection has to be let through as well, on the ephemeral ports of the side
# that opened it. Tasks reach vendors through NAT, so answers come from anywhere.
locals {
  anywhere       = "0.0.0.0/0"
  ephemeral_from = 1024
  ephemeral_to   = 65535

  mail_ports = [465, 587]

  public_rules = concat(
    [
      { egress = false, cidr = local.anywhere, from = 443, to = 443 },
      { egress = false, cidr = local.anywhere, from = 80, to = 80 },
      # Answers from vendors to NAT and from tasks to the load balancer; the test listener is in this range too.
      { egress = false, cidr = local.anywhere, from = local.ephemeral_from, to = local.ephemeral_to },
      { egress = true, cidr = local.anywhere, from = 443, to = 443 },
      # Answers to callers, and the load balancer's requests to tasks on 8080.
      { egress = true, cidr = local.anywhere, from = local.ephemeral_from, to = local.ephemeral_to },
    ],
    # What tasks send to a mail server arrives here on its way through NAT, and leaves again.
    [for port in local.mail_ports : { egress = false, cidr = var.cidr, from = port, to = port }],
    [for port in local.mail_ports : { egress = true, cidr = local.anywhere, from = port, to = port }],
  )

  app_rules = concat(
    [
      # Endpoints stand in the app subnets.
      { egress = false, cidr = var.cidr, from = 443, to = 443 },
      # The load balancer's requests on 8080, and answers from vendors through NAT and from data.
      { egress = false, cidr = local.anywhere, from = local.ephemeral_from, to = local.ephemeral_to },
      { egress = true, cidr = local.anywhere, from = 443, to = 443 },
      # Answers to the load balancer, to endpoints' users, between tasks.
      { egress = true, cidr = var.cidr, from = local.ephemeral_from, to = local.ephemeral_to },
    ],
    [for port in local.mail_ports : { egress = true, cidr = local.anywhere, from = port, to = port }],
  )

  data_rules = concat(
    flatten([for cidr in values(local.app_cidrs) : [
      { egress = false, cidr = cidr, from = 5432, to = 5432 },
      { egress = false, cidr = cidr, from = 6379, to = 6379 },
      { egress = true, cidr = cidr, from = local.ephemeral_from, to = local.ephemeral_to },
    ]]),
    # Primary and replicas among themselves, both directions of it.
    flatten([for cidr in values(local.data_cidrs) : [
      { egress = false, cidr = cidr, from = local.ephemeral_from, to = local.ephemeral_to },
      { egress = true, cidr = cidr, from = local.ephemeral_from, to = local.ephemeral_to },
    ]]),
  )

  acl_rules = merge([
    for tier, rules in { public = local.public_rules, app = local.app_rules, data = local.data_rules } : {
      for index, rule in rules :
      "${tier}-${rule.egress ? "out" : "in"}-${rule.from}-${rule.to}-${rule.cidr}" => merge(rule, { tier = tier, number = 100 + 10 * index })
    }
  ]...)
}

resource "aws_network_acl" "tier" {
  for_each = {
    public = values(aws_subnet.public)[*].id
    app    = values(aws_subnet.app)[*].id
    data   = values(aws_subnet.data)[*].id
  }

  vpc_id     = aws_vpc.this.id
  subnet_ids = each.value

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_network_acl_rule" "allow" {
  for_each = local.acl_rules

  network_acl_id = aws_network_acl.tier[each.value.tier].id
  rule_number    = each.value.number
  egress         = each.value.egress
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = each.value.cidr
  from_port      = each.value.from
  to_port        = each.value.to
}
