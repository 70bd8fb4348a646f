# shellcheck shell=bash
# What scripts that run Terraform share. To be sourced.

# The provider, where it was put for machines without a registry: TF_PLUGIN_DIR, or one of the usual places.
terraform_plugins() {
  local place
  for place in "${TF_PLUGIN_DIR:-}" "$HOME/.terraform.d/plugins" /usr/local/share/terraform/plugins /usr/share/terraform/plugins /opt/*; do
    if compgen -G "$place/registry.terraform.io/hashicorp/aws/*" >/dev/null; then
      printf '%s\n' "$place"
      return
    fi
  done
}

# Quiet, without asking anybody for a newer version, and unable to find somebody's account by accident.
terraform_environment() {
  # A configuration file that is named and does not exist would be warned of at every command.
  [ -e "${TF_CLI_CONFIG_FILE:-/dev/null}" ] || unset TF_CLI_CONFIG_FILE
  [ -n "${TF_CLI_CONFIG_FILE:-}" ] || [ -e "$HOME/.terraformrc" ] || export TF_CLI_CONFIG_FILE=/dev/null
  export TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL
  export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_EC2_METADATA_DISABLED=true
}
