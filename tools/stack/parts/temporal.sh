# shellcheck shell=sh disable=SC2153
# Temporal 1.29.1, built once from the Go module proxy. TEMPORAL_STORE in .env: `postgres`, the
# server of production with its state in two databases of ours, or `file`, the CLI's development
# server with a file of its own (docs/adr/0025).

TEMPORAL_VERSION=1.5.1 # of the CLI; conf/temporal.mod has all versions
TEMPORAL_HOME=$CACHE/temporal-$TEMPORAL_VERSION
#                 in bin/           package
TEMPORAL_PROGRAMS='temporal          github.com/temporalio/cli/cmd/temporal
                   temporal-server   go.temporal.io/server/cmd/server
                   temporal-sql-tool go.temporal.io/server/cmd/tools/sql
                   temporal-ui       github.com/temporalio/ui-server/v2/cmd/server'

# A cache is complete when it says that it was made of this; an older one is made anew.
temporal_made_of() { { cat "$STACK/conf/temporal.mod" && echo "$TEMPORAL_PROGRAMS"; } | sha256sum; }
needs_fetch_temporal() { [ "$(cat "$TEMPORAL_HOME/made-of" 2>/dev/null)" != "$(temporal_made_of)" ]; }
fetch_temporal() {
    needs_fetch_temporal || return 0
    rm -rf "$TEMPORAL_HOME.new"
    echo "$TEMPORAL_PROGRAMS" | go_build_all "$TEMPORAL_HOME" "$STACK/conf/temporal.mod" || return
    temporal_made_of >"$TEMPORAL_HOME.new/made-of"
    go_done "$TEMPORAL_HOME.new" "$TEMPORAL_HOME"
}

# Lines of the table of processes. Only the development server has the UI in it; an outside
# server is somebody else's to look into.
temporal_processes() {
    if [ "$TEMPORAL_STORE" = file ] || is_external temporal; then
        echo 'temporal server TEMPORAL_PORT+TEMPORAL_UI_PORT+TEMPORAL_HTTP_PORT+TEMPORAL_METRICS_PORT TERM 15 180'
        return
    fi
    peers=TEMPORAL_FRONTEND_PEER_PORT
    for role in HISTORY MATCHING WORKER; do peers=$peers+TEMPORAL_${role}_PORT+TEMPORAL_${role}_PEER_PORT; done
    echo "temporal server TEMPORAL_PORT+TEMPORAL_HTTP_PORT+TEMPORAL_METRICS_PORT+$peers TERM 15 180"
    echo 'temporal-ui server TEMPORAL_UI_PORT TERM 10 60'
}


run_temporal() {
    case $TEMPORAL_STORE in
    file) run_temporal_on_file ;;
    *) run_temporal_on_postgres ;;
    esac
}

temporal_is_of_this_store() {
    case $TEMPORAL_STORE in file) store_program=temporal ;; *) store_program=temporal-server ;; esac
    grep -q "^exec '$TEMPORAL_HOME/bin/$store_program'" "$RUN/temporal/run"
}

run_temporal_on_file() {
    cat <<RUN
exec '$TEMPORAL_HOME/bin/temporal' server start-dev --ip 127.0.0.1 --port $TEMPORAL_PORT \\
    --ui-port $TEMPORAL_UI_PORT --http-port $TEMPORAL_HTTP_PORT --metrics-port $TEMPORAL_METRICS_PORT \\
    --db-filename temporal.db --log-level warn --log-format json
RUN
}

# Its memory is limited for a Raspberry Pi; it collects garbage more often before it grows.
run_temporal_on_postgres() {
    echo "# settings $(cat "$STACK"/conf/temporal*.yaml | sha256sum)"
    setting SQL_HOST "$DB_HOST"
    setting SQL_PORT "$DB_PORT"
    setting SQL_USER temporal
    setting SQL_PASSWORD "$(secret temporal)"
    setting SQL_PLUGIN postgres12_pgx
    setting SCHEMA_TOOL "$TEMPORAL_HOME/bin/temporal-sql-tool"
    for port_setting in $(column temporal 3 | tr '+' ' '); do eval "setting $port_setting \"\$$port_setting\""; done
    setting DYNAMIC_SETTINGS "$STACK/conf/temporal-dynamic.yaml"
    setting GOMEMLIMIT 150MiB
    setting GOGC 50
    echo "sh '$STACK/conf/temporal-schema.sh' || exit"
    echo "exec '$TEMPORAL_HOME/bin/temporal-server' --root '$STACK' --config conf --env temporal --allow-no-auth start"
}

run_temporal_ui() {
    echo "# settings $(sha256sum <"$STACK/conf/temporal-ui.yaml")"
    setting TEMPORAL_ADDRESS "127.0.0.1:$TEMPORAL_PORT"
    setting UI_PORT "$TEMPORAL_UI_PORT"
    echo "exec '$TEMPORAL_HOME/bin/temporal-ui' --root '$STACK' --config conf --env temporal-ui start"
}
ready_temporal_ui() { "$TOOLS/probe" http 127.0.0.1 "$TEMPORAL_UI_PORT" /healthz; }
fetch_temporal_ui() { fetch_temporal; }
needs_fetch_temporal_ui() { needs_fetch_temporal; }

temporal_http() { "$TOOLS/probe" http 127.0.0.1 "$TEMPORAL_HTTP_PORT" "/api/v1/$1"; }

# Over HTTP; an outside server may lack that door. The development server makes the namespace
# that workflows live in while it starts.
ready_temporal() {
    if is_external temporal; then
        "$TOOLS/probe" port "$TEMPORAL_HOST" "$TEMPORAL_PORT"
    elif [ "$TEMPORAL_STORE" = file ]; then
        temporal_http namespaces/default
    else
        temporal_http system-info
    fi
}

needs_setup_temporal() { ! is_external temporal && ! temporal_http namespaces/default >/dev/null; }
setup_temporal() {
    needs_setup_temporal || return 0
    curl -sS --max-time 30 --fail-with-body -H 'Content-Type: application/json' \
        -d '{"namespace":"default","workflowExecutionRetentionPeriod":"604800s"}' \
        "http://127.0.0.1:$TEMPORAL_HTTP_PORT/api/v1/namespaces"
}

forget_temporal() { rm -rf "$RUN/temporal"; }
