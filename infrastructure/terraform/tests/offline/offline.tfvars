# What no environment's file can know, for plans that are never applied.
account_id              = "123456789012"
domain                  = "seiketsu.example.com"
zone_id                 = "Z0123456789ABCDEFGHIJ"
image_digest            = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
variables               = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
cloudfront_origin_cidrs = ["198.51.100.0/24"]
alert_emails            = ["operations@example.com"]
forwarder_package       = { bucket = "seiketsu-artifacts-123456789012", key = "forwarder/1.zip" }
