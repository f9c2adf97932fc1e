#!/usr/bin/env bash
# `make package`: builds the programs and makes target/package/loopwright_VERSION_ARCH.deb of them.
#
# It is dpkg-deb over a staging folder, because most of the package is not the window program that Tauri's bundler knows:
# three more programs, manual pages and completions that the program prints itself, a unit. All programs lie beside each
# other in /usr/lib/loopwright, where they look for one another; /usr/bin has links to the two that people type.
#   LOOPWRIGHT_PROFILE=dev package/build.sh     packs the programs of another profile, to try the packing itself
#   DEBFULLNAME=… DEBEMAIL=… package/build.sh   says who makes it
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

profile=${LOOPWRIGHT_PROFILE:-packaged}
target=${CARGO_TARGET_DIR:-$PWD/target}
built=$target/$profile
[ "$profile" != dev ] || built=$target/debug
out=$target/package
stage=$out/stage
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
architecture=$(dpkg --print-architecture)
deb=$out/loopwright_${version}_$architecture.deb
programs=(loopwright loopwright-watchdog loopwright-box loopwright-tray)
# Whoever publishes a package names themselves, as Debian's tools have it; the default is nobody's address (RFC 2606).
maintainer="${DEBFULLNAME:-The Loopwright contributors} <${DEBEMAIL:-contributors@loopwright.example}>"

main() {
    export SOURCE_DATE_EPOCH
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
    say 'Building the programs'
    build
    say 'Laying out the package'
    rm -rf "$stage"
    mkdir -p "$stage"
    lay_programs
    lay_desktop
    lay_documents
    control
    say 'Packing'
    find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$stage" "$deb" >/dev/null
    say 'Checking'
    check
    printf '%s  %s KiB\n' "$deb" "$(($(stat -c %s "$deb") / 1024))"
}

say() { printf '== %s\n' "$1"; }

build() {
    local packages=() program
    for program in "${programs[@]}"; do packages+=(--package "$program"); done
    if [ "$profile" = dev ]; then
        # As the tests build them, so that nothing is built twice.
        cargo build --workspace --bins
    else
        # With the feature the windows come out of the program alone, never from a development server.
        cargo build --profile "$profile" "${packages[@]}" --features loopwright-tray/custom-protocol
    fi
}

put() { # mode, from, to
    install -D -m "$1" "$2" "$stage/$3"
}

# A text of which @NAME@ is replaced by its value.
fill() { # from, to, name, value…
    local text to=$stage/$2
    text=$(<"$1")
    shift 2
    while [ $# -gt 0 ]; do
        text=${text//"@$1@"/"$2"}
        shift 2
    done
    printf '%s\n' "$text" >"$to"
}

lay_programs() {
    local program
    for program in "${programs[@]}"; do
        put 755 "$built/$program" "usr/lib/loopwright/$program"
        strip --strip-unneeded --remove-section=.comment "$stage/usr/lib/loopwright/$program"
    done
    mkdir -p "$stage/usr/bin"
    ln -s ../lib/loopwright/loopwright ../lib/loopwright/loopwright-tray "$stage/usr/bin/"
}

lay_desktop() {
    local size
    put 644 package/dev.loopwright.tray.desktop usr/share/applications/dev.loopwright.tray.desktop
    put 644 package/dev.loopwright.tray.metainfo.xml usr/share/metainfo/dev.loopwright.tray.metainfo.xml
    put 644 package/loopwright.service usr/lib/systemd/user/loopwright.service
    for size in 32 128 256; do
        put 644 "icons/app-$size.png" "usr/share/icons/hicolor/${size}x$size/apps/loopwright.png"
    done
    put 644 icons/app.svg usr/share/icons/hicolor/scalable/apps/loopwright.svg
}

lay_documents() {
    local doc=usr/share/doc/loopwright man=usr/share/man/man1 loopwright=$stage/usr/lib/loopwright/loopwright
    put 644 package/copyright "$doc/copyright"
    fill package/changelog "$doc/changelog" MAINTAINER "$maintainer"
    node package/third-party.mjs "${programs[@]}" >"$stage/$doc/third-party"
    put 644 package/loopwright-tray.1 "$man/loopwright-tray.1"
    # The program says nothing of anybody's home here: it gets an empty one.
    LOOPWRIGHT_HOME=$out/home "$loopwright" man --out "$stage/$man" >/dev/null
    completions bash usr/share/bash-completion/completions/loopwright
    completions zsh usr/share/zsh/vendor-completions/_loopwright
    completions fish usr/share/fish/vendor_completions.d/loopwright.fish
    gzip -9n "$stage/$doc/changelog" "$stage/$doc/third-party" "$stage/$man"/*.1
}

# A completion script asks the program that printed it, so it is told where that will be.
completions() { # shell, to
    mkdir -p "$stage/${2%/*}"
    LOOPWRIGHT_HOME=$out/home "$stage/usr/lib/loopwright/loopwright" completions "$1" |
        sed "s|$stage/usr/lib/loopwright/loopwright|/usr/bin/loopwright|g" >"$stage/$2"
    chmod 644 "$stage/$2"
    ! grep -qF "$target" "$stage/$2" || fail "the $1 completions name a folder of this machine"
}

# The libraries come from the programs themselves; what is opened by name or started stands in `control.in`.
control() {
    local libraries size work=$out/shlibs
    mkdir -p "$work/debian" "$stage/DEBIAN"
    printf 'Source: loopwright\n\nPackage: loopwright\nArchitecture: any\n' >"$work/debian/control"
    libraries=$(cd "$work" && dpkg-shlibdeps -O "$stage"/usr/lib/loopwright/* 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
    [ -n "$libraries" ] || fail 'dpkg-shlibdeps named no libraries'
    size=$(du -sk --apparent-size "$stage" | cut -f1)
    fill package/control.in DEBIAN/control VERSION "$version" ARCHITECTURE "$architecture" LIBRARIES "$libraries" \
        MAINTAINER "$maintainer" INSTALLED_SIZE "$size"
    (cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
    chmod 644 "$stage"/DEBIAN/*
}

check() {
    desktop-file-validate "$stage/usr/share/applications/dev.loopwright.tray.desktop"
    appstreamcli validate --no-net --explain "$stage/usr/share/metainfo/dev.loopwright.tray.metainfo.xml"
    lintian --fail-on error --tag-display-limit 0 "$deb"
}

fail() {
    echo "No package was made: $1." >&2
    exit 1
}

main
