#!/bin/sh
# Each rule of tools/check-style.sh is broken once, in a small tree of its own: the check
# must fail and name the rule. Prints `ok NAME` or
# `not ok NAME`, which tools/test.sh collects.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' INT TERM
failed=0

tell() { # tell pass|fail NAME [WHY]
    if [ "$1" = pass ]; then echo "ok $2"; else echo "not ok $2"; fi
    [ "$1" = pass ] || { failed=1; [ $# -lt 3 ] || echo "    $3"; }
}

# A tree that breaks no rule.
clean_tree() {
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree/common/base" "$scratch/tree/order-service/order" \
        "$scratch/tree/order-service/migrations"
    cp "$root/.clang-format" "$scratch/tree/"
    cp "$root/common/base/arena.c" "$root/common/base/arena.h" "$scratch/tree/common/base/"
    chmod -R u+w "$scratch/tree" # a checkout may be read-only
    echo 'CREATE TABLE orders.orders (id uuid);' >"$scratch/tree/order-service/migrations/0001_orders.sql"
    # shellcheck disable=SC2016
    printf -- '-- order_get :one\nSELECT id FROM orders.orders WHERE id = $1;\n' \
        >"$scratch/tree/order-service/order/order.sql"
}

# planted RULE FILE: stdin goes into FILE of a clean tree; RULE must be complained of in it.
planted() {
    clean_tree
    mkdir -p "$scratch/tree/$(dirname "$2")"
    cat >"$scratch/tree/$2"
    name=planted_$1_in_${2##*/}
    if "$root/tools/check-style.sh" "$scratch/tree" >"$scratch/out" 2>&1; then
        tell fail "$name" "the check passed $2"
    elif grep -qE "^$2:[0-9]+: $1: " "$scratch/out"; then
        tell pass "$name"
    else
        tell fail "$name" "it said: $(head -3 "$scratch/out")"
    fi
}

# planted_c RULE FILE CODE: a C file whose only fault is CODE.
planted_c() {
    planted "$1" "$2" <<END
/* A planted violation. */
$3
END
}

# allowed FILE NAME: stdin looks like a violation and is none.
allowed() {
    clean_tree
    mkdir -p "$scratch/tree/$(dirname "$1")"
    cat >"$scratch/tree/$1"
    if "$root/tools/check-style.sh" "$scratch/tree" >"$scratch/out" 2>&1; then
        tell pass "allowed_$2"
    else
        tell fail "allowed_$2" "$(head -3 "$scratch/out")"
    fi
}

clean_tree
if "$root/tools/check-style.sh" "$scratch/tree" >"$scratch/out" 2>&1; then
    tell pass a_clean_tree_passes
else
    tell fail a_clean_tree_passes "$(head -3 "$scratch/out")"
fi

# ---- who may depend on whom
planted_c layer-common common/db/pool.c '#include "order-service/order/order.h"'
planted_c layer-daemon gateway/call.c '#include "order-service/order/order.h"'
planted_c layer-daemon order-service/order/order.c '#include "customer-service/auth/auth.h"'
planted_c layer-daemon customer-service/auth/auth.c '#include "gateway/routes.h"'
planted_c layer-gateway-database gateway/call.c '#include "common/db/db.h"'
planted layer-web web/app/app.js <<'END'
fetch('http://order-service:50051/orders');
END
planted_c layer-base common/base/text.c '#include "common/obs/log.h"'
planted_c layer-library common/obs/log.c '#include "common/db/db.h"'
planted_c library-libpq order-service/order/order.c '#include <libpq-fe.h>'
planted_c library-librdkafka common/outbox/outbox.c '#include <librdkafka/rdkafka.h>'
planted_c library-grpc gateway/call.c '#include <grpc/grpc.h>'
planted_c library-microhttpd gateway/call.c '#include <microhttpd.h>'
planted_c library-curl customer-service/notify/apns.c '#include <curl/curl.h>'
planted_c library-nghttp2 customer-service/notify/apns.c '#include <nghttp2/nghttp2.h>'
planted_c library-wslay gateway/live/websocket.c '#include <wslay/wslay.h>'
planted_c library-hiredis gateway/edge/edge_limit.c '#include <hiredis/hiredis.h>'
planted_c library-jwt gateway/edge/edge_auth.c '#include <jwt.h>'
planted_c library-sodium gateway/edge/edge_auth.c '#include <sodium.h>'
planted_c library-openssl gateway/edge/edge_auth.c '#include <openssl/evp.h>'
planted_c library-jansson order-service/order/order.c '#include <jansson.h>'
planted_c protobuf-edge order-service/order/order.c '#include "coffee/order/v1/order.pb-c.h"'
planted_c pure order-service/order/order_price.c '#include "common/db/db.h"'
planted_c pure order-service/workflow/coffee_order.c '#include "common/base/clock.h"'
planted_c store-private order-service/menu/menu.c '#include "order-service/order/order_store.h"'
planted_c sql-private order-service/order/order.c '#include "order_sql.h"'
planted_c sql-private order-service/menu/menu_store.c '#include "order_sql.h"'

# ---- C
planted_c banned-call common/db/pool.c 'int copy(char *to);
int copy(char *to)
{
    return strcpy(to, "x") != to;
}'
planted_c wall-clock common/rpc/rpc_server.c '#include <time.h>
static const int clock_of_a_drain = CLOCK_REALTIME;'
planted_c shell common/db/pool.c 'int run(void);
int run(void)
{
    return system("ls");
}'
planted_c getenv order-service/order/order.c 'const char *home(void);
const char *home(void)
{
    return getenv("HOME");
}'
planted_c goto common/db/pool.c 'void go(void);
void go(void)
{
out:
    goto out;
}'
planted_c struct-typedef common/db/pool.h '#ifndef COMMON_DB_POOL_H
#define COMMON_DB_POOL_H
typedef struct pool pool_t;
#endif'
planted_c secret-logged common/db/pool.c 'void tell(void)
{
    log_info(NULL, "connecting", log_text("with", secret_reveal(password)));
}'
planted_c comment-form common/db/pool.c 'int one; // two'
planted file-comment common/db/pool.c <<'END'
#include <stdio.h>
END
planted_c header-guard common/db/pool.h '#ifndef POOL_H
#define POOL_H
#endif'
planted_c own-header-first common/base/arena.c '#include <stdio.h>

#include "common/base/arena.h"'
planted_c ctx-first common/db/pool.h '#ifndef COMMON_DB_POOL_H
#define COMMON_DB_POOL_H
enum status pool_take(struct pool *pool, struct ctx *ctx);
#endif'
planted_c mutable-state common/db/pool.c 'static int taken;'
planted_c mutable-state common/db/pool.c 'static const char *name = "x";'
planted_c mutable-state common/db/pool.c 'static struct {
    int taken;
} pool;'
planted_c mutable-state common/db/pool.c 'int next(void);
int next(void)
{
    static int last;
    return ++last;
}'
planted_c mutable-state common/db/pool.c 'int taken = 0;'
planted_c switch-default order-service/order/order_state.c 'enum colour { RED, GREEN };
int number(enum colour colour);
int number(enum colour colour)
{
    switch (colour) {
    case RED:
        return 1;
    default:
        return 2;
    }
}'
planted_c line-length common/db/pool.c "/* $(printf '%0100d' 0) */"
planted_c format common/db/pool.c 'int  one( void );'
{
    printf '/* A planted violation. */\nvoid busy(void);\nvoid busy(void)\n{\n'
    awk 'BEGIN { for (i = 0; i < 61; i++) print "    work();" }'
    echo '}'
} | planted function-length common/db/pool.c
awk 'BEGIN { print "/* A planted violation. */"; for (i = 0; i < 600; i++) print "int f" i "(void);" }' |
    planted file-length common/db/pool.c

# ---- SQL and migrations
planted sql-schema order-service/menu/menu.sql <<'END'
-- menu_get :one
SELECT name
  FROM items;
END
planted sql-schema order-service/migrations/0002_more.sql <<'END'
CREATE TABLE lines (id uuid);
END
planted sql-own-schema order-service/menu/menu.sql <<'END'
-- menu_get :one
SELECT name FROM menu.items JOIN orders.orders ON true;
END
planted own-schema-name order-service/menu/menu.sql <<'END'
-- menu_get :one
SELECT name FROM public.items;
END
planted migration-number order-service/migrations/0003_gap.sql <<'END'
CREATE TABLE orders.gap (id uuid);
END
planted migration-number order-service/migrations/0001_twin.sql <<'END'
CREATE TABLE orders.twin (id uuid);
END
planted migration-forward order-service/migrations/0002_orders_down.sql <<'END'
DROP TABLE orders.orders;
END

# ---- what must not be committed, and text of any kind
planted committed-generated proto/coffee/order.pb-c.c <<'END'
/* Generated. */
END
planted committed-key k8s/server.pem <<'END'
END
planted private-key docs/HOWTO.md <<'END'
-----BEGIN EC PRIVATE KEY-----
END
printf 'a\0b' | planted committed-binary tools/helper.bin
planted machine-path docs/HOWTO.md <<'END'
Look into /root/notes.
END
planted registry-host docker/compose.yaml <<'END'
image: https://artifactory.example.com/valkey
END
planted document-path docs/HOWTO.md <<'END'
The pool is in `common/db/swimming.c`.
END
planted document-path README.md <<'END'
Read [the tour](docs/TOUR.md).
END
planted_c unresolved common/db/pool.c '/* Waits for nobody (DECISIONS.md). */'
planted_c unresolved common/db/pool.c '/* Degraded with 200 (D7). */'
planted unresolved docs/HOWTO.md <<'END'
Measured in groundwork/writepath, as issue 3 wants.
END
planted_c todo common/db/pool.c '/* TODO: later */'
planted shellcheck tools/broken.sh <<'END'
#!/bin/sh
cd $1
END

# ---- what only looks like a violation
allowed order-service/order/order.c words_in_comments_and_strings <<'END'
/* Never goto out; or strcpy(x), and getenv( neither: a comment may say so. */
const char *warning(void);
const char *warning(void)
{
    return "goto x; strcpy(getenv(\"y\")) // no";
}
END
allowed order-service/order/order_store.c a_store_with_its_own_sql <<'END'
/* Orders in PostgreSQL. */
#include "order_sql.h"
END
allowed order-service/order/order_sums.sql names_made_by_the_statement <<'END'
-- order_sum :one
WITH mine AS (
    SELECT total_cents, extract(epoch FROM placed_at) AS at FROM orders.orders WHERE id = $1 FOR UPDATE
), done(total) AS (
    UPDATE orders.orders SET seen = true FROM mine RETURNING orders.total_cents
)
INSERT INTO orders.sums (total)
SELECT sum(total_cents) FROM mine, unnest($2::int[]) AS n JOIN done ON true JOIN pg_locks ON true
 WHERE status IS DISTINCT FROM 'from nowhere'
ON CONFLICT (id) DO UPDATE SET total = excluded.total;
END
allowed order-service/config.c the_settings_of_a_daemon <<'END'
/* The settings of order-service. */
static struct config loaded;
END

exit $failed
