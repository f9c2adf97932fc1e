# What a person types. Every target sets up what it needs (tests/setup.sh); `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help demo test bench soak test-extra lint setup

export CARGO_TARGET_DIR := $(CURDIR)/target

help: ## Says what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

demo: ## Runs a real loop on a sample repository under target/demo
	@tests/demo/run.sh

test: setup ## Runs all tests, those of the documentation too
	cargo test --workspace

lint: setup ## Formatting, clippy and documentation, warnings being faults
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

bench: setup ## Measures the engine against plain git (release build)
	tests/bench/run.sh

soak: setup ## Runs all tests with the full sizes of their suites, and the properties of the core on twenty times the cases
	memory=$$(test -d /dev/shm && echo /dev/shm || echo "$${TMPDIR:-/tmp}"); \
	export TMPDIR=$$memory LOOPWRIGHT_FULL=1 PROPTEST_CASES=5120; failed=0; \
	cargo test --workspace --no-fail-fast -- --nocapture || failed=1; \
	cargo test --release --package loopwright-tests --test simulate --no-fail-fast -- --nocapture || failed=1; \
	exit $$failed

test-extra: setup ## Runs the whole-binary tests five times in a row, those for Go and pytest too, to find the flaky
	set -e; export LOOPWRIGHT_EXTRA=1; for round in 1 2 3 4 5; do echo "Round $$round of 5"; cargo test --package loopwright-tests; done

setup: ## Names what is missing on this machine, and installs packages with apt
	@tests/setup.sh
