# shellcheck shell=sh
# Our three daemons, and beside them the payment provider of the tests. Each gets its settings by environment and nothing else.

BUILD=${EVERYTHING_BUILD:-release}
BIN=$ROOT/build/$BUILD/bin
DAEMONS='payment-provider customer-service order-service gateway'

daemon_folder() { case $1 in payment-provider) echo tests/fakes/payment ;; *) echo "$1" ;; esac; }
daemon_sources() { for d in $DAEMONS; do [ ! -f "$ROOT/$(daemon_folder "$d")/main.c" ] || echo "$d"; done; }

# Whether a source (or a folder, when files come or go) is newer than the last build.
needs_build() {
    for built in $(daemon_sources); do
        [ -x "$BIN/$built" ] || return 0
    done
    [ -n "$(daemon_sources)" ] || return 1
    cd "$ROOT" || return
    [ -f "build/.$BUILD.built" ] && [ -z "$(find CMakeLists.txt CMakePresets.json cmake common proto tools \
        web gateway order-service customer-service photo-worker tests/fakes/payment -newer "build/.$BUILD.built" -print -quit)" ] && return 1
    return 0
}

build_daemons() { # NAMES...: only those, so that --without helps against one that does not build
    cd "$ROOT" || return
    mkdir -p build
    exec 8>"build/.$BUILD.lock"
    flock 8
    [ -f "build/$BUILD/build.ninja" ] || cmake --preset "$BUILD" 8>&-
    touch "build/.$BUILD.begun" # what changes while it builds is newer
    ninja -C "build/$BUILD" "$@" 8>&-
    [ "$(daemon_sources | wc -l)" != $# ] || mv "build/.$BUILD.begun" "build/.$BUILD.built"
}

setting() { printf "export %s='%s'\n" "$1" "$2"; }

# setting_unless NAME VALUE: not where .env has it, which daemon_settings has told
setting_unless() { is_passed_on "$1" || setting "$1" "$2"; }
is_passed_on() { case " $PASS_ON " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

quoted() { printf '%s' "$1" | sed "s/'/'\\\\''/g"; } # a value of .env, for between '...'

daemon_settings() { # common to all
    setting PATH /usr/local/bin:/usr/bin:/bin
    setting LC_ALL C.UTF-8
    setting LISTEN_ADDRESS 127.0.0.1
    setting VALKEY_HOST "$VALKEY_HOST"
    setting VALKEY_PORT "$VALKEY_PORT"
    setting VALKEY_USER "$(valkey_user "$1")"
    setting VALKEY_PASSWORD "$(valkey_password "$1")"
    setting ORDER_SERVICE_ADDR "127.0.0.1:$ORDER_GRPC_PORT"
    setting CUSTOMER_SERVICE_ADDR "127.0.0.1:$CUSTOMER_GRPC_PORT"
    setting IDENTITY_KEYS_FILE "$SECRETS/identity.keys"
    setting PAGE_TOKEN_KEY_FILE "$SECRETS/page-token.key"
    setting DEMO 1
    # freed memory is watched for a while, and given back then: 256 MiB a daemon are half of what a small machine has
    [ "$BUILD" != asan ] || setting ASAN_OPTIONS quarantine_size_mb=16
    [ "$BUILD" != tsan ] || setting TSAN_OPTIONS ignore_noninstrumented_modules=1
    setting DRAIN_SECONDS 0 # no balancer looks at these
    for passed_on in $PASS_ON; do
        eval "setting $passed_on \"\$(quoted \"\$$passed_on\")\""
    done
}

service_settings() { # DATABASE ROLE: common to the two with a database
    setting DB_HOST "$DB_HOST"
    setting DB_PORT "$DB_PORT"
    setting DB_NAME "$1_db"
    setting DB_USER "$1_service"
    setting DB_PASSWORD "$(secret "$1_service")"
    setting KAFKA_BROKERS "$KAFKA_BROKERS"
    setting TEMPORAL_HOST "$TEMPORAL_HOST"
    setting TEMPORAL_PORT "$TEMPORAL_PORT"
}

gateway_settings() {
    daemon_settings server
    setting HTTP_PORT "$HTTP_PORT"
    setting METRICS_PORT "$GATEWAY_METRICS_PORT"
    setting_unless PUBLIC_URL "http://127.0.0.1:$HTTP_PORT"
}
order_service_settings() {
    daemon_settings order
    service_settings order
    setting GRPC_PORT "$ORDER_GRPC_PORT"
    setting METRICS_PORT "$ORDER_METRICS_PORT"
    payment_settings
}
customer_service_settings() {
    daemon_settings customer
    service_settings customer
    setting GRPC_PORT "$CUSTOMER_GRPC_PORT"
    setting METRICS_PORT "$CUSTOMER_METRICS_PORT"
    setting JWT_KEYS_DIR "$SECRETS/jwt"
    setting_unless PUBLIC_URL "http://127.0.0.1:$HTTP_PORT"
    setting_unless VAPID_KEY_FILE "$SECRETS/vapid.pem"
    setting_unless VAPID_SUBJECT 'mailto:shop@example.org'
    [ "${FAKE_APNS:-0}" = 0 ] || apns_settings
}

# The size and time of the binary are part of the script: a new build is a new script, and
# so a restart. The owner's password is for --migrate alone.
run_daemon() { # NAME FUNCTION_PREFIX
    echo "# $(stat -c '%s %Y' "$BIN/$1")"
    "$2_settings"
    echo "exec '$BIN/$1'"
}
run_gateway() { run_daemon gateway gateway; }
run_order_service() { run_daemon order-service order_service; }
run_customer_service() { run_daemon customer-service customer_service; }

migrate_order_service() { migrate order-service order; }
migrate_customer_service() { migrate customer-service customer; }
migrate() (
    eval "$("$2_service_settings")"
    eval "$(setting DB_OWNER_USER "$2_owner"; setting DB_OWNER_PASSWORD "$(secret "$2_owner")")"
    exec "$BIN/$1" --migrate
)

ready_gateway() { "$TOOLS/probe" http 127.0.0.1 "$GATEWAY_METRICS_PORT" /readyz; }
ready_order_service() { "$TOOLS/probe" http 127.0.0.1 "$ORDER_METRICS_PORT" /readyz; }
ready_customer_service() { "$TOOLS/probe" http 127.0.0.1 "$CUSTOMER_METRICS_PORT" /readyz; }
