resource "aws_acm_certificate" "voice" {
  domain_name       = local.voice_host
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# CloudFront takes certificates from us-east-1 only.
resource "aws_acm_certificate" "console" {
  provider = aws.us_east_1

  domain_name       = local.console_host
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = {
    voice   = aws_acm_certificate.voice.domain_validation_options
    console = aws_acm_certificate.console.domain_validation_options
  }

  zone_id         = var.zone_id
  name            = one(each.value).resource_record_name
  type            = one(each.value).resource_record_type
  records         = [one(each.value).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "voice" {
  certificate_arn         = aws_acm_certificate.voice.arn
  validation_record_fqdns = [aws_route53_record.validation["voice"].fqdn]
}

resource "aws_acm_certificate_validation" "console" {
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.console.arn
  validation_record_fqdns = [aws_route53_record.validation["console"].fqdn]
}

resource "aws_route53_record" "voice" {
  zone_id = var.zone_id
  name    = local.voice_host
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "console" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.zone_id
  name    = local.console_host
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.console.domain_name
    zone_id                = aws_cloudfront_distribution.console.hosted_zone_id
    evaluate_target_health = false
  }
}

# Only Amazon may issue certificates for these names.
resource "aws_route53_record" "issuers" {
  for_each = toset([local.voice_host, local.console_host])

  zone_id = var.zone_id
  name    = each.key
  type    = "CAA"
  ttl     = 3600
  records = ["0 issue \"amazon.com\"", "0 issue \"amazonaws.com\"", "0 issue \"awstrust.com\"", "0 issue \"amazontrust.com\""]
}
