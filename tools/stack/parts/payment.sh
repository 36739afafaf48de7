# shellcheck shell=sh disable=SC2153
# A payment provider to practise on (tests/fakes/payment): what it was asked is in
# .run/payment-provider/ledger.jsonl, and POST /faults makes it slow, silent or refusing.
# In .env: PAYMENT_PROVIDER_URL names another (empty: orders are not paid), PAYMENT_FAULTS
# and PAYMENT_SEED make this one misbehave from its start.

run_payment_provider() {
    echo "# $(stat -c '%s %Y' "$BIN/payment-provider")"
    setting PAYMENT_PORT "$PAYMENT_PORT"
    for payment_name in PAYMENT_FAULTS PAYMENT_SEED; do
        ! is_passed_on $payment_name || eval "setting $payment_name \"\$(quoted \"\$$payment_name\")\""
    done
    echo "exec '$BIN/payment-provider'"
}
ready_payment_provider() { "$TOOLS/probe" http 127.0.0.1 "$PAYMENT_PORT" /healthz; }

# What order-service is told.
payment_settings() {
    setting_unless PAYMENT_PROVIDER_URL "http://127.0.0.1:$PAYMENT_PORT"
}
