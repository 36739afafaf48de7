#!/bin/sh
# tools/features on a small tree with planted tests and results: each state of a row, what
# keeps it, and when --check complains.
# shellcheck disable=SC2317,SC2119,SC2120 # expect calls them
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
tree=$scratch/tree
refuses() { ! "$@"; }
features() { "$root/tools/features" --root "$tree" "$@"; }
row_is() { features && grep -qF "| $1 | P1 | $2 | " "$tree/docs/FEATURES.md"; }
results() { printf '%s\n' "$@" >"$tree/build/test-results.txt"; }
count_is() { features && grep -qFx "$1" "$tree/docs/FEATURES.md"; }

mkdir -p "$tree/tools/feature-rows" "$tree/tests/unit/common/db" "$tree/tests/e2e" "$tree/build" "$tree/docs"
printf '## Tries\nTRY-1\tP1\tone\nTRY-2\tP1\ttwo\nTRY-3\tP1\tthree\nTRY-4\tP1\tfour\nTRY-5\tP1\tfive\nTRY-6\tP1\tsix\n' \
    >"$tree/tools/feature-rows/rows.tsv"
cat >"$tree/tests/unit/common/db/test_pool.c" <<'END'
/* A pool. TRY-4 */
#include <check.h>

/* TRY-1 */
START_TEST(one_holds)
END_TEST

START_TEST(two_holds)
/* TRY-2: as UTF-8 and SHA-256, which are no rows */
END_TEST
END
cat >"$tree/tests/e2e/demo.sh" <<'END'
#!/bin/sh
# TRY-3
check three_holds true

check another true
END
mkdir "$tree/tests/e2e/lib"
cat >"$tree/tests/e2e/calls.sh" <<'END'
#!/bin/sh
exec python3 "$(dirname "$0")/lib/called.py"
END
cat >"$tree/tests/e2e/lib/called.py" <<'END'
fact(five_holds, "TRY-5")
fact(five_holds_too, "TRY-6")
END
program=unit_common_db_test_pool

expect a_test_without_a_result_was_not_run row_is TRY-1 'not run'
expect a_fresh_document_passes_the_check features --check
results "pass unit one_holds $program" "pass unit two_holds $program" \
    "pass e2e three_holds tests/e2e/demo.sh" "fail e2e another tests/e2e/demo.sh" \
    "pass e2e five_holds tests/e2e/calls.sh" "fail e2e five_holds_too tests/e2e/calls.sh"
expect a_document_older_than_the_results_fails_the_check refuses features --check
expect a_passed_test_makes_its_row_done row_is TRY-1 'done'
expect an_id_inside_a_test_counts row_is TRY-2 'done'
expect an_id_at_the_top_counts_for_all_tests_of_the_file row_is TRY-4 'done'
expect an_id_in_a_script_counts_for_the_checks_beside_it row_is TRY-3 'done'
expect an_id_in_a_library_counts_for_the_script_that_calls_it row_is TRY-5 'done'
expect an_id_in_a_line_counts_for_the_check_named_there row_is TRY-6 failing
expect the_head_counts_the_states count_is '| P1 | 6 | 5 | 1 | 0 | 0 |'
results "fail unit two_holds $program" "pass unit one_holds $program"
expect a_failed_test_makes_its_row_failing row_is TRY-2 failing
expect one_failed_test_among_several_is_a_failing_row row_is TRY-4 failing
expect a_row_without_a_result_keeps_its_state row_is TRY-3 'done'
results "pass unit one_holds some_other_program"
expect a_result_of_another_program_of_that_name_does_not_count row_is TRY-2 failing
sed -i 's/TRY-2/TRY-1/' "$tree/tests/unit/common/db/test_pool.c"
expect a_row_whose_test_went_has_no_test_again row_is TRY-2 'no test yet'
expect a_row_with_a_new_test_is_not_run_until_it_was row_is TRY-1 'not run'
echo '/* TRY-9 */' >>"$tree/tests/unit/common/db/test_pool.c"
printf 'START_TEST(nine)\nEND_TEST\n' >>"$tree/tests/unit/common/db/test_pool.c"
expect an_unknown_id_of_a_known_kind_is_refused refuses features
exit $failed
