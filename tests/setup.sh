#!/usr/bin/env bash
# Makes sure that this machine can build and run Loopwright: names what is missing and installs system packages with
# apt. Without apt, and for Rust, it prints the one command to type. Writes nothing but those packages.
set -euo pipefail
cd "$(dirname "$0")/.."

# program it is known by : package of apt, dnf, pacman, brew
needs='git:git,git,git,git
bwrap:bubblewrap,bubblewrap,bubblewrap,bubblewrap
cc:build-essential,gcc,gcc,gcc
make:build-essential,make,make,make'

toolchain=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# The packages of one manager (its column) whose programs are missing.
missing() {
    local line program packages package found=' '
    while read -r line; do
        program=${line%%:*} packages=${line#*:}
        command -v "$program" >/dev/null && continue
        package=$(cut -d, -f"$1" <<<"$packages")
        case $found in *" $package "*) ;; *) found+="$package " ;; esac
    done <<<"$needs"
    printf '%s' "$found" | sed 's/^ *//; s/ *$//'
}

install_with_apt() {
    local packages as_root=()
    packages=$(missing 1)
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "Missing on this machine: $packages. Installing with apt${as_root[0]:+ through sudo}."
    if [ -n "${as_root[0]:-}" ] && ! command -v sudo >/dev/null; then
        fail 'There is no sudo. Type this as root, then try again:' "  apt-get update && apt-get install -y $packages"
    fi
    # shellcheck disable=SC2086 # a list of words
    "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qy --no-install-recommends $packages ||
        fail 'apt could not install them. Repair that, then try again.'
}

# Says the one command of a machine without apt, and stops.
ask_for_packages() {
    local command
    if command -v dnf >/dev/null; then
        command="sudo dnf install -y $(missing 2)"
    elif command -v pacman >/dev/null; then
        command="sudo pacman -S --needed $(missing 3)"
    elif command -v brew >/dev/null; then
        command="brew install $(missing 4)"
    else
        fail "Missing on this machine: $(missing 1). Install them with your system's package manager, then try again."
    fi
    fail "Missing on this machine. Type this, then try again:" "  $command"
}

system_packages() {
    [ "$(uname -s)" = Linux ] || fail \
        "Loopwright runs loops on Linux only today: its sandbox for $(uname -s) is not built yet."
    [ -n "$(missing 1)" ] || return 0
    if command -v apt-get >/dev/null; then install_with_apt; else ask_for_packages; fi
}

# Whether cargo is new enough and has what the demo's loop uses. Never lets rustup install by itself.
cargo_works() {
    local version
    version=$(RUSTUP_AUTO_INSTALL=0 cargo --version 2>/dev/null | cut -d' ' -f2) || return 1
    [ -n "$version" ] && printf '%s\n' "$toolchain" "$version" | sort -VC &&
        cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1
}

rust() {
    export RUSTUP_AUTO_INSTALL=0
    cargo_works && return
    if command -v rustup >/dev/null; then
        fail "Rust $toolchain with clippy and rustfmt is missing. Type this, then try again:" \
            "  rustup toolchain install $toolchain --profile minimal --component clippy --component rustfmt"
    fi
    fail "Rust $toolchain (cargo, clippy, rustfmt) is missing. Type this, then try again:" \
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain $toolchain -c clippy -c rustfmt && . \"\$HOME/.cargo/env\""
}

system_packages
rust
