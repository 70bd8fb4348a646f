locals {
  voice_host   = "voice.${var.domain}"
  console_host = "console.${var.domain}"

  # Load balancers and target groups have names of 32 characters at most.
  short = trimsuffix(substr(var.name, 0, 24), "-")

  port = 8080
}
