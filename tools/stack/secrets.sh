# shellcheck shell=sh
# ./everything secrets [--rotate]
#
# Makes the keys and passwords of this stack under .run/secrets (files 0600), where they
# are not there yet. Nothing is ever printed.
#
#   --rotate   the next JWT key signs from now on; the old one stays accepted. The
#              daemons that use them are restarted when they run.
set -eu
. "$ROOT/tools/stack/all.sh"
rotate=0
case ${1:-} in '') ;; --rotate) rotate=1 ;; *) warn "secrets: unknown option $1" && exit 2 ;; esac
command -v openssl >/dev/null || die "openssl is missing" "./everything up installs it"
lock_state
make_secrets
if [ $rotate = 1 ]; then
    rotate_signing_key
    say "Rotated the signing key: next.pem signs now, previous.pem is still accepted."
    if is_running customer-service; then
        exec 9>&-
        exec "$ROOT/everything" up customer-service
    fi
fi
say "Keys and passwords are in $SECRETS ($(find "$SECRETS" -type f | wc -l) files)."
