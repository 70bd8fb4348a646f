//! Load balancers, CloudFront, firewalls, names, NAT, addresses, transfer.

use super::{Bill, EstimateError, Group};

pub(super) fn lines(bill: &mut Bill<'_>) -> Result<(), EstimateError> {
    let usage = bill.usage;
    let (traffic, minute) = (&usage.traffic, &usage.megabytes_per_call_minute);
    let (in_gb, out_gb) =
        (usage.call_gb(minute.from_caller), usage.call_gb(minute.to_caller) + traffic.api_out_gb);
    let balancers: Vec<_> = bill.all("aws_lb").collect();
    let public =
        balancers.iter().filter(|balancer| balancer.values.flag("internal") != Some(true)).count() as f64;
    bill.fixed(Group::Edge, "load balancers", balancers.len() as f64 * bill.hours(), "alb.hour")?;
    if !balancers.is_empty() {
        // A unit is the most of four measures; with media it is the gigabytes, one an hour.
        bill.used(Group::Edge, "load balancer: GB of calls and API", in_gb + out_gb, "alb.lcu")?;
    }
    if bill.any("aws_cloudfront_distribution") {
        bill.used(Group::Edge, "CloudFront: console", traffic.cloudfront_gb, "cloudfront.gb")?;
        let requests = traffic.cloudfront_million_requests;
        bill.used(Group::Edge, "CloudFront: requests", requests, "cloudfront.requests")?;
    }
    let rules: usize = bill.all("aws_wafv2_web_acl").map(|acl| acl.values.blocks("rule").count()).sum();
    let acls = bill.count("aws_wafv2_web_acl");
    bill.fixed(Group::Edge, "firewalls", acls, "waf.acl")?;
    bill.fixed(Group::Edge, "rules of firewalls", rules as f64, "waf.rule")?;
    if acls > 0.0 {
        bill.used(Group::Edge, "requests through firewalls", traffic.waf_million_requests, "waf.requests")?;
    }
    if bill.any("aws_shield_subscription") || bill.any("aws_shield_protection") {
        bill.fixed(Group::Edge, "Shield Advanced", 1.0, "shield.advanced")?;
    }
    bill.fixed(
        Group::Edge,
        "private zones",
        bill.count("aws_service_discovery_private_dns_namespace"),
        "route53.zone",
    )?;
    if !balancers.is_empty() {
        bill.used(Group::Edge, "look-ups of names", traffic.route53_million_queries, "route53.queries")?;
    }

    let gateways: Vec<_> = bill.all("aws_nat_gateway").collect();
    bill.fixed(Group::Network, "NAT gateways", gateways.len() as f64 * bill.hours(), "nat.hour")?;
    let to_vendors = usage.call_gb(minute.to_vendors);
    if !gateways.is_empty() {
        let calls = to_vendors + usage.call_gb(minute.from_vendors);
        bill.used(Group::Network, "through NAT: calls' words and voices", calls, "nat.gb")?;
        bill.used(Group::Network, "through NAT: everything else", traffic.nat_gb, "nat.gb")?;
    }
    // A load balancer has an address in each zone.
    let addresses = bill.count("aws_eip") + public * bill.zones();
    bill.fixed(Group::Network, "public addresses", addresses * bill.hours(), "ipv4")?;
    let interfaces = bill
        .all("aws_vpc_endpoint")
        .filter(|endpoint| endpoint.values.text("vpc_endpoint_type") == Some("Interface"))
        .count() as f64;
    bill.fixed(
        Group::Network,
        "interface endpoints, each in each zone",
        interfaces * bill.zones() * bill.hours(),
        "endpoint.hour",
    )?;
    bill.used(
        Group::Network,
        "through interface endpoints",
        interfaces * traffic.endpoint_gb,
        "endpoint.gb",
    )?;
    if bill.any("aws_ecs_service") {
        let internet = (out_gb + to_vendors - traffic.free_internet_gb).max(0.0);
        bill.used(
            Group::Network,
            "out to the internet: callers, API, vendors",
            internet,
            "transfer.internet_gb",
        )?;
    }
    if bill.zones() > 1.0 {
        // Charged where it leaves and where it arrives.
        bill.used(Group::Network, "between zones, both ways", traffic.zone_gb * 2.0, "transfer.zone_gb")?;
    }
    Ok(())
}
