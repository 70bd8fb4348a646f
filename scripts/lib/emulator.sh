# shellcheck shell=bash
# What scripts that run Terraform against the emulator of AWS share. To be sourced, in the repository's root.

# shellcheck source=scripts/lib/terraform.sh
. scripts/lib/terraform.sh

# Runs a file of infrastructure/terraform/tests/moto with everything it needs, which is installed if it is missing; says SKIPPED
# where that cannot be.
on_the_emulator() { # file, arguments
  local tests=infrastructure/terraform/tests/moto venv=target/infra/moto file=$1
  shift
  command -v terraform >/dev/null || skipped "terraform is not installed"
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || skipped "Python 3.11 or newer is not installed"
  terraform_environment
  TF_PLUGIN_DIR=$(terraform_plugins)
  export TF_PLUGIN_DIR
  if ! cmp -s "$tests/requirements.txt" "$venv/requirements.txt"; then
    echo "  setup      installing the emulator ($venv), some minutes once" >&2
    mkdir -p "${venv%/*}"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$tests/requirements.txt" || skipped "PyPI did not give the emulator"
    # Last: it says that all of it is there.
    cp "$tests/requirements.txt" "$venv/requirements.txt"
  fi
  # No caches beside the sources.
  export PYTHONDONTWRITEBYTECODE=1
  exec "$venv/bin/python" "$tests/$file" "$@"
}

skipped() {
  echo "SKIPPED: $1; nothing was applied onto the emulator" >&2
  exit 0
}
