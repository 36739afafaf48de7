# shellcheck shell=sh disable=SC2154,SC2034
# The one table of what runs. A new process is a line here and a function run_NAME (with _
# for -) that prints its start script. Optional: prepare_NAME (files it needs), ready_NAME
# (does it serve? else: its first port accepts), setup_NAME (once it is ready), fetch_NAME
# (get the program), needs_setup_NAME and needs_fetch_NAME (is there anything to do?).
# In the column of ports, + joins the names of several settings.

#          name             kind    ports                                    stop grace_s ready_s
PROCESSES="postgres         server  DB_PORT                                  INT  20      120
           valkey           server  VALKEY_PORT                              TERM 10      60
           kafka            server  KAFKA_PORT+KAFKA_CONTROLLER_PORT         TERM 40      240
$(temporal_processes)
           payment-provider daemon  PAYMENT_PORT                             TERM 5       60
           customer-service daemon  CUSTOMER_GRPC_PORT+CUSTOMER_METRICS_PORT TERM 30      120
           order-service    daemon  ORDER_GRPC_PORT+ORDER_METRICS_PORT       TERM 30      120
           gateway          daemon  HTTP_PORT+GATEWAY_METRICS_PORT           TERM 30      120"

[ "${FAKE_APNS:-0}" = 0 ] || PROCESSES="apns             server  APNS_PORT+APNS_CONTROL_PORT              TERM 5       60
$PROCESSES"

# Read by the shell itself, not by awk: a second `up` asks a hundred times.
each_process() { # FUNCTION ARGS...: called with them and the columns of each line
    while read -r each_line; do
        # shellcheck disable=SC2086
        "$@" $each_line
    done <<LINES
$PROCESSES
LINES
}
print_name() { echo "$1"; }
print_name_of_kind() { [ "$1" != "$3" ] || echo "$2"; }
print_column() { # NAME AT COLUMNS...
    [ "$1" = "$3" ] || return 0
    shift $(($2 + 1))
    echo "$1"
}
process_names() { each_process print_name; }
process_list() { process_names | tr '\n' ' '; }
processes_of() { each_process print_name_of_kind "$1"; }
column() { each_process print_column "$1" "$2"; }
is_process() { [ -n "$(column "$1" 1)" ]; }
ports_of() { for p in $(column "$1" 3 | tr '+' ' '); do eval "echo \$$p"; done; }

# hook KIND NAME: the function of that process; true when there is one
hook() {
    hook_name=$1_$(printf '%s' "$2" | tr '-' '_')
    command -v "$hook_name" >/dev/null
}
# needs KIND NAME: that process has such a step, and its needs_ function (if any) asks for it
needs() {
    hook "needs_$1" "$2" && { "$hook_name" || return 1; }
    hook "$1" "$2"
}
run_hook() { ! hook "$1" "$2" || "$hook_name"; }

is_ready() {
    if hook ready "$1"; then "$hook_name"; else "$TOOLS/probe" port 127.0.0.1 "$(ports_of "$1" | head -n 1)"; fi
}

# A process that died five times since it was asked for will not come.
ready_or_hopeless() {
    is_ready "$1" && return
    state_of "$1"
    [ $((restarts - died_before)) -ge 5 ]
}

wait_ready() { # NAME: until it serves, at most as long as the table says
    state_of "$1"
    died_before=$restarts
    wait_until "$(column "$1" 6)" ready_or_hopeless "$1" || :
    is_ready "$1" && return
    state_of "$1"
    echo "$1 is $state, restarts $restarts, last exit $last_exit; its log ends:"
    tail -n 8 "$RUN/$1/log"
    tell_holders "$1"
    return 1
}

# Who has its ports, where that is another: an outgoing connection, say, which check_ports lets pass.
tell_holders() {
    for port in $(ports_of "$1"); do
        owner=$(port_owner "$port" any) || continue
        case $owner in "pid $pid "*) ;; *) echo "its port $port is held by $owner" ;; esac
    done
}

is_running() { is_alive "$RUN/$1/pid"; }
is_wanted() { [ "$(cat "$RUN/$1/want" 2>/dev/null)" = up ]; }

# state_of NAME sets: state pid restarts last_exit since
state_of() {
    state=down pid=0 restarts=0 last_exit=- since=0
    [ ! -r "$RUN/$1/state" ] || read -r state pid _ restarts last_exit since <"$RUN/$1/state"
    if is_running "$1"; then
        pid=$live_pid
    elif [ "$state" = up ]; then
        state=dead pid=0 # the supervisor is gone, or has not seen it yet
    fi
}

supervisor_runs() { is_alive "$RUN/supervisor.pid"; }
tell_supervisor() { supervisor_runs && kill -HUP "$live_pid"; }

# The supervisor gets an environment of its own and none of our descriptors.
ensure_supervisor() {
    supervisor_runs && return 0
    env -i PATH="$PATH" HOME="$HOME" LC_ALL=C.UTF-8 "$TOOLS/supervisor" "$RUN" \
        >>"$RUN/log/supervisor.log" 2>&1 </dev/null 9>&- &
    wait_until 30 supervisor_runs || die "the supervisor did not start: $(tail -n 1 "$RUN/log/supervisor.log")"
}

wish() { # NAME up|down
    printf '%s\n' "$2" >"$RUN/$1/want"
}

is_stopped() { ! is_running "$1"; }
stop_process() {
    stop_signal=TERM stop_grace=10 # the table may not have it any more
    [ ! -e "$RUN/$1/stop" ] || read -r stop_signal stop_grace <"$RUN/$1/stop"
    wish "$1" down
    tell_supervisor || stop_by_hand "$1"
    wait_until $((stop_grace + 5)) is_stopped "$1"
}
# without a supervisor the same, from here
stop_by_hand() {
    is_running "$1" || return 0
    kill -s "$stop_signal" "$live_pid"
    wait_until "$stop_grace" is_stopped "$1" || kill -9 "$live_pid"
}

# Writes what the supervisor reads; true when the start script is another than before.
describe_process() {
    mkdir -p "$RUN/$1"
    run_hook prepare "$1"
    hook run "$1"
    echo "$(column "$1" 4) $(column "$1" 5)" >"$RUN/$1/stop"
    {
        echo '#!/bin/sh'
        "$hook_name"
    } | write_if_changed "$RUN/$1/run" 700
}

check_ports() {
    for port in $(ports_of "$1"); do
        if owner=$(port_owner "$port"); then
            die "$1 needs port $port, which $owner has" \
                "end that process, or move the port: $(port_name "$1" "$port")=NUMBER in $SETTINGS"
        fi
    done
}
port_name() { for n in $(column "$1" 3 | tr '+' ' '); do eval "[ \"\$$n\" = '$2' ]" && echo "$n" && return; done; }
