#!/usr/bin/env bash
# `make demo`: builds Loopwright, makes a sample repository under target/demo, and lets the loop daily-triage work on it.
# Needs no network but for cargo's downloads, no key and no model. Nothing in it is scripted to succeed.
#   LOOPWRIGHT_DEMO=target/NAME tests/demo/run.sh     another one beside it
set -euo pipefail
cd "$(dirname "$0")/../.."

demo=${LOOPWRIGHT_DEMO:-target/demo}
loopwright=$demo/loopwright
shop=$demo/shop
loop=daily-triage

main() {
    trap 'printf "\nStopped before the run began: no loop is running.\n"; exit 130' INT
    announce
    tests/setup.sh engine
    title 'Building'
    CARGO_TARGET_DIR=$PWD/target cargo build --package loopwright --package loopwright-watchdog --package loopwright-box
    keep_the_last
    title "Making the sample repository $shop"
    mkdir -p "$demo"
    tests/demo/shop.sh "$shop"
    git -C "$shop" --no-pager log --format='  %h %an: %s'
    write_wrapper
    title 'Looking at this machine'
    look
    title "Adding the loop $loop to it"
    add
    title 'Running it: the lines that follow are its journal'
    run_loop
    closing
}

announce() {
    cat <<TEXT
Loopwright demo
  1. builds Loopwright in target/debug (first it names missing system packages and installs them with apt),
  2. makes a small Rust repository in $shop with lint and format faults, a failing test and two open issues,
  3. lets the loop daily-triage work on it in a sandbox, without network, key or model,
  4. ends with pull requests that wait for your approval.
It takes about 3 minutes on 2 cores the first time (and cargo's downloads), and half a minute when built already.
It writes below target/ only. Ctrl-C halts it.
TEXT
}

title() { printf '\n== %s\n' "$1"; }

# The demo before this one stays in demo.old, to be looked at; what is older goes, read-only files and all.
keep_the_last() {
    [ -e "$demo" ] || return 0
    # Its loop and approvals name the folder that the new sample takes, so it stays halted.
    [ ! -x "$loopwright" ] || "$loopwright" halt --reason 'kept to be looked at' >/dev/null || true
    if [ -e "$demo.old" ]; then
        chmod -R u+rwX "$demo.old"
        rm -rf "$demo.old"
    fi
    mv "$demo" "$demo.old"
    title "The demo before this one is kept in $demo.old"
}

# A command that works as pasted from here and touches nothing of the person's own Loopwright.
write_wrapper() {
    sed "s|@TOOLCHAIN@|$(toolchain)|" tests/demo/loopwright.in >"$loopwright"
    chmod +x "$loopwright"
}

# The name of rustup's toolchain that built this, so that the sandbox gets the same; empty without rustup.
toolchain() {
    ! command -v rustup >/dev/null || rustup show active-toolchain 2>/dev/null | cut -d' ' -f1
}

look() {
    local said
    if said=$("$loopwright" doctor); then
        echo "  Everything is there ($loopwright doctor)."
        return
    fi
    printf '%s\n' "$said"
    echo "Loopwright refuses to run loops until this is repaired; then type: make demo"
    exit 1
}

# Without a terminal `add` shows what the loop may do and prints the command that confirms exactly this file.
add() {
    local said hash
    said=$("$loopwright" add "$loop" --repo "$shop" --ship </dev/null) || [ $? = 2 ]
    hash=$(sed -n 's/^.* --confirm \([0-9a-f]\{64\}\)$/\1/p' <<<"$said")
    sed -n 's/^\(When\|Cost\|Grants\) /  &/p' <<<"$said"
    echo "  In full: $loopwright check $loop"
    "$loopwright" add "$loop" --repo "$shop" --ship --confirm "$hash" >/dev/null
}

run_loop() {
    local code=0
    # From here Ctrl-C is for loopwright, which halts its run and ends with 10.
    trap - INT
    "$loopwright" run "$loop" || code=$?
    case $code in
        21) ;; # Something waits for a person, as it should.
        10)
            printf '\nHalted, as you asked. What it did: %s show last\n' "$loopwright"
            exit 10
            ;;
        *)
            printf '\nThe run ended with exit code %s, not with 21 (something waits for you).\n' "$code" >&2
            printf 'What it did: %s show last\n' "$loopwright" >&2
            exit 1
            ;;
    esac
}

closing() {
    title 'What it found'
    sed -n 's/^- \[.\] /  /; s/ (needs you: .*) / (handed to you) /; s/^  /&/p' "$demo"/home/data/loops/*/state/triage.md
    title 'The pull requests, with their evidence'
    local id first='' review
    for id in $(open_reviews); do
        review=$("$loopwright" review "$id")
        first=${first:-$id}
        sed -n '1s/^/  /p; /^Gates/,/^Cost/{/^$/d; s/^/    /p}' <<<"$review"
    done
    title 'What was handed to you, and why'
    "$loopwright" show last | sed -n 's/^[0-9:]* *\(◆ Handed to you: .*\)$/  \1/p'
    next_steps "$first"
    offer_tray
}

# The short ids of the pull requests that wait.
open_reviews() {
    "$loopwright" reviews --json | sed -n 's/^ *"short": "\([0-9a-f]*\)",*$/\1/p'
}

next_steps() {
    title 'Your turn: look at one, approve it, see it land'
    if [ -z "$1" ]; then
        echo '  No pull request was made, so there is nothing to approve.'
        return
    fi
    cat <<TEXT
  see the diff     $loopwright review $1
  approve          $("$loopwright" review "$1" | tail -n 1)
  see it landed    git -C $shop log -3 --stat
  the run's story  $loopwright show last
  all that waits   $loopwright reviews

An approval is bound to the change that was shown.
Once main has moved, approving another one first checks the same change on the new main, and lands it if nothing else came of that.

Your own repository:
  target/debug/loopwright init --repo PATH
It looks, writes a loop that fits, and says how to run it; without --ship it only reports.
TEXT
}

# Where something can be shown, the same on the desktop, with the demo's own home.
offer_tray() {
    [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 0
    cat <<TEXT

On the desktop:
  make ui && cargo build --package loopwright-tray && LOOPWRIGHT_HOME=$PWD/$demo/home target/debug/loopwright-tray
An icon appears; what waits for you here stands in its menu, and in the window Review.
TEXT
}

main
