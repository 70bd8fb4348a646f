# The commands of this repository; CI runs the same ones. `make` lists them.

BIN := target/local/seiketsu

.PHONY: help run build console screenshots test test-code check fmt lint arrows generate generated bench fuzz console-check infra-check infra-deploy-local infra-apply-local

help:            ## list the commands
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## ?/  make \1\t/' | expand -t 22

run: build       ## set up this machine, start everything, print how to place a first call
	@$(BIN) up $(ARGS)

build: console   ## set up this machine, build the console and the binary
	@cargo build --profile local --package seiketsu

console:         ## build the browser's side, if anything in it has changed
	@scripts/setup run
	@scripts/console

screenshots: build  ## take the pictures of the console in docs/console
	@scripts/setup test
	@cd console && npm run --silent screenshots
	@mkdir -p docs/console
	@cd console/screenshots && cp sign-in-wide-light.png choose-wide-light.png on-a-call-wide-light.png on-a-call-wide-dark.png \
	  on-a-call-phone-dark.png call-over-wide-light.png calls-wide-light.png call-wide-light.png docs-wide-light.png ../../docs/console/

test: test-code  ## set up this machine and run every test; ARGS chooses some of the code's, as cargo-nextest has it
	@$(if $(ARGS),,$(MAKE) --no-print-directory -j2 infra-check infra-deploy-local)

test-code:
	@scripts/setup test
	@scripts/console
	@cargo build --quiet --workspace --bin with-test-cluster
	@target/debug/with-test-cluster -- cargo nextest run --workspace $(ARGS)
	@cargo test --quiet --workspace --doc

check: fmt lint arrows generated console-check  ## everything CI checks besides the tests

fmt:
	@cargo fmt --all --check

lint:
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

console-check:   ## types, lints, tests, format and size of the console
	@scripts/console
	@cd console && npm run --silent check

arrows:          ## fail on a dependency between crates that the architecture does not have
	@cargo run --quiet --package xtask -- arrows

generate:        ## write anew what is generated: SQL metadata, the API's description, the console's types
	@cargo run --quiet --package xtask -- generate
	@cd console && npm run --silent generate

generated:       ## fail if generated files differ from what is committed
	@cargo run --quiet --package xtask -- generate --check
	@cp console/src/api/schema.d.ts target/schema.d.ts && cd console && npm run --silent generate >/dev/null \
	  && cmp -s src/api/schema.d.ts ../target/schema.d.ts || { echo 'console/src/api/schema.d.ts does not follow from console/openapi.json; run `make generate`' >&2; exit 1; }

infra-check:     ## Terraform: format, validity, every test, policies; says SKIPPED where there is no Terraform (five minutes)
	@scripts/infra-check

bench:           ## benches of the audio hot paths and of the engine
	@cargo bench --package seiketsu-audio --package seiketsu-call

fuzz:            ## fuzz each parser of foreign bytes for a minute (needs nightly and cargo-fuzz)
	@for target in $$(cd fuzz && cargo fuzz list); do (cd fuzz && cargo +nightly fuzz run $$target -- -max_total_time=60) || exit 1; done

infra-deploy-local:  ## the deploy script against an emulator of AWS, from nothing to outputs and back (ARGS=--whole: not a small root)
	@scripts/infra-deploy-local $(ARGS)

infra-apply-local:  ## the whole infrastructure applied onto an emulator of AWS, proved and destroyed (minutes; ARGS="--environment production")
	@scripts/infra-apply-local $(ARGS)
