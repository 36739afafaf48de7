# shellcheck shell=sh disable=SC2154
# What tools/test.sh writes down: a line `pass|fail|skip SUITE NAME [FILE]` a test in $results, and in
# $failures what the failed ones said, which is told once more at the end of a run.

# pass|fail|skip SUITE NAME [PROGRAM_OR_FILE]; what a failure said comes on stdin of note_failure
note() {
    printf '%s\n' "$*" >>"$results"
    [ "$1" != fail ] || printf 'not ok %s %s %s\n' "$2" "$3" "${4:-}" >>"$failures"
}
note_failure() { # SUITE NAME [PROGRAM_OR_FILE]
    note fail "$@"
    tail -n "${SAID_LINES:-12}" | cut -c1-300 | sed 's/^ *|* */  | /' >>"$failures"
}

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

note_script() { # SUITE FILE: what it printed, and how it ended
    awk -v suite="$1" -v file="$script_file" '
        $1 == "not" && $2 == "ok" { print "fail", suite, $3, file }
        $1 == "ok" { print "pass", suite, $2, file }
        $1 == "skip" { print "skip", suite, $2, file }' "$script_log" >>"$results"
    said_by_script "$1" "$script_file" "$script_log" >>"$failures"
    if [ "$script_rc" != 0 ] && ! grep -q '^not ok' "$script_log"; then
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
