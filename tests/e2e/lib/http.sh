# Shared by the end-to-end tests: calls through HTTP only, facts as `ok NAME ROWS` lines.
# shellcheck shell=sh
: "${HTTP_URL:?run me by ./everything test e2e, or after eval \"\$(tools/test-env.sh)\"}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# fact NAME ROWS...: runs the function NAME; its output is shown only when it fails
fact() {
    fact_name=$1
    if ("$fact_name") >"$scratch/out" 2>&1; then
        echo "ok $*"
    else
        echo "not ok $*"
        sed 's/^/  | /' "$scratch/out" | tail -n 25 | cut -c1-400
        failures=$((failures + 1))
    fi
}
facts_end() { [ "$failures" = 0 ]; }

# What a good client asks again: it may have been done, and is done once all the same.
may_repeat() {
    case $call_method\ $call_path in
    GET\ * | POST\ /login) ;;
    */password) false ;;
    PUT\ * | PATCH\ *) ! grep -qi '^header = "If-Match:' "$scratch/curlrc" ;;
    POST\ /orders/*/accept | POST\ /orders/*/ready | POST\ /orders/*/undo-ready | POST\ /orders/*/pickup) ;;
    POST\ /orders/*/cancel | POST\ /orders/*/decline) ;;
    *) grep -qi '^header = "Idempotency-Key:' "$scratch/curlrc" ;;
    esac
}
is_passing() {
    case $(cat "$scratch/status") in
    503 | 504) ;;
    409) grep -q '"code":"in_flight"' "$scratch/body" ;;
    *) false ;;
    esac
}

# call METHOD PATH [TOKEN] [BODY] [HEADER...]: status in $scratch/status, headers in
# $scratch/headers, body on stdout (and in $scratch/body). A stall of seconds is a 503 or 504: asked again.
call() {
    call_method=$1 call_path=$2 call_token=${3:-} call_body=${4:-}
    if [ $# -gt 4 ]; then shift 4; else shift $#; fi
    for header in "$@"; do printf 'header = "%s"\n' "$header"; done >"$scratch/curlrc"
    [ -z "$call_token" ] || printf 'header = "Authorization: Bearer %s"\n' "$call_token" >>"$scratch/curlrc"
    if [ -n "$call_body" ]; then
        printf '%s' "$call_body" >"$scratch/request"
        printf 'header = "Content-Type: application/json"\ndata-binary = "@%s"\n' "$scratch/request" >>"$scratch/curlrc"
    fi
    call_end=$(($(date +%s) + PATIENCE_S))
    while
        curl -sS --max-time 30 -K "$scratch/curlrc" -X "$call_method" -D "$scratch/headers" \
            -o "$scratch/body" -w '%{http_code}' "$HTTP_URL$call_path" >"$scratch/status" || echo 000 >"$scratch/status"
        is_passing && may_repeat && [ "$(date +%s)" -lt "$call_end" ]
    do
        sleep 0.2
    done
    cat "$scratch/body" 2>/dev/null
}
status_is() {
    [ "$(cat "$scratch/status")" = "$1" ] && return
    echo "status $(cat "$scratch/status"), not $1: $(cat "$scratch/body")"
    return 1
}
problem_is() { # STATUS CODE [FIELD]
    status_is "$1" || return 1
    grep -qi '^content-type: application/problem+json' "$scratch/headers" || { echo "no problem+json" && return 1; }
    jq -e --arg code "$2" '.code == $code and (.status | type) == "number" and .title and .correlationId' \
        "$scratch/body" || { cat "$scratch/body" && return 1; }
    [ -z "${3:-}" ] || jq -e --arg field "$3" '[.errors[].field] | index($field) != null' "$scratch/body" ||
        { cat "$scratch/body" && return 1; }
}
header() { sed -n "s/^$1: \(.*\)\r$/\1/Ip" "$scratch/headers"; }

# what comes at all comes in this time, however slow or busy the machine is
# shellcheck disable=SC2034
PATIENCE_S=60
login() { # HANDLE [PASSWORD]: an access token, remembered for this run
    if [ ! -s "$scratch/token-$1" ]; then
        call POST /login '' "{\"handle\":\"$1\",\"password\":\"${2:-coffee-demo}\"}" >/dev/null
        status_is 200 || return 1
        jq -r .accessToken "$scratch/body" >"$scratch/token-$1"
    fi
    cat "$scratch/token-$1"
}

within() { # SECONDS COMMAND...
    within_end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$within_end" ] || return 1
        sleep 0.2
    done
}
uuid() { cat /proc/sys/kernel/random/uuid; }

LATTE='{"items":[{"menuItemId":"flat-white","quantity":1,"customizationIds":["oat-milk"]}]}'
# place TOKEN [BODY] [KEY]: the id of a new order
place() {
    call POST /orders "$1" "${2:-$LATTE}" "Idempotency-Key: ${3:-$(uuid)}" >/dev/null
    status_is 201 && jq -r .id "$scratch/body"
}
