#!/usr/bin/env bash
# Makes sure that this machine can build, run or test Loopwright: names what is missing and installs system packages with
# apt. Without apt, and for Rust and Node.js, it prints the one command to type. Writes nothing but those packages.
#   tests/setup.sh [engine | desktop | package | cross]    desktop is the default, and what comes after it holds it too
set -euo pipefail
cd "$(dirname "$0")/.."

# What it is known by : package of apt, dnf, pacman, brew. A program (several with |: one of them is enough), a module of
# pkg-config (pc=), a library that is loaded by its name (lib=) or a file (file=).
engine='git:git,git,git,git
bwrap:bubblewrap,bubblewrap,bubblewrap,bubblewrap
cc:build-essential,gcc,gcc,gcc
make:build-essential,make,make,make'
desktop='pkg-config:pkg-config,pkgconf,pkgconf,pkgconf
pc=webkit2gtk-4.1:libwebkit2gtk-4.1-dev,webkit2gtk4.1-devel,webkit2gtk-4.1,-
lib=libayatana-appindicator3.so.1:libayatana-appindicator3-1,libayatana-appindicator-gtk3,libayatana-appindicator,-
Xvfb:xvfb,xorg-x11-server-Xvfb,xorg-server-xvfb,-
dbus-run-session:dbus,dbus-daemon,dbus,-
gnome-keyring-daemon:gnome-keyring,gnome-keyring,gnome-keyring,-
secret-tool:libsecret-tools,libsecret,libsecret,-
WebKitWebDriver:webkit2gtk-driver,webkitgtk6.0,webkitgtk-6.0,-
chromium|chromium-browser|google-chrome:chromium,chromium,chromium,-
xdg-mime:xdg-utils,xdg-utils,xdg-utils,-
import:imagemagick,ImageMagick,imagemagick,-
file=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf|/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf|/usr/share/fonts/TTF/DejaVuSans.ttf:fonts-dejavu-core,dejavu-sans-fonts,ttf-dejavu,-'
package='dpkg-deb:dpkg-dev,dpkg,dpkg,-
lintian:lintian,-,-,-
appstreamcli:appstream,appstream,appstream,-
desktop-file-validate:desktop-file-utils,desktop-file-utils,desktop-file-utils,-
unshare:util-linux,util-linux,util-linux,-'
# Debian's own Rust carries the sources of the standard library, so that it can be checked for other systems.
cross='file=/usr/bin/cargo:cargo-web,-,-,-
file=/usr/bin/rustc:rustc-web,-,-,-
file=/usr/share/doc/rust-web-src|/usr/share/doc/rust-src:rust-web-src,-,-,-
x86_64-w64-mingw32-windres:binutils-mingw-w64-x86-64,-,-,-'

toolchain=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
node_wanted=20.19.0

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Whether one of the things that a package is known by is there.
is_there() { # what|what…
    local kind=program one
    case $1 in pc=* | lib=* | file=*) kind=${1%%=*} ;; esac
    IFS='|' read -ra ones <<<"${1#"$kind"=}"
    for one in "${ones[@]}"; do
        case $kind in
            program) command -v "$one" >/dev/null ;;
            pc) pkg-config --exists "$one" 2>/dev/null ;;
            lib) /sbin/ldconfig -p 2>/dev/null | grep -qF "$one" ;;
            file) [ -e "$one" ] ;;
        esac && return
    done
    return 1
}

# The packages of one manager (its column) of which nothing is there.
missing() {
    local line packages package found=' '
    while read -r line; do
        packages=${line##*:}
        is_there "${line%:*}" && continue
        package=$(cut -d, -f"$1" <<<"$packages")
        case $found in *" $package "* | *' - '*) ;; *) found+="$package " ;; esac
    done <<<"$needs"
    printf '%s' "$found" | sed 's/^ *//; s/ *$//'
}

install_with_apt() {
    local packages as_root=()
    packages=$(missing 1)
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    if [ -n "${as_root[0]:-}" ] && ! command -v sudo >/dev/null; then
        fail "Missing on this machine: $packages. Type this as root, then try again:" \
            "  apt-get update && apt-get install -y --no-install-recommends $packages"
    fi
    echo "Missing on this machine: $packages. Installing with apt${as_root[0]:+ through sudo, which may ask}."
    # shellcheck disable=SC2086 # a list of words
    "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends $packages ||
        fail 'apt could not install them. Repair that, then try again.'
    [ -z "$(missing 1)" ] || fail "Still missing after that: $(missing 1)."
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

# Many distributions carry an older Node.js than the windows are built with, so it is not installed from there.
nodejs() {
    local version
    version=$(node --version 2>/dev/null | tr -d v) || true
    if [ -n "$version" ] && printf '%s\n' "$node_wanted" "$version" | sort -VC && command -v npm >/dev/null; then
        return
    fi
    fail "Node.js $node_wanted or newer with npm builds the windows; here is ${version:-none}." \
        'Get it from https://nodejs.org/en/download, or with nvm, then try again:' '  nvm install 22' \
        'The engine and the terminal need none of it: make demo, make test-engine.'
}

case ${1:-desktop} in
    engine) needs=$engine ;;
    desktop) needs=$engine$'\n'$desktop ;;
    package) needs=$engine$'\n'$desktop$'\n'$package ;;
    cross) needs=$engine$'\n'$desktop$'\n'$cross ;;
    *) fail "There is no part $1: engine, desktop, package, cross." ;;
esac
system_packages
rust
[ "${1:-desktop}" = engine ] || nodejs
