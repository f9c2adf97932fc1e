#!/bin/sh
# Builds what is measured and measures it; the table goes to the terminal, the numbers to target/bench/bench.json.
set -eu
cd "$(dirname "$0")/../.."
cargo build --release --quiet -p loopwright -p loopwright-watchdog -p loopwright-box
exec cargo bench --quiet -p loopwright-tests --bench bench -- "$@"
