#!/bin/sh
# tools/format.sh: wide comments become narrow ones and keep their words; the rest stays.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
cp "$root/.clang-format" "$scratch/"
words() { tr -s '/* \n' '\n' <"$1"; }
same_words() { words "$1" >"$scratch/a" && words "$2" >"$scratch/b" && cmp "$scratch/a" "$scratch/b"; }
no_wide_line() { ! grep -E '^.{101}' "$1"; }
same_file() { cmp "$1" "$2"; }
long='one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen'

cat >"$scratch/wide.c" <<END
/* $long.
 * eighteen.
 *
 *     a sample    keeps its    form
 *
 * A narrow
 * paragraph stays. */
struct wide {
    int a;
    /* $long */
    int b;
};
END
cp "$scratch/wide.c" "$scratch/wrapped.c"
"$root/tools/format.sh" "$scratch/wrapped.c"
expect a_wide_comment_is_wrapped no_wide_line "$scratch/wrapped.c"
expect no_word_of_it_is_lost same_words "$scratch/wide.c" "$scratch/wrapped.c"
expect a_sample_keeps_its_form grep -Fx ' *     a sample    keeps its    form' "$scratch/wrapped.c"
expect a_narrow_paragraph_stays_as_it_is grep -Fx ' * paragraph stays. */' "$scratch/wrapped.c"

printf '/* A file. */\nint a; /* %s */\n' "$long" >"$scratch/behind.c"
"$root/tools/format.sh" "$scratch/behind.c"
expect a_wide_comment_behind_code_moves_above_it grep -Fx 'int a;' "$scratch/behind.c"

cp "$scratch/wrapped.c" "$scratch/again.c"
"$root/tools/format.sh" "$scratch/again.c"
expect a_second_time_changes_nothing same_file "$scratch/wrapped.c" "$scratch/again.c"
exit $failed
