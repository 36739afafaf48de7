"""Three order-services behind a gateway of the test's own; order-services, the broker and the relay that owns
most parts are killed at random while people order. Then Kafka is compared with the database."""
import os
import random
import threading
import time

import ledger
import replica
import shop
import traffic

ORDERS = int(os.environ.get("ORDERS", "120"))
SECONDS = max(15, ORDERS // 12)  # that the orders are spread over, so that the kills fall among them
KILLS_OF_KAFKA = max(1, ORDERS // 200)


def owner_of_parts(services):
    """The process whose session holds most parts of the outbox."""
    held = shop.sql("SELECT a.client_port, count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE l.locktype = 'advisory' AND l.classid = 7302 GROUP BY 1 ORDER BY 2 DESC")
    for port, _ in held:
        for pid in services():
            if int(port) in local_ports(pid):
                return pid
    return None


def local_ports(pid):
    try:
        inodes = {os.readlink(f"/proc/{pid}/fd/{fd}")[8:-1] for fd in os.listdir(f"/proc/{pid}/fd")
                  if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")}
        with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
            lines = [line.split() for line in file.readlines()[1:]]
    except OSError:
        return set()
    return {int(line[1].split(":")[1], 16) for line in lines if line[9] in inodes}


class Killer(threading.Thread):
    """Kills something every second or so, until told to stop; counts what."""

    def __init__(self, mine):
        super().__init__(daemon=True)
        self.mine, self.stopped, self.dice = mine, threading.Event(), random.Random(3)
        self.counts = {"order-service": 0, "owner of parts": 0, "kafka": 0}

    def pids(self):
        found = [one.pid for one in self.mine]
        try:
            found.append(shop.pid_of("order-service"))
        except FileNotFoundError:
            pass  # between two lives
        return found

    def kill(self, what):
        if what == "kafka":
            shop.kill("kafka")
            self.counts[what] += 1
            return
        pid = owner_of_parts(self.pids) if what == "owner of parts" else self.dice.choice(self.pids())
        try:
            if pid:
                os.kill(pid, 9)
                self.counts[what] += 1
        except ProcessLookupError:
            pass

    def run(self):
        while not self.stopped.wait(self.dice.uniform(0.3, 1.4)):
            kafka = self.counts["kafka"] < KILLS_OF_KAFKA and self.dice.random() < 0.2
            self.kill("kafka" if kafka else self.dice.choice(["order-service", "owner of parts"]))


def start():
    mine = [replica.Replica("order-service", keep=True) for _ in range(2)]
    port = int(os.environ["ORDER_SERVICE_ADDR"].rsplit(":", 1)[1])
    gateway = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(port, *mine))
    return mine, traffic.Traffic(url=gateway.url, pause_s=SECONDS * 6 / ORDERS / 4)


mine, people = start()
rows = []


def every_order_gets_through_the_kills():
    killer = Killer(mine)
    killer.start()
    try:
        people.run(ORDERS)
    finally:
        killer.stopped.set()
        killer.join()
    if not killer.counts["kafka"]:
        killer.kill("kafka")
    shop.within(3 * shop.PATIENCE_S, ledger.outbox_is_empty)
    rows.extend(ledger.rows_of(people.customers))
    placed = sum(1 for row in rows if row[3] == "OrderPlaced")
    assert placed == people.placed == ORDERS, f"{people.placed} told as placed, {placed} recorded"
    kills = ", ".join(f"{count} of {what}" for what, count in killer.counts.items())
    print(f"  {placed} orders, {len(rows)} events; kill -9: {kills}; {shop.retries} retries of clients")


def in_the_end(check):
    """A broker that was just killed shows its last messages only when it leads again: read once more until then."""
    end = time.monotonic() + shop.PATIENCE_S
    while True:
        try:
            return check(rows)
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(1)


def the_audit_log_holds_each_event_once_in_order():
    print(f"  {in_the_end(ledger.audit_has_each_once)} repeats dropped")


def each_topic_holds_what_its_table_says():
    print(f"  {in_the_end(ledger.typed_topics_have_theirs)} repeats dropped")


shop.fact(every_order_gets_through_the_kills, "ORD-27")
shop.fact(the_audit_log_holds_each_event_once_in_order, "EVT-18")
shop.fact(each_topic_holds_what_its_table_says, "EVT-01", "EVT-02", "EVT-03", "EVT-04", "EVT-05")
shop.finish()
