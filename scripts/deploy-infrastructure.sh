#!/usr/bin/env bash
# Deploys the infrastructure: a thin front of `seiketsu infra`, which says what is missing and how to get it.
#
#   scripts/deploy-infrastructure.sh {staging|production} {check|plan|apply|destroy|cost|output} [options]
#
# Options are those of `seiketsu infra`, --help shows them. SEIKETSU names the binary; if it does not, the newest of
# target/{release,local,debug}/seiketsu is taken, and built if there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

# Words that are none are the binary's to explain.
if [ $# -ge 2 ]; then
  environment=$1 action=$2
  shift 2
  set -- "$action" "$environment" "$@"
else
  echo "usage: scripts/deploy-infrastructure.sh {staging|production} {check|plan|apply|destroy|cost|output} [options]" >&2
  case ${1:-} in -h | --help) set -- --help ;; *) exit 2 ;; esac
fi

binary=${SEIKETSU:-}
if [ -z "$binary" ]; then
  target=${CARGO_TARGET_DIR:-target}
  for built in "$target"/{release,local,debug}/seiketsu; do
    if [ -x "$built" ] && { [ -z "$binary" ] || [ "$built" -nt "$binary" ]; }; then binary=$built; fi
  done
fi
if [ -z "$binary" ]; then
  command -v cargo >/dev/null || { echo "Rust is missing: https://rustup.rs installs it" >&2; exit 5; }
  echo "building seiketsu (some minutes, once)" >&2
  cargo build --quiet --profile local --package seiketsu
  binary=${CARGO_TARGET_DIR:-target}/local/seiketsu
fi
exec "$binary" infra "$@"
