# shellcheck shell=sh
# shellcheck disable=SC2046
# What is missing: Debian packages (asked for, by the system's apt), and packages of
# bookworm-backports unpacked into the cache by an apt configuration of our own.

missing_packages() {
    # shellcheck disable=SC2046
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(wanted_packages) 2>/dev/null |
        awk '$1 == "installed" { print $2 }' | sort >"$RUN/installed.$$"
    wanted_packages | sort | comm -23 - "$RUN/installed.$$"
    rm -f "$RUN/installed.$$"
}
wanted_packages() { grep -v '^#' "$ROOT/tools/packages.txt" | tr -d ' \t' | grep -v '^$'; }

# How this user becomes root for apt: nothing, sudo without or (on a terminal) with a password.
sudo_command() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        echo sudo
    else
        return 1
    fi
}

# Debian's postgresql would start a cluster of its own on port 5432
CLUSTER_CONF=/etc/postgresql-common/createcluster.conf
NO_CLUSTER="mkdir -p ${CLUSTER_CONF%/*} && { grep -qs ^create_main_cluster $CLUSTER_CONF || echo create_main_cluster = false >>$CLUSTER_CONF; }"
install_line() { # PACKAGES...: what root types to have them
    echo "$NO_CLUSTER && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends -y $*"
}

# Asking dpkg takes longer than the rest of a second `up`: only when something changed.
install_packages() {
    stamp=$RUN/packages-are-there
    [ -z "$(find "$stamp" -newer /var/lib/dpkg/status -newer "$ROOT/tools/packages.txt" 2>/dev/null)" ] || return 0
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "$missing" ] || { : >"$stamp" && return 0; }
    command -v apt-get >/dev/null || die "these Debian packages are missing: $missing and there is no apt-get here" \
        "install what they hold by hand; Debian 12 is what this is made for"
    say "Missing packages, to be installed with:"
    say "  $(install_line "$missing")"
    as_root=$(sudo_command) || die "packages are missing, and $(id -un) may not install them (no root, no sudo without a password)" \
        "run the line above as root, or give this user sudo, then run the same command again"
    confirm "Install them now?" || die "not installed" "run the line above yourself"
    check_disk 3000
    $as_root true
    step 'apt-get update' 300 apt_update "$as_root" || exit 1
    # who ends dpkg midway leaves it broken: a slow network has its limit before that
    # shellcheck disable=SC2086
    step 'apt-get download' 7200 apt_install "$as_root" --download-only $missing || exit 1
    # shellcheck disable=SC2086
    step 'apt-get install' 1800 apt_install "$as_root" $missing || exit 1
}

apt_update() { "$1" env LC_ALL=C.UTF-8 apt-get -q -o Acquire::Retries=3 update; }
apt_install() {
    as_root=$1
    shift
    umask 022 # what packages write is for every user
    "$as_root" sh -c "$NO_CLUSTER"
    "$as_root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

# apt_unpack DIR PACKAGE[=VERSION]...: signature-checked by apt, unpacked aside, then renamed
# to DIR. Needs no root, starts nothing, leaves the system's apt as it is.
apt_unpack() {
    unpack_to=$1
    shift
    apt_dir=$CACHE/apt
    mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial" "$unpack_to.new/debs"
    apt_sources >"$apt_dir/sources.list.$$"
    mv "$apt_dir/sources.list.$$" "$apt_dir/sources.list"
    if [ -z "$(find "$apt_dir/lists" -name '*backports*Packages*' -mmin -1440 2>/dev/null)" ]; then
        (flock 7 && our_apt update) 7<"$apt_dir" || return
    fi
    for wanted in "$@"; do
        unpack_one "$unpack_to.new" "$wanted" || return
    done
    rm -rf "$unpack_to.new/debs" "$unpack_to"
    mv "$unpack_to.new" "$unpack_to"
}

unpack_one() (
    cd "$1/debs" || exit
    our_apt download "$2" || {
        echo "$2 is not there any more: the newest of bookworm-backports instead"
        our_apt download "${2%%=*}/bookworm-backports"
    }
    for deb in "${2%%=*}"_*.deb; do
        dpkg -x "$deb" "$1" || exit
    done
)

our_apt() {
    apt-get -q -o "Dir::Etc::sourcelist=$apt_dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::lists=$apt_dir/lists" -o "Dir::Cache=$apt_dir" -o "Dir::Cache::archives=$apt_dir/archives" \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Debug::NoLocking=true -o Acquire::Retries=3 "$@"
}

# Where this machine's own apt has a suite of Debian from. Security may be elsewhere than the rest.
mirror_of() { # CODENAME
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $1" | head -n 1
}
apt_sources() {
    mirror=$(mirror_of bookworm) security=$(mirror_of bookworm-security)
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    for suite in bookworm bookworm-updates bookworm-backports; do
        echo "deb [signed-by=$keys] ${mirror:-http://deb.debian.org/debian} $suite main"
    done
    echo "deb [signed-by=$keys] ${security:-http://deb.debian.org/debian-security} bookworm-security main"
}

# Two stacks may want the same thing at the same time: the second waits, and finds it there.
one_at_a_time() { # NAME FUNCTION
    mkdir -p "$CACHE"
    exec 8>"$CACHE/.$1.lock"
    flock 8
    "$2" 8>&-
}

free_mib() { df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }'; }
check_disk() { # MIB
    mkdir -p "$RUN" "$CACHE"
    for place in "$RUN" "$CACHE"; do
        have=$(free_mib "$place")
        [ "$have" -ge "$1" ] || die "only $have MiB free under $place, $1 MiB are needed" \
            "free some space, or set XDG_CACHE_HOME or EVERYTHING_RUN to a larger disk"
    done
}
memory_mib() { awk '$1 == "MemAvailable:" { print int($2 / 1024) }' "${EVERYTHING_MEMINFO:-/proc/meminfo}"; }
# memory_needed NAMES...: MiB to build and start these. The daemons are compiled meanwhile, Kafka has its
# JVM, and to link Temporal, once, takes more than to run it.
MEMORY_LEAST=512
memory_needed() {
    [ $# -gt 0 ] || { echo 0 && return; }
    need=$MEMORY_LEAST
    for wanting in "$@"; do
        case $wanting in
        kafka) need=$((need + 256)) ;;
        temporal) need=$((need + 256)) && ! needs_fetch_temporal || need=$((need + 512)) ;;
        esac
    done
    echo $need
}
memory_way_out() { # NEED
    if [ "$1" -gt $MEMORY_LEAST ]; then
        echo "close something, or leave parts out: ./everything up --without kafka,temporal"
    else
        echo "close something"
    fi
}
check_memory() { # NAMES...: what is to be started
    need=$(memory_needed "$@") have=$(memory_mib)
    [ "$have" -ge "$need" ] || die "only $have MiB of memory are available, $need MiB are needed" "$(memory_way_out "$need")"
}

# The supervisor and the probe, built when their source is newer.
build_tools() {
    mkdir -p "$TOOLS"
    for tool in supervisor probe; do
        [ -z "$(find "$STACK/$tool.c" -newer "$TOOLS/$tool" 2>/dev/null)" ] && [ -x "$TOOLS/$tool" ] && continue
        cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Werror -o "$TOOLS/$tool.$$" "$STACK/$tool.c"
        mv "$TOOLS/$tool.$$" "$TOOLS/$tool"
    done
}
