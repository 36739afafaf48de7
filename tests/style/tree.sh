#!/bin/sh
# What a stranger looks for in the tree is there: folders, licence, how to begin, how to help,
# and a page for each decision. Empty folders are not in git, so each must hold something.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
cd "$root" || exit 2
each() { # each CHECK THING...: all of them hold
    check=$1
    shift
    for thing in "$@"; do "$check" "$thing" || { echo "    $thing" >&2 && return 1; }; done
}
holds_something() { [ -n "$(find "$1" -type f 2>/dev/null | head -1)" ]; }
first_screen_says() { head -60 README.md | grep -qF -- "$1"; }
contributing_says() { grep -qiF -- "$1" CONTRIBUTING.md; }
decision_is_written() { ls docs/adr/"$1"-*.md >/dev/null 2>&1; }

expect the_folders_of_the_layout_are_there each holds_something \
    common gateway order-service customer-service proto tests tools docs cmake

# DEV-16
expect the_licence_is_mit grep -q '^MIT License' LICENSE

# DEV-14
expect contributing_names_branch_tests_lint_and_pull_request each contributing_says \
    branch './everything test' './everything lint' 'pull request'

expect the_cluster_makes_the_same_roles cmp tools/stack/conf/roles.sql k8s/postgres/roles.sql
expect the_cluster_tunes_temporal_the_same cmp tools/stack/conf/temporal-dynamic.yaml k8s/temporal/temporal-dynamic.yaml
expect the_first_screen_names_the_two_commands each first_screen_says './everything up' './everything test'
expect each_decision_has_a_page each decision_is_written 0001 0002 0003 0004 0005 0006 0007 \
    0008 0009 0010 0011 0012 0013 0014
exit $failed
