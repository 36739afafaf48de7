#!/bin/sh
# Run by 95-compose.sh as root, in a network and with mounts of its own: SCRATCH, PODMAN_HOME, COMPOSE, GATEWAY.
set -eu
cd "$(dirname "$0")/../../.."
lib=$PODMAN_HOME/usr/lib/x86_64-linux-gnu
[ -d "$lib" ] || lib=$(echo "$PODMAN_HOME"/usr/lib/*-linux-gnu)
export HOME="$SCRATCH/home" LD_LIBRARY_PATH="$lib" XTABLES_LIBDIR="$lib/xtables"
export CONTAINERS_CONF="$SCRATCH/containers.conf" CONTAINERS_STORAGE_CONF="$SCRATCH/storage.conf"
export PATH="$SCRATCH/bin:$PODMAN_HOME/usr/bin:$PODMAN_HOME/usr/sbin:$PATH" TMPDIR="$SCRATCH" LC_ALL=C.UTF-8

settings() {
    mkdir -p "$HOME/.config/containers" "$SCRATCH/bin"
    for name in iptables ip6tables iptables-save iptables-restore; do
        ln -s "$PODMAN_HOME/usr/sbin/xtables-nft-multi" "$SCRATCH/bin/$name"
    done
    echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$HOME/.config/containers/policy.json"
    printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/images"\nrunroot = "%s/run"\n' "$SCRATCH" "$SCRATCH" \
        >"$CONTAINERS_STORAGE_CONF"
    # rlimits that a root without CAP_SYS_RESOURCE may set; a root folder that is no mount cannot pivot
    cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
seccomp_profile = "$PODMAN_HOME/usr/share/containers/seccomp.json"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
no_pivot_root = true
tmp_dir = "$SCRATCH/run/libpod"
conmon_path = ["$PODMAN_HOME/usr/bin/conmon"]
helper_binaries_dir = ["$PODMAN_HOME/usr/lib/podman"]
[engine.runtimes]
runc = ["$PODMAN_HOME/usr/sbin/runc"]
[network]
network_backend = "netavark"
network_config_dir = "$SCRATCH/networks"
CONF
}

# image NAME PROGRAM=PATH_INSIDE...: them and their libraries, and nothing else
image() {
    tag=$1
    shift
    root=$SCRATCH/image-$(echo "$tag" | tr -c 'a-z0-9\n' '-')
    for program in "$@"; do
        install -D "${program%%=*}" "$root${program#*=}"
        LD_LIBRARY_PATH='' ldd "${program%%=*}" | grep -o '/[^ ]*' | while read -r library; do
            install -D "$library" "$root$library"
        done
    done
    mkdir -p "$root/tmp" "$root/run"
    tar -C "$root" -c . | podman import --quiet --change 'ENTRYPOINT ["/usr/local/bin/daemon"]' \
        --change 'USER 10001:10001' - "$tag"
}

compose() { "$COMPOSE" -f "$SCRATCH/checkout/docker/compose.yaml" --profile dev "$@"; }

answers() { [ "$(curl --silent --max-time 2 localhost:8000/healthz)" = '{"status":"ok"}' ]; }

end() {
    podman logs everything_gateway_1 2>&1 | tail -n 3
    podman rm --all --force --time 3 >/dev/null 2>&1
}

# the loopback of a new network is down
python3 -c 'import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x41))'
settings
mkdir -p "$SCRATCH/checkout/docker" "$SCRATCH/checkout/.run" "$SCRATCH/checkout/k8s"
cp docker/compose.yaml "$SCRATCH/checkout/docker/"
# a sanitizer takes memory of its own for each thread, and there is a thread for each processor
! ldd "$GATEWAY" | grep -q 'lib[at]san' || sed -i 's/mem_limit: 128m/mem_limit: 1g/' "$SCRATCH/checkout/docker/compose.yaml"
cp -r k8s/. "$SCRATCH/checkout/k8s/"
mv "$SCRATCH/secrets" "$SCRATCH/checkout/.run/secrets"
image everything-gateway:dev "$GATEWAY=/usr/local/bin/daemon"
image postgres:15 /bin/sh=/bin/sh /bin/cp=/bin/cp /bin/chmod=/bin/chmod # of it, the service secrets uses these
trap end EXIT
compose up -d --no-build --no-deps secrets
podman wait everything_secrets_1
compose up -d --no-build --no-deps gateway
patience_ends=$(($(date +%s) + 120))
until answers; do
    [ "$(date +%s)" -lt $patience_ends ] || { echo 'localhost:8000/healthz does not answer' && exit 1; }
    sleep 0.2
done
echo "  $(podman ps --format '{{.Names}}: {{.Ports}}')"
podman stop --time 10 everything_gateway_1 >/dev/null
! answers || { echo 'who answers there is not the gateway' && exit 1; }
