#!/bin/sh
# What ./everything does before a server runs: whom it stops, where it fetches from, what it writes.
# Parts of it are called one at a time, on a state folder of their own; nothing is started or fetched.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
chmod 755 "$scratch" # the account postgres goes through it
EVERYTHING_RUN=$scratch/run EVERYTHING_ENV=$scratch/env XDG_CACHE_HOME=$scratch/cache
export EVERYTHING_RUN EVERYTHING_ENV XDG_CACHE_HOME
unset EVERYTHING_BUILD EVERYTHING_PORT_BASE
call() { sh "${tree:-$root}/tools/stack/call.sh" "$@"; } # FUNCTION ARGS...
run=$EVERYTHING_RUN
mkdir -p "$run"

# Somebody in each of three folders, and one of them at a terminal; then ./everything down.
stands_in() { # FOLDER: prints the pid of one who has no terminal
    (cd "$1" && exec setsid sleep 300) >/dev/null 2>&1 &
    echo $!
}
lives() { grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; }
down_while_they_stand_there() {
    mkdir -p "$run/gateway" "$run/second/gateway"
    echo exit >"$run/gateway/run"
    cp "$run/gateway/run" "$run/second/gateway"
    left=$(stands_in "$run/gateway") other=$(stands_in "$run/second/gateway")
    script -qec "cd '$run/gateway' && echo \$\$ >'$scratch/person' && exec sleep 300" /dev/null </dev/null >/dev/null 2>&1 &
    until [ -s "$scratch/person" ] && [ "$(readlink "/proc/$left/cwd")" = "$run/gateway" ] &&
        [ "$(readlink "/proc/$other/cwd")" = "$run/second/gateway" ]; do sleep 0.1; done
    person=$(cat "$scratch/person")
    timeout 60 "$root/everything" down
    ! lives "$left" || echo left >>"$scratch/live"
    ! lives "$other" || echo other >>"$scratch/live"
    ! lives "$person" || echo person >>"$scratch/live"
    kill "$left" "$other" "$person" 2>/dev/null
}
what_was_left_in_a_folder_of_ours_ends() { ! grep -x left "$scratch/live"; }
a_stack_below_lives_on() { grep -x other "$scratch/live"; }
a_person_at_a_terminal_lives_on() { grep -x person "$scratch/live"; }
it_ends_also_where_the_state_is_behind_a_link() {
    ln -s run "$scratch/by-link"
    left=$(stands_in "$run/gateway")
    until [ "$(readlink "/proc/$left/cwd")" = "$run/gateway" ]; do sleep 0.1; done
    EVERYTHING_RUN=$scratch/by-link timeout 60 "$root/everything" down
    ! lives "$left" || { kill "$left" && return 1; }
}

# An apt that knows these lists: a line each, PLACE (as apt names files of it) CODENAME ORIGIN
with_lists() {
    rm -rf "$scratch/apt"
    mkdir -p "$scratch/apt/lists/partial" "$scratch/apt/cache" "$scratch/apt/sources"
    printf 'Dir::Etc::%s "%s";\n' sourcelist /dev/null sourceparts "$scratch/apt/sources/" >"$scratch/apt/conf"
    printf 'Dir::%s "%s";\n' State::lists "$scratch/apt/lists/" Cache "$scratch/apt/cache" >>"$scratch/apt/conf"
    while read -r address file codename origin; do
        echo "deb $address $codename main" >>"$scratch/apt/sources/all.list"
        list=$scratch/apt/lists/${file}_dists_$codename
        printf 'Origin: %s\nCodename: %s\nSuite: x\nComponents: main\nArchitectures: %s\nDate: Fri, 20 Nov 2026 00:00:00 UTC\nSHA256:\n %064d 0 main/x\n' \
            "$origin" "$codename" "$(dpkg --print-architecture)" 0 >"${list}_Release"
        printf 'Package: x\nVersion: 1\nArchitecture: all\nDescription: x\n' >"${list}_main_binary-$(dpkg --print-architecture)_Packages"
    done
    APT_CONFIG=$scratch/apt/conf call apt_sources | sed 's/\[[^]]*\] //; s#/ # #' | tee "$scratch/sources"
}
fetched_from() { grep -qx "deb $1 $2 main" "$scratch/sources"; } # ADDRESS SUITE
a_cloud_image_has_security_from_a_list_of_its_own() {
    with_lists <<'LISTS'
mirror+file:///etc/apt/mirrors/debian.list _etc_apt_mirrors_debian.list bookworm Debian
mirror+file:///etc/apt/mirrors/debian-security.list _etc_apt_mirrors_debian-security.list bookworm-security Debian
LISTS
    fetched_from mirror+file:/etc/apt/mirrors/debian-security.list bookworm-security &&
        fetched_from mirror+file:/etc/apt/mirrors/debian.list bookworm-backports
}
a_mirror_without_security_is_not_asked_for_it() {
    with_lists <<'LISTS'
http://mirror.example.org/debian mirror.example.org_debian bookworm Debian
LISTS
    fetched_from http://deb.debian.org/debian-security bookworm-security && fetched_from http://mirror.example.org/debian bookworm
}
a_list_of_somebody_else_is_no_mirror() {
    with_lists <<'LISTS'
http://a.example.org/debian a.example.org_debian bookworm Example
http://mirror.example.org/debian mirror.example.org_debian bookworm Debian
LISTS
    fetched_from http://mirror.example.org/debian bookworm-backports
}
without_lists_debian_itself_is_asked() {
    with_lists </dev/null
    fetched_from http://deb.debian.org/debian bookworm && fetched_from http://deb.debian.org/debian-security bookworm-security
}

# Each path of ours in a start script stands between quotes, and so holds together.
start_scripts_bear_a_folder_with_a_space() {
    mkdir -p "$scratch/a folder/run"
    ln -sfn "$root" "$scratch/a folder/tree"
    tree="$scratch/a folder/tree" EVERYTHING_RUN="$scratch/a folder/run" XDG_CACHE_HOME="$scratch/a folder/cache"
    for name in $(call process_names); do
        call "run_$(echo "$name" | tr - _)" >"$scratch/script" 2>/dev/null
        grep -q 'a folder' "$scratch/script" || { echo "$name has no path" && return 1; }
        ! grep -v '^#' "$scratch/script" | sed "s/'[^']*'//g" | grep 'a folder' || { echo "is in $name" && return 1; }
    done
}

# A data folder as initdb leaves it in the cache, and what `up` does with it.
pg_user() { if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi; }
postgres_is_prepared() {
    template=$XDG_CACHE_HOME/everything/postgres-15-template-$(pg_user)
    mkdir -p "$template/data" "$run/secrets"
    echo 15 >"$template/data/PG_VERSION"
    echo first >"$template/password"
    rm -rf "$run/postgres"
    call prepare_postgres
}
postgres_reads_its_data_whatever_the_umask_of_root() {
    (umask 077 && postgres_is_prepared) && setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups \
        test -s "$run/postgres/data/postgresql.auto.conf"
}
another_port_or_setting_is_another_start_script_of_postgres() {
    postgres_is_prepared && call run_postgres >"$scratch/before" || return 1
    echo DB_PORT=7777 >"$EVERYTHING_ENV"
    call prepare_postgres && call run_postgres >"$scratch/after"
    rm -f "$EVERYTHING_ENV"
    ! cmp "$scratch/before" "$scratch/after"
}
# Killed as soon as the data is in its place.
data_is_never_there_without_its_password() {
    mkdir -p "$scratch/bin"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n/bin/mv "$@"\nkill -9 $PPID\n' >"$scratch/bin/mv"
    chmod +x "$scratch/bin/mv"
    rm -f "$run/secrets/postgres.first"
    ! PATH=$scratch/bin:$PATH postgres_is_prepared
    [ -s "$run/postgres/data/PG_VERSION" ] && [ -s "$run/secrets/postgres.first" ]
}

# A checkout that was built, an hour ago; what is touched since is built again.
whatever_is_built_in_is_looked_at() {
    tree=$scratch/tree
    mkdir -p "$tree/build/release/bin"
    cp -r "$root/tools" "$tree"
    for file in CMakeLists.txt CMakePresets.json cmake/x.cmake proto/x.proto common/base/x.h photo-worker/main.c web/index.html \
        gateway/main.c order-service/main.c order-service/migrations/x.sql customer-service/main.c tests/fakes/payment/main.c; do
        mkdir -p "$tree/$(dirname "$file")" && : >"$tree/$file"
    done
    for daemon in $(call daemon_sources); do install /dev/null "$tree/build/release/bin/$daemon"; done
    find "$tree" -exec touch -d '2 hours ago' {} +
    touch -d '1 hour ago' "$tree/build/.release.built"
    ! call needs_build || { echo "nothing changed" && return 1; }
    (cd "$tree" && find . -type f -not -path './build/*' -not -path './tools/*' && echo ./tools/sql2c.awk) >"$scratch/sources"
    while read -r file; do
        touch "$tree/$file"
        call needs_build || { echo "$file" && return 1; }
        touch -d '2 hours ago' "$tree/$file"
    done <"$scratch/sources"
}

# It keeps dying, and .env does not name it any more: `up`, which too little memory ends, wishes it down.
what_is_not_listed_is_not_wanted() {
    mkdir -p "$run/apns"
    echo up >"$run/apns/want"
    : >"$run/packages-are-there"
    echo 'MemAvailable: 80000 kB' >"$scratch/meminfo"
    EVERYTHING_MEMINFO=$scratch/meminfo timeout 120 "$root/everything" up --yes </dev/null
    [ "$(cat "$run/apns/want")" = down ]
}

# A machine without any package, used by Ann, who is not root. What she types as sudo is written down.
anns_machine() { # RC: of `sudo`, whether she has it
    bin=$scratch/anns
    mkdir -p "$bin"
    printf '#!/bin/sh\n' | tee "$bin/dpkg-query" "$bin/sudo" >"$bin/timeout"
    printf '#!/bin/sh\necho head\necho x 1 1 9999999 1 /\n' >"$bin/df"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" = -un ] && echo ann || echo 1000\n' >"$bin/id"
    # shellcheck disable=SC2016
    printf 'echo "$@" >>"%s/typed"\nexit %s\n' "$scratch" "$1" >>"$bin/sudo"
    # shellcheck disable=SC2016
    printf 'echo "$@" >>"%s/typed"\nexec %s "$@"\n' "$scratch" "$(command -v timeout)" >>"$bin/timeout"
    chmod +x "$bin"/*
    rm -f "$run/packages-are-there" "$scratch/typed"
    PATH=$bin:$PATH
}
# The line for her root leaves no cluster of Debian's on port 5432: that is said before the packages come.
who_may_not_install_is_told_all_of_it() {
    anns_machine 1
    "$root/everything" up --yes >"$scratch/up" 2>&1 </dev/null
    "$root/everything" doctor >"$scratch/doctor" 2>&1 </dev/null
    line=$(sed -n 's/^  mkdir/mkdir/p' "$scratch/up")
    echo "$line"
    [ -n "$line" ] && grep -qF "as root: $line" "$scratch/doctor" || return 1
    # shellcheck disable=SC2016
    printf '#!/bin/sh\ncat "%s/etc/postgresql-common/createcluster.conf"\necho "$@"\n' "$scratch" >"$bin/apt-get"
    chmod +x "$bin/apt-get"
    echo "$line" | sed "s# /etc/# $scratch/etc/#g; s#>/etc/#>$scratch/etc/#g" | sh >"$scratch/said" && cat "$scratch/said"
    echo "$line" | sed "s# /etc/# $scratch/etc/#g; s#>/etc/#>$scratch/etc/#g" | sh >"$scratch/again"
    grep -qx 'create_main_cluster = false' "$scratch/said" && cmp "$scratch/said" "$scratch/again" &&
        grep -q '^install --no-install-recommends -y .*postgresql-15' "$scratch/said"
}
# A slow network is no reason to end dpkg midway.
packages_are_fetched_before_the_time_of_dpkg_begins() {
    anns_machine 0
    echo 'MemAvailable: 80000 kB' >"$scratch/meminfo"
    EVERYTHING_MEMINFO=$scratch/meminfo "$root/everything" up --yes >"$scratch/up" 2>&1 </dev/null
    cat "$scratch/up" "$scratch/typed"
    sed -n 's/.*--kill-after=5 \([0-9]*\) .*apt_install sudo \(--[a-z-]*\)* *.*/\1 \2/p' "$scratch/typed" >"$scratch/limits"
    printf '7200 --download-only\n1800 \n' | diff - "$scratch/limits" && grep -q ' install .*--download-only' "$scratch/typed"
}
a_cut_short_installation_has_a_way_out() {
    # shellcheck disable=SC2016
    ROOT=$root sh -c '. "$ROOT/tools/stack/all.sh"
        step install 60 sh -c "echo \"E: dpkg was interrupted, you must correct the problem\"; exit 100"' 2>&1 | grep 'dpkg --configure -a'
}

# To link Temporal takes much more than to run it, and is done once.
temporal_wants_its_memory_to_build_once() {
    export EVERYTHING_ENV=/dev/null
    first=$(call memory_needed postgres temporal kafka)
    home=$XDG_CACHE_HOME/everything/temporal-$(sed -n 's/^TEMPORAL_VERSION=\([0-9.]*\).*/\1/p' "$root/tools/stack/parts/temporal.sh")
    mkdir -p "$home" && call temporal_made_of >"$home/made-of"
    echo "$first, then $(call memory_needed postgres temporal kafka)"
    [ "$first" = 1536 ] && [ "$(call memory_needed postgres temporal kafka)" = 1024 ]
}

# A Maven that writes where Maven does, and a JVM that does nothing.
what_fetched_kafka_is_gone() {
    mkdir -p "$scratch/jvm" "$scratch/home"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nto=$HOME/.m2/repository\nfor word in "$@"; do case $word in -Dmaven.repo.local=*) to=${word#*=} ;; esac; done\nmkdir -p "$to/a-jar"\n' >"$scratch/jvm/mvn"
    echo '#!/bin/sh' >"$scratch/jvm/java"
    chmod +x "$scratch/jvm"/*
    HOME=$scratch/home PATH=$scratch/jvm:$PATH call fetch_kafka || return 1
    [ -d "$XDG_CACHE_HOME/everything" ] && ! find "$scratch/home" "$XDG_CACHE_HOME/everything" -name a-jar | grep .
}

# After a step, Ctrl-C does again what the caller wants of it.
a_step_gives_the_trap_back() {
    # shellcheck disable=SC2016
    ROOT=$root sh -c '. "$ROOT/tools/stack/all.sh"
        WHEN_INTERRUPTED="echo interrupted; exit 130"
        trap "$WHEN_INTERRUPTED" INT TERM
        step nothing 5 true
        kill -TERM $$' >"$scratch/said"
    [ $? = 130 ] && grep -x interrupted "$scratch/said"
}

down_while_they_stand_there >"$scratch/down" 2>&1
fact() { expect "$1" eval "($1)"; } # NAME: of a function, which may change where the stack is
fact what_was_left_in_a_folder_of_ours_ends
fact a_stack_below_lives_on
fact a_person_at_a_terminal_lives_on
fact it_ends_also_where_the_state_is_behind_a_link
rm -rf "$run/gateway" "$run/second"
fact a_cloud_image_has_security_from_a_list_of_its_own
fact a_mirror_without_security_is_not_asked_for_it
fact a_list_of_somebody_else_is_no_mirror
fact without_lists_debian_itself_is_asked
fact start_scripts_bear_a_folder_with_a_space
[ "$(id -u)" != 0 ] || fact postgres_reads_its_data_whatever_the_umask_of_root
fact another_port_or_setting_is_another_start_script_of_postgres
fact data_is_never_there_without_its_password
fact whatever_is_built_in_is_looked_at
fact what_is_not_listed_is_not_wanted
fact who_may_not_install_is_told_all_of_it
fact packages_are_fetched_before_the_time_of_dpkg_begins
fact a_cut_short_installation_has_a_way_out
fact temporal_wants_its_memory_to_build_once
fact what_fetched_kafka_is_gone
fact a_step_gives_the_trap_back
exit $failed
