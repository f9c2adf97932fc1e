#!/bin/sh
# Prints TAP.
failed=0
n=0

is() { # name, wanted, what came
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        echo "# wanted: $2, got: $3"
        failed=1
    fi
}

echo 1..2
is 'a name is greeted' 'Hello, Ada!' "$(sh bin/greet.sh Ada)"
is 'nobody is greeted too' 'Hello' "$(sh bin/greet.sh)"
exit $failed
