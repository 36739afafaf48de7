# shellcheck shell=sh
# The table that `up` ends with: where things are, who one can be, what to try.

print_table() { # SECONDS
    say
    say "Everything is up ($1 s). ./everything status, logs, down."
    say
    printf '  %-14s %s\n' 'web and API' "http://127.0.0.1:$HTTP_PORT" \
        'API, browsable' "http://127.0.0.1:$HTTP_PORT/docs" \
        'Temporal UI' "http://127.0.0.1:$TEMPORAL_UI_PORT" \
        'payments' "http://127.0.0.1:$PAYMENT_PORT/ledger (a provider to practise on)" \
        'gRPC' "127.0.0.1:$ORDER_GRPC_PORT (orders), 127.0.0.1:$CUSTOMER_GRPC_PORT (customers)" \
        'Postgres' "$DB_HOST:$DB_PORT (order_db, customer_db; of Temporal: temporal, temporal_visibility)" \
        'Valkey' "$VALKEY_HOST:$VALKEY_PORT" 'Kafka' "$KAFKA_BROKERS"
    say
    say '  demo accounts  customer, customer2, barista, barista2, admin, driver; password coffee-demo'
    say
    say '  try            sign in, then order:'
    say "    curl -s http://127.0.0.1:$HTTP_PORT/menu"
    say "    curl -s http://127.0.0.1:$HTTP_PORT/login -H 'content-type: application/json' \\"
    say "         -d '{\"handle\":\"customer\",\"password\":\"coffee-demo\"}'"
}
