# The commands of this repository; CI runs the same ones. `make` lists them.

BIN := target/local/seiketsu

.PHONY: help run build test check fmt lint arrows generate generated bench fuzz

help:            ## list the commands
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## ?/  make \1\t/' | expand -t 22

run: build       ## set up this machine, start everything, print how to place a first call
	@$(BIN) up $(ARGS)

build:           ## set up this machine and build the binary
	@scripts/setup run
	@cargo build --profile local --package seiketsu

test:            ## set up this machine and run every test
	@scripts/setup test
	@cargo build --quiet --workspace --bin with-test-cluster
	@target/debug/with-test-cluster -- cargo nextest run --workspace $(ARGS)
	@cargo test --quiet --workspace --doc

check: fmt lint arrows generated  ## everything CI checks besides the tests

fmt:
	@cargo fmt --all --check

lint:
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

arrows:          ## fail on a dependency between crates that the architecture does not have
	@cargo run --quiet --package xtask -- arrows

generate:        ## write the checked SQL metadata anew
	@cargo run --quiet --package xtask -- generate

generated:       ## fail if generated files differ from what is committed
	@cargo run --quiet --package xtask -- generate --check

bench:           ## benches of the audio hot paths and of the engine
	@cargo bench --package seiketsu-audio --package seiketsu-call

fuzz:            ## fuzz each parser of foreign bytes for a minute (needs nightly and cargo-fuzz)
	@for target in $$(cd fuzz && cargo fuzz list); do (cd fuzz && cargo +nightly fuzz run $$target -- -max_total_time=60) || exit 1; done
