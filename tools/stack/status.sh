# shellcheck shell=sh
# ./everything status [--json]
#
# One line a process: state, whether it serves, pid, port, memory (PSS), restarts, last
# exit, since when. Exit 0 when all that should run serves, else 1.
set -eu
. "$ROOT/tools/stack/all.sh"
json=0
case ${1:-} in '') ;; --json) json=1 ;; *) warn "status: unknown option $1" && exit 2 ;; esac

pss_kib() { # PID: its memory and that of its children (Postgres has some)
    for pid_of in "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        awk '$1 == "Pss:" { print $2 }' "/proc/$pid_of/smaps_rollup" 2>/dev/null || :
    done | awk '{ sum += $1 } END { print sum + 0 }'
}

# one row, as fields separated by |, into $rows/NAME; in parallel, since readiness takes time
row() {
    state_of "$1"
    pss=0 ready=no port=$(ports_of "$1" | head -n 1)
    if is_external "$1"; then
        state=external
        [ "$1" != kafka ] || port=${KAFKA_BROKERS##*:}
    elif [ "$pid" != 0 ]; then
        pss=$(pss_kib "$pid")
    fi
    { [ "$pid" != 0 ] || [ "$state" = external ]; } && is_ready "$1" >/dev/null 2>&1 && ready=yes
    wanted=no
    is_wanted "$1" && wanted=yes
    [ "$state" != external ] || wanted=yes
    printf '%s\n' "$1|$state|$ready|$pid|$port|$pss|$restarts|$last_exit|$since|$wanted" >"$rows/$1"
}

rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
for name in $(process_names); do row "$name" & done
wait
for name in $(process_names); do cat "$rows/$name"; done >"$rows/all"
supervisor=gone
supervisor_runs && supervisor=up

if [ $json = 1 ]; then
    awk -F'|' -v supervisor="$supervisor" -v pid="${live_pid:-0}" '
        BEGIN { printf "{\"supervisor\":{\"state\":\"%s\",\"pid\":%d},\"processes\":[", supervisor, pid }
        { printf("%s{\"name\":\"%s\",\"state\":\"%s\",\"ready\":%s,\"wanted\":%s,\"pid\":%d,\"port\":%d,\"pssKib\":%d,\"restarts\":%d,\"lastExit\":\"%s\",\"since\":%d}",
                 NR > 1 ? "," : "", $1, $2, $3 == "yes" ? "true" : "false", $10 == "yes" ? "true" : "false", $4, $5, $6, $7, $8, $9) }
        END { print "]}" }' "$rows/all"
else
    printf '%-17s %-9s %-6s %8s %6s %9s %9s %-10s %s\n' NAME STATE READY PID PORT PSS RESTARTS 'LAST EXIT' SINCE
    while IFS='|' read -r name state ready pid port pss restarts last_exit since _; do
        [ "$since" = 0 ] && since=- || since=$(date -d "@$since" '+%F %T')
        [ "$pid" != 0 ] || pid=-
        printf '%-17s %-9s %-6s %8s %6s %5d MiB %9s %-10s %s\n' "$name" "$state" "$ready" "$pid" "$port" \
            $((pss / 1024)) "$restarts" "$last_exit" "$since"
    done <"$rows/all"
    case $supervisor in
    up) say "supervisor: pid $live_pid, starts again what dies" ;;
    *) say "supervisor: GONE, nothing is started again; ./everything up brings it back" ;;
    esac
fi
awk -F'|' '$10 == "yes" && $3 != "yes" { bad = 1 } $10 == "yes" { some = 1 } END { exit bad || !some }' "$rows/all"
