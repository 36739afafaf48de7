"""Postgres is killed again and again while people order, sign up and pay: its postmaster by kill -9 and by an
immediate stop, and one of its sessions, of which all others die too; and now and then one of our daemons with it.
What a client was told has happened must be in the database then, once, and all that follows from it: events,
points, money."""
import os
import random
import signal
import subprocess
import threading
import time
import uuid

import books
import flows
import ledger
import shop
import traffic

ORDERS = int(os.environ.get("ORDERS", "60"))
KILLS = max(3, ORDERS // 60)
WAYS = ("kill -9", "immediate stop", "session")
DAEMONS = ("order-service", "customer-service")
PASSWORD = "a good long password"
people = traffic.Traffic(clients=6, pause_s=0.02)
over = threading.Event()


def sessions():
    """The processes of Postgres that serve our daemons."""
    found = []
    try:
        postmaster = shop.pid_of("postgres")
        with open(f"/proc/{postmaster}/task/{postmaster}/children", encoding="ascii") as file:
            for pid in file.read().split():
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
                    if "_service " in line.read():
                        found.append(int(pid))
    except OSError:
        pass  # it ended while we read
    return found


class Helper(threading.Thread):
    """Does its work beside the others; what went wrong in it is not lost with the thread."""

    def __init__(self):
        super().__init__(daemon=True)
        self.error = None

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.error = error


class Killer(Helper):
    """Kills so many times, evenly over the orders; each time with another way to do it."""

    def __init__(self):
        super().__init__()
        self.dice, self.counts = random.Random(9), dict.fromkeys((*WAYS, "daemon"), 0)

    def kill(self, way):
        if way == "session":
            os.kill(self.dice.choice(shop.within(shop.PATIENCE_S, sessions)), signal.SIGKILL)
        else:
            shop.within(shop.PATIENCE_S, lambda: not shop.is_down("postgres"))
            shop.kill("postgres", signal.SIGKILL if way == "kill -9" else signal.SIGQUIT)
        self.counts[way] += 1
        if self.dice.random() < 0.5:  # so that one of ours starts while Postgres does
            shop.kill(self.dice.choice(DAEMONS))
            self.counts["daemon"] += 1

    def work(self):
        for n in range(KILLS):
            while people.placed < ORDERS * (n + 1) / (KILLS + 1):
                if over.wait(0.01):
                    return
            time.sleep(self.dice.random() * 0.2)
            self.kill(WAYS[n % len(WAYS)])


class Keyless(Helper):
    """Orders without a key and asks for each once: at most one comes of it, and one when it says so."""

    def __init__(self):
        super().__init__()
        self.customer, self.token = shop.newcomer()
        self.asked, self.told = 0, []

    def work(self):
        while not over.wait(0.05):
            self.asked += 1
            try:
                status, order = shop.call("POST", "/orders", self.token, shop.LATTE)
            except shop.Away:
                continue
            assert status in (201, 503, 504), order
            if status == 201:
                self.told.append(order["id"])


class SignUps(Helper):
    """People who sign up, each with a key and as often as it takes."""

    def __init__(self):
        super().__init__()
        self.told = {}

    def work(self):
        while not over.wait(0.2):
            handle = "t" + uuid.uuid4().hex[:12]
            status, answer = shop.insist("POST", "/users", key="k" + handle, body={
                "handle": handle, "email": handle + "@example.org", "password": PASSWORD, "name": "Newcomer"})
            self.told[handle] = (status, (answer or {}).get("customer", {}).get("id"))


killer, keyless, sign_ups = Killer(), Keyless(), SignUps()


def postgres_answers():
    try:
        return shop.sql("SELECT 1")
    except subprocess.CalledProcessError:
        return None


def every_order_gets_through_the_kills():
    others = [killer, keyless, sign_ups]
    began = time.monotonic()
    for one in others:
        one.start()
    try:
        people.run(ORDERS)
    finally:
        over.set()
        for one in others:
            one.join()
    shop.within(2 * shop.PATIENCE_S, postgres_answers)  # the last kill may have come behind the last order
    assert not any(one.error for one in others), [one.error for one in others]
    assert sum(killer.counts[way] for way in WAYS) == KILLS, killer.counts
    kills = ", ".join(f"{count} {way}" for way, count in killer.counts.items())
    print(f"  {ORDERS} orders in {time.monotonic() - began:.0f} s; kills: {kills}; {shop.retries} retries of clients")


def what_was_acknowledged_is_there_and_once():
    recorded = {order: (int(seq), status) for order, seq, status in shop.sql(
        "SELECT o.id, o.version, o.status FROM orders.orders o WHERE o.customer_id IN ("
        + ",".join(f"'{customer}'" for customer in people.customers) + ")")}
    assert len(recorded) == ORDERS, f"{ORDERS} keys made {len(recorded)} orders"
    for order, (seq, status) in people.told.items():
        assert recorded[order] == (seq, status), f"{order}: told {seq} {status}, recorded {recorded[order]}"
    keyless_recorded = [row[0] for row in shop.sql(f"SELECT id FROM orders.orders WHERE customer_id = '{keyless.customer}'")]
    assert not set(keyless.told) - set(keyless_recorded), "an order that was told of is lost"
    assert len(keyless_recorded) <= keyless.asked, f"{keyless.asked} were asked for, {len(keyless_recorded)} are there"
    print(f"  without a key: {keyless.asked} asked, {len(keyless.told)} told, {len(keyless_recorded)} recorded")


def each_event_came_to_kafka_once_in_order():
    shop.within(3 * shop.PATIENCE_S, ledger.outbox_is_empty)
    rows = ledger.rows_of(people.customers)
    repeats = ledger.audit_has_each_once(rows) + ledger.typed_topics_have_theirs(rows)
    print(f"  {len(rows)} events, {repeats} repeats dropped")


def everyone_has_their_points():
    for customer, token in people.people:
        shop.within(shop.PATIENCE_S, ledger.points_are_right, customer, token)


def everyone_who_signed_up_can_sign_in():
    assert sign_ups.told and all(status == 201 for status, _ in sign_ups.told.values()), sign_ups.told
    for handle, (_, customer) in sign_ups.told.items():
        assert shop.insist("GET", "/users/me", shop.login(handle, PASSWORD))[1]["id"] == customer, handle
    print(f"  {len(sign_ups.told)} sign-ups")


def the_money_agrees():
    for order in people.told:
        flows.ends(order, seconds=4 * shop.PATIENCE_S)
    for (status, reason, state), count in sorted(books.agree(list(people.told), people.customers).items()):
        print(f"  {count:4} {status} {reason or '-'} {state}")


shop.fact(every_order_gets_through_the_kills, "ORD-27")
shop.fact(what_was_acknowledged_is_there_and_once, "ORD-24")
shop.fact(each_event_came_to_kafka_once_in_order, "EVT-18")
shop.fact(everyone_has_their_points)
shop.fact(everyone_who_signed_up_can_sign_in)
shop.fact(the_money_agrees, "PAY-02")
shop.clear_queue(keyless.customer, keyless.token)
shop.finish()
