# shellcheck shell=bash
# What scripts that run Terraform share. To be sourced.

# Asked for help, a script says what stands at its head.
case ${1:-} in -h | --help)
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "scripts/${0##*/}"
  exit
  ;;
esac

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

# A copy of the root that asks no account anything, initialised. Fails where the provider is not to be had.
offline_root() { # directory, log
  local source=$PWD/infrastructure/terraform mirror
  mirror=$(terraform_plugins)
  # Whoever calls this asks whether it works, so that no failure ends the script by itself.
  rm -rf "$1" && mkdir -p "$1" &&
    cp -R "$source"/*.tf "$source/modules" "$source/objectives" "$source/environments" "$source/tests/offline/." "$1" &&
    find "$1" -name .terraform -type d -prune -exec rm -rf {} + &&
    terraform -chdir="$1" init -input=false -no-color ${mirror:+-plugin-dir="$mirror"} >"$2" 2>&1
}

# What the real provider would make of an environment in an empty account: DIRECTORY/ENVIRONMENT.plan.json.
offline_plan() { # root, environment, directory, log
  terraform -chdir="$1" plan -input=false -no-color -refresh=false -lock=false -var-file="environments/$2.tfvars" \
    -var-file=offline.tfvars -out="$3/$2.tfplan" >"$4" 2>&1 &&
    terraform -chdir="$1" show -json "$3/$2.tfplan" >"$3/$2.plan.json"
}

ENVIRONMENTS="staging production production-right-sized"

# What of the repository is made from these plans, into DIRECTORY with the paths that it has in the repository.
made_from_plans() ( # directory with plans, directory
  set -e
  seiketsu=${SEIKETSU:-}
  if [ -z "$seiketsu" ]; then
    cargo build --quiet --workspace --bin seiketsu
    seiketsu=${CARGO_TARGET_DIR:-target}/debug/seiketsu
  fi
  seiketsu=$(realpath "$seiketsu")
  rm -rf "$2"
  mkdir -p "$2/infrastructure/plans" "$2/docs/infrastructure"
  for environment in $ENVIRONMENTS; do
    "$seiketsu" infra trim "$1/$environment.plan.json" >"$2/infrastructure/plans/$environment.json"
  done
  python3 scripts/lib/infra_graph.py "$1"/{production,production-right-sized,staging}.plan.json >"$2/docs/infrastructure/graph.md"
  cd "$2"
  "$seiketsu" infra cost --markdown infrastructure/plans/{production,production-right-sized,staging}.json >docs/infrastructure/cost.md
)
