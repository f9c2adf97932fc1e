#!/usr/bin/env bash
# `make package-test`: installs, starts, upgrades and removes the package with the real dpkg, in a system that is this one
# seen through a layer of its own (a mount namespace with an overlay in memory): nothing of it reaches the real one.
# Each check is also shown what it must refuse: otherwise it says nothing.
#   package/test.sh [PACKAGE]      without root it needs user namespaces
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
home=/tmp/person

main() {
    local deb=${1:-} as_root=()
    [ -n "$deb" ] || deb=$(find "$here/target/package" -maxdepth 1 -name 'loopwright_*.deb' | sort -V | tail -n 1)
    [ -f "$deb" ] || fail 'there is no package yet: make package'
    [ "$(id -u)" = 0 ] || as_root=(--user --map-root-user)
    # With the features of everything, as `make test` builds it: nothing is built twice.
    CARGO_TARGET_DIR=$here/target cargo build --quiet --manifest-path "$here/Cargo.toml" --workspace --example icon
    exec unshare "${as_root[@]}" --mount --pid --fork --propagation private "$0" --layer "$(readlink -f "$deb")"
}

# In a mount namespace of our own: makes the layer, and turns into it.
layer() { # package
    local room
    room=$(mktemp -d)
    mount -t tmpfs layer "$room"
    mkdir "$room"/{upper,work,root}
    mount -t overlay -o "lowerdir=/,upperdir=$room/upper,workdir=$room/work" overlay "$room/root"
    cp "$1" "$room/root/loopwright.deb"
    mount -t proc proc "$room/root/proc"
    mount --rbind /dev "$room/root/dev"
    mount --rbind /sys "$room/root/sys"
    mount -t tmpfs tmp "$room/root/tmp"
    mkdir -p "$room/root$here/target"
    mount --rbind "$here/target" "$room/root$here/target"
    cp "$0" "$room/root/package-test.sh"
    mkdir "$room/root/before"
    cd "$room/root"
    # No chroot: whoever is in one may make no user namespaces, and the sandbox needs them.
    pivot_root . before
    umount -l /before
    cd /
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" XDG_RUNTIME_DIR=/tmp/runtime LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        ICON="$here/target/debug/examples/icon" /package-test.sh --inside
}

inside() {
    mkdir -p -m 700 "$home" "$XDG_RUNTIME_DIR"
    ! dpkg -s loopwright >/dev/null 2>&1 || fail 'this system has the package itself'
    step 'install' installs
    step 'start' starts
    step 'upgrade' upgrades
    step 'remove' removes
    step 'install again, and purge' purges
    echo 'The package installs, starts, upgrades, is removed and purged; what belongs to the person stays.'
}

step() {
    printf '== %s\n' "$1"
    "$2"
}

installs() {
    ! opens_links || fail 'loopwright:// was opened by somebody before'
    dpkg -i /loopwright.deb >/tmp/dpkg.log 2>&1 || fail "dpkg refused it: $(cat /tmp/dpkg.log)"
    whole || fail "what was installed is not what is in the package: $(dpkg --verify loopwright)"
    dpkg -L loopwright >/tmp/files
    nothing_left >/dev/null && fail 'what is installed counts as removed'
    opens_links || fail 'nobody is known to open loopwright://'
    [ -z "$(find "$home" -mindepth 1)" ] || fail "installing wrote into a home: $(find "$home" -mindepth 1)"
    refuses 'a changed file' whole /usr/share/doc/loopwright/copyright
}

# Whether every file is as it was packed.
whole() { [ -z "$(dpkg --verify loopwright)" ]; }

opens_links() { grep -qs '^x-scheme-handler/loopwright=dev.loopwright.tray.desktop' /usr/share/applications/mimeinfo.cache; }

# A check that must not hold for as long as a file has another line.
refuses() { # what, check, file
    local what=$1 check=$2 file=$3
    cp -p "$file" /tmp/kept
    echo 'another line' >>"$file"
    if "$check"; then fail "$what went unnoticed"; fi
    cp -p /tmp/kept "$file"
    "$check" || fail "$what was not undone"
}

version() { dpkg-query -W -f '${Version}' loopwright; }

starts() {
    local program page
    for program in loopwright loopwright-tray; do
        [ "$("/usr/bin/$program" --version)" = "$program $(version)" ] || fail "$program --version is not $(version)"
    done
    for program in loopwright-watchdog loopwright-box; do
        # They are only ever started by the others, with arguments.
        "/usr/lib/loopwright/$program" >/dev/null 2>&1 && fail "$program did something without being told"
        [ $? = 2 ] || fail "$program can't be started"
    done
    pages
    bash -n /usr/share/bash-completion/completions/loopwright
    zgrep -q '^tauri 2' /usr/share/doc/loopwright/third-party.gz || fail 'what others wrote is not named'
    loopwright templates | grep -q daily-triage
    systemd-analyze --user verify /usr/lib/systemd/user/loopwright.service
    shows_its_icon
    a_run_ends_well 'before the upgrade'
}

# Every command has a page, and man has nothing to say against any of them.
pages() {
    local page said number=0
    grep -q '^/usr/share/man/man1/loopwright-serve.1.gz$' /tmp/files || fail 'commands have no pages'
    for page in $(sed -n 's|^/usr/share/man/man1/\(.*\)\.1\.gz$|\1|p' /tmp/files); do
        said=$(man --warnings -E UTF-8 "$page" 2>&1 >/tmp/page) || fail "man can't show $page: $said"
        [ -z "$said" ] && grep -q '^NAME' /tmp/page || fail "the page $page: ${said:-has no name}"
        number=$((number + 1))
    done
    man --warnings -E UTF-8 loopwright-nothing >/dev/null 2>&1 && fail 'there is a page of what is not there'
    echo "   $number pages"
}

# The installed tray has its icon on a display and a bus of its own; a program that shows none is noticed.
shows_its_icon() {
    local took
    took=$("$ICON" /usr/bin/loopwright-tray) || fail 'no icon came'
    echo "   the icon was there after $took ms"
    ! "$ICON" /bin/true >/tmp/icon.log 2>&1 || fail 'a program without an icon was taken for one with it'
    grep -q 'an icon' /tmp/icon.log || fail "the other way failed for another reason: $(cat /tmp/icon.log)"
}

# A loop of one step, from a scheduler that is started once and lives through the upgrade.
a_run_ends_well() {
    local said
    if [ ! -e "$home/.config/loopwright/loops/hello/loop.yaml" ]; then
        mkdir -p "$home/hello"
        printf '%s\n' 'name: hello' 'trigger: manual' 'steps:' '  - run: [echo, hello]' \
            'guardrails: {max_iterations: 1, budget: $1/run, halt_on: no_progress(1)}' >"$home/hello/loop.yaml"
        said=$(loopwright add "$home/hello/loop.yaml" </dev/null) || true
        loopwright add "$home/hello/loop.yaml" --confirm "$(sed -n 's/^.* --confirm \([0-9a-f]\{64\}\)$/\1/p' <<<"$said")" \
            >/dev/null
    fi
    said=$(loopwright run hello 2>&1) || [ $? = 20 ] || fail "a run $1: $said"
}

upgrades() {
    local before after
    loopwright serve >/tmp/serve.log 2>&1 &
    serve=$!
    until_ loopwright_serves
    before=$(kept)
    dpkg-deb -R /loopwright.deb /tmp/next
    sed -i "s/^Version: .*/Version: $(version)+next/" /tmp/next/DEBIAN/control
    dpkg-deb --root-owner-group -Znone --build /tmp/next /tmp/next.deb >/dev/null
    dpkg -i /tmp/next.deb >/tmp/dpkg.log 2>&1 || fail "the upgrade: $(cat /tmp/dpkg.log)"
    case $(version) in *+next) ;; *) fail 'the upgrade did not happen' ;; esac
    kill -0 "$serve" || fail 'the upgrade ended the scheduler'
    after=$(kept)
    [ "$before" = "$after" ] || fail "the upgrade changed what belongs to the person: $(diff <(echo "$before") <(echo "$after"))"
    as_before() { [ "$(kept)" = "$before" ]; }
    refuses 'a changed loop' as_before "$home/.config/loopwright/loops/hello/loop.yaml"
    a_run_ends_well 'after the upgrade'
    kill "$serve"
    wait "$serve" || true
}

loopwright_serves() { [ -s "$home/.local/state/loopwright/scheduler" ]; }

# What a person wrote or decided: loops, and the rows of runs.
kept() {
    find "$home/.config" -type f -exec sha256sum {} + | sort
    loopwright runs --json
}

removes() {
    local left=/usr/lib/loopwright/another
    # Somebody's file in the program's folder: it stays, and is noticed.
    touch "$left"
    gone_with --remove
    nothing_left >/dev/null && fail 'what is left went unnoticed'
    rm -r /usr/lib/loopwright
    nothing_left || fail 'files are left'
    the_person_keeps_all
}

purges() {
    dpkg -i /loopwright.deb >/tmp/dpkg.log 2>&1 || fail "dpkg refused it: $(cat /tmp/dpkg.log)"
    a_run_ends_well 'after it was installed again'
    gone_with --purge
    nothing_left || fail 'files are left'
    the_person_keeps_all
}

gone_with() { # --remove or --purge
    dpkg "$1" loopwright >/tmp/dpkg.log 2>&1 || fail "dpkg $1: $(cat /tmp/dpkg.log)"
    ! dpkg -s loopwright >/dev/null 2>&1 || fail "dpkg knows it after $1"
    ! opens_links || fail "loopwright:// still has a handler after $1"
}

# Names what was installed and is still there.
nothing_left() {
    local file left=0
    while read -r file; do
        # Folders that others use too stay.
        case $file in *loopwright*) ;; *) [ ! -d "$file" ] || continue ;; esac
        if [ -e "$file" ] || [ -L "$file" ]; then
            echo "   $file is left"
            left=1
        fi
    done </tmp/files
    return "$left"
}

the_person_keeps_all() {
    [ -s "$home/.config/loopwright/loops/hello/loop.yaml" ] && [ -s "$home/.local/share/loopwright/loopwright.db" ] ||
        fail 'loops or data of the person are gone'
}

until_() {
    local tries=300
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "waited too long for $*"
        sleep 0.1
    done
}

fail() {
    echo "The package does not hold: $1" >&2
    exit 1
}

case ${1:-} in
    --layer) layer "$2" ;;
    --inside) inside ;;
    *) main "$@" ;;
esac
