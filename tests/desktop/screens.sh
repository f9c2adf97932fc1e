#!/usr/bin/env bash
# `make screens`: takes docs/screens/*.png from the real windows over what a demo of their own left, of which one pull
# request is approved and to which loops of the other templates are added. The person's own demo stays as it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TARGET_DIR=$PWD/target LOOPWRIGHT_DEMO=target/demo-screens
demo=$LOOPWRIGHT_DEMO
loopwright=$demo/loopwright

main() {
    local loop
    begin_anew
    tests/demo/run.sh
    bash -c "$("$loopwright" review "$(first_review)" | tail -n 1)"
    for loop in tidy todo-sweep report; do add "$loop"; done
    # It waits for nobody, or for a person.
    "$loopwright" run report || [ $? = 21 ]
    cargo build --quiet --workspace --bins --example screens
    target/debug/examples/screens "$demo/home" docs/screens
    # Small enough to be loaded with a page of text.
    mogrify -strip -colors 255 -define png:compression-level=9 docs/screens/*.png
    ls -l docs/screens
}

begin_anew() {
    [ ! -e "$demo" ] || chmod -R u+rwX "$demo"
    rm -rf "$demo" docs/screens
}

first_review() {
    "$loopwright" reviews --json | sed -n 's/^ *"short": "\([0-9a-f]*\)",*$/\1/p' | head -n 1
}

# As a person does without a terminal: by confirming exactly what was shown.
add() { # template
    local said
    said=$("$loopwright" add "$1" --repo "$demo/shop" </dev/null) || [ $? = 2 ]
    "$loopwright" add "$1" --repo "$demo/shop" --confirm "$(sed -n 's/^.* --confirm \([0-9a-f]\{64\}\)$/\1/p' <<<"$said")"
}

main
