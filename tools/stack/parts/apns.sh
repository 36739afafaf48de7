# shellcheck shell=sh disable=SC2153
# A stand-in for Apple's push service (tests/fakes/apns), where .env says FAKE_APNS=1: what
# customer-service pushes is in .run/apns/pushes.jsonl. Its control port makes it slow or refuse.

apns_program() { "$ROOT/tests/fakes/apns/build.sh"; }

needs_fetch_apns() { [ ! -x "$CACHE/fake-apns/$(cat "$ROOT"/tests/fakes/apns/*.go "$ROOT/tests/fakes/apns/go.mod" | sha256sum | cut -c 1-16)" ]; }
fetch_apns() { apns_program >/dev/null; }

prepare_apns() { openssl pkey -in "$SECRETS/apns.p8" -pubout | write_if_changed "$RUN/apns/provider.pub" 644 || :; }

run_apns() {
    echo "rm -f ready"
    echo "exec '$(apns_program)' -dir . -port $APNS_PORT -control $APNS_CONTROL_PORT \\"
    echo "    -key provider.pub -kid FAKEKEY123 -team FAKETEAM12 -topic org.example.coffee"
}
ready_apns() { [ -s "$RUN/apns/ready" ]; }
forget_apns() { rm -rf "$RUN/apns"; }

# What customer-service is told.
apns_settings() {
    setting APNS_KEY_FILE "$SECRETS/apns.p8"
    setting APNS_KEY_ID FAKEKEY123
    setting APNS_TEAM_ID FAKETEAM12
    setting APNS_TOPIC org.example.coffee
    setting APNS_URL "https://127.0.0.1:$APNS_PORT"
    setting APNS_SANDBOX_URL "https://127.0.0.1:$APNS_PORT"
    setting APNS_CA_FILE "$RUN/apns/ca.pem"
    setting WEB_PUSH_CA_FILE "$RUN/apns/ca.pem" # a test's push service has its certificate
    setting WEB_PUSH_LOOPBACK 1
}
