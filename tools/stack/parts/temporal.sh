# shellcheck shell=sh disable=SC2153
# Temporal's development server (1.29.1 inside CLI 1.5.1), built once from the Go module proxy.

TEMPORAL_VERSION=1.5.1
TEMPORAL_HOME=$CACHE/temporal-$TEMPORAL_VERSION

needs_fetch_temporal() { [ ! -x "$TEMPORAL_HOME/bin/temporal" ]; }
fetch_temporal() {
    needs_fetch_temporal || return 0
    go_install "$TEMPORAL_HOME" "github.com/temporalio/cli/cmd/temporal@v$TEMPORAL_VERSION"
}

prepare_temporal() { :; }

run_temporal() {
    cat <<RUN
exec '$TEMPORAL_HOME/bin/temporal' server start-dev --ip 127.0.0.1 --port $TEMPORAL_PORT \\
    --ui-port $TEMPORAL_UI_PORT --http-port $TEMPORAL_HTTP_PORT --metrics-port $TEMPORAL_METRICS_PORT \\
    --db-filename temporal.db --log-level warn --log-format json
RUN
}

# Over HTTP, with the namespace that workflows live in; an outside server may lack that door.
ready_temporal() {
    if is_external temporal; then
        "$TOOLS/probe" port "$TEMPORAL_HOST" "$TEMPORAL_PORT"
    else
        "$TOOLS/probe" http 127.0.0.1 "$TEMPORAL_HTTP_PORT" /api/v1/namespaces/default
    fi
}
forget_temporal() { rm -rf "$RUN/temporal"; }
