"""The daemons with a collector (tests/fakes/collector): what one order is as a trace. Those of the stack export
nothing: they make room for ones that do, at the same ports."""
import atexit
import collections
import http.client
import json
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

import replica
import shop

DAEMONS = ["customer-service", "order-service", "gateway"]
COLLECTOR = os.path.join(shop.ROOT, "tests/fakes/collector/collector.sh")
PLACE, ENSURE = "coffee.order.v1.OrderService/PlaceOrder", "coffee.notify.v1.NotifyService/EnsureNotice"
GET_USUAL, DESCRIBE = "coffee.customer.v1.CustomerService/GetUsual", "coffee.menu.v1.MenuService/DescribeItems"
folder = tempfile.TemporaryDirectory(prefix="traces-")
GOT = os.path.join(folder.name, "got")


class Collector:
    def __init__(self):
        self.port, self.process = replica.free_port(), None

    def start(self):
        if os.path.exists(GOT + ".ready"):
            os.unlink(GOT + ".ready")
        self.process = subprocess.Popen([COLLECTOR, str(self.port), GOT])
        shop.within(shop.PATIENCE_S, os.path.exists, GOT + ".ready")

    def kill(self):
        self.process.kill()
        self.process.wait(10)


class Trace:
    """A trace that a client begins: what it sends, and what came to the collector."""

    def __init__(self, flags="01"):
        self.id, self.root = secrets.token_hex(16), secrets.token_hex(8)
        self.header = f"00-{self.id}-{self.root}-{flags}"

    def ask(self, method, path, token=None, body=None):
        place = urllib.parse.urlsplit(shop.URL)
        headers = {"traceparent": self.header, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        if token:
            headers["Authorization"] = "Bearer " + token
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read() or "null")
        finally:
            connection.close()

    def spans(self):
        with open(GOT, encoding="utf-8") as file:
            return [s for s in (json.loads(line) for line in file if line.endswith("\n")) if s["trace"] == self.id]

    def find(self, service, name, kind, below=None):
        """The first such span, directly below another; None while there is none."""
        for s in self.spans():
            if (s["service"], s["name"], s["kind"]) == (service, name, kind) and \
                    (below is None or s["parent"] == below["span"]):
                return s
        return None

    def wait(self, *what, below=None):
        try:
            return shop.within(shop.PATIENCE_S, lambda: self.find(*what, below=below))
        except AssertionError as error:
            raise AssertionError(f"no {what} in {[(s['service'], s['name'], s['kind']) for s in self.spans()]}") from error

    def orphans(self):
        """Spans whose parent never came: the workflow's run is told of when it ends."""
        spans = self.spans()
        known = {s["span"] for s in spans} | {self.root}
        return [s for s in spans if s["parent"] not in known]


subprocess.run([COLLECTOR, "--fetch"], check=True)  # in its own time, once
collector = Collector()
collector.start()
BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()


@atexit.register
def restore():
    replica.end_all()
    for daemon in DAEMONS:
        shop.wish(daemon, "up")
    collector.kill()
    folder.cleanup()


def leave(*_):
    restore()
    os._exit(143)


signal.signal(signal.SIGTERM, leave)
for name in reversed(DAEMONS):
    shop.wish(name, "down")
MINE = {name: replica.Replica(name, in_place=True, wait=False, DRAIN_SECONDS=0,
                              OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}")
        for name in DAEMONS}


def orders():
    return shop.sql("SELECT count(*) FROM orders.orders")[0][0]


def a_bad_token_is_401_and_leaves_no_order_and_no_call():
    before, trace = orders(), Trace()
    status, answer = trace.ask("POST", "/orders", TOKEN[:-6] + "AAAAAA", shop.LATTE)
    assert status == 401, answer
    span = trace.wait("gateway", "POST /orders", "server")
    assert span["attributes"]["http.response.status_code"] == 401 and span["parent"] == trace.root, span
    time.sleep(2)  # longer than a batch waits
    assert [s["name"] for s in trace.spans()] == ["POST /orders"], trace.spans()
    assert orders() == before


def ended_after_its_call():
    """Seconds from the end of the gateway's call to that of what it called: the answer goes out a little before."""
    trace = Trace()
    status, order = trace.ask("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    request = trace.wait("gateway", "POST /orders", "server")
    assert request["parent"] == trace.root, request
    call = trace.wait("gateway", PLACE, "client", below=request)
    served = trace.wait("order-service", PLACE, "server", below=call)
    assert request["began"] <= call["began"] <= served["began"], trace.spans()
    shop.insist("POST", f"/orders/{order['id']}/cancel", TOKEN, {})
    return (served["ended"] - call["ended"]) / 1e9


def an_order_is_placed_by_a_call_that_its_trace_shows():
    shop.the_best_of(15, 0.002, ended_after_its_call)


def one_order_is_one_trace_over_all_daemons_database_kafka_and_temporal():
    trace = Trace()
    status, order = trace.ask("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    for what in ("accept", "ready", "pickup"):
        assert shop.insist("POST", f"/orders/{order['id']}/{what}", BARISTA, {})[0] == 200
    served = trace.wait("order-service", PLACE, "server")
    trace.wait("order-service", "order_place", "client", below=served)  # a statement
    trace.wait("order-service", "send kafka", "producer", below=served)
    heard = trace.wait("customer-service", "process order.placed", "consumer")
    sent = shop.within(shop.PATIENCE_S, lambda: [s for s in trace.spans() if s["span"] == heard["parent"]])
    assert [(s["name"], s["parent"]) for s in sent] == [("send kafka", served["span"])], sent
    trace.wait("customer-service", "commit", "client", below=heard)
    told = trace.wait("order-service", "send temporal", "producer", below=served)
    run = trace.wait("order-service", "CoffeeOrderWorkflow", "internal", below=told)
    trace.wait("order-service", "workflow task", "consumer", below=run)
    activity = trace.wait("order-service", "NotifyBarista", "consumer", below=run)
    assert activity["attributes"]["temporal.workflow_id"] == f"order-{order['id']}", activity
    call = trace.wait("order-service", ENSURE, "client", below=activity)
    trace.wait("customer-service", ENSURE, "server", below=call)
    shop.within(shop.PATIENCE_S, lambda: not trace.orphans())


def order_service_asks_customer_service():
    status, answer = shop.insist("POST", "/favorites", TOKEN, {"menuItemId": "flat-white", "isUsual": True})
    assert status == 201, answer
    trace = Trace()
    status, answer = trace.ask("POST", "/orders/usual", TOKEN, {})
    assert status == 201, answer
    served = trace.wait("order-service", "coffee.order.v1.OrderService/OrderUsual", "server")
    call = trace.wait("order-service", GET_USUAL, "client", below=served)
    trace.wait("customer-service", GET_USUAL, "server", below=call)
    shop.insist("POST", f"/orders/{answer['id']}/cancel", TOKEN, {})


def customer_service_asks_order_service():
    trace = Trace()
    status, answer = trace.ask("GET", "/customers/me/usual", TOKEN)
    assert status == 200, answer
    served = trace.wait("customer-service", GET_USUAL, "server")
    call = trace.wait("customer-service", DESCRIBE, "client", below=served)
    trace.wait("order-service", DESCRIBE, "server", below=call)


def each_daemon_says_which_process_it_is():
    with open(GOT, encoding="utf-8") as file:
        about = {json.dumps(json.loads(line)["resource"], sort_keys=True) for line in file if line.endswith("\n")}
    by_name = collections.Counter(json.loads(text)["service.name"] for text in about)
    assert by_name == {daemon: 1 for daemon in DAEMONS}, by_name
    assert all(json.loads(text)[key] for text in about for key in ("service.version", "service.instance.id")), about


def a_failed_order_names_the_place_in_the_source():
    trace = Trace()
    status, answer = trace.ask("POST", "/orders", TOKEN, {"items": [{"menuItemId": "no-such-drink", "quantity": 1}]})
    assert status == 422, answer
    served = trace.wait("order-service", PLACE, "server")
    assert served["error"] and served["attributes"]["code.filepath"].startswith("order-service/"), served
    with open(os.path.join(shop.ROOT, served["attributes"]["code.filepath"]), encoding="utf-8") as file:
        line = file.read().splitlines()[served["attributes"]["code.lineno"] - 1]
    assert "fail" in line or "refused" in line, line


def let_go_later(holder):
    """Half a second after the order began to wait for the lock: before that it was elsewhere, and others wait, too."""
    shop.within(shop.PATIENCE_S, shop.sql, """SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND relation = 'orders.orders'::regclass AND query LIKE 'WITH x AS (%unnest(%'""")
    time.sleep(0.5)
    print("COMMIT;\n\\q", file=holder.stdin, flush=True)


def behind_a_lock():
    """Nanoseconds of an order and of its statement, with half a second behind a lock on the table of orders."""
    trace = Trace()
    with subprocess.Popen(["psql", "-qAtX", "-d", os.environ["TEST_PG_ADMIN_URL"].rsplit("/", 1)[0] + "/order_db"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        print("BEGIN; LOCK TABLE orders.orders IN EXCLUSIVE MODE; SELECT 'held';", file=holder.stdin, flush=True)
        assert holder.stdout.readline() == "held\n"
        threading.Thread(target=let_go_later, args=(holder,)).start()
        status, order = trace.ask("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    served = trace.wait("order-service", PLACE, "server")
    statement = trace.wait("order-service", "order_place", "client", below=served)
    assert set(statement["attributes"]) == {"db.system", "db.query.summary"}, statement  # no text, no value
    shop.insist("POST", f"/orders/{order['id']}/cancel", TOKEN, {})
    return [s["ended"] - s["began"] for s in (served, statement)]


def where_the_time_goes_is_seen():
    """The statement has it, and so have all above it. On a busy machine an order may wait as long elsewhere."""
    tries = []
    while not tries or tries[-1][1] <= max(300_000_000, tries[-1][0] / 2):
        assert len(tries) < 3, tries
        tries.append(behind_a_lock())


def a_client_that_does_not_sample_leaves_no_span():
    trace = Trace(flags="00")
    assert trace.ask("GET", "/customers/me/stats", TOKEN)[0] == 200
    told = Trace()
    assert told.ask("GET", "/customers/me/stats", TOKEN)[0] == 200
    told.wait("gateway", "GET /customers/me/stats", "server")
    assert not trace.spans(), trace.spans()


def no_handler_has_a_line_for_it():
    """The wrappers do it: a new route, method, statement, topic, job or activity is traced as it is."""
    found = subprocess.run(["grep", "-rlE", "span_(begin|end|of|put)", "order-service", "customer-service"], check=False,
                           cwd=shop.ROOT, capture_output=True, text=True).stdout.split()
    assert found == ["order-service/order/order_batch.c"], found  # several orders, one statement


def a_collector_that_is_away_holds_up_nobody_and_is_found_again():
    collector.kill()
    lost = Trace()
    took = []
    for _ in range(5):
        began = time.monotonic()
        status, order = lost.ask("POST", "/orders", TOKEN, shop.LATTE)
        took.append(time.monotonic() - began)
        assert status == 201, order
        shop.insist("POST", f"/orders/{order['id']}/cancel", TOKEN, {})
    assert min(took) < 1, took
    collector.start()
    trace = Trace()
    assert trace.ask("GET", "/customers/me/stats", TOKEN)[0] == 200
    trace.wait("gateway", "GET /customers/me/stats", "server")
    for one in MINE.values():
        assert one.process.poll() is None


def the_last_spans_go_out_when_a_daemon_ends():
    trace = Trace()
    assert trace.ask("GET", "/customers/me/stats", TOKEN)[0] == 200
    assert MINE["gateway"].end() == 0
    trace.wait("gateway", "GET /customers/me/stats", "server")


for one in MINE.values():
    shop.within(shop.PATIENCE_S, one.is_ready)
shop.fact(a_bad_token_is_401_and_leaves_no_order_and_no_call, "SCN-B3")
shop.fact(an_order_is_placed_by_a_call_that_its_trace_shows, "SCN-B3")
shop.fact(one_order_is_one_trace_over_all_daemons_database_kafka_and_temporal, "OBS-03", "WF-23")
shop.fact(order_service_asks_customer_service, "CUST-17")
shop.fact(customer_service_asks_order_service, "CUST-17")
shop.fact(each_daemon_says_which_process_it_is, "OBS-01")
shop.fact(a_failed_order_names_the_place_in_the_source, "OBS-07")
shop.fact(where_the_time_goes_is_seen, "OBS-06")
shop.fact(a_client_that_does_not_sample_leaves_no_span)
shop.fact(no_handler_has_a_line_for_it, "OBS-05")
shop.fact(a_collector_that_is_away_holds_up_nobody_and_is_found_again)
shop.fact(the_last_spans_go_out_when_a_daemon_ends)
shop.finish()
