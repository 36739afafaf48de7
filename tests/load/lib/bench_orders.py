"""An order placed, Temporal stopped: what it costs gateway, order-service and Postgres together,
relaying its events to Kafka and Valkey included, against Fastify and pg on a database of its own in the
same Postgres, interleaved. And what a move costs.

The queue is kept short, as a shop's is: once a second whoever waits is taken off it by SQL."""
import concurrent.futures
import json
import os
import subprocess
import threading
import time

from machine import (PORTS, Load, Measured, compare, cpu_s, cpu_since, is_ready, median, postgres_pids, ratio,
                     stack_pid, stop, thread_cpu_s)
from shop import JSON, ORDER, call, login, psql

SECONDS = 4
MOVES, MOVERS = 600, 8
SCHEMA = """
CREATE TABLE orders (id uuid PRIMARY KEY, customer_id text, status int, created timestamptz DEFAULT now());
CREATE TABLE order_items (id bigserial PRIMARY KEY, order_id uuid REFERENCES orders, menu_id int, qty int);
"""
THEIR_ORDER = json.dumps({"customer_id": "0190f1f0-0000-7000-8000-000000000001",
                          "items": [{"menu_id": 1, "qty": 1}, {"menu_id": 2, "qty": 2}]})


def relayed():
    """Until Kafka and Valkey have all events: that work belongs to the orders."""
    end = time.monotonic() + 60
    while psql("SELECT count(*) FROM outbox.events WHERE sink <> 'temporal'") != "0":
        assert time.monotonic() < end, "the outbox does not empty"
        time.sleep(0.1)


class ShortQueue:
    """While it runs, the shop's queue stays short."""

    def __enter__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.over.wait(1):
            psql("DELETE FROM orders.open_orders")

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def fastify(port):
    url = os.environ["TEST_PG_ADMIN_URL"]  # a superuser, as an address
    account, place = url.split("//")[1].split("@")
    user, password = account.split(":")
    psql("DROP DATABASE IF EXISTS fastify_bench", database="postgres")
    psql("CREATE DATABASE fastify_bench", database="postgres")
    psql(SCHEMA, database="fastify_bench")
    settings = {**os.environ, "NODE_PATH": os.environ["FASTIFY_HOME"] + "/node_modules", "NODE_ENV": "production",
                "PGHOST": place.split(":")[0], "PGPORT": place.split(":")[1].split("/")[0], "PGUSER": user,
                "PGPASSWORD": password, "PGDATABASE": "fastify_bench"}
    program = os.environ["ROOT"] + "/tests/load/peers/fastify.js"
    return subprocess.Popen(["node", program, str(port)], env=settings)


def wait_for(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            Load("POST", port, "/orders", JSON, THEIR_ORDER).run(1)
            return
        except (AssertionError, subprocess.CalledProcessError, AttributeError):
            time.sleep(0.2)
    raise AssertionError("Fastify does not come up")


def ours():
    return [stack_pid("gateway"), stack_pid("order-service")] + postgres_pids("customer_db")


def move_cost(token, barista):
    """CPU of an accept (two events), over the three: several at a time, each of its own order."""
    with concurrent.futures.ThreadPoolExecutor(MOVERS) as pool:
        orders = list(pool.map(lambda _: call("POST", "/orders", token, ORDER)["id"], range(MOVES)))
        relayed()
        before = cpu_s(ours())
        list(pool.map(lambda order: call("POST", f"/orders/{order}/accept", barista, "{}"), orders))
    relayed()
    return cpu_since(before, ours()) / MOVES * 1e6


def relay_cpu_s():
    """Of the threads that take events to Kafka and Valkey, and of the relay's Postgres session."""
    held = psql("SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7301"
                " AND database = (SELECT oid FROM pg_database WHERE datname = 'order_db')")
    sessions = cpu_s([int(pid) for pid in held.split()])
    return thread_cpu_s(stack_pid("order-service"), ("outbox", "rdk:")) + sum(sessions.values())


def parts(measured):
    """Where the CPU of ours goes: gateway, order-service and Postgres; and the relay's share of them."""
    groups = [lambda: [stack_pid("gateway")], lambda: [stack_pid("order-service")],
              lambda: postgres_pids("customer_db")]
    before, relay = [cpu_s(pids()) for pids in groups], relay_cpu_s()
    count = measured.load.run(SECONDS)[0]
    measured.after()
    spent = [cpu_since(then, pids()) for then, pids in zip(before, groups)] + [relay_cpu_s() - relay]
    return [seconds / count * 1e6 for seconds in spent]


def run(table):
    assert is_ready(int(os.environ["EVERYTHING_PORT_BASE"]) + 3), "the gateway is not up"
    token, barista = login("customer"), login("barista")
    their_port = PORTS + 6
    node = fastify(their_port)
    try:
        wait_for(their_port)
        place = Measured("ours: POST /orders",
                         Load("POST", int(os.environ["HTTP_URL"].rsplit(":", 1)[1]), "/orders",
                              {"Authorization": "Bearer " + token, **JSON}, ORDER, "Idempotency-Key"),
                         ours, relayed)
        theirs = Measured("Fastify and pg: POST /orders", Load("POST", their_port, "/orders", JSON, THEIR_ORDER),
                          lambda: [node.pid] + postgres_pids("customer_db"))
        with ShortQueue():
            compare([place, theirs], SECONDS)
            gateway, order_service, postgres, relay = parts(place)
        cost = move_cost(token, barista)
        psql("DELETE FROM orders.open_orders")
    finally:
        stop(node)
    table.add("orders: CPU of an order against Fastify and pg", ratio(place, theirs), "x", 1)
    table.add("orders: an order, ours (aim 500)", median(place.cpu_us), "us")
    table.add("orders:   of that gateway", gateway, "us")
    table.add("orders:   of that order-service", order_service, "us")
    table.add("orders:   of that Postgres", postgres, "us")
    table.add("orders:   of all that the relay to Kafka and Valkey", relay, "us")
    table.add("orders: an order, Fastify and pg", median(theirs.cpu_us), "us")
    table.add("orders: against Fastify and pg, the relay left out",
              (gateway + order_service + postgres - relay) / median(theirs.cpu_us), "x")
    table.add("orders: orders a second against Fastify and pg",
              median([a / b for a, b in zip(place.rates, theirs.rates)]), "x", 1, at_least=True)
    table.add("orders: orders a second, ours", median(place.rates), "/s")
    table.add("orders: p99 of 32 at a time, ours", median(place.p99s), "ms")
    table.add("orders: p99 of 32 at a time, Fastify and pg", median(theirs.p99s), "ms")
    table.add("orders: a move (accept), ours", cost, "us")
