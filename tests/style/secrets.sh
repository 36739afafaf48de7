#!/bin/sh
# No secret is in the tree: what the scanners of others look for, over every file that git knows.
# SEC-01
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
cd "$root" || exit 2
patterns() {
    echo '-----BEGIN [A-Z ]*PRIVATE KEY-----'           # keys
    echo '(AKIA|ASIA)[0-9A-Z]{16}'                      # Amazon
    echo 'gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50}'
    echo 'xox[baprs]-[0-9A-Za-z-]{10}'                  # Slack
    echo 'AIza[0-9A-Za-z_-]{35}'                        # Google
    echo '(sk|rk)_live_[0-9A-Za-z]{20}'                 # Stripe
    echo '[a-z]+://[A-Za-z0-9_]+:[A-Za-z0-9]{8,}@[A-Za-z0-9]' # a password in an address
    echo "(PASSWORD|SECRET|TOKEN|API_?KEY) *[=:] *[\"']?[A-Za-z0-9+/_-]{24,}" # one in a setting
}
# a checkout without git (a package, a copy) has all its files looked at
files() { git ls-files -z 2>/dev/null || find . -type f -not -path './build/*' -not -path './.run/*' -printf '%P\0'; }
scan() { # of stdin's files: what looks like a secret
    patterns >"$scratch/patterns"
    xargs -0 grep -HnIEf "$scratch/patterns" -- 2>/dev/null | grep -vE '^tests/style/|://[A-Za-z]+:(password|PASSWORD)@'
}
no_file_holds_a_secret() { ! files | scan; }
keys_are_ignored_by_git() { ! files | tr '\0' '\n' | grep -E '\.(pem|key|p8|p12|jks)$|(^|/)\.env$|id_rsa'; }
# the scanner itself finds what it is to find
planted() { # TEXT
    printf '%s\n' "$1" >"$scratch/planted"
    printf '%s\0' "$scratch/planted" | scan | grep -q planted
}
a_planted_secret_is_found() {
    planted "-----BEGIN EC PRIVATE KEY""-----" && planted "AKIA""ABCDEFGHIJKLMNOP" &&
        planted "postgresql://postgres:""hunter2hunter2@db/x" && planted "DB_PASSWORD=""abcdefghijklmnopqrstuvwxyz" &&
        ! planted 'DB_PASSWORD=orderpass'
}

expect no_file_holds_a_secret no_file_holds_a_secret
expect keys_are_ignored_by_git keys_are_ignored_by_git
expect a_planted_secret_is_found a_planted_secret_is_found
exit $failed
