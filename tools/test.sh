#!/bin/sh
# ./everything test [SUITE...] [--yes]
#
# Builds and runs the tests, all suites or those named, on a stack of their own beside
# yours (ports from TEST_PORT_BASE, 26000, on; state in .run/test). Ends with what failed, each
# with what it said, and the line `N passed, N failed`; exit 0 when none failed. Every result is
# in build/test-results.txt, and a run of all suites writes docs/FEATURES.md from them.
#
#   style         the rules of docs/STYLE.md, and that each rule finds what it forbids
#   unit          ctest, under AddressSanitizer and UBSan
#   integration   ctest, against real Postgres, Valkey, Kafka and Temporal; three at once, since
#                 each has a database, a port and what else it stops or kills of its own
#   e2e           tests/e2e/*.sh, through HTTP, on daemons of the asan build (E2E_BUILD=release
#                 or tsan for another); on two stacks at once, where `# stack: 2` (or both) in the
#                 head of a test says which; E2E_STACKS=1: one after the other on one
#   frontdoor     ./everything itself
#   tsan          unit and integration under ThreadSanitizer (only when named)
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ROOT
EVERYTHING_RUN=$ROOT/.run/test
EVERYTHING_PORT_BASE=${TEST_PORT_BASE:-26000}
EVERYTHING_ENV=$ROOT/tests/stack.env # a developer's .env does not count here
export EVERYTHING_RUN EVERYTHING_PORT_BASE EVERYTHING_ENV
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
# shellcheck source=tools/test/results.sh
. "$ROOT/tools/test/results.sh"

suites=''
for argument in "$@"; do
    case $argument in
    --yes | -y) YES=1 ;;
    style | unit | integration | e2e | frontdoor | tsan) suites="$suites $argument" ;;
    *) warn "test: no suite is called $argument; there are: style unit integration e2e frontdoor tsan" && exit 2 ;;
    esac
done
ALL_SUITES='style unit integration e2e frontdoor'
suites=${suites:-$ALL_SUITES}

mkdir -p "$RUN/log" "$ROOT/build"
results=$ROOT/build/test-results.txt
failures=$RUN/failures.txt # told once more at the end, where a long log is still read
: >"$results"
: >"$failures"
begin=$(now_s)
stack_is_up=0 fetching='' script_pid='' second_lane=''

tell() { printf '[%4d s] %s\n' $(($(now_s) - begin)) "$*"; }

stop_stack() {
    [ $stack_is_up = 0 ] || "$ROOT/everything" down >/dev/null 2>&1 || :
    stack_is_up=0
}
finish() {
    # shellcheck disable=SC2086
    kill $fetching $script_pid $second_lane 2>/dev/null || :
    stop_stack
    wait # for the second lane, which stops its own
}
trap finish EXIT
WHEN_INTERRUPTED='exit 130' # also after a step
trap 'exit 130' INT TERM

# For a subshell: from here on it works on the second stack, and ends with it.
second_stack() {
    EVERYTHING_RUN=$RUN-2 EVERYTHING_PORT_BASE=$((EVERYTHING_PORT_BASE + 50)) RUN=$RUN-2
    stack_is_up=0 script_pid='' second_lane='' where=' on the second stack'
    trap finish EXIT
    trap 'exit 130' INT TERM
    mkdir -p "$RUN/log"
}

run_ctest() { # SUITE BUILD_DIR JOBS LABEL
    rm -f "$2/Testing/Temporary/LastTest.log"
    timeout 3600 ctest --test-dir "$2" -L "^$4\$" -j "$3" --output-on-failure --no-tests=error </dev/null || :
    if [ -f "$2/Testing/Temporary/LastTest.log" ]; then note_ctest "$1" "$2"; else note fail "$1" a_test_program_ran; fi
}

# A script prints `ok NAME`, `not ok NAME`, `skip NAME`; what it prints is shown when it has ended,
# in one piece: another may run beside it.
run_script() { # SUITE FILE LIMIT_S
    script_file=${2#"$ROOT"/}
    script_log=$RUN/log/$(basename "$2").log
    script_rc=0
    script_begin=$(now_s)
    tell "$1${where:-}: $script_file ..."
    timeout --kill-after=20 "$3" "$2" >"$script_log" 2>&1 </dev/null &
    script_pid=$!
    wait $script_pid || script_rc=$?
    script_pid=''
    {
        flock 8
        tell "$1${where:-}: $script_file: $(($(now_s) - script_begin)) s"
        cat "$script_log"
        note_script "$1" "$2"
    } 8>"$failures.lock"
}
run_scripts() { # SUITE LIMIT_S FILES...
    scripts_suite=$1 scripts_limit=$2
    shift 2
    for file in "$@"; do
        [ -f "$file" ] || continue
        run_script "$scripts_suite" "$file" "$scripts_limit"
    done
}

build_preset() { # PRESET
    cd "$ROOT" || return
    [ -f "build/$1/build.ninja" ] || cmake --preset "$1"
    ninja -k 0 -j "$(nproc)" -C "build/$1"
}
build() { # PRESET SUITE: once a run; a build that fails is a failure of the suite
    case " ${built:-} " in *" $1 "*) return 0 ;; esac
    tell "building ($1)"
    if build_preset "$1" >"$RUN/log/build-$1.log" 2>&1; then
        built="${built:-} $1"
        return 0
    fi
    grep -E 'FAILED|error|undefined' "$RUN/log/build-$1.log" | head -n 30
    say "  the whole log: $RUN/log/build-$1.log"
    grep -E 'FAILED|error|undefined' "$RUN/log/build-$1.log" | head -n 12 |
        note_failure "$2" "the_$1_preset_builds"
    return 1
}

# The servers and, where asked, the daemons, at the ports of the tests.
need_stack() { # SUITE [--without daemons]
    stack_suite=$1
    shift
    tell "bringing the test stack up"
    stack_is_up=1
    if [ -n "$fetching" ]; then
        wait "$fetching" || note fail "$stack_suite" grpcurl_can_be_built
        fetching=''
    fi
    {
        stack_rc=0
        "$ROOT/everything" up --yes "$@" </dev/null || stack_rc=$?
        echo $stack_rc >"$RUN/log/test-up.rc"
    } 2>&1 | tee "$RUN/log/test-up.log"
    [ "$(cat "$RUN/log/test-up.rc")" != 0 ] || return 0
    note_failure "$stack_suite" the_test_stack_comes_up <"$RUN/log/test-up.log"
    return 1
}

suite_style() {
    if [ -x "$ROOT/tools/check-style.sh" ]; then
        if "$ROOT/tools/check-style.sh" >"$RUN/log/style.log" 2>&1; then
            note pass style the_tree_keeps_the_rules
        else
            cat "$RUN/log/style.log"
            note_failure style the_tree_keeps_the_rules <"$RUN/log/style.log"
        fi
    fi
    run_scripts style 900 "$ROOT"/tests/style/*.sh "$ROOT"/tools/style/test*.sh
}
suite_unit() {
    build asan unit || : # what does build is tried
    run_ctest unit build/asan 2 unit
}
suite_integration() {
    build asan integration || :
    need_stack integration --without daemons || return 0
    eval "$("$ROOT/tools/test-env.sh")"
    run_ctest integration build/asan 3 integration
}
suite_e2e() {
    EVERYTHING_BUILD=${E2E_BUILD:-asan}
    export EVERYTHING_BUILD
    build "$EVERYTHING_BUILD" e2e || :
    stop_stack
    if [ "${E2E_STACKS:-2}" = 1 ]; then
        ! e2e_stack || e2e_lane tests/e2e/*.sh
    elif e2e_stack; then
        # what is fetched and built once is there by now
        # shellcheck disable=SC2046
        { second_stack && e2e_stack >/dev/null && e2e_lane $(e2e_scripts -l '[2b]'); } &
        second_lane=$!
        # shellcheck disable=SC2046
        e2e_lane $(e2e_scripts -L 2)
        wait "$second_lane" || note fail e2e the_second_stack_ends_well tools/test.sh
        second_lane=''
    fi
    unset EVERYTHING_BUILD
}
e2e_scripts() { grep "$1" "^# stack: $2" tests/e2e/*.sh; }
e2e_stack() {
    rm -f "$RUN"/*/log "$RUN"/*/log.1
    need_stack e2e
}
e2e_lane() { # FILES...
    eval "$("$ROOT/tools/test-env.sh")"
    run_scripts e2e 1800 "$@"
    stop_stack
    check_daemons
}
# What the daemons said of themselves, and how they went.
complaints() { # a log that is not there must not hide what others say
    cat "$RUN"/*/log "$RUN"/*/log.1 2>/dev/null |
        grep -E -A 12 'ERROR: (Address|Leak)Sanitizer|runtime error:|WARNING: ThreadSanitizer'
}
check_daemons() {
    if complaints >"$RUN/log/reports"; then
        cat "$RUN/log/reports"
        head -n 40 "$RUN/log/reports" | SAID_LINES=40 note_failure e2e no_sanitizer_complains_of_a_daemon tools/test.sh
    else
        note pass e2e no_sanitizer_complains_of_a_daemon tools/test.sh
    fi
    for daemon in $DAEMONS; do
        state_of "$daemon"
        if [ "$last_exit" = exit:0 ]; then
            note pass e2e "${daemon}_drains_and_ends_well" tools/test.sh
        else
            tell "$daemon ended with $last_exit:"
            tail -n 30 "$RUN/$daemon/log" || :
            { tail -n 11 "$RUN/$daemon/log" || : && echo "ended with $last_exit"; } |
                note_failure e2e "${daemon}_drains_and_ends_well" tools/test.sh
        fi
    done
}
suite_frontdoor() { run_scripts frontdoor 3000 "$ROOT"/tests/frontdoor/*.sh; }
suite_tsan() {
    export TSAN_OPTIONS=ignore_noninstrumented_modules=1 # libraries of Debian are not built for it
    build tsan tsan || :
    run_ctest tsan build/tsan 2 unit
    need_stack tsan --without daemons || return 0
    eval "$("$ROOT/tools/test-env.sh")"
    run_ctest tsan build/tsan 2 integration
}

# grpcurl and kubectl take minutes to build, once: beside the first suites, and not in the time of a test
fetch_for_tests() {
    case " $suites " in *' integration '* | *' e2e '* | *' tsan '*) ;; *) return 0 ;; esac
    {
        step 'grpcurl: building it from source (once)' 7200 one_at_a_time go fetch_grpcurl
        case " $suites " in
        *' e2e '*) step 'kubectl: building it from source (once)' 7200 tests/fakes/cluster/build.sh || : ;; # its tests tell
        esac
    } &
    fetching=$!
}

cd "$ROOT"
install_packages
fetch_for_tests
for suite in $suites; do
    tell "suite $suite"
    suite_begin=$(now_s)
    "suite_$suite"
    grep -qE "^(pass|fail) $suite " "$results" || note fail "$suite" the_suite_ran_a_test
    took="${took:+$took, }$suite $(($(now_s) - suite_begin)) s"
    tell "suite $suite: $(grep -c "^pass $suite " "$results" || :) passed, $(grep -c "^fail $suite " "$results" || :) failed, $(($(now_s) - suite_begin)) s"
done
finish
tell "$took"
# a whole run knows the state of every row
if [ "$suites" = "$ALL_SUITES" ] && "$ROOT/tools/features"; then say "docs/FEATURES.md says what this run found"; fi
if [ -s "$failures" ]; then
    say
    say "What failed:"
    awk 'length' "$failures"
fi
skipped=$(grep -c '^skip ' "$results" || :)
[ "$skipped" = 0 ] || say "$skipped skipped"
failed=$(grep -c '^fail ' "$results" || :)
say "$(grep -c '^pass ' "$results" || :) passed, $failed failed"
[ "$failed" = 0 ]
