#!/bin/sh
# What the daemons wrote while all the tests before this one ran: JSON, and one thread through all of them.
# stack: both
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh
run=$TEST_STACK_RUN
DAEMONS='gateway order-service customer-service'
# without the one line of AddressSanitizer's own about coroutines, which is no complaint, and without a line
# that is half written
lines() {
    { cat "$run/$1/log.1" "$run/$1/log" 2>/dev/null; echo; } | sed '$d' | grep -v "WARNING: ASan doesn't fully support makecontext"
}

each_line_of_each_daemon_is_json_with_time_level_and_event() {
    for daemon in $DAEMONS; do
        lines "$daemon" >"$scratch/lines"
        [ -s "$scratch/lines" ] || return 1
        jq -es 'all((.at | test("^[0-9-]+T[0-9:.]+Z$")) and (.level | IN("debug", "info", "warn", "error")) and (.event | type) == "string")' \
            "$scratch/lines" || return 1
    done
}
each_line_of_a_request_has_trace_and_correlation_id() {
    for daemon in $DAEMONS; do
        # "outbox relay", "jobs: ...": what a daemon does of itself belongs to no request
        lines "$daemon" | jq -es 'map(select((.event | IN("request", "rpc", "request failed")) and (.operation // "" | test("^[a-z]") | not))) | length > 0 and
            all((.trace_id | test("^[0-9a-f]{32}$")) and (.span_id | test("^[0-9a-f]{16}$")) and (.correlation_id | length > 0))' || return 1
    done
}
logged() { lines "$1" | jq -e --arg id "$2" --arg trace "$3" 'select(.correlation_id == $id and .trace_id == $trace)' | grep -q .; }
one_correlation_id_goes_through_gateway_and_daemon() {
    trace=$(uuid | tr -d -) id=asked-$(uuid)
    call GET /users/me "$(login customer)" '' "traceparent: 00-$trace-0123456789abcdef-01" "x-correlation-id: $id" >/dev/null
    status_is 200 && [ "$(header x-correlation-id)" = "$id" ] || return 1
    within $PATIENCE_S logged gateway "$id" "$trace" && within $PATIENCE_S logged customer-service "$id" "$trace" || return 1
    call GET /orders "$(login customer)" '' "traceparent: 00-$trace-0123456789abcdef-01" "x-correlation-id: $id" >/dev/null
    status_is 200 || return 1
    within $PATIENCE_S logged order-service "$id" "$trace"
}
no_line_tells_a_token_or_a_password() {
    token=$(login customer)
    for daemon in $DAEMONS; do
        ! lines "$daemon" | grep -F -e coffee-demo -e 'a good long password' -e "$token" -e "${token##*.}" || return 1
        for secret in "$run"/secrets/*_* "$run/secrets/page-token.key"; do
            ! lines "$daemon" | grep -qF -f "$secret" || { echo "$daemon tells $secret" && return 1; }
        done
    done
}

fact each_line_of_each_daemon_is_json_with_time_level_and_event OBS-16
fact each_line_of_a_request_has_trace_and_correlation_id OBS-16
fact one_correlation_id_goes_through_gateway_and_daemon OBS-16 GRPC-24
fact no_line_tells_a_token_or_a_password SEC-01
facts_end
