#!/bin/sh
# The pages that the gateway serves, against their own content security policy: nothing inline, nothing from
# outside, and every file they name is there.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh

page_is_whole() { # PATH
    call GET "$1" >"$scratch/page" && status_is 200 || return 1
    for rule in "default-src 'self'" "form-action 'none'"; do
        header content-security-policy | grep -q "$rule" || { echo "$1 lacks the policy $rule" && return 1; }
    done
    ! grep -nE '<style|<script>| style=| on[a-z]+="' "$scratch/page" || return 1
    ! grep -nE '(src|href)="(https?:)?//' "$scratch/page" || return 1
    grep -oE '(src|href)="/[^"]*"' "$scratch/page" | sed 's/.*="//;s/"$//' | while read -r file; do
        call GET "$file" >/dev/null && status_is 200 || exit 1
    done
}
the_front_page_obeys_its_policy() { page_is_whole /; }
the_docs_page_obeys_its_policy() { page_is_whole /docs; }
the_notices_page_obeys_its_policy() { page_is_whole /notices; }

fact the_front_page_obeys_its_policy
fact the_docs_page_obeys_its_policy
fact the_notices_page_obeys_its_policy
facts_end
