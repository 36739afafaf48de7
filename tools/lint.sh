#!/bin/sh
# ./everything lint [--yes]
#
# Format (clang-format-14), shell scripts (shellcheck), the house rules
# (tools/check-style.sh) and clang-tidy-14 on every C file. Changes nothing.
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
case ${1:-} in '') ;; --yes | -y) YES=1 ;; *) warn "lint: unknown option $1" && exit 2 ;; esac
mkdir -p "$RUN/log"
install_packages
cd "$ROOT"

# our own files, whether git knows them yet or not
c_files() { find common gateway order-service customer-service tests tools -name '*.[ch]' -not -path '*/corpus/*' | sort; }
shell_files() { find everything .ci tools tests -type f \( -name '*.sh' -o -name everything -o -path '.ci/run' \) | sort; }

check_format() { c_files | xargs clang-format-14 --dry-run -Werror; }
check_shell() { shell_files | xargs shellcheck -x; }
check_rules() { [ -x tools/check-style.sh ] && tools/check-style.sh; }
# clang-tidy reads the compile commands of clang's own preset; generated headers must be there
check_tidy() {
    [ -f build/clang/build.ninja ] || cmake --preset clang >"$RUN/log/lint-cmake.log" || return 1
    ninja -C build/clang >"$RUN/log/lint-build.log" 2>&1 || { tail -n 30 "$RUN/log/lint-build.log" && return 1; }
    c_files | grep '\.c$' | grep -vE '^(tools|tests/fuzz|tests/load)/' |
        xargs -P 2 -n 8 clang-tidy-14 --quiet -p build/clang 2>/dev/null
}

failed=0 passed=0
for check in format shell rules tidy; do
    if "check_$check"; then
        say "ok $check" && passed=$((passed + 1))
    else
        say "not ok $check" && failed=$((failed + 1))
    fi
done
say "$passed passed, $failed failed"
[ $failed = 0 ]
