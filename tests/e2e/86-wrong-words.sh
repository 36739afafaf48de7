#!/bin/sh
# Verbs of ./everything that are told something that is not: they say so, and fail.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh
everything=$PWD/../../everything

says() { # EXIT WHAT VERB...: and nothing of what is behind it
    wanted=$1 text=$2
    shift 2
    "$everything" "$@" </dev/null >"$scratch/said" 2>&1
    [ $? = "$wanted" ] && grep -q -- "$text" "$scratch/said" && ! grep -E 'ERROR|jq:|Illegal|\.sh:' "$scratch/said"
}
a_demonstration_of_no_number_of_orders_does_not_begin() {
    says 2 'needs a number' demo --orders many && says 2 'needs a number' demo --orders
}
an_order_that_is_not_there_is_told() {
    says 1 'there is no order 98765' order 98765 && says 2 'neither an id nor a number' order abc-1 &&
        says 1 'there is no order' order 019aa1f0-0000-7000-8000-00000000ffff
}
the_inbox_of_nobody_is_told() { says 1 'cannot sign in' inbox nobody-of-that-name; }
a_replay_of_nothing_is_told() { says 2 'which one' dead replay; }

fact a_demonstration_of_no_number_of_orders_does_not_begin
fact an_order_that_is_not_there_is_told
fact the_inbox_of_nobody_is_told
fact a_replay_of_nothing_is_told
facts_end
