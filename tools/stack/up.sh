# shellcheck shell=sh
# ./everything up [NAME...] [--without NAME[,NAME...]] [--yes]
#
# Brings everything up: installs what is missing (the apt line is shown first), starts
# Postgres, Valkey, Kafka, Temporal and the daemons on 127.0.0.1 and waits until each
# serves. Whatever dies later is started again by a supervisor. A second `up` changes
# nothing. With names, only those; one that runs is restarted.
#
#   --without NAME   leave it out, for a debugger (or `daemons`: only the servers)
#   --yes            do not ask before installing packages
#
# Ports and hosts are set in .env: copy .env.example. What else is in it goes to the daemons
# (docs/CONFIG.md).
set -eu
. "$ROOT/tools/stack/all.sh"

names='' without=''
while [ $# -gt 0 ]; do
    case $1 in
    --yes | -y) YES=1 ;;
    --without) without="$without $(printf '%s' "${2:?--without needs a name}" | tr ',' ' ')" && shift ;;
    --without=*) without="$without $(printf '%s' "${1#*=}" | tr ',' ' ')" ;;
    -*) warn "up: unknown option $1" && exit 2 ;;
    *) names="$names $1" ;;
    esac
    shift
done
without=$(printf '%s' "$without" | sed "s/daemons/$DAEMONS/")
for name in $names $without; do
    is_process "$name" || { warn "up: no process is called $name; there are: $(process_list)" && exit 2; }
done
case " $without " in *" temporal "*) without="$without temporal-ui" ;; esac # it has nothing to show

chosen() { # NAME: is it to run?
    case " $without " in *" $1 "*) return 1 ;; esac
    [ -z "$names" ] && return 0
    case " $names " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}
is_named() { case " $names " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

lock_state
mkdir -p "$CACHE"
begin=$(now_s)

# What must be there before anything starts.
prepare_machine() {
    to_start=''
    for name in $(process_names); do
        ! chosen "$name" || is_running "$name" || is_external "$name" || to_start="$to_start $name"
    done
    install_packages
    build_tools
    make_secrets
    [ -n "$to_start" ] || return 0
    # shellcheck disable=SC2086
    check_memory $to_start
    for name in $to_start; do check_ports "$name"; done
    # shellcheck disable=SC2153
    ! needs_fetch_temporal && [ -e "$KAFKA_HOME/libs" ] && check_disk 300 && return
    check_disk 3000
}

fetch_limit() { case $1 in temporal* | apns) echo 7200 ;; *) echo 1800 ;; esac; } # Go builds wait for each other
fetch_lock() { case $1 in temporal* | apns) echo go ;; *) echo "$1" ;; esac; }
fetch_label() { case $1 in temporal*) echo "$1: building it from source (once, minutes)" ;; *) echo "$1: fetching" ;; esac; }

# What ran by another .env (TEMPORAL_STORE, FAKE_APNS) is not in the table now, and may hold a port.
stop_unlisted() {
    listed=" $(process_list) "
    for unlisted in "$RUN"/*/want; do
        unlisted=$(basename "${unlisted%/want}")
        case $listed in *" $unlisted "*) continue ;; esac
        # one that keeps dying does not run now, and would again
        if is_wanted "$unlisted" || is_running "$unlisted"; then
            stop_process "$unlisted" || warn "up: $unlisted does not stop; see ./everything logs $unlisted"
        fi
    done
    ! chosen temporal || ! is_running temporal || temporal_is_of_this_store || stop_process temporal
}

# A daemon may wait for one that was left out on purpose: that is told, and no failure.
wait_for() {
    is_ready "$1" >/dev/null 2>&1 && return
    if [ -n "$without" ] && [ "$(column "$1" 2)" = daemon ]; then
        wait_until 8 is_ready "$1" || say "  $1: runs, and is not ready without$without"
    else
        step "$1: starting" $(($(column "$1" 6) + 5)) wait_ready "$1"
    fi
}

# bring NAME: one process from nothing to serving.
bring() {
    if is_external "$1"; then
        wait_until 5 is_ready "$1" || die "$1 is named in $SETTINGS but does not answer" "start it, or remove its host there"
        say "  $1: used where $SETTINGS says"
        mkdir -p "$RUN/$1"
        ! needs setup "$1" || step "$1: setting up" 300 "$hook_name"
        return
    fi
    ! needs fetch "$1" || step "$(fetch_label "$1")" "$(fetch_limit "$1")" one_at_a_time "$(fetch_lock "$1")" "$hook_name" || return 1
    restart=0
    if is_running "$1"; then
        describe_process "$1" && restart=1
        is_named "$1" && restart=1
        [ $restart = 0 ] || stop_process "$1" || return 1
    fi
    if ! is_running "$1" || ! is_wanted "$1"; then
        # once more, now that it is down: what prepare_ may only do then
        describe_process "$1" || :
        wish "$1" up
        tell_supervisor
    fi
    wait_for "$1" || return 1
    ! needs setup "$1" || step "$1: setting up" 300 "$hook_name" || return 1
}

# bring_all NAMES...: all at once; fails when one does
bring_all() {
    pids=''
    for name in "$@"; do
        chosen "$name" || continue
        bring "$name" 9>&- &
        pids="$pids $!"
    done
    all_well=0
    for pid in $pids; do wait "$pid" || all_well=1; done
    return $all_well
}

build() {
    todo=''
    for name in $(daemon_sources); do
        ! chosen "$name" || todo="$todo $name"
    done
    [ -n "$todo" ] && needs_build || return 0
    # shellcheck disable=SC2086
    step 'building the daemons' 3600 build_daemons $todo
}

# By the binary that runs now; one that does not run migrates again, which finds nothing to do.
is_migrated() { is_running "$1" && [ "$(cksum <"$BIN/$1")" = "$(cat "$RUN/$1/migrated" 2>/dev/null)" ]; }

bring_daemons() {
    present=''
    for name in $(processes_of daemon); do
        chosen "$name" || continue
        if [ -x "$BIN/$name" ]; then
            present="$present $name"
        else
            say "  $name: left out, this checkout has no $name yet"
        fi
    done
    for name in $present; do
        if is_migrated "$name" || ! hook migrate "$name"; then continue; fi
        step "$name: migrating its database" 300 "$hook_name" || return 1
        mkdir -p "$RUN/$name"
        cksum <"$BIN/$name" >"$RUN/$name/migrated"
    done
    # shellcheck disable=SC2086
    bring_all $present
}

# shellcheck source=tools/stack/table.sh
. "$STACK/table.sh"

stop_unlisted
prepare_machine
ensure_supervisor
pids='' build_pid=''
# what runs in the background does not hear Ctrl-C
WHEN_INTERRUPTED='kill $pids $build_pid 2>/dev/null || :; exit 130'
# shellcheck disable=SC2064
trap "$WHEN_INTERRUPTED" INT TERM
build 9>&- &
build_pid=$!
for name in $without; do
    ! is_running "$name" || stop_process "$name"
done
# shellcheck disable=SC2046
bring_all $(processes_of server) || { wait $build_pid; die "not everything came up (see above)" "./everything doctor, ./everything logs NAME"; }
wait $build_pid || die "the daemons do not build (see above); the servers run" "repair the source, then ./everything up"
bring_daemons || die "not everything came up (see above)" "./everything logs NAME"
print_table $(($(now_s) - begin))
