# shellcheck shell=sh
# ./everything down
#
# Stops everything that `up` started: daemons first, then the servers, each gently and
# then, after its grace, hard. Data stays. Leaves no process.
set -eu
. "$ROOT/tools/stack/all.sh"
[ $# -eq 0 ] || { warn "down: takes no argument (got $1)" && exit 2; }
[ -d "$RUN" ] || { say "Nothing runs." && exit 0; }
lock_state

stop_all() { # NAMES...: at once
    for name in "$@"; do
        [ -d "$RUN/$name" ] || continue
        ! is_running "$name" || stopped="$stopped $name"
        stop_process "$name" 9>&- &
    done
    wait
}

# Whatever still works in the folder of a process of ours, as the workers of a killed Postgres would.
# Not below it, where another stack may have its state; and not from a terminal: a person's.
left_over() {
    set -- -false
    for ours in "$(pg_data)" "$RUN"/*/run; do
        [ ! -e "$ours" ] || set -- "$@" -o -samefile "${ours%/run}"
    done
    find -L /proc/[0-9]*/cwd -maxdepth 0 \( "$@" \) 2>/dev/null | sed 's#/proc/##; s#/cwd##' |
        while read -r left_pid; do ! has_no_terminal "$left_pid" || echo "$left_pid"; done
}
has_no_terminal() { [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f5)" = 0 ]; }
none_left() { [ -z "$(left_over)" ]; }

stopped=''
# shellcheck disable=SC2046
stop_all $(processes_of daemon)
# shellcheck disable=SC2046
stop_all $(processes_of server)
if supervisor_runs; then
    supervisor=$live_pid # its file goes before it does
    supervisor_gone() { ! start_ticks "$supervisor"; }
    kill "$supervisor"
    wait_until 5 supervisor_gone || kill -9 "$supervisor"
fi
if ! wait_until 3 none_left; then
    # shellcheck disable=SC2046
    kill -9 $(left_over) 2>/dev/null || :
    wait_until 3 none_left || die "these processes do not go: $(left_over | tr '\n' ' ')"
fi
if [ -n "$stopped" ]; then say "Stopped:$stopped. Data is kept in $RUN."; else say "Nothing was running."; fi
