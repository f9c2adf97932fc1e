#!/bin/sh
# The recorded answers of a checker, who did not make the change.
verdict() { printf '{"loopwright": {"verdict": {"accepted": %s, "reasons": ["%s"], "not_checked": ["%s"]}}}\n' "$@"; }

case "$LOOPWRIGHT_FINDING_KEY" in
    1) verdict true 'each item counts with its quantity, and the test says so' 'amounts beyond two decimals' ;;
    2) verdict false 'everybody gets the discount: nothing looks for the line `member`' 'nothing else, after that' ;;
    *) verdict true 'the quantity is the second field, as the comment above says' 'orders with broken lines' ;;
esac
