"""Database, Temporal and payment provider are stopped in the middle (SIGSTOP) of orders' lives, and then the daemons
are told to stop: each ends within 30 s, with 0, and what was under way is done by those that come after."""
import os
import signal
import threading
import time

import flows
import replica
import shop

GRACE_S = 30
BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()


def family(process):
    """It and all below it: each session of Postgres is a process."""
    below = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        below.setdefault(parent, []).append(int(name))
    found = [shop.pid_of(process)]
    for pid in found:
        found += below.get(pid, [])
    return found


def tell(processes, number):
    for pid in processes:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def end(daemon, codes):
    from_s = time.monotonic()
    daemon.stop()
    codes[daemon.daemon] = daemon.process.wait(2 * GRACE_S), time.monotonic() - from_s


def ask_in_vain(url, order):
    """Calls and money that are under way when all stands still."""
    for path, body in (("/orders", shop.LATTE), (f"/orders/{order}/accept", {})):
        threading.Thread(target=shop.call, args=("POST", path, BARISTA, body), kwargs={"url": url}, daemon=True).start()


def a_stop_while_database_temporal_and_provider_hang_ends_in_time():
    daemons = [replica.Replica("order-service", PAYMENT_SWEEP_AFTER=1, DRAIN_SECONDS=5),
               replica.Replica("customer-service", DRAIN_SECONDS=5)]
    door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(daemons[0]),
                           CUSTOMER_SERVICE_ADDR=replica.addresses(daemons[1]))
    orders = [shop.insist("POST", "/orders", TOKEN, shop.LATTE, url=door.url)[1]["id"] for _ in range(3)]
    frozen, codes = family("postgres") + family("temporal") + family("payment-provider"), {}
    tell(frozen, signal.SIGSTOP)
    try:
        ask_in_vain(door.url, orders[0])
        time.sleep(12)  # a sweep is under way by then
        ends = [threading.Thread(target=end, args=(daemon, codes)) for daemon in daemons]
        for one in ends:
            one.start()
        for one in ends:
            one.join()
    finally:
        tell(frozen, signal.SIGCONT)
    for name, (code, took_s) in codes.items():
        print(f"  {name} ended after {took_s:.1f} s with {code}")
        assert code == 0 and took_s < GRACE_S, f"{name}: {code} after {took_s:.1f} s"
    door.end()
    for order in orders:
        status, answer = shop.insist("POST", f"/orders/{order}/cancel", BARISTA, {})
        assert status == 200, answer
        flows.ends(order, seconds=120)


shop.fact(a_stop_while_database_temporal_and_provider_hang_ends_in_time, "K8S-17")
shop.finish()
