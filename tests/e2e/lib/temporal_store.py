"""Temporal on the shared Postgres; at the end the whole system with TEMPORAL_STORE=file beside it."""
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import flows
import shop

RUN = os.environ["TEST_STACK_RUN"]
OURS = ("temporal", "temporal_visibility")
SERVICES = ("order_service", "order_owner", "customer_service", "customer_owner")
BARISTA = shop.login("barista")
CUSTOMER, TOKEN = shop.newcomer()
CONNECTIONS = 20  # of the 100 that the server has (DATA-07)


def psql(role, database, statement):
    """As that role, by its password: (did it work, what psql said)."""
    with open(f"{RUN}/secrets/{role}", encoding="ascii") as file:
        password = file.read().strip()
    done = subprocess.run(["psql", "-qAtX", "-h", os.environ["DB_HOST"], "-p", os.environ["DB_PORT"], "-U", role, "-d", database,
                           "-c", statement], env={**os.environ, "PGPASSWORD": password}, check=False, capture_output=True,
                          text=True, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


def place():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    return order["id"]


def move(order, *moves):
    for what in moves:
        status, answer = shop.insist("POST", f"/orders/{order}/{what}", BARISTA, {})
        assert status == 200, f"{what}: {status} {answer}"


def serves():
    """By the door that reads the state, with the namespace in it."""
    return shop.get(flows.NAMESPACE)[0] == 200


def psql_lists_both_databases_as_temporals():
    listed = subprocess.run(["psql", "-lqAtX", "-F", "\t", os.environ["TEST_PG_ADMIN_URL"]], check=True, capture_output=True,
                            text=True, timeout=60).stdout
    owners = dict(line.split("\t")[:2] for line in listed.splitlines() if "\t" in line)
    assert all(owners.get(name) == "temporal" for name in OURS), owners


def our_services_are_refused_at_both_databases():
    for role in SERVICES:
        for database in OURS:
            let_in, said = psql(role, database, "SELECT 1")
            assert not let_in and "permission denied for database" in said, f"{role} at {database}: {said}"


def temporal_is_refused_everywhere_else():
    for database in ("order_db", "customer_db", "postgres", "template1"):
        let_in, said = psql("temporal", database, "SELECT 1")
        assert not let_in and "permission denied for database" in said, f"{database}: {said}"
    for database in OURS:
        assert psql("temporal", database, "SELECT 1") == (True, "1\n")
    assert shop.sql("SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles"
                    " WHERE rolname = 'temporal'", "postgres") == [["f"] * 5]


def an_order_completes_and_its_history_is_in_postgres():
    order = place()
    flows.until(order, "NotifyBarista")
    kept = f"workflow_id = 'order-{order}'"
    assert shop.sql(f"SELECT count(*) FROM current_executions WHERE {kept}", "temporal") == [["1"]]
    shop.within(shop.PATIENCE_S, lambda: shop.sql(f"SELECT status FROM executions_visibility WHERE {kept}",
                                                  "temporal_visibility") == [["1"]])  # running
    move(order, "accept", "ready", "pickup")
    flows.ends(order)
    shop.within(shop.PATIENCE_S, lambda: shop.sql(f"SELECT status FROM executions_visibility WHERE {kept}",
                                                  "temporal_visibility") == [["2"]])  # completed


def backends():
    return int(shop.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'temporal'", "postgres")[0][0])


def most_under_load():
    """Its connections. After a stall it has new ones, and Postgres may not have ended the old ones."""
    seen, enough = [], threading.Event()

    def count():
        while not enough.wait(0.1):
            seen.append(backends())
    counter = threading.Thread(target=count)
    counter.start()
    try:
        with ThreadPoolExecutor(12) as customers:
            orders = list(customers.map(lambda _: place(), range(48)))
        for order in orders:
            flows.until(order, "NotifyBarista")
        flows.running("CoffeeOrderWorkflow")
    finally:
        enough.set()
        counter.join()
    for order in orders:
        move(order, "cancel")
    print(f"  at most {max(seen)} connections")
    if max(seen) > CONNECTIONS:
        raise shop.Late(f"{max(seen)} connections")
    return max(seen)


def its_connections_are_bounded_under_load():
    assert shop.in_one_of(3, most_under_load) >= 4
    with open(os.path.join(shop.ROOT, "tools/stack/conf/temporal.yaml"), encoding="utf-8") as file:
        pools = [int(number) for number in re.findall(r"maxConns: (\d+)", file.read())]
    assert len(pools) == 2 and 10 <= 4 * sum(pools) <= CONNECTIONS, f"four services with pools of {pools}"


def the_ui_shows_it():
    order = place()
    flows.until(order, "NotifyBarista")
    with open(f"{RUN}/temporal-ui/run", encoding="ascii") as file:
        port = re.search(r"UI_PORT='(\d+)'", file.read()).group(1)
    status, page = shop.get(f"http://127.0.0.1:{port}/namespaces/default/workflows")
    assert status == 200 and "<html" in page, page[:200]
    status, text = shop.get(f"http://127.0.0.1:{port}/api/v1/namespaces/default/workflows/order-{order}")
    assert status == 200 and json.loads(text)["workflowExecutionInfo"]["type"]["name"] == "CoffeeOrderWorkflow", text
    move(order, "cancel")


def outlives(trouble):
    """Orders at each step of their life when the trouble comes; all of them go on to their end."""
    lives = (["accept", "ready", "pickup"], ["accept", "ready"], ["accept"], [])
    orders = [(place(), moves) for moves in lives]
    for order, moves in orders:
        flows.until(order, "NotifyBarista")
        move(order, *moves[:len(moves)])
    trouble()
    rest = ("accept", "ready", "pickup")
    for order, moves in orders:
        move(order, *rest[len(moves):])
        flows.ends(order, seconds=120)
        assert shop.within(shop.PATIENCE_S, flows.steps, order)[0] == "NotifyBarista", "it began anew"
    shop.within(2 * shop.PATIENCE_S, flows.nothing_waits)


def is_another(process, killed):
    try:
        return shop.pid_of(process) != killed
    except FileNotFoundError:
        return False


def kill_and_wait():
    before = shop.pid_of("temporal")
    shop.kill("temporal")
    began = time.monotonic()
    shop.within(shop.PATIENCE_S, lambda: is_another("temporal", before) and serves())
    return time.monotonic() - began


def open_workflows_outlive_kill_9_of_temporal():
    outlives(kill_and_wait)
    print(f"  serves again after {shop.the_best_of(5, 15, kill_and_wait):.1f} s")


def open_workflows_outlive_a_restart_of_postgres_beneath():
    before = shop.pid_of("temporal")
    killed = shop.pid_of("postgres")

    def restart():
        shop.kill("postgres")
        shop.within(shop.PATIENCE_S, lambda: is_another("postgres", killed) and psql("temporal", "temporal", "SELECT 1")[0])
    outlives(restart)
    print(f"  temporal {'stayed' if shop.pid_of('temporal') == before else 'was started again'}")


class Shop:
    """A whole stack of our own, with its own ports and data, beside the one that the other facts use."""

    def __init__(self, base):
        self.run, self.base = RUN.rstrip("/") + "-store", base
        self.env_file = tempfile.NamedTemporaryFile("w+", prefix="store-", suffix=".env")
        self.environment = {**os.environ, "EVERYTHING_RUN": self.run, "EVERYTHING_PORT_BASE": str(base),
                            "EVERYTHING_ENV": self.env_file.name}

    def everything(self, *words):
        done = subprocess.run([shop.ROOT + "/everything", *words], check=False, capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL, env=self.environment)
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]

    def up(self, store):
        self.env_file.seek(0)
        self.env_file.truncate()
        self.env_file.write(f"TEMPORAL_STORE={store}\n")
        self.env_file.flush()
        began = time.monotonic()
        self.everything("up", "--yes")
        return time.monotonic() - began

    def break_off_a_first_start(self):
        """As kill -9 between two statements of the schema leaves it: a version's first column, and not the version."""
        with open(f"{self.run}/secrets/temporal", encoding="ascii") as file:
            password = file.read().strip()
        home = subprocess.run(["sh", "-c", '. "$ROOT/tools/stack/all.sh"; echo "$TEMPORAL_HOME"'], check=True, text=True,
                              capture_output=True, timeout=30, env={**os.environ, "ROOT": shop.ROOT}).stdout.strip()
        place_of = {**os.environ, "SQL_HOST": "127.0.0.1", "SQL_PORT": str(self.base + 6), "SQL_USER": "temporal",
                    "SQL_PASSWORD": password, "SQL_PLUGIN": "postgres12_pgx", "SQL_DATABASE": "temporal_visibility"}
        for words in (["setup-schema", "-v", "0.0"],
                      ["update-schema", "-v", "1.7", "--schema-name", "postgresql/v12/visibility"]):
            subprocess.run([home + "/bin/temporal-sql-tool", *words], check=True, capture_output=True, timeout=60, env=place_of)
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1",
                        f"postgresql://temporal:{password}@127.0.0.1:{self.base + 6}/temporal_visibility", "-c",
                        "ALTER TABLE executions_visibility ADD COLUMN TemporalWorkerDeploymentVersion text"], check=True, timeout=60)

    def runs(self, process):
        return os.path.exists(f"{self.run}/{process}/pid")

    def port(self, index):
        return f"http://127.0.0.1:{self.base + index}"


def each_store_serves_and_a_change_of_store_takes_one_up():
    ours = Shop(int(shop.URL.rsplit(":", 1)[1]) + 25)  # a stack has 24 ports
    before = shop.URL, flows.NAMESPACE, flows.URL
    try:
        print(f"  up on a file {ours.up('file'):.1f} s")
        shop.URL, flows.NAMESPACE = ours.port(0), ours.port(12) + "/api/v1/namespaces/default"
        flows.URL = flows.NAMESPACE + "/workflows/"
        shop.forget_connections()
        token, barista = shop.login("customer"), shop.login("barista")
        a_life(token, barista)
        assert os.path.getsize(f"{ours.run}/temporal/temporal.db") > 0 and not ours.runs("temporal-ui")
        ours.break_off_a_first_start()
        print(f"  up on Postgres instead {ours.up('postgres'):.1f} s")
        a_life(token, barista)
        shop.within(shop.PATIENCE_S, lambda: ours.runs("temporal-ui") and shop.get(ours.port(11) + "/healthz")[0] == 200)
        print(f"  and back {ours.up('file'):.1f} s")
        assert not ours.runs("temporal-ui")
        shop.within(shop.PATIENCE_S, lambda: shop.get(ours.port(11) + "/healthz")[0] == 200)
    finally:
        shop.URL, flows.NAMESPACE, flows.URL = before
        shop.forget_connections()
        ours.everything("reset", "--yes")


def a_life(token, barista):
    status, order = shop.insist("POST", "/orders", token, shop.LATTE)
    assert status == 201, order
    flows.until(order["id"], "NotifyBarista")
    for what in ("accept", "ready", "pickup"):
        status, answer = shop.insist("POST", f"/orders/{order['id']}/{what}", barista, {})
        assert status == 200, f"{what}: {status} {answer}"
    flows.ends(order["id"])


shop.fact(psql_lists_both_databases_as_temporals, "WF-24")
shop.fact(our_services_are_refused_at_both_databases, "WF-24", "DATA-01")
shop.fact(temporal_is_refused_everywhere_else, "WF-24", "DATA-01")
shop.fact(an_order_completes_and_its_history_is_in_postgres, "WF-24")
shop.fact(its_connections_are_bounded_under_load, "WF-24", "DATA-07")
shop.fact(the_ui_shows_it, "WF-15")
shop.fact(open_workflows_outlive_kill_9_of_temporal, "WF-24", "WF-11")
shop.fact(open_workflows_outlive_a_restart_of_postgres_beneath, "WF-24", "WF-11")
shop.fact(each_store_serves_and_a_change_of_store_takes_one_up, "WF-24")
shop.finish()
