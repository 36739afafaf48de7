# shellcheck shell=sh
# Keys and passwords of this stack, under $SECRETS (0700, files 0600). Made once, kept.

PASSWORD_NAMES='postgres order_owner order_service customer_owner customer_service temporal
valkey_admin valkey_server valkey_order valkey_customer'

random_hex() { od -An -v -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

secret() { cat "$SECRETS/$1"; }

# make_secret FILE COMMAND...: its output becomes the file, unless that is there
make_secret() {
    [ ! -s "$SECRETS/$1" ] || return 0
    made_file=$SECRETS/$1
    shift
    "$@" >"$made_file.new"
    mv "$made_file.new" "$made_file"
}

signing_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null; }
identity_key() { printf '%s %s\n' "k$(date +%Y%m%d)" "$(random_hex 32)"; }

make_secrets() (
    umask 077
    mkdir -p "$SECRETS/jwt"
    for name in $PASSWORD_NAMES; do
        make_secret "$name" random_hex 24
    done
    make_secret identity.keys identity_key
    make_secret page-token.key random_hex 32
    make_secret jwt/current.pem signing_key
    make_secret jwt/next.pem signing_key
    make_secret vapid.pem signing_key
    make_secret apns.p8 signing_key
)

# The next key (which verifiers know already) signs from now on; the old one is still accepted.
rotate_signing_key() (
    umask 077
    cd "$SECRETS/jwt" || exit
    cp current.pem previous.pem.new
    mv previous.pem.new previous.pem
    mv next.pem current.pem
    signing_key >next.pem.new
    mv next.pem.new next.pem
)
