# Both are sealed with S3's own key: load balancers cannot write to a bucket with another one, and the console's files are
# public anyway.
resource "aws_s3_bucket" "this" {
  for_each = toset(["console", "access-logs"])

  bucket        = "${var.name}-${each.key}-${var.account_id}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    # CloudFront hands its logs over with an access control list; nothing else here has one.
    object_ownership = each.key == "access-logs" ? "BucketOwnerPreferred" : "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "console" {
  bucket = aws_s3_bucket.this["console"].id

  rule {
    id     = "earlier-releases"
    status = "Enabled"

    filter {}

    # Long enough to go back to an earlier console.
    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "access_logs" {
  bucket = aws_s3_bucket.this["access-logs"].id

  rule {
    id     = "age"
    status = "Enabled"

    filter {}

    dynamic "transition" {
      # Infrequent access is billed for thirty days at least, an archive for ninety.
      for_each = { for class, days in { STANDARD_IA = 30, GLACIER_IR = 90 } : class => days if days + 90 <= var.log_retention_days }

      content {
        storage_class = transition.key
        days          = transition.value
      }
    }

    expiration {
      days = var.log_retention_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

locals {
  tls_only = { for name, bucket in aws_s3_bucket.this : name => {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:*"
    Resource  = [bucket.arn, "${bucket.arn}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  } }
}

resource "aws_s3_bucket_policy" "console" {
  bucket = aws_s3_bucket.this["console"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Distribution"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.this["console"].arn}/*"
        Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.console.arn } }
      },
      local.tls_only["console"],
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# By itself: the load balancer waits for it, and is not to wait for the distribution.
resource "aws_s3_bucket_policy" "access_logs" {
  bucket = aws_s3_bucket.this["access-logs"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "LoadBalancer"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.this["access-logs"].arn}/load-balancer/AWSLogs/${var.account_id}/*"
        # What load balancers say of themselves; they name no account.
        Condition = { ArnLike = { "aws:SourceArn" = "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}:loadbalancer/*" } }
      },
      local.tls_only["access-logs"],
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
