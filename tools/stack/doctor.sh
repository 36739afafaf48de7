# shellcheck shell=sh disable=SC2153
# ./everything doctor
#
# Looks at this machine and says what is in the way: packages, memory, disk, ports,
# network, clock, permissions; and prints versions. Exit 0 when nothing is.
set -eu
. "$ROOT/tools/stack/all.sh"
[ $# -eq 0 ] || { warn "doctor: takes no argument (got $1)" && exit 2; }
mkdir -p "$RUN" "$CACHE"
problems=0
good() { printf '  ok       %s\n' "$*"; }
bad() { # CAUSE WAY_OUT
    printf '  PROBLEM  %s\n           way out: %s\n' "$1" "$2"
    problems=$((problems + 1))
}

# What `up` would want for what does not run yet.
memory_to_start() {
    to_start=''
    for name in $(process_names); do
        is_running "$name" || is_external "$name" || to_start="$to_start $name"
    done
    # shellcheck disable=SC2086
    memory_needed $to_start
}

check_machine() {
    . /etc/os-release
    if [ "${ID:-} ${VERSION_ID:-}" = 'debian 12' ]; then good "$PRETTY_NAME"; else
        bad "this is ${PRETTY_NAME:-an unknown system}, made for Debian 12" "it may work; else use a Debian 12 container or chroot"
    fi
    have=$(memory_mib) need=$(memory_to_start)
    if [ "$have" -ge "$need" ]; then good "$have MiB of memory available, $need needed"; else
        bad "only $have MiB of memory available, $need are needed" "$(memory_way_out "$need")"
    fi
    need=3000
    if ! needs_fetch_temporal && [ -e "$KAFKA_HOME/libs" ]; then need=300; fi
    have=$(free_mib "$CACHE")
    if [ "$have" -ge $need ]; then good "$have MiB of disk free, $need needed"; else
        bad "only $have MiB of disk free under $CACHE, $need are needed" "free some, or set XDG_CACHE_HOME"
    fi
    if [ "$(date +%s)" -gt 1760000000 ]; then good "clock: $(date -u '+%F %T UTC')"; else
        bad "the clock says $(date -u +%F)" "set it: tokens and certificates depend on it"
    fi
}

check_packages() {
    missing=$(missing_packages | tr '\n' ' ')
    if [ -z "$missing" ]; then good "all Debian packages are installed"; else
        if sudo_command >/dev/null; then
            bad "missing packages: $missing" "./everything up installs them"
        else
            bad "missing packages: $missing and $(id -un) may not install them" "as root: $(install_line "$missing")"
        fi
    fi
}

check_downloads() {
    todo=''
    [ -x "$VALKEY_BIN/valkey-server" ] || todo="$todo valkey"
    [ -e "$KAFKA_HOME/libs" ] || todo="$todo kafka"
    ! needs_fetch_temporal || todo="$todo temporal"
    if [ -z "$todo" ]; then good "downloads are complete, no network is needed" && return; fi
    # only the three ordinary hosts, and only whether they can be reached
    for host in deb.debian.org repo.maven.apache.org proxy.golang.org; do
        if getent hosts $host >/dev/null || [ -n "${https_proxy:-${HTTPS_PROXY:-}}" ]; then continue; fi
        bad "still to fetch:$todo; $host is not known here" "check the network, or the proxy settings"
        return
    done
    good "still to fetch:$todo; the network names are known"
}

check_ports_free() {
    for name in $(process_names); do
        if is_external "$name"; then
            if is_ready "$name"; then good "$name: answers where $SETTINGS says"; else
                bad "$name is named in $SETTINGS but does not answer" "start it, or remove its host there"
            fi
            continue
        fi
        ! is_running "$name" || continue
        for port in $(ports_of "$name"); do
            if owner=$(port_owner "$port"); then
                bad "port $port of $name is taken by $owner" "end it, or set $(port_name "$name" "$port") in $SETTINGS"
            fi
        done
    done
    good "ports looked at"
}

check_running() {
    wanted=0
    for name in $(process_names); do
        is_wanted "$name" || continue
        wanted=1
        state_of "$name"
        [ "$state" = up ] || [ "$state" = down ] || bad "$name does not stay up ($state, $restarts restarts, last exit $last_exit)" "./everything logs $name"
    done
    if [ $wanted = 0 ]; then good "nothing runs"; elif supervisor_runs; then good "the supervisor runs"; else
        bad "the supervisor is gone: what dies stays dead" "./everything up brings it back"
    fi
}

version() { # LABEL COMMAND...
    version_label=$1
    shift
    printf '  %-10s %s\n' "$version_label" "$("$@" 2>&1 | head -n 1 || :)"
}

fetched() { # NAME VERSION COMMAND...: what the command says of it, once it is here
    if needs fetch "$1"; then echo "- ($2)" && return; fi
    shift 2
    "$@"
}

say "This machine"
check_machine
check_packages
if command -v cc >/dev/null; then build_tools; fi
check_downloads
check_ports_free
check_running
say "Versions"
version kernel uname -r
version gcc sh -c 'gcc --version 2>/dev/null || echo -'
version cmake sh -c 'cmake --version 2>/dev/null || echo -'
version postgres sh -c "$PG_BIN/postgres --version 2>/dev/null || echo -"
version java sh -c 'java -version 2>&1 || echo -'
version valkey fetched valkey "$VALKEY_VERSION" env LD_LIBRARY_PATH="$(valkey_libs)" "$VALKEY_BIN/valkey-server" --version
version kafka fetched kafka "$KAFKA_VERSION" echo "$KAFKA_VERSION"
version temporal fetched temporal "$TEMPORAL_VERSION" "$TEMPORAL_HOME/bin/temporal" --version
[ $problems = 0 ] && say "No problem found." && exit 0
say "$problems problem(s) found."
exit 1
