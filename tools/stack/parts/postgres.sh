# shellcheck shell=sh
# PostgreSQL 15 of Debian: never as root, durable, a password for everybody.

PG_BIN=/usr/lib/postgresql/15/bin

pg_user() { if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi; }

as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups env HOME=/tmp "$@"
    else
        "$@"
    fi
}

# Where the data is: below the state folder, or, when the account postgres cannot go there
# (a checkout under /root), below /var/lib with the path's checksum in its name.
pg_data() {
    if [ "$(id -u)" != 0 ] || as_postgres test -x "$RUN"; then
        echo "$RUN/postgres/data"
    else
        echo "/var/lib/everything/$(printf '%s' "$RUN" | cksum | cut -d' ' -f1)/data"
    fi
}

pg_template() { echo "$CACHE/postgres-15-template-$(pg_user)"; }

# initdb once; later data folders are copies of it. Its superuser password lies beside it.
needs_fetch_postgres() { [ ! -s "$(pg_template)/data/PG_VERSION" ]; }
fetch_postgres() {
    needs_fetch_postgres || return 0
    scratch=$(mktemp -d /tmp/everything-initdb.XXXXXX)
    random_hex 24 >"$scratch/password"
    [ "$(id -u)" != 0 ] || chown -R postgres "$scratch"
    as_postgres "$PG_BIN/initdb" -D "$scratch/data" -U postgres -A scram-sha-256 \
        --pwfile="$scratch/password" --no-sync --no-instructions --locale=C.UTF-8 -E UTF8
    as_postgres tee "$scratch/data/pg_hba.conf" >/dev/null <<'HBA'
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
HBA
    rm -rf "$(pg_template).new"
    cp -a "$scratch" "$(pg_template).new"
    rm -rf "$scratch" "$(pg_template)"
    chmod 700 "$(pg_template).new"
    mv "$(pg_template).new" "$(pg_template)"
}

pg_psql() { # DATABASE PASSWORD ARGS...
    psql_db=$1 psql_password=$2
    shift 2
    PGPASSWORD=$psql_password psql -qAtX -v ON_ERROR_STOP=1 -h "$DB_HOST" -p "$DB_PORT" -U postgres -d "$psql_db" "$@"
}

# the superuser's conninfo, for roles.sql and for tests
pg_admin_url() {
    if is_external postgres; then
        printf '%s' "$DB_ADMIN_URL"
    else
        printf 'postgresql://postgres:%s@127.0.0.1:%s/postgres' "$(secret postgres)" "$DB_PORT"
    fi
}

prepare_postgres() {
    pg_dir=$(pg_data)
    if [ ! -s "$pg_dir/PG_VERSION" ]; then
        mkdir -p "$(dirname "$pg_dir")"
        rm -rf "$pg_dir.new" "$RUN/postgres/roles.done"
        cp -a "$(pg_template)/data" "$pg_dir.new"
        [ "$(id -u)" != 0 ] || chown -R postgres "$pg_dir.new" # a cache that was carried here has other owners
        cp "$(pg_template)/password" "$SECRETS/postgres.first" # first: data without it opens to nobody
        mv "$pg_dir.new" "$pg_dir"
    fi
    # root's umask may keep the account postgres out of what mkdir made, also of an earlier day
    pg_parent=${pg_dir%/*}
    [ "$(id -u)" != 0 ] || chmod a+x "$pg_parent" "${pg_parent%/*}"
    sed "s/@PORT@/$DB_PORT/" "$STACK/conf/postgresql.conf" | as_postgres tee "$pg_dir/postgresql.auto.conf" >/dev/null
}

# Children of a killed postmaster keep its shared memory, and with it the new one from
# starting: they are told by their working directory, and go first.
run_postgres() {
    pg_dir=$(pg_data)
    echo "# settings $(sha256sum <"$pg_dir/postgresql.auto.conf")"
    cat <<RUN
cd '$pg_dir'
for proc in \$(find -L /proc/[0-9]*/cwd -maxdepth 0 -samefile . 2>/dev/null); do
    pid=\${proc#/proc/} pid=\${pid%/cwd}
    [ "\$pid" = \$\$ ] || case \$(readlink "/proc/\$pid/exe") in */postgres) kill -QUIT "\$pid" && sleep 0.1 ;; esac
done
RUN
    if [ "$(id -u)" = 0 ]; then
        echo "exec setpriv --reuid=postgres --regid=$(id -g postgres) --clear-groups env HOME=/tmp $PG_BIN/postgres -D '$pg_dir'"
    else
        echo "exec $PG_BIN/postgres -D '$pg_dir'"
    fi
}

ready_postgres() { "$PG_BIN/pg_isready" -q -t 2 -h "$DB_HOST" -p "$DB_PORT"; }

# Roles and databases: again only when roles.sql or a password changed.
# Those of an outside server are its owner's, unless DB_ADMIN_URL lets us: then their
# passwords are expected in $SECRETS.
needs_setup_postgres() {
    ! is_external postgres || [ -n "$DB_ADMIN_URL" ] || return 1
    pg_sum=$(cat "$STACK/conf/roles.sql" "$SECRETS/order_owner" "$SECRETS/order_service" \
        "$SECRETS/customer_owner" "$SECRETS/customer_service" "$SECRETS/temporal" "$SECRETS/postgres" | sha256sum)
    [ "$(cat "$RUN/postgres/roles.done" 2>/dev/null)" != "$pg_sum" ]
}
setup_postgres() {
    needs_setup_postgres || return 0
    if [ -s "$SECRETS/postgres.first" ]; then
        # an earlier try may have ended between these two
        pg_psql postgres "$(secret postgres)" -c 'SELECT' >/dev/null 2>&1 ||
            echo "ALTER ROLE postgres PASSWORD '$(secret postgres)'" | pg_psql postgres "$(secret postgres.first)" -f -
        rm -f "$SECRETS/postgres.first"
    fi
    psql -qAtX -v ON_ERROR_STOP=1 -d "$(pg_admin_url)" \
        -v order_owner="$(secret order_owner)" -v order_service="$(secret order_service)" \
        -v customer_owner="$(secret customer_owner)" -v customer_service="$(secret customer_service)" \
        -v temporal="$(secret temporal)" -f "$STACK/conf/roles.sql"
    printf '%s\n' "$pg_sum" >"$RUN/postgres/roles.done"
}

forget_postgres() { rm -rf "$(pg_data)" "$RUN/postgres"; }
