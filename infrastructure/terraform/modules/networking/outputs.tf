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
}

output "app_subnet_ids" {
  description = "Subnets of tasks, one per zone."
  value       = [for zone in var.availability_zones : aws_subnet.app[zone].id]
}

output "data_subnet_ids" {
  description = "Subnets of the database and the cache, one per zone; no way out."
  value       = [for zone in var.availability_zones : aws_subnet.data[zone].id]
}

output "nat_public_ips" {
  description = "Addresses that tasks show to vendors, for their allow-lists; the test listener lets them in."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "s3_prefix_list_id" {
  description = "Addresses of S3 behind the gateway endpoint, for security groups."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}

output "endpoint_security_group_id" {
  description = "Security group of the interface endpoints, for the egress rules of who uses them."
  value       = aws_security_group.endpoints.id
}
