locals {
  # CloudFront's managed policies have the same ids in every account.
  cache_optimized     = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  cache_disabled      = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  forward_but_no_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  # What the binary says of its own copy of the console.
  content_policy = join("; ", [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "worker-src 'self'", "media-src 'self' blob:", "manifest-src 'self'", "base-uri 'none'",
    "form-action 'self'", "frame-ancestors 'none'",
  ])

  api_paths = ["/v1/*", "/openapi.json"]
}

resource "aws_cloudfront_origin_access_control" "console" {
  name                              = "${var.name}-console"
  description                       = "The distribution signs what it asks the console's bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# Every page of the console is index.html, which reads its own address. An error page could do the same, but it would turn
# the API's 403 and 404 into pages too.
resource "aws_cloudfront_function" "pages" {
  name    = "${var.name}-pages"
  runtime = "cloudfront-js-2.0"
  comment = "Addresses of the console's pages"
  publish = true
  code    = file("${path.module}/functions/pages.js")
}

resource "aws_cloudfront_function" "origin" {
  name    = "${var.name}-origin"
  runtime = "cloudfront-js-2.0"
  comment = "Requests of our own console are of the API's own origin"
  publish = true
  code = templatefile("${path.module}/functions/origin.js.tftpl", {
    console_origin = "https://${local.console_host}"
    public_origin  = "https://${local.voice_host}"
  })
}

resource "aws_cloudfront_response_headers_policy" "console" {
  name    = "${var.name}-console"
  comment = "As the binary serves its own copy"

  security_headers_config {
    content_security_policy {
      content_security_policy = local.content_policy
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      override                   = true
    }
  }

  custom_headers_config {
    items {
      header   = "permissions-policy"
      value    = "microphone=(self), camera=(), geolocation=()"
      override = true
    }
  }
}

resource "aws_cloudfront_distribution" "console" {
  comment             = "${var.name}: console"
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  aliases             = [local.console_host]
  default_root_object = "index.html"
  price_class         = var.price_class
  web_acl_id          = module.console_firewall.arn

  origin {
    origin_id                = "console"
    domain_name              = aws_s3_bucket.this["console"].bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.console.id
  }

  origin {
    origin_id   = "api"
    domain_name = local.voice_host

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      # The stream of live calls says something every fifteen seconds.
      origin_read_timeout      = 60
      origin_keepalive_timeout = 60
    }
  }

  default_cache_behavior {
    target_origin_id           = "console"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.cache_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.console.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.pages.arn
    }
  }

  # The console asks the API at its own address, so that its cookie belongs to one host and no other page can use it.
  dynamic "ordered_cache_behavior" {
    for_each = local.api_paths

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "api"
      viewer_protocol_policy   = "https-only"
      allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods           = ["GET", "HEAD"]
      compress                 = false
      cache_policy_id          = local.cache_disabled
      origin_request_policy_id = local.forward_but_no_host

      function_association {
        event_type   = "viewer-request"
        function_arn = aws_cloudfront_function.origin.arn
      }
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.console.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }

  logging_config {
    bucket = aws_s3_bucket.this["access-logs"].bucket_domain_name
    prefix = "console/"
    # Cookies are sessions.
    include_cookies = false
  }

  restrictions {
    geo_restriction {
      restriction_type = length(var.blocked_countries) > 0 ? "blacklist" : "none"
      locations        = var.blocked_countries
    }
  }

  depends_on = [aws_s3_bucket_ownership_controls.this]
}

module "console_firewall" {
  source    = "./firewall"
  providers = { aws = aws.us_east_1 }

  name                = "${var.name}-console"
  scope               = "CLOUDFRONT"
  requests_per_minute = var.requests_per_minute
  blocked_countries   = var.blocked_countries
  logs_kms_key_arn    = var.us_east_1_logs_kms_key_arn
  log_retention_days  = var.log_retention_days
}

resource "aws_shield_protection" "this" {
  for_each = var.shield_advanced_enabled ? {
    load-balancer = aws_lb.this.arn
    console       = aws_cloudfront_distribution.console.arn
  } : {}

  name         = "${var.name}-${each.key}"
  resource_arn = each.value
}
