# shellcheck shell=sh disable=SC2034
# Ports, hosts and what the daemons are told. Everything here may be set in .env (KEY=VALUE
# lines); nothing is taken from the caller's environment, so that two calls agree.
# A server whose host is named in .env is used and checked, and not started:
# DB_HOST (with DB_ADMIN_URL), VALKEY_HOST, KAFKA_BROKERS, TEMPORAL_HOST.
# TEMPORAL_STORE=postgres|file: where our own Temporal keeps its state (docs/adr/0025).
# FAKE_APNS=1 starts a stand-in for Apple's push service, and customer-service pushes to it.

PORT_NAMES='HTTP_PORT ORDER_GRPC_PORT CUSTOMER_GRPC_PORT GATEWAY_METRICS_PORT ORDER_METRICS_PORT
CUSTOMER_METRICS_PORT DB_PORT VALKEY_PORT KAFKA_PORT KAFKA_CONTROLLER_PORT TEMPORAL_PORT
TEMPORAL_UI_PORT TEMPORAL_HTTP_PORT TEMPORAL_METRICS_PORT APNS_PORT APNS_CONTROL_PORT
PAYMENT_PORT TEMPORAL_FRONTEND_PEER_PORT TEMPORAL_HISTORY_PORT TEMPORAL_HISTORY_PEER_PORT
TEMPORAL_MATCHING_PORT TEMPORAL_MATCHING_PEER_PORT TEMPORAL_WORKER_PORT TEMPORAL_WORKER_PEER_PORT'
PORT_DEFAULTS='8000 50051 50052 9464 9465 9466 5432 6379 9092 9093 7233 8233 7243 9467 2197 2198
8089 6933 7234 6934 7235 6935 7239 6939'
HOST_NAMES='DB_HOST DB_ADMIN_URL VALKEY_HOST KAFKA_BROKERS TEMPORAL_HOST'
# shellcheck disable=SC2086,SC2116
ALL_NAMES=$(echo $PORT_NAMES $HOST_NAMES TEMPORAL_STORE)
PASS_ON='' # other keys of .env: handed to the daemons as they are

# shellcheck disable=SC2086
unset $ALL_NAMES

read_settings() {
    [ -f "$SETTINGS" ] || return 0
    while IFS= read -r settings_line || [ -n "$settings_line" ]; do
        case $settings_line in '' | '#'*) continue ;; esac
        settings_key=${settings_line%%=*}
        settings_value=${settings_line#*=}
        case $settings_key in
        '' | [0-9]* | *[!A-Z0-9_]*) die "$SETTINGS: not a KEY=VALUE line: $settings_line" "correct or remove it" ;;
        esac
        case $settings_value in
        \"*\") settings_value=${settings_value#\"} settings_value=${settings_value%\"} ;;
        \'*\') settings_value=${settings_value#\'} settings_value=${settings_value%\'} ;;
        esac
        eval "$settings_key=\$settings_value"
        case " $ALL_NAMES " in
        *" $settings_key "*) ;;
        *) PASS_ON="$PASS_ON $settings_key" ;;
        esac
    done <"$SETTINGS"
}

# The ports of the documents, or a row of them from EVERYTHING_PORT_BASE on.
default_ports() {
    ports_index=0
    # shellcheck disable=SC2086
    set -- $PORT_DEFAULTS
    for ports_name in $PORT_NAMES; do
        ports_value=$1
        shift
        [ -z "${EVERYTHING_PORT_BASE:-}" ] || ports_value=$((EVERYTHING_PORT_BASE + ports_index))
        ports_index=$((ports_index + 1))
        eval ": \"\${$ports_name:=$ports_value}\""
        eval "ports_value=\$$ports_name"
        case $ports_value in
        *[!0-9]* | '') die "$ports_name=$ports_value is no port number" "correct it in $SETTINGS" ;;
        esac
    done
}

# is_external NAME: a server that runs elsewhere
is_external() {
    case $1 in
    postgres) [ "$EXTERNAL_DB" = 1 ] ;;
    valkey) [ "$EXTERNAL_VALKEY" = 1 ] ;;
    kafka) [ "$EXTERNAL_KAFKA" = 1 ] ;;
    temporal) [ "$EXTERNAL_TEMPORAL" = 1 ] ;;
    *) return 1 ;;
    esac
}

read_settings
EXTERNAL_DB=${DB_HOST:+1} EXTERNAL_VALKEY=${VALKEY_HOST:+1}
EXTERNAL_KAFKA=${KAFKA_BROKERS:+1} EXTERNAL_TEMPORAL=${TEMPORAL_HOST:+1}
default_ports
: "${DB_HOST:=127.0.0.1}" "${VALKEY_HOST:=127.0.0.1}" "${TEMPORAL_HOST:=127.0.0.1}"
: "${KAFKA_BROKERS:=127.0.0.1:$KAFKA_PORT}"
: "${DB_ADMIN_URL:=}" "${TEMPORAL_STORE:=postgres}"
case $TEMPORAL_STORE in
postgres | file) ;;
*) die "TEMPORAL_STORE=$TEMPORAL_STORE is neither postgres nor file" "correct it in $SETTINGS" ;;
esac
