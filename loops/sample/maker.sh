#!/bin/sh
# The recorded answers of a maker: what it changed for each finding.
set -eu
say() { printf '{"loopwright": {"summary": "%s"}}\n' "$1"; }

case "$LOOPWRIGHT_FINDING_KEY" in
    1)
        cat > src/receipt.awk <<'AWK'
# The receipt of an order: a line per item, and what is to be paid.
{
    printf "%s x %d\n", $1, $2
    total += $2 * $3
}
END { printf "total %.2f\n", total / 100 }
AWK
        cat > tests/receipt-total.test <<'TEST'
is 'a receipt ends with what is to be paid' 'total 7.50' "$(printf 'tea 3 250\n' | awk -f src/receipt.awk | tail -n 1)"
TEST
        say 'The receipt adds up its items and ends with the total.'
        ;;
    2)
        cat > src/member.awk <<'AWK'
# What an order costs with the discount of members, in cents.
{ total += $2 * $3 }
END { print int(total * 0.9) }
AWK
        say 'Orders cost 10 % less.'
        ;;
    *)
        sed 's/total += \$3/total += $2 * $3/' src/total.awk > total.new
        cat total.new > src/total.awk
        rm total.new
        say 'The price counts as often as the item was bought.'
        ;;
esac
