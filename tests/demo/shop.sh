#!/usr/bin/env bash
# Makes the demo's sample repository in the folder $1: a small Rust crate with five commits by three people.
# Each folder of shop/ holds the files that one commit adds or changes. What is wrong with the crate is genuine.
set -euo pipefail
files=$(cd "$(dirname "$0")/shop" && pwd)
shop=$1

commit() { # folder, who, when, message
    cp -R "$files/$1/." "$shop"
    git -C "$shop" add -A
    local mail="$2@shop.example"
    GIT_AUTHOR_NAME=$2 GIT_AUTHOR_EMAIL=$mail GIT_AUTHOR_DATE=$3 \
        GIT_COMMITTER_NAME=$2 GIT_COMMITTER_EMAIL=$mail GIT_COMMITTER_DATE=$3 \
        git -C "$shop" commit --quiet --message "$4"
}

# Nothing of the person's own configuration: no templates, hooks, signatures.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git init --quiet --template= --initial-branch=main "$shop"
commit 1-first Mo 2026-05-04T09:12:00Z 'Prices in whole cents'
commit 2-basket Ines 2026-05-06T14:30:00Z 'Baskets, and a stock to fill them from'
commit 3-discounts Ravi 2026-05-11T10:05:00Z 'Vouchers: percentages and fixed amounts'
commit 4-receipts Ines 2026-05-13T16:48:00Z 'Print receipts'
commit 5-issues Mo 2026-05-18T08:20:00Z 'Write down what customers asked for'
