#!/usr/bin/env bash
# `make check-cross`: type-checks the whole workspace for Windows and macOS, so that their files keep compiling. Nothing is
# linked or run, so the C code of dependencies is not compiled: macOS's headers are not ours to have, and it takes minutes.
#   tests/cross.sh [TARGET…] [-- CARGO'S ARGUMENTS…]     one target alone; other packages than the whole workspace
set -euo pipefail
cd "$(dirname "$0")/.."

windows=x86_64-pc-windows-gnu
macos=aarch64-apple-darwin
out=$PWD/target/cross
targets=()
arguments=(--workspace --exclude loopwright-tests --exclude loopwright-desktop-tests)

main() {
    while [ $# -gt 0 ]; do
        case $1 in
            --) shift && arguments=("$@") && break ;;
            *) targets+=("$1") && shift ;;
        esac
    done
    [ "${#targets[@]}" -gt 0 ] || targets=("$windows" "$macos")
    for target in "${targets[@]}"; do
        printf '== %s\n' "$target"
        check "$target"
    done
}

check() { # target
    # A warning is a fault here too: what one system alone uses is compiled for that system alone.
    export CARGO_TARGET_DIR=$out RUSTFLAGS=-Dwarnings
    without_c "${1//-/_}"
    if rustup target list --installed 2>/dev/null | grep -qx "$1"; then
        [ "$1" != "$windows" ] || command -v x86_64-w64-mingw32-windres >/dev/null || tests/setup.sh cross
        cargo check --locked --target "$1" "${arguments[@]}"
        return
    fi
    # Without rustup's libraries of that system: Debian's own Rust, which builds them from their source.
    tests/setup.sh cross
    printf '%s\n' "$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)" "$(/usr/bin/rustc --version | cut -d' ' -f2)" |
        sort -VC || fail "$(/usr/bin/rustc --version) is too old; or type: rustup target add $1"
    RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo check --locked -Zbuild-std=std,panic_abort --target "$1" \
        "${arguments[@]}"
}

# A compiler and an archiver that write nothing: what would be linked never is.
without_c() { # target, with underscores
    mkdir -p "$out/bin"
    cat >"$out/bin/cc" <<'SCRIPT'
#!/bin/sh
for word; do
    [ "${before:-}" != -o ] || : >"$word"
    before=$word
done
SCRIPT
    cat >"$out/bin/ar" <<'SCRIPT'
#!/bin/sh
for word; do
    case $word in *.a) : >"$word" ;; esac
done
SCRIPT
    chmod +x "$out/bin/cc" "$out/bin/ar"
    export "CC_$1=$out/bin/cc" "CXX_$1=$out/bin/cc" "AR_$1=$out/bin/ar"
}

fail() {
    echo "$1" >&2
    exit 1
}

main "$@"
