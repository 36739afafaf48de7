#!/bin/sh
# tools/fresh-root.sh [--user] [--keep] [--cache DIR] COMMAND...
#
# Runs a command in a fresh minimal Debian 12, with a copy of this checkout and nothing
# else: what a stranger's machine does. As root, in /root/everything; with --user as a
# user with sudo, in /home/dev/everything. Says how long it took and cleans up; --keep
# leaves the root for a look; --cache begins with a copy of a cache of downloads (a folder
# such as ~/.cache/everything), as a second run on that machine would. Needs root here, mmdebstrap, and a network.
#
#   tools/fresh-root.sh ./everything up
#   tools/fresh-root.sh --user sh -c './everything up && ./everything down && ./everything test'
#
# It has mounts and processes of its own, which end with it, but shares the network: set
# EVERYTHING_PORT_BASE when a stack runs here.
set -eu
checkout=$(cd "$(dirname "$0")/.." && pwd)
user=root home=/root keep=0 cache=''
while [ $# -gt 0 ]; do
    case $1 in
    --user) user=dev home=/home/dev ;;
    --keep) keep=1 ;;
    --cache) cache=${2:?--cache needs a folder} && shift ;;
    -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
    -*) echo "fresh-root: unknown option $1" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || { echo "usage: tools/fresh-root.sh [--user] [--keep] [--cache DIR] COMMAND..." >&2 && exit 2; }
[ "$(id -u)" = 0 ] || { echo "fresh-root: needs root (it makes device nodes and mounts)" >&2 && exit 1; }
command -v mmdebstrap >/dev/null || { echo "fresh-root: mmdebstrap is missing: apt-get install mmdebstrap" >&2 && exit 1; }

root=$(mktemp -d "${TMPDIR:-/tmp}/everything-root.XXXXXX")
# shellcheck disable=SC2317
clean() {
    [ "$keep" = 1 ] && echo "fresh-root: kept $root" && return
    rm -rf --one-file-system "$root"
}
trap clean EXIT
trap 'exit 130' INT TERM

begin=$(date +%s)
include=ca-certificates
[ $user = root ] || include=$include,sudo
mmdebstrap --quiet --variant=apt --include=$include bookworm "$root"
chmod 755 "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "127.0.0.1 localhost $(uname -n)" >"$root/etc/hosts"
# a network that looks into TLS has certificates of its own, which this machine trusts
cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null &&
    chroot "$root" update-ca-certificates >/dev/null 2>&1
if [ $user != root ]; then
    chroot "$root" useradd -m -s /bin/sh $user
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$user"
fi
# what git would give a stranger, with the changes that are not committed yet
mkdir -p "$root$home/everything"
(cd "$checkout" && git ls-files -z --cached --others --exclude-standard |
    tar -c --null --ignore-failed-read -T - 2>/dev/null) | tar -x -C "$root$home/everything"
if [ -n "$cache" ]; then
    mkdir -p "$root$home/.cache"
    cp -a "$cache" "$root$home/.cache/everything"
fi
chroot "$root" chown -R $user: "$home"
cat >"$root/inside.sh" <<INSIDE
cd $home/everything || exit
export HOME=$home USER=$user PATH=/usr/local/bin:/usr/bin:/bin
${EVERYTHING_PORT_BASE:+export EVERYTHING_PORT_BASE=$EVERYTHING_PORT_BASE}
${TEST_PORT_BASE:+export TEST_PORT_BASE=$TEST_PORT_BASE}
${FRONTDOOR_PORT_BASE:+export FRONTDOOR_PORT_BASE=$FRONTDOOR_PORT_BASE}
exec "\$@"
INSIDE
echo "fresh-root: Debian $(cat "$root/etc/debian_version") made in $(($(date +%s) - begin)) s; as $user: $*"

begin=$(date +%s)
rc=0
# shellcheck disable=SC2016
env -i unshare --mount --pid --fork --kill-child --propagation private sh -c '
    root=$1 user=$2
    shift 2
    mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" || exit 1
    mount -t tmpfs tmpfs "$root/dev/shm"
    if [ "$user" = root ]; then set -- sh /inside.sh "$@"; else
        set -- setpriv --reuid="$user" --regid="$user" --init-groups sh /inside.sh "$@"
    fi
    chroot "$root" "$@"' sh "$root" $user "$@" </dev/null || rc=$?
echo "fresh-root: exit $rc after $(($(date +%s) - begin)) s; $(du -smx "$root" | cut -f1) MiB on disk"
exit $rc
