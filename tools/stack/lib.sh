# shellcheck shell=sh disable=SC2034
# What every verb of ./everything uses: folders, messages, steps with a time limit, pids.
# Sourced; ROOT is set by the caller. EVERYTHING_RUN (state folder), EVERYTHING_ENV
# (settings file) and EVERYTHING_PORT_BASE (all ports shifted) make a second stack.

STACK=$ROOT/tools/stack
RUN=${EVERYTHING_RUN:-$ROOT/.run}
case $RUN in /*) ;; *) RUN=$ROOT/$RUN ;; esac
SETTINGS=${EVERYTHING_ENV:-$ROOT/.env}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/everything
TOOLS=$ROOT/build/stack # supervisor and probe
SECRETS=$RUN/secrets
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # a plain user of Debian lacks them
export LC_ALL=C.UTF-8 PATH

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
# die CAUSE WAY_OUT: every refusal names both
die() {
    warn "everything: $1"
    [ $# -lt 2 ] || warn "  way out: $2"
    exit 1
}
# one ./everything at a time works on a state folder
lock_state() {
    mkdir -p "$RUN/log" 2>/dev/null || :
    [ -w "$RUN/log" ] || die "$(id -un) may not write to $RUN (it belongs to $(stat -c %U "$RUN" 2>/dev/null))" \
        "run as that user, or set EVERYTHING_RUN to a folder of yours"
    exec 9>"$RUN/lock"
    flock -w 60 9 || die "another ./everything works on $RUN" "wait for it to end"
}
now_s() { date +%s; }

# write_if_changed FILE MODE: stdin becomes FILE; true when that changed it
write_if_changed() {
    new_content=$1.new.$$
    (umask 077 && cat >"$new_content")
    chmod "$2" "$new_content"
    if cmp -s "$new_content" "$1"; then
        rm -f "$new_content"
        return 1
    fi
    mv "$new_content" "$1"
}

# step LABEL LIMIT_S FUNCTION...: runs it in a process of its own, output to a log, says
# when it takes longer than two seconds and how long it took. Steps may run in parallel.
# WHEN_INTERRUPTED is the caller's trap, if it has one: dash cannot say what a trap was.
step() {
    step_label=$1 step_limit=$2
    shift 2
    mkdir -p "$RUN/log"
    step_log=$RUN/log/$(printf '%s' "$step_label" | tr -c 'a-zA-Z0-9\n' '-').log
    step_begin=$(now_s)
    timeout --kill-after=5 "$step_limit" sh "$STACK/call.sh" "$@" >"$step_log" 2>&1 </dev/null &
    step_pid=$!
    # shellcheck disable=SC2064
    trap "kill $step_pid 2>/dev/null || :; ${WHEN_INTERRUPTED:-exit 130}" INT TERM
    step_said=0
    while kill -0 "$step_pid" 2>/dev/null; do
        sleep 0.1
        step_took=$(($(now_s) - step_begin))
        if [ "$step_took" -ge 2 ] && [ "$step_took" -ge "$step_said" ]; then
            if [ "$step_said" -eq 0 ]; then say "  $step_label ..."; else say "  $step_label ... ${step_took} s"; fi
            step_said=$((step_took + 20))
        fi
    done
    step_rc=0
    wait "$step_pid" || step_rc=$?
    # shellcheck disable=SC2064
    trap "${WHEN_INTERRUPTED:--}" INT TERM
    step_took=$(($(now_s) - step_begin))
    if [ "$step_rc" -eq 0 ]; then
        [ "$step_said" -eq 0 ] || say "  $step_label: done in ${step_took} s"
        return 0
    fi
    [ "$step_rc" -ne 124 ] || warn "  $step_label: gave up after $step_limit s (its time limit)"
    [ "$step_rc" -eq 124 ] || warn "  $step_label: FAILED after ${step_took} s"
    tail -n 15 "$step_log" | sed 's/^/    | /' >&2
    explain_failure "$step_log"
    warn "  the whole log: $step_log"
    return 1
}

# A few causes that a stranger meets, recognised by what the tools print.
explain_failure() {
    if grep -qiE 'could not resolve|temporary failure|unknown host|no such host|network is unreachable|connection timed out|unable to connect' "$1"; then
        warn "  cause: no network, or the registry cannot be reached from here"
        warn "  way out: check the connection (or proxy settings), then run the same command again; what was fetched is kept"
    elif grep -qiE 'no space left|disk full' "$1"; then
        warn "  cause: the disk is full. way out: free some space, then run the same command again"
    elif grep -q 'dpkg was interrupted' "$1"; then
        warn "  cause: an installation of packages was cut short. way out: as root: dpkg --configure -a, then run the same command again"
    fi
}

# start_ticks PID: its start time, which with the pid names a process for good; fails for none
start_ticks() {
    [ -r "/proc/$1/stat" ] || return 1
    # the name (field 2, in brackets) may hold spaces: cut it off first
    stat_rest=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
    # shellcheck disable=SC2086
    set -- $stat_rest
    case ${1:-Z} in Z | X) return 1 ;; esac
    shift 19
    printf '%s' "$1"
}

# is_alive PIDFILE: "PID START_TICKS" in it names a live process; sets live_pid
is_alive() {
    live_pid='' live_ticks=''
    [ -r "$1" ] && read -r live_pid live_ticks <"$1" || return 1
    [ -n "$live_ticks" ] && [ "$(start_ticks "$live_pid")" = "$live_ticks" ]
}

# wait_until SECONDS COMMAND...: true as soon as the command is
wait_until() {
    wait_end=$(($(now_s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(now_s)" -lt "$wait_end" ] || return 1
        sleep 0.1
    done
}

# port_owner PORT [any]: "pid PID (COMMAND)" that listens on it (or any socket whose local end it is),
# "a process of another user", or fails
port_owner() {
    port_hex=$(printf '%04X' "$1")
    port_inode=$(awk -v port=":$port_hex" -v any="${2:-}" '($4 == "0A" || any && $10) && substr($2, length($2) - 4) == port { print $10; exit }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    [ -n "$port_inode" ] || return 1
    port_fd=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$port_inode\]" 2>/dev/null | head -n 1)
    [ -n "$port_fd" ] || { printf 'a process of another user' && return 0; }
    port_pid=${port_fd#/proc/}
    port_pid=${port_pid%%/*}
    printf 'pid %s (%s)' "$port_pid" "$(tr '\0' ' ' <"/proc/$port_pid/cmdline" 2>/dev/null | cut -c1-100)"
}

# confirm QUESTION: asks on a terminal; without one, or with --yes, the answer is yes
confirm() {
    [ "${YES:-0}" = 1 ] && return 0
    [ -t 0 ] || return 0
    printf '%s [y/N] ' "$1"
    read -r confirm_answer
    case $confirm_answer in y | Y | yes) return 0 ;; *) return 1 ;; esac
}
