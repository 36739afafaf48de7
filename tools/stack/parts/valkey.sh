# shellcheck shell=sh disable=SC2119,SC2120,SC2153
# Valkey 8 of bookworm-backports, unpacked into the cache: users limited to their prefixes.

VALKEY_VERSION='8.0.1+dfsg1-1~bpo12+1'
VALKEY_HOME=$CACHE/valkey-8.0.1
VALKEY_BIN=$VALKEY_HOME/usr/bin

valkey_libs() { echo "$VALKEY_HOME/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")"; }

needs_fetch_valkey() { [ ! -x "$VALKEY_BIN/valkey-server" ]; }
fetch_valkey() {
    needs_fetch_valkey || return 0
    apt_unpack "$VALKEY_HOME" "valkey-server=$VALKEY_VERSION" "valkey-tools=$VALKEY_VERSION" \
        liblzf1 libjemalloc2 libatomic1
}

# One line a user. Lists, scripts and pub/sub as DOMAIN §7; `server` may read the deny list.
# PSUBSCRIBE wants its pattern to be listed as it is: order:pub:orders beside order:pub:*.
valkey_users() {
    safe='+@all -@admin -@dangerous +info +client|id +client|setname +client|tracking'
    printf 'user default off\n'
    printf 'user admin on >%s ~* &* +@all\n' "$(secret valkey_admin)"
    printf 'user server on >%s ~server:* %%R~customer:deny:* &server:* &order:pub:* &order:pub:orders &customer:pub:* &customer:deny %s\n' "$(secret valkey_server)" "$safe"
    printf 'user order on >%s ~order:* &order:pub:* %s\n' "$(secret valkey_order)" "$safe"
    printf 'user customer on >%s ~customer:* &customer:pub:* &customer:deny %s\n' "$(secret valkey_customer)" "$safe"
}

prepare_valkey() {
    {
        cat "$STACK/conf/valkey.conf"
        echo "port $VALKEY_PORT"
        valkey_users
    } | write_if_changed "$RUN/valkey/valkey.conf" 600 || :
}

run_valkey() {
    echo "# settings $(sha256sum <"$RUN/valkey/valkey.conf")"
    echo "export LD_LIBRARY_PATH='$(valkey_libs)'"
    echo "exec '$VALKEY_BIN/valkey-server' valkey.conf"
}

ready_valkey() {
    [ -x "$VALKEY_BIN/valkey-cli" ] || { "$TOOLS/probe" port "$VALKEY_HOST" "$VALKEY_PORT" && return; }
    LD_LIBRARY_PATH=$(valkey_libs) REDISCLI_AUTH=$(valkey_password) timeout 2 "$VALKEY_BIN/valkey-cli" \
        --no-auth-warning --user "$(valkey_user)" -h "$VALKEY_HOST" -p "$VALKEY_PORT" ping | grep -q PONG
}

# An outside Valkey has users of its own making: VALKEY_USER and VALKEY_PASSWORD in .env
valkey_user() { if is_external valkey; then echo "${VALKEY_USER:-default}"; else echo "${1:-admin}"; fi; }
valkey_password() { if is_external valkey; then echo "${VALKEY_PASSWORD:-}"; else secret "valkey_${1:-admin}"; fi; }
forget_valkey() { rm -rf "$RUN/valkey"; }
