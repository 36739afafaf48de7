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
#   integration   ctest, against real Postgres, Valkey, Kafka and Temporal
#   e2e           tests/e2e/*.sh, through HTTP, on daemons of the asan build (E2E_BUILD=release
#                 or tsan for another)
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
stack_is_up=0 fetching=''

# pass|fail|skip SUITE NAME [PROGRAM_OR_FILE]; what a failure said comes on stdin of note_failure
note() {
    printf '%s\n' "$*" >>"$results"
    [ "$1" != fail ] || printf 'not ok %s %s %s\n' "$2" "$3" "${4:-}" >>"$failures"
}
note_failure() { # SUITE NAME [PROGRAM_OR_FILE]
    note fail "$@"
    tail -n "${SAID_LINES:-12}" | cut -c1-300 | sed 's/^ *|* */  | /' >>"$failures"
}
tell() { printf '[%4d s] %s\n' $(($(now_s) - begin)) "$*"; }

stop_stack() {
    [ $stack_is_up = 0 ] || "$ROOT/everything" down >/dev/null 2>&1 || :
    stack_is_up=0
}
finish() {
    [ -z "$fetching" ] || kill "$fetching" 2>/dev/null || :
    stop_stack
}
trap finish EXIT
trap 'exit 130' INT TERM

# The lines of the test programs out of ctest's log. A program that fails without telling
# which test did (a crash, a sanitizer at exit) counts as one failure under its own name.
note_ctest() { # SUITE BUILD_DIR
    awk -v suite="$1" '
        /^[0-9]+\/[0-9]+ Test: / { program = $3; told = 0; ran = 0 }
        /^(pass|fail|skip) [A-Za-z0-9_]+$/ { print $1, suite, $2, program; ran++; told += $1 == "fail" }
        /^Test Failed\./ && !told { print "fail", suite, program, program }
        /^Test Passed\./ && !ran { print "pass", suite, program, program }
        /^Test (Failed|Passed)\./ { done++ }
        END { exit !done }' "$2/Testing/Temporary/LastTest.log" >>"$results" ||
        note fail "$1" a_test_program_ran
    said_by_ctest "$1" "$2/Testing/Temporary/LastTest.log" >>"$failures"
}

# Of each program that failed: its failed tests, libcheck's lines of where and why, and the first
# lines of a sanitizer's report.
said_by_ctest() { # SUITE LOG
    awk -v suite="$1" '
        function say(line) { if (++said <= 30) text = text "  | " substr(line, 1, 300) "\n" }
        /^[0-9]+\/[0-9]+ Test: / { program = $3; text = names = ""; said = report = heard = 0; next }
        /^fail [A-Za-z0-9_]+$/ { names = names "not ok " suite " " $2 " " program "\n"; next }
        /^[^ ]+:-?[0-9]+:[FES]:/ { say($0); next }
        /ERROR: [A-Za-z]*Sanitizer|WARNING: ThreadSanitizer|runtime error:/ { report = 15 }
        report > 0 { say($0); report-- }
        /^Output:/, /^<end of output>/ { line[++heard] = $0 }
        /^Test Failed\./ { bad = 1 }
        /time elapsed:/ {
            if (text == "" && bad) for (i = heard > 5 ? heard - 4 : 1; i <= heard; i++) say(line[i])
            if (names == "" && bad) names = "not ok " suite " " program " " program "\n"
            if (names != "") printf "%s%s", names, text
            bad = 0
        }' "$2"
}

run_ctest() { # SUITE BUILD_DIR JOBS LABEL
    rm -f "$2/Testing/Temporary/LastTest.log"
    timeout 3600 ctest --test-dir "$2" -L "^$4\$" -j "$3" --output-on-failure --no-tests=error </dev/null || :
    if [ -f "$2/Testing/Temporary/LastTest.log" ]; then note_ctest "$1" "$2"; else note fail "$1" a_test_program_ran; fi
}

# A script prints `ok NAME`, `not ok NAME`, `skip NAME`; what it prints is shown.
run_script() { # SUITE FILE LIMIT_S
    script_log=$RUN/log/$(basename "$2").log
    script_rc=0
    timeout --kill-after=20 "$3" "$2" >"$script_log" 2>&1 </dev/null || script_rc=$?
    cat "$script_log"
    script_file=${2#"$ROOT"/}
    awk -v suite="$1" -v file="$script_file" '
        $1 == "not" && $2 == "ok" { print "fail", suite, $3, file }
        $1 == "ok" { print "pass", suite, $2, file }
        $1 == "skip" { print "skip", suite, $2, file }' "$script_log" >>"$results"
    said_by_script "$1" "$script_file" "$script_log" >>"$failures"
    if [ $script_rc != 0 ] && ! grep -q '^not ok' "$script_log"; then
        note_failure "$1" "$(basename "$2" .sh)_ends_well" "$script_file" <"$script_log"
        tell "$script_file ended with $script_rc"
    elif ! grep -qE '^(ok|not ok|skip) ' "$script_log"; then
        note fail "$1" "$(basename "$2" .sh)_runs_a_test" "$script_file"
    fi
}

# Each `not ok` with the last lines that were printed below it.
said_by_script() { # SUITE FILE LOG
    awk -v suite="$1" -v file="$2" '
        function tell(   i) {
            if (name == "") return
            print "not ok", suite, name, file
            for (i = n > 12 ? n - 11 : 1; i <= n; i++) print "  | " line[i]
            name = ""
        }
        $1 == "ok" || $1 == "skip" { tell() }
        $1 == "not" && $2 == "ok" { tell(); name = $3; n = 0; next }
        name != "" { sub(/^ *\|? */, ""); line[++n] = substr($0, 1, 300) }
        END { tell() }' "$3"
}

run_scripts() { # SUITE LIMIT_S FILES...
    scripts_suite=$1 scripts_limit=$2
    shift 2
    for file in "$@"; do
        [ -f "$file" ] || continue
        tell "$scripts_suite: ${file#"$ROOT"/}"
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
    run_ctest integration build/asan 1 integration
}
suite_e2e() {
    EVERYTHING_BUILD=${E2E_BUILD:-asan}
    export EVERYTHING_BUILD
    build "$EVERYTHING_BUILD" e2e || :
    stop_stack
    rm -f "$RUN"/*/log "$RUN"/*/log.1
    if need_stack e2e; then
        eval "$("$ROOT/tools/test-env.sh")"
        run_scripts e2e 1800 "$ROOT"/tests/e2e/*.sh
        stop_stack
        check_daemons
    fi
    unset EVERYTHING_BUILD
}
# What the daemons said of themselves, and how they went.
check_daemons() {
    if grep -hE -A 12 'ERROR: (Address|Leak)Sanitizer|runtime error:|WARNING: ThreadSanitizer' "$RUN"/*/log "$RUN"/*/log.1 >"$RUN/log/reports" 2>/dev/null; then
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
            tell "$daemon ended with $last_exit:" && tail -n 30 "$RUN/$daemon/log"
            { tail -n 11 "$RUN/$daemon/log" && echo "ended with $last_exit"; } |
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
    run_ctest tsan build/tsan 1 integration
}

# grpcurl takes a minute to build, once: beside the first suites
fetch_for_tests() {
    case " $suites " in *' integration '* | *' e2e '* | *' tsan '*) ;; *) return 0 ;; esac
    needs_fetch_grpcurl || return 0
    step 'grpcurl: building it from source (once)' 7200 one_at_a_time go fetch_grpcurl &
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
    tell "suite $suite: $(grep -c "^pass $suite " "$results" || :) passed, $(grep -c "^fail $suite " "$results" || :) failed, $(($(now_s) - suite_begin)) s"
done
finish
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
