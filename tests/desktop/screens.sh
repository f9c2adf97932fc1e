#!/usr/bin/env bash
# `make screens`: takes docs/screens/*.png from the real windows, over what the demo left (which it runs if there is none).
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TARGET_DIR=$PWD/target
[ -d target/demo/home ] || tests/demo/run.sh
cargo build --quiet --package loopwright --package loopwright-watchdog --package loopwright-box --package loopwright-tray
cargo run --quiet --package loopwright-desktop-tests --example screens -- target/demo/home docs/screens
ls -l docs/screens
