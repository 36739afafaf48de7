#!/bin/sh
# ./everything lint [CHECK...] [--yes]
#
# All checks or those named; changes nothing:
#
#   rules      the house rules, clang-format-14 and shellcheck (tools/check-style.sh)
#   tidy       clang-tidy-14 without its analyzer: lengths, nesting, bug patterns
#   analyzer   clang-tidy-14 with it: some ten times as long
#   leaks      the daemons under valgrind beside a stack that is up; only where it is named
#
# What the last two said is kept by content: another run looks only at what changed.
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
ALL_CHECKS='rules tidy analyzer'
checks=''
for argument in "$@"; do
    case $argument in
    --yes | -y) YES=1 ;;
    rules | tidy | analyzer | leaks) checks="$checks $argument" ;;
    *) warn "lint: there is no $argument; there are: $ALL_CHECKS leaks" && exit 2 ;;
    esac
done
checks=${checks:-$ALL_CHECKS}
mkdir -p "$RUN/log"
install_packages
cd "$ROOT"

check_rules() { tools/check-style.sh; }

# clang-tidy reads the compile commands of clang's own preset; generated files must be there,
# not objects
prepare() {
    {
        cmake --preset clang && ninja -C build/clang -t targets rule CUSTOM_COMMAND | grep '\.[chS]$\|\.pb$' |
            xargs -d '\n' ninja -C build/clang
    } >"$RUN/log/lint-build.log" 2>&1 || { tail -n 30 "$RUN/log/lint-build.log" && return 1; }
}
# our own files, whether git knows them yet or not
c_files() { find common gateway order-service customer-service tests/helpers tests/unit tests/integration -name '*.c' | sort; }
tidy() { # CHECKS
    prepare && c_files | xargs python3 tools/lint/tidy.py build/clang "$CACHE/lint" "$1"
}
check_tidy() { tidy '-clang-analyzer-*'; }
check_analyzer() { tidy ''; }
check_leaks() {
    command -v valgrind >/dev/null || $(sudo_command) apt-get install -y -q valgrind >"$RUN/log/valgrind.log" 2>&1
    environment=$(tools/test-env.sh) && eval "$environment" && timeout 900 python3 tools/lint/leaks.py
}

failed=0 passed=0
for check in $checks; do
    begin=$(now_s)
    if "check_$check"; then
        say "ok $check ($(($(now_s) - begin)) s)" && passed=$((passed + 1))
    else
        say "not ok $check" && failed=$((failed + 1))
    fi
done
say "$passed passed, $failed failed"
[ $failed = 0 ]
