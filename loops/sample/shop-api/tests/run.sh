#!/bin/sh
# The tests of shop-api, told as TAP.
number=0
failed=0

# is NAME WANTED GOT
is() {
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "# wanted $2, got $3"
        failed=1
    fi
}

for tests in tests/*.test; do
    . "./$tests"
done
echo "1..$number"
exit $failed
