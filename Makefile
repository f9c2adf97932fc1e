# What a person types. Every target sets up what it needs (tests/setup.sh); `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help demo run test test-engine test-ui test-wake test-extra bench bench-desktop soak lint ui package package-test \
	check-cross screens setup setup-engine

export CARGO_TARGET_DIR := $(CURDIR)/target

# The windows are built anew only when something that they are built from is newer.
ui-sources := $(shell find ui -name node_modules -prune -o -name 'dist*' -prune -o -name tests -prune -o -type f -print)

help: ## Says what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: ## Runs a real loop on a sample repository under target/demo
	@tests/demo/run.sh

run: setup ui ## Builds everything and starts the tray
	cargo build --package loopwright --package loopwright-watchdog --package loopwright-box --package loopwright-tray
	target/debug/loopwright-tray

test: setup ui ## Runs all tests: the engine's, the desktop's on a display of their own, the windows' in Chromium
	cargo build --workspace --bins
	LOOPWRIGHT_PROGRAMS=built cargo test --workspace
	@$(MAKE) --no-print-directory test-ui

test-engine: setup-engine ## Runs the tests of engine and terminal alone: needs neither WebKit nor Node.js
	cargo test

test-ui: ui ## Checks the windows' types and format, runs their unit tests and their tests in Chromium
	cd ui && npm run --silent check && npm run --silent unit && npm run --silent test

lint: setup ui ## Formatting, clippy, documentation and the windows' checks, warnings being faults
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps
	cd ui && npm run --silent check

bench: setup-engine ## Measures the engine against plain git (release build)
	tests/bench/run.sh

bench-desktop: setup ui ## Measures tray and windows beside a bare Tauri tray (release build)
	tests/bench/desktop/run.sh

soak: setup ui ## Runs all tests with the full sizes of their suites, and the properties of the core on twenty times the cases
	memory=$$(test -d /dev/shm && echo /dev/shm || echo "$${TMPDIR:-/tmp}"); \
	export TMPDIR=$$memory LOOPWRIGHT_FULL=1 PROPTEST_CASES=5120; failed=0; \
	cargo test --workspace --no-fail-fast -- --nocapture || failed=1; \
	cargo test --release --package loopwright-tests --test simulate --no-fail-fast -- --nocapture || failed=1; \
	exit $$failed

test-extra: setup ui ## Runs the whole-binary tests three times, for Go and pytest too; wakes a guest; the package; other systems
	cargo build --workspace --bins
	set -e; export LOOPWRIGHT_EXTRA=1 LOOPWRIGHT_PROGRAMS=built; for round in 1 2 3; do echo "Round $$round of 3"; \
	cargo test --workspace --test '*'; done
	@$(MAKE) --no-print-directory test-wake package-test check-cross

test-wake: ## Suspends a virtual machine that our own wake code wakes
	tests/wake/run.sh

package: ui ## Builds target/package/loopwright_VERSION_ARCH.deb, and lets lintian look at it
	@tests/setup.sh package
	package/build.sh

package-test: package ## Installs, starts, upgrades and removes the package in a root of its own
	package/test.sh

check-cross: ui ## Type-checks the whole workspace for Windows and macOS
	tests/cross.sh

screens: setup ui ## Takes the screenshots of the README from the real windows
	tests/desktop/screens.sh

ui: ui/dist/index.html ## Builds the windows, if what they are built from changed

ui/dist/index.html: ui/node_modules/.package-lock.json $(ui-sources)
	cd ui && npx vite build --logLevel warn

ui/node_modules/.package-lock.json: ui/package-lock.json | setup
	cd ui && npm ci --no-audit --no-fund
	touch $@

setup: ## Names what is missing on this machine, and installs packages with apt
	@tests/setup.sh

setup-engine: ## The same for the engine and the terminal alone
	@tests/setup.sh engine
