# shellcheck shell=sh
# Programs that are built once from the Go module proxy, into the cache.

GO_WANTED=1.25
GO_TOOLCHAIN=go1.25.5
GO_DEBIAN=golang-1.23

# A go of 1.25 or later on PATH, else the one of bookworm-backports, which then fetches the
# pinned toolchain.
go_run() { # ARGUMENTS OF go...
    if command -v go >/dev/null; then
        go_have=$(go version | sed -n 's/.*go\([0-9]*\.[0-9]*\).*/\1/p')
        if [ "$(printf '%s\n%s\n' "$GO_WANTED" "$go_have" | sort -V | head -n 1)" = "$GO_WANTED" ]; then
            GOTOOLCHAIN=local go "$@"
            return
        fi
    fi
    [ -x "$CACHE/go-debian/usr/lib/go-1.23/bin/go" ] ||
        apt_unpack "$CACHE/go-debian" "$GO_DEBIAN" "$GO_DEBIAN-go" "$GO_DEBIAN-src" >&2 || return
    # Debian's GOROOT holds symbolic links to /usr/share: make them reach into the cache
    find "$CACHE/go-debian/usr/lib/go-1.23" -maxdepth 1 -type l | while read -r link; do
        case $(readlink "$link") in
        /usr/share/* | ../../share/*) ln -sfn "../../share/go-1.23/$(basename "$link")" "$link" ;;
        esac
    done
    GOROOT=$CACHE/go-debian/usr/lib/go-1.23 GOTOOLCHAIN=$GO_TOOLCHAIN "$CACHE/go-debian/usr/lib/go-1.23/bin/go" "$@"
}

# What every build shares, in the cache until it ends well.
go_environment() {
    export GOMODCACHE="$CACHE/go-build/mod" GOCACHE="$CACHE/go-build/cache" GOPATH="$CACHE/go-build/path"
    export GOENV=off GOFLAGS=-buildvcs=false CGO_ENABLED=0
    mkdir -p "$GOMODCACHE" "$GOCACHE"
}

# go_done NEW DIR: it is built. Gigabytes of caches go, which nothing needs any more; module
# files are read-only.
go_done() {
    rm -rf "$2"
    mv "$1" "$2"
    chmod -R u+w "$CACHE/go-build"
    rm -rf "$CACHE/go-build" "$CACHE/go-debian"
}

# go_into DIR ARGUMENTS OF go...: with GOBIN below a folder that becomes DIR when that went well
go_into() {
    go_to=$1
    shift
    go_environment
    export GOBIN="$go_to.new/bin"
    mkdir -p "$GOBIN"
    go_run "$@" || return
    go_done "$go_to.new" "$go_to"
}

# go_install DIR PACKAGE@VERSION: its command becomes DIR/bin/...
go_install() { go_into "$1" install -p 2 -trimpath -ldflags '-s -w' "$2"; }

# go_build DIR FOLDER: the command of a module of ours becomes DIR/bin/...
go_build() { go_into "$1" install -C "$2" -p 2 -trimpath -ldflags '-s -w' .; }

# go_build_all DIR GO.MOD: each line of stdin, NAME PACKAGE, becomes DIR.new/bin/NAME, and go_done
# does the rest. One after another: to link two at once takes more than 2 GiB.
go_build_all() {
    go_environment
    mkdir -p "$CACHE/go-build/module" "$1.new/bin"
    cp "$2" "$CACHE/go-build/module/go.mod"
    cd "$CACHE/go-build/module" || return
    while read -r go_name go_package; do
        go_run build -mod=mod -p 2 -trimpath -ldflags '-s -w' -o "$1.new/bin/$go_name" "$go_package" </dev/null || return
    done
    cd "$ROOT" || return
}

# What only tests need: a gRPC client that is not ours.
GRPCURL_VERSION=1.9.3
GRPCURL_HOME=$CACHE/grpcurl-$GRPCURL_VERSION
needs_fetch_grpcurl() { [ ! -x "$GRPCURL_HOME/bin/grpcurl" ]; }
fetch_grpcurl() {
    needs_fetch_grpcurl || return 0
    go_install "$GRPCURL_HOME" "github.com/fullstorydev/grpcurl/cmd/grpcurl@v$GRPCURL_VERSION"
}
