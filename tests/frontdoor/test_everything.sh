#!/bin/sh
# ./everything as a stranger uses it, on a stack of its own (FRONTDOOR_PORT_BASE, 27000, and
# .run/frontdoor), beside whatever else runs. One line a fact: ok|not ok NAME ROWS.
# FRONTDOOR_UP (such as "--without daemons") goes to each full `up`.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BASE=${FRONTDOOR_PORT_BASE:-27000}
EVERYTHING_RUN=${FRONTDOOR_RUN:-$ROOT/.run/frontdoor}
EVERYTHING_PORT_BASE=$BASE
EVERYTHING_ENV=$EVERYTHING_RUN/env
export EVERYTHING_RUN EVERYTHING_PORT_BASE EVERYTHING_ENV
RUN=$EVERYTHING_RUN
VERBS=$(sed -n "s/^VERBS='\(.*\)'/\1/p" "$ROOT/everything")
everything() { timeout 3600 "$ROOT/everything" "$@"; }
# shellcheck disable=SC2086
up() { everything up --yes ${FRONTDOOR_UP:-}; }

failures=0
fact() { # NAME ROWS... then the function of that name is the test
    fact_name=$1
    if ("$fact_name") >"$scratch/out" 2>&1; then
        echo "ok $*"
    else
        echo "not ok $*"
        sed 's/^/  | /' "$scratch/out" | tail -n 25
        failures=$((failures + 1))
    fi
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }
json() { everything status --json | jq -e "$@"; }
pid_of() { cut -d' ' -f1 "$RUN/$1/pid" 2>/dev/null; }
all_pids() { cat "$RUN"/*/pid "$RUN/supervisor.pid" 2>/dev/null | sort; }
wanted() { json -r '.processes[] | select(.wanted) | .name'; }
within() { # SECONDS COMMAND...
    within_end=$(($(now_ms) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(now_ms)" -lt "$within_end" ] || return 1
        sleep 0.2
    done
}
# What comes at all comes in this time, however busy the machine is. Where a time is the fact, the
# best of several tries counts: other work makes it longer, never shorter.
PATIENCE_S=120

no_argument_prints_an_overview_of_all_verbs() {
    everything >"$scratch/overview"
    grep -q 'Two commands' "$scratch/overview" || return 1
    for verb in $VERBS; do grep -qE "(^ +|  |everything )$verb  " "$scratch/overview" || { echo "$verb" && return 1; }; done
}
an_unknown_verb_exits_2_and_names_the_nearest() {
    everything statsu 2>"$scratch/err"
    [ $? = 2 ] && grep -q './everything status' "$scratch/err" || return 1
    everything dwon 2>"$scratch/err"
    [ $? = 2 ] && grep -q './everything down' "$scratch/err"
}
each_verb_explains_itself_with_help() {
    for verb in $VERBS; do
        everything "$verb" --help </dev/null | grep -q "./everything $verb" || { echo "$verb" && return 1; }
    done
    [ ! -e "$RUN/supervisor.pid" ] # and does nothing else
}
an_unknown_option_is_refused() {
    everything up --nonsense
    [ $? = 2 ] || return 1
    everything up no-such-process
    [ $? = 2 ]
}

too_little_memory_is_told() {
    echo 'MemAvailable: 800000 kB' >"$scratch/meminfo"
    ! EVERYTHING_MEMINFO=$scratch/meminfo everything up --yes >"$scratch/err" 2>&1 &&
        grep -q 'only 781 MiB of memory' "$scratch/err" && grep -q 'way out' "$scratch/err"
}
# What it advises is typed as it stands, with no more memory than before.
the_way_out_of_too_little_memory_leads_out() {
    advised=$(sed -n 's/.*way out: .*\(\.\/everything up .*\)$/\1/p' "$scratch/err")
    echo "$advised"
    [ -n "$advised" ] || return 1
    (cd "$ROOT" && EVERYTHING_MEMINFO=$scratch/meminfo timeout 3600 sh -c "$advised" </dev/null) && within $PATIENCE_S is_up postgres && ! is_up kafka
    rc=$?
    everything down
    return $rc
}
too_little_disk_is_told() {
    mkdir -p "$scratch/bin"
    printf '#!/bin/sh\necho head\necho x 1 1 1024 1 /\n' >"$scratch/bin/df"
    chmod +x "$scratch/bin/df"
    ! PATH=$scratch/bin:$PATH everything up --yes valkey >"$scratch/err" 2>&1 &&
        grep -q 'only 1 MiB free' "$scratch/err" && grep -q 'way out' "$scratch/err"
}
a_taken_port_names_the_process_and_the_way_out() {
    python3 -m http.server --bind 127.0.0.1 $((BASE + 7)) >/dev/null 2>&1 &
    squatter=$!
    within $PATIENCE_S python3 -c "import socket; socket.create_connection(('127.0.0.1', $BASE + 7))"
    everything up --yes valkey >"$scratch/err" 2>&1
    rc=$?
    kill $squatter
    cat "$scratch/err"
    [ $rc = 1 ] && grep -q "pid $squatter (.*python3" "$scratch/err" && grep -q "VALKEY_PORT=" "$scratch/err"
}
a_port_moves_by_the_settings_file() {
    echo "VALKEY_PORT=$((BASE + 77))" >"$EVERYTHING_ENV"
    json ".processes[] | select(.name == \"valkey\") | .port == $((BASE + 77))"
    rc=$?
    rm -f "$EVERYTHING_ENV"
    return $rc
}
# What .env says of a daemon's own settings is what it gets, also where the stack would have set it.
a_setting_of_a_daemon_in_the_settings_file_reaches_it() {
    everything secrets >/dev/null
    printf '%s\n' PUBLIC_URL=https://coffee.example VAPID_SUBJECT=mailto:ann@coffee.example RATE_READ=7/1s >"$EVERYTHING_ENV"
    for told in gateway_settings customer_service_settings; do
        (export ROOT && sh "$ROOT/tools/stack/call.sh" $told) >"$scratch/$told"
    done
    rm -f "$EVERYTHING_ENV"
    is_told gateway_settings PUBLIC_URL https://coffee.example && is_told gateway_settings RATE_READ 7/1s &&
        is_told customer_service_settings PUBLIC_URL https://coffee.example &&
        is_told customer_service_settings VAPID_SUBJECT mailto:ann@coffee.example
}
is_told() { # FUNCTION NAME VALUE
    [ "$(env -i sh -c ". $scratch/$1 && echo \$$2")" = "$3" ] || { grep "$2" "$scratch/$1" && return 1; }
}

# `| cat` ends only when no process of ours keeps the pipe
everything_comes_up_with_no_container() { up </dev/null | cat && wanted && within $PATIENCE_S all_are_ready; }
# also by whoever took a processor from this machine meanwhile
is_overloaded() { # STOLEN_MS before
    [ $(($(stolen_ms) - $1)) -ge 100 ] || awk -v cores="$(nproc)" '{ exit !($1 > 2 * cores) }' /proc/loadavg
}
stolen_ms() { awk '/^cpu / { print $9 * 10 }' /proc/stat; }
# user and system time of the children, out of the last line of `times`
worked_ms() { tail -n 1 "$scratch/times" | tr 'ms' '  ' | awk '{ printf "%d", ($1 * 60 + $2 + $3 * 60 + $4) * 1000 }'; }
a_second_up_changes_nothing_and_takes_under_a_second() {
    all_pids >"$scratch/before"
    best=999999
    for _ in 1 2 3 4 5 6 7 8; do
        [ "$best" -ge 1000 ] || break
        begin=$(now_ms) stolen=$(stolen_ms)
        # shellcheck disable=SC2119
        (up >/dev/null && times) >"$scratch/times"
        took=$(($(now_ms) - begin))
        echo "$took ms, of it at work: $(worked_ms) ms"
        # more processes want to run than there are processors: what it works is what it would take
        ! is_overloaded "$stolen" || took=$(worked_ms)
        [ "$took" -ge "$best" ] || best=$took
    done
    all_pids | diff "$scratch/before" - && [ "$best" -lt 1000 ]
}
status_json_tells_all_of_each_process() {
    json '.supervisor.state == "up" and (.processes | length >= 7) and
        ([.processes[] | has("name") and has("state") and has("ready") and has("pid") and has("port") and
          has("pssKib") and has("restarts") and has("lastExit") and has("since")] | all)'
}

came_back() { json ".processes[] | select(.name == \"$1\") | .ready and .pid != $2 and .restarts >= 1 and .lastExit == \"signal:9\""; }
all_are_ready() { json '[.processes[] | select(.wanted) | .ready] | all'; }
killed_comes_back() { # NAME SECONDS [COMMAND that comes before each kill]
    for _ in 1 2 3; do
        ${3:-:}
        old=$(pid_of "$1")
        begin=$(now_ms)
        kill -9 "$old"
        within $PATIENCE_S came_back "$1" "$old" || return 1
        took=$(($(now_ms) - begin))
        echo "$1: back after $took ms"
        within $PATIENCE_S all_are_ready || return 1
        [ $took -gt $(($2 * 1000)) ] || return 0
    done
    return 1
}
any_killed_process_comes_back_by_itself() {
    for name in $(wanted); do
        limit=15
        [ "$name" != kafka ] || limit=30
        killed_comes_back "$name" $limit || { echo "$name did not" && everything status && return 1; }
    done
}
a_busy_postgres_comes_back_after_kill_9() {
    eval "$("$ROOT/tools/test-env.sh")"
    killed_comes_back postgres 15 keep_postgres_busy
}
keep_postgres_busy() {
    for _ in 1 2 3; do
        timeout 60 psql -qX "$TEST_PG_ADMIN_URL" -c 'SELECT count(*) FROM generate_series(1, 1000000000)' >/dev/null 2>&1 &
    done
    within $PATIENCE_S three_count
}
three_count() { [ "$(psql -qAtX "$TEST_PG_ADMIN_URL" -c "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count(*) FROM generate_series%'")" = 3 ]; }
a_dead_supervisor_is_told_and_up_adopts_what_runs() {
    kept=$(pid_of kafka)
    gone=$(pid_of valkey)
    kill -9 "$(cut -d' ' -f1 "$RUN/supervisor.pid")"
    within $PATIENCE_S json '.supervisor.state == "gone"' || return 1
    kill -9 "$gone"
    everything status | grep -q 'supervisor: GONE' || return 1
    up >/dev/null && within $PATIENCE_S json '.supervisor.state == "up"' && [ "$(pid_of kafka)" = "$kept" ] && [ "$(pid_of valkey)" != "$gone" ] &&
        killed_comes_back valkey 15
}
a_process_that_keeps_dying_is_tried_less_and_less_often() {
    mkdir -p "$RUN/broken"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho $(($(date +%%s%%N) / 1000000)) >>%s\nexit 7\n' "$scratch/lives" >"$RUN/broken/run"
    chmod +x "$RUN/broken/run"
    echo up >"$RUN/broken/want"
    supervisor=$(cut -d' ' -f1 "$RUN/supervisor.pid")
    kill -HUP "$supervisor"
    within $PATIENCE_S died_five_times
    waited=$?
    cat "$scratch/lives" "$RUN/broken/state"
    echo down >"$RUN/broken/want"
    kill -HUP "$supervisor"
    # 0.2, 0.4, 0.8, 1.6 s apart: never sooner
    [ $waited = 0 ] && awk 'NR > 1 && $1 - last < 100 * 2 ^ (NR - 1) { soon = 1 } { last = $1 } END { exit soon }' "$scratch/lives"
}
died_five_times() {
    [ "$(wc -l <"$scratch/lives")" -ge 5 ] && read -r state _ _ restarts last_exit _ <"$RUN/broken/state" &&
        [ "$state" = waiting ] && [ "$restarts" -ge 4 ] && [ "$last_exit" = exit:7 ]
}
up_with_a_name_restarts_that_one_only() {
    valkey=$(pid_of valkey) kafka=$(pid_of kafka)
    everything up valkey </dev/null && [ "$(pid_of valkey)" != "$valkey" ] && [ "$(pid_of kafka)" = "$kafka" ]
}
up_without_leaves_that_one_out() {
    everything up --without daemons,temporal </dev/null && [ -z "$(pid_of temporal)" ] && [ -n "$(pid_of kafka)" ]
    rc=$?
    up >/dev/null && return $rc
}
a_server_named_in_the_settings_is_used_and_not_started() {
    mkdir -p "$scratch/second"
    printf 'VALKEY_HOST=127.0.0.1\nVALKEY_PORT=%s\nVALKEY_USER=admin\nVALKEY_PASSWORD=%s\n' \
        $((BASE + 7)) "$(cat "$RUN/secrets/valkey_admin")" >"$scratch/env"
    EVERYTHING_RUN=$scratch/second EVERYTHING_ENV=$scratch/env everything up valkey </dev/null >"$scratch/said"
    rc=$?
    cat "$scratch/said"
    EVERYTHING_RUN=$scratch/second EVERYTHING_ENV=$scratch/env everything down
    [ $rc = 0 ] && grep -q 'valkey: used where' "$scratch/said" && [ ! -e "$scratch/second/valkey/pid" ] && within $PATIENCE_S is_up valkey
}
is_up() { json ".processes[] | select(.name == \"$1\") | .ready"; }

sql() { # DATABASE ROLE STATEMENT
    PGPASSWORD=$(cat "$RUN/secrets/$2") psql -qAtX -v ON_ERROR_STOP=1 -h 127.0.0.1 -p $((BASE + 6)) -U "$2" -d "$1" -c "$3"
}
a_runtime_role_uses_tables_and_cannot_alter_them() {
    sql order_db order_owner 'CREATE SCHEMA frontdoor; CREATE TABLE frontdoor.cups (id bigserial PRIMARY KEY, size int)' || return 1
    sql order_db order_service 'INSERT INTO frontdoor.cups (size) VALUES (3)' && [ "$(sql order_db order_service 'SELECT size FROM frontdoor.cups')" = 3 ]
    rc=$?
    ! sql order_db order_service 'ALTER TABLE frontdoor.cups ADD more int' || rc=1
    ! sql order_db order_service 'CREATE TABLE public.mine (id int)' || rc=1
    ! sql order_db order_service 'CREATE SCHEMA mine' || rc=1
    ! sql customer_db order_service 'SELECT 1' || rc=1
    sql order_db order_owner 'DROP SCHEMA frontdoor CASCADE' && return $rc
}
postgres_never_runs_as_root() { [ "$(stat -c %U "/proc/$(pid_of postgres)")" != root ]; }
secrets_are_private_and_stay() {
    sha256sum "$RUN"/secrets/postgres "$RUN"/secrets/jwt/* >"$scratch/sums"
    everything secrets >/dev/null && sha256sum -c "$scratch/sums" && [ -z "$(find "$RUN/secrets" -perm /077)" ]
}
rotation_signs_with_the_next_key_and_keeps_the_last() {
    current=$(sha256sum <"$RUN/secrets/jwt/current.pem") next=$(sha256sum <"$RUN/secrets/jwt/next.pem")
    everything secrets --rotate </dev/null && [ "$(sha256sum <"$RUN/secrets/jwt/current.pem")" = "$next" ] &&
        [ "$(sha256sum <"$RUN/secrets/jwt/previous.pem")" = "$current" ] && openssl pkey -in "$RUN/secrets/jwt/next.pem" -noout
}
logs_show_one_order_by_its_id_and_its_traces() {
    trace=0af7651916cd43dd8448eb211c80319c
    # a long log goes on in a new file at the next start
    printf '{"at":"2026-01-01T00:00:01Z","trace_id":"%s","event":"called"}\n' $trace >>"$RUN/valkey/log.1"
    {
        printf '{"at":"2026-01-01T00:00:02Z","trace_id":"%s","event":"placed","order":"frontdoor-1"}\n' $trace
        printf '{"at":"2026-01-01T00:00:03Z","trace_id":"11111111111111111111111111111111","event":"other"}\n'
    } >>"$RUN/valkey/log"
    everything logs --order frontdoor-1 >"$scratch/lines" && [ "$(wc -l <"$scratch/lines")" = 2 ] && head -n 1 "$scratch/lines" | grep -q called
}
# The limits are for a person, and a demo is faster than those who play in it.
a_demo_goes_as_fast_as_the_limits_let_it() {
    echo RATE_WRITE=1/1s >"$EVERYTHING_ENV"
    everything up gateway </dev/null && everything demo --orders 4 >"$scratch/played"
    rc=$?
    tail -n 8 "$scratch/played"
    rm -f "$EVERYTHING_ENV"
    up >/dev/null && [ $rc = 0 ] && grep -q ' 0 failed' "$scratch/played"
}
# It comes when they can be answered: nothing in a demo is done twice by asking again.
a_demo_goes_on_when_a_service_stood_still() {
    everything demo --orders 30 >"$scratch/played" 2>&1 &
    playing=$!
    within $PATIENCE_S grep -q Opening "$scratch/played" && kill -STOP "$(pid_of order-service)" &&
        within $PATIENCE_S grep 'asks for patience' "$scratch/played"
    waited=$?
    kill -CONT "$(pid_of order-service)"
    wait $playing
    played=$?
    tail -n 8 "$scratch/played"
    [ $waited$played = 00 ] && grep -q ' 0 failed' "$scratch/played"
}
doctor_finds_a_healthy_stack_healthy() {
    for _ in 1 2 3; do
        within $PATIENCE_S all_are_ready && everything doctor && return
    done
    return 1
}

reset_asks_before_it_deletes() {
    everything reset </dev/null && return 1
    echo n | script -qec "$ROOT/everything reset" /dev/null && return 1
    [ -s "$RUN/postgres/roles.done" ] && within $PATIENCE_S is_up postgres
}
down_leaves_no_process() {
    all_pids >"$scratch/pids"
    everything down || return 1
    while read -r pid ticks; do
        # a zombie is gone: it waits for a parent that is not ours
        [ "$(awk '$3 != "Z" { print $22 }' "/proc/$pid/stat" 2>/dev/null)" != "$ticks" ] || { echo "$pid is left" && return 1; }
    done <"$scratch/pids"
    [ -s "$scratch/pids" ] && [ -z "$(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$RUN/*" 2>/dev/null)" ]
}
a_warm_up_takes_15_seconds_at_most() {
    for _ in 1 2 3 4; do
        begin=$(now_ms)
        up >"$scratch/said" || return 1
        took=$(($(now_ms) - begin))
        echo "$took ms"
        [ $took -gt 15000 ] || return 0
        cat "$scratch/said"
        everything down
    done
    up && return 1
}
data_survives_down_and_up() { [ "$(sql customer_db customer_owner 'SELECT word FROM public.frontdoor_kept')" = kept ]; }
reset_with_yes_deletes_it_all() { everything reset --yes && [ ! -e "$RUN/postgres" ] && [ ! -e "$RUN/secrets" ]; }

# tools/test.sh on a checkout with one planted test: what it says and how it exits
planted() { # LINE
    mkdir -p "$scratch/planted/tests/style"
    cp -r "$ROOT/everything" "$ROOT/tools" "$scratch/planted/"
    rm -f "$scratch/planted/tools/check-style.sh" "$scratch"/planted/tools/style/test*.sh
    printf '#!/bin/sh\necho "%s"\n' "$1" >"$scratch/planted/tests/style/planted.sh"
    chmod +x "$scratch/planted/tests/style/planted.sh"
    "$scratch/planted/everything" test --yes style </dev/null >"$scratch/said" 2>&1
    planted_rc=$?
    planted_said=$(tail -n 1 "$scratch/said")
}
the_tests_end_with_their_count() {
    planted 'ok a_planted_fact' && [ "$planted_rc" = 0 ] && [ "$planted_said" = '1 passed, 0 failed' ]
}
a_planted_failure_fails_the_tests() {
    planted 'not ok a_planted_fact' && [ "$planted_rc" = 1 ] && [ "$planted_said" = '0 passed, 1 failed' ]
}
what_failed_is_told_again_at_the_end() {
    planted 'not ok a_planted_fact DEV-02\n  | the kettle is cold\nok another_fact' && tail -n 4 "$scratch/said" >"$scratch/end" && cat "$scratch/end"
    printf '%s\n' 'What failed:' 'not ok style a_planted_fact tests/style/planted.sh' '  | the kettle is cold' '1 passed, 1 failed' | diff - "$scratch/end"
}
a_suite_that_runs_no_test_fails() { planted 'nothing here' && [ "$planted_rc" = 1 ]; }
the_tests_are_built_with_sanitizers() {
    jq -e '.configurePresets[] | select(.name == "asan").cacheVariables.SANITIZE == "address,undefined"' "$ROOT/CMakePresets.json" &&
        jq -e '.configurePresets[] | select(.name == "tsan").cacheVariables.SANITIZE == "thread"' "$ROOT/CMakePresets.json" &&
        grep -q 'Werror' "$ROOT/cmake/House.cmake" && grep -q 'CMAKE_C_STANDARD 17' "$ROOT/CMakeLists.txt"
}
# README's "A first order", as it is written there; only the address is this stack's.
the_readme_orders_as_written() {
    awk '/^## A first order/ { here = 1 } here && /^```/ { if (inside) exit; inside = 1; next } inside' "$ROOT/README.md" |
        sed "s/localhost:8000/127.0.0.1:$BASE/" >"$scratch/readme"
    grep -v '^\./everything order' "$scratch/readme" >"$scratch/readme.sh"
    printf '%s\n' 'write-out = "%{stderr}%{http_code}\n"' >"$scratch/.curlrc"
    for _ in 1 2 3; do
        (cd "$ROOT" && CURL_HOME=$scratch sh -eu "$scratch/readme.sh") >"$scratch/answers" 2>"$scratch/codes"
        rc=$?
        grep -qx '50[34]' "$scratch/codes" || break # what a stall of seconds is answered with
    done
    tail -n 3 "$scratch/answers" "$scratch/codes"
    [ "$rc" = 0 ] || return 1
    order=$(grep -o '"id":"[0-9a-f-]*","number"' "$scratch/answers" | tail -n 1 | cut -d'"' -f4)
    # the last line names the order that the one before it made
    grep -q '^\./everything order ID' "$scratch/readme" && everything order "$order" >"$scratch/shown" && grep -q placed "$scratch/shown"
}
the_readme_names_verbs_that_are_there() {
    grep -oE '\./everything [a-z]+' "$ROOT/README.md" | sort -u >"$scratch/named"
    grep -qx './everything up' "$scratch/named" && grep -qx './everything test' "$scratch/named" || return 1
    while read -r _ verb; do everything "$verb" --help </dev/null >/dev/null || { echo "$verb" && return 1; }; done <"$scratch/named"
}
make_build_all_builds_every_program() {
    (cd "$ROOT" && timeout 2400 make build-all </dev/null) | tail -n 3
    for daemon in gateway order-service customer-service; do [ -x "$ROOT/build/release/bin/$daemon" ] || return 1; done
}
make_calls_everything() {
    for target in up down status logs test lint bench demo; do
        make -s -n -C "$ROOT" $target | grep -q "^./everything $target" || { echo $target && return 1; }
    done
}
this_is_debian_12() { grep -q '^VERSION_ID="12"' /etc/os-release; }

scratch=$(mktemp -d /tmp/everything-frontdoor.XXXXXX)
chmod 755 "$scratch"
finish() {
    everything down >/dev/null 2>&1
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM
everything reset --yes >/dev/null 2>&1
mkdir -p "$RUN"

fact no_argument_prints_an_overview_of_all_verbs
fact an_unknown_verb_exits_2_and_names_the_nearest
fact each_verb_explains_itself_with_help
fact an_unknown_option_is_refused

fact the_tests_are_built_with_sanitizers DEV-11

fact a_planted_failure_fails_the_tests DEV-02
fact the_tests_end_with_their_count DEV-02
fact what_failed_is_told_again_at_the_end DEV-02
fact a_suite_that_runs_no_test_fails DEV-02

fact too_little_memory_is_told
fact the_way_out_of_too_little_memory_leads_out
fact too_little_disk_is_told
fact a_taken_port_names_the_process_and_the_way_out
fact a_port_moves_by_the_settings_file
fact a_setting_of_a_daemon_in_the_settings_file_reaches_it

fact this_is_debian_12 DEV-12
fact make_calls_everything DEV-01 DEV-02
fact make_build_all_builds_every_program DEV-01
fact everything_comes_up_with_no_container DOCK-11 DEV-12 DEV-01

fact the_readme_names_verbs_that_are_there DOC-07
fact the_readme_orders_as_written DOC-07

fact a_second_up_changes_nothing_and_takes_under_a_second
fact status_json_tells_all_of_each_process
fact a_runtime_role_uses_tables_and_cannot_alter_them
fact postgres_never_runs_as_root
fact secrets_are_private_and_stay
fact rotation_signs_with_the_next_key_and_keeps_the_last
fact logs_show_one_order_by_its_id_and_its_traces
fact a_demo_goes_as_fast_as_the_limits_let_it
fact a_demo_goes_on_when_a_service_stood_still
fact a_server_named_in_the_settings_is_used_and_not_started
fact any_killed_process_comes_back_by_itself
fact a_busy_postgres_comes_back_after_kill_9
fact a_dead_supervisor_is_told_and_up_adopts_what_runs
fact a_process_that_keeps_dying_is_tried_less_and_less_often
fact up_with_a_name_restarts_that_one_only
fact up_without_leaves_that_one_out
fact doctor_finds_a_healthy_stack_healthy
fact reset_asks_before_it_deletes
sql customer_db customer_owner "CREATE TABLE public.frontdoor_kept (word text); INSERT INTO public.frontdoor_kept VALUES ('kept')" >/dev/null 2>&1
fact down_leaves_no_process
fact a_warm_up_takes_15_seconds_at_most
fact data_survives_down_and_up
fact reset_with_yes_deletes_it_all
[ $failures = 0 ]
