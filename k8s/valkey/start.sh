#!/bin/sh
# Writes the users with their passwords into memory, then becomes the server. The rights
# are those of tools/stack/parts/valkey.sh: each daemon has its own prefix.
set -eu
umask 077
from=${USERS_FROM:-/run/coffee}
to=${USERS_TO:-/run/valkey/users.acl}
safe='+@all -@admin -@dangerous +info +client|id +client|setname +client|tracking'
{
    printf 'user default off\n'
    printf 'user admin on >%s ~* &* +@all\n' "$(cat "$from/valkey_admin")"
    printf 'user server on >%s ~server:* %%R~customer:deny:* &server:* &order:pub:* &order:pub:orders &customer:pub:* &customer:deny %s\n' \
        "$(cat "$from/valkey_server")" "$safe"
    printf 'user order on >%s ~order:* &order:pub:* %s\n' "$(cat "$from/valkey_order")" "$safe"
    printf 'user customer on >%s ~customer:* &customer:pub:* &customer:deny %s\n' "$(cat "$from/valkey_customer")" "$safe"
} >"$to"
exec valkey-server "${VALKEY_CONF:-/etc/valkey/valkey.conf}"
