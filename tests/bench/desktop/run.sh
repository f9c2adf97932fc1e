#!/bin/sh
# Builds the tray as it is shipped and a bare one of the same Tauri, and measures them beside each other; the table goes to
# the terminal, the numbers to target/bench/desktop.json. LOOPWRIGHT_PROFILE=dev tries the bench itself; its figures say nothing.
# The windows' long lists follow, in Chromium (target/bench/windows.json); `--only lists` measures nothing but them.
set -eu
cd "$(dirname "$0")/../../.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
[ "$*" != "--only lists" ] || exec node ui/bench.mjs
profile=${LOOPWRIGHT_PROFILE:-packaged}
LOOPWRIGHT_BUILT=$profile features=loopwright-tray/custom-protocol,
[ "$profile" != dev ] || LOOPWRIGHT_BUILT=debug features=
export LOOPWRIGHT_BUILT
# The packages are those of package/build.sh, so that nothing is built twice.
build() {
    cargo build --quiet --profile "$profile" -p loopwright -p loopwright-watchdog -p loopwright-box -p loopwright-tray "$@"
}
build --features "$features"
build --features "${features}loopwright-tray/bench" --example bare
# What measures has the features of everything, as `make test` builds it.
cargo build --quiet --workspace --example bench
failed=0
"$CARGO_TARGET_DIR/debug/examples/bench" "$@" || failed=1
[ $# -gt 0 ] || node ui/bench.mjs || failed=1
exit $failed
