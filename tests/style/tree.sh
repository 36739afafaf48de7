#!/bin/sh
# What a stranger looks for in the tree is there: folders, licence, how to begin, how to help,
# and a page for each decision. Empty folders are not in git, so each must hold something.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
cd "$root" || exit 2
export SETTINGS=/dev/null # a developer's .env does not count here
unset EVERYTHING_PORT_BASE
each() { # each CHECK THING...: all of them hold
    check=$1
    shift
    for thing in "$@"; do "$check" "$thing" || { echo "    $thing" >&2 && return 1; }; done
}
holds_something() { [ -n "$(find "$1" -type f 2>/dev/null | head -1)" ]; }
first_screen_says() { head -60 README.md | grep -qF -- "$1"; }
contributing_says() { grep -qiF -- "$1" CONTRIBUTING.md; }
decision_is_written() { ls docs/adr/"$1"-*.md >/dev/null 2>&1; }
# CONTRIBUTING names targets and a case of a test: each is made of a file that is there.
the_tests_named_are_there() {
    grep -oE '(unit|integration)_[a-z0-9_]+' CONTRIBUTING.md | sort -u >"$scratch/named"
    find tests/unit tests/integration -name 'test_*.c' | sed 's|^tests/||; s|\.c$||; s|[/-]|_|g' | sort >"$scratch/targets"
    [ -s "$scratch/named" ] && ! comm -23 "$scratch/named" "$scratch/targets" | grep . || return 1
    sed -n 's/.*CK_RUN_CASE=\([a-z0-9_]*\).*/\1/p' CONTRIBUTING.md | sort -u >"$scratch/cases"
    while read -r case; do grep -rqF "START_TEST($case)" tests/unit tests/integration || { echo "$case" && return 1; }; done <"$scratch/cases"
}
# The image is built of what a desk builds with.
the_image_has_the_same_packages() {
    sed -n '/^# build$/,/^# run$/p' tools/packages.txt | grep -v '^#' | sort >"$scratch/desk"
    awk '/apt-get install/ { on = 1; next } on && /&& rm/ { exit } on' docker/Dockerfile.service |
        sed 's/\\$//' | xargs -n 1 | sort >"$scratch/image"
    [ -s "$scratch/desk" ] && diff "$scratch/desk" "$scratch/image"
}
# .env.example has every port that ./everything knows, as it is without a .env.
the_example_has_each_port() {
    (
        cd tools/stack || exit
        # shellcheck source=tools/stack/settings.sh
        . ./settings.sh
        # shellcheck disable=SC2086
        set -- $PORT_DEFAULTS
        for name in $PORT_NAMES; do echo "$name=$1" && shift; done
    ) | sort >"$scratch/ports"
    grep -E '^[A-Z_]+_PORT=' .env.example | sort | diff "$scratch/ports" -
}
# The table that README shows is the one that `up` ends with.
the_sample_is_what_up_prints() {
    (
        say() { printf '%s\n' "$*"; }
        # shellcheck source=tools/stack/settings.sh
        . tools/stack/settings.sh
        # shellcheck source=tools/stack/table.sh
        . tools/stack/table.sh
        print_table 6
    ) >"$scratch/printed"
    awk '/^Everything is up/ { on = 1 } on && /^(```|\$ )/ { exit } on' README.md | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$scratch/shown"
    sed 1d "$scratch/printed" | diff - "$scratch/shown"
}
says_all_four() { for heading in Context Decision Consequences 'How it is checked'; do grep -qx "## $heading" "$1" || return 1; done; }

expect the_folders_of_the_layout_are_there each holds_something \
    common gateway order-service customer-service proto tests tools docs cmake

# DEV-16
expect the_licence_is_mit grep -q '^MIT License' LICENSE

# DEV-14
expect contributing_names_branch_tests_lint_and_pull_request each contributing_says \
    branch './everything test' './everything lint' 'pull request'
expect the_tests_that_contributing_names_are_there the_tests_named_are_there
expect the_image_is_built_with_the_same_packages the_image_has_the_same_packages
expect the_example_of_settings_has_each_port the_example_has_each_port
expect the_cluster_makes_the_same_roles cmp tools/stack/conf/roles.sql k8s/postgres/roles.sql
expect the_cluster_tunes_temporal_the_same cmp tools/stack/conf/temporal-dynamic.yaml k8s/temporal/temporal-dynamic.yaml
expect the_first_screen_names_the_two_commands each first_screen_says './everything up' './everything test'
expect the_readme_shows_the_table_that_up_prints the_sample_is_what_up_prints
expect each_decision_has_a_page each decision_is_written 0001 0002 0003 0004 0005 0006 0007 \
    0008 0009 0010 0011 0012 0013 0014
expect each_decision_says_what_was_before_what_follows_and_how_it_is_checked each says_all_four docs/adr/0*.md
exit $failed
