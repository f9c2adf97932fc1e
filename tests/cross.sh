#!/usr/bin/env bash
# `make check-cross`: type-checks the whole workspace for Windows and macOS, so that their files keep compiling. Nothing is
# linked or run; C code is compiled for Windows by mingw, and for macOS, whose headers are not ours to ship, not at all.
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
    export CARGO_TARGET_DIR=$out
    [ "$1" != "$macos" ] || without_c
    if rustup target list --installed 2>/dev/null | grep -qx "$1"; then
        command -v x86_64-w64-mingw32-gcc >/dev/null || [ "$1" != "$windows" ] || tests/setup.sh cross
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
without_c() {
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
    export CC_aarch64_apple_darwin=$out/bin/cc CXX_aarch64_apple_darwin=$out/bin/cc AR_aarch64_apple_darwin=$out/bin/ar
}

fail() {
    echo "$1" >&2
    exit 1
}

main "$@"
