# shellcheck shell=sh disable=SC2153
# Temporal's development server (1.29.1 inside CLI 1.5.1), built once from the Go module proxy.

TEMPORAL_VERSION=1.5.1
TEMPORAL_HOME=$CACHE/temporal-$TEMPORAL_VERSION
GO_WANTED=1.25
GO_TOOLCHAIN=go1.25.5
GO_DEBIAN=golang-1.23

# A go of 1.25 or later on PATH, else the one of bookworm-backports, which then fetches the
# pinned toolchain. Prints how to call it.
go_command() {
    if command -v go >/dev/null; then
        go_have=$(go version | sed -n 's/.*go\([0-9]*\.[0-9]*\).*/\1/p')
        if [ "$(printf '%s\n%s\n' "$GO_WANTED" "$go_have" | sort -V | head -n 1)" = "$GO_WANTED" ]; then
            echo "env GOTOOLCHAIN=local go"
            return
        fi
    fi
    [ -x "$CACHE/go-debian/usr/lib/go-1.23/bin/go" ] ||
        apt_unpack "$CACHE/go-debian" "$GO_DEBIAN" "$GO_DEBIAN-go" "$GO_DEBIAN-src" >&2
    # Debian's GOROOT holds symbolic links to /usr/share: make them reach into the cache
    find "$CACHE/go-debian/usr/lib/go-1.23" -maxdepth 1 -type l | while read -r link; do
        case $(readlink "$link") in
        /usr/share/* | ../../share/*) ln -sfn "../../share/go-1.23/$(basename "$link")" "$link" ;;
        esac
    done
    echo "env GOROOT=$CACHE/go-debian/usr/lib/go-1.23 GOTOOLCHAIN=$GO_TOOLCHAIN $CACHE/go-debian/usr/lib/go-1.23/bin/go"
}

needs_fetch_temporal() { [ ! -x "$TEMPORAL_HOME/bin/temporal" ]; }
fetch_temporal() {
    needs_fetch_temporal || return 0
    go=$(go_command)
    aside=$CACHE/temporal-$TEMPORAL_VERSION.new
    export GOMODCACHE="$CACHE/go-build/mod" GOCACHE="$CACHE/go-build/cache" GOBIN="$aside/bin" GOPATH="$CACHE/go-build/path"
    export GOENV=off GOFLAGS=-buildvcs=false CGO_ENABLED=0
    mkdir -p "$GOBIN" "$GOMODCACHE" "$GOCACHE"
    $go install -p 2 -trimpath -ldflags '-s -w' "github.com/temporalio/cli/cmd/temporal@v$TEMPORAL_VERSION"
    rm -rf "$TEMPORAL_HOME"
    mv "$aside" "$TEMPORAL_HOME"
    # 3.4 GB of caches that nothing needs any more; module files are read-only
    chmod -R u+w "$CACHE/go-build"
    rm -rf "$CACHE/go-build" "$CACHE/go-debian"
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
