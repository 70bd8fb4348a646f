output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Its address block."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer and NAT, one per zone."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]

  # A load balancer cannot be made before there is a way in, nor the way in be taken away before the load balancer.
  depends_on = [aws_route.public_internet, aws_network_acl_rule.allow]
}

output "app_subnet_ids" {
  description = "Subnets of tasks, one per zone."
  value       = [for zone in var.availability_zones : aws_subnet.app[zone].id]

  # A task that starts before there is a way out finds neither its image nor its secrets.
  depends_on = [aws_route.app_nat, aws_network_acl_rule.allow, aws_vpc_endpoint.interface, aws_vpc_security_group_ingress_rule.endpoints]
}

output "data_subnet_ids" {
  description = "Subnets of the database and the cache, one per zone; no way out."
  value       = [for zone in var.availability_zones : aws_subnet.data[zone].id]
}

output "nat_public_ips" {
  description = "Addresses that tasks show to vendors, for their allow-lists."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "settings" {
  description = "What the network is made with; tests of the root ask for it."
  value = {
    zones                   = distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.app), values(aws_subnet.data)) : subnet.availability_zone])
    nat_gateways            = length(aws_nat_gateway.this)
    endpoints               = keys(aws_vpc_endpoint.interface)
    flow_log_retention_days = aws_cloudwatch_log_group.flow.retention_in_days
  }
}
