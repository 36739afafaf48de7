"""What the menu's cache does for the first who asks, and for the many after them: by its own counters."""
import os
import signal
import subprocess
import time

import replica
import shop

METRICS = f"http://127.0.0.1:{shop.settings_of('order-service')['METRICS_PORT']}"
READY_S = 10  # of a daemon that begins with a cold menu, on a busy machine; it gives up after two
ORDERS = 40


def looks(url=METRICS):
    """(hits, misses) of the menu so far."""
    return tuple(shop.metric(url, f"cache_{what}_total", 'cache="menu"') for what in ("hits", "misses"))


def is_ready():
    return shop.get(METRICS + "/readyz")[0] == 200


def a_popular_drink():
    """The one that was ordered most these last days, else the first of the menu."""
    rows = shop.sql("SELECT menu_item_id FROM orders.order_items JOIN orders.orders ON orders.id = order_id"
                    " WHERE placed_at > now() - interval '7 days' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    return rows[0][0] if rows else "flat-white"


def the_first_read_after_a_restart_is_a_hit_though_valkey_is_empty():
    shop.in_one_of(3, restart_and_read)


def restart_and_read():
    drink = a_popular_drink()
    shop.wish("order-service", "down")
    shop.valkey("FLUSHALL")
    shop.wish("order-service", "up")
    shop.within(shop.PATIENCE_S, is_ready)
    before = looks()
    if before[1] != 0:  # it gives the menu two seconds
        raise shop.Late(f"{before[1]:.0f} misses before anybody asked")
    status, answer = shop.insist("GET", f"/menu/{drink}")
    assert (status, answer["id"]) == (200, drink), f"{status} {answer}"
    hits, misses = looks()
    if misses != 0 or hits <= before[0]:
        raise shop.Late(f"{hits:.0f} hits, {misses:.0f} misses after the first read")


def comes_up_with(trouble, log_says):
    """A daemon that starts meanwhile is ready in time, and says on the log what it has of the menu: one of three,
    since a busy machine may be too slow for the menu, too."""
    for _ in range(3):
        began = time.monotonic()
        one = replica.Replica("order-service")
        took = time.monotonic() - began
        said = log_says in one.log()
        print(f"  {trouble}: ready after {took:.1f} s")
        if took < READY_S and said:
            return one
        assert one.end() == 0
    raise AssertionError(f"{trouble}: ready after {took:.1f} s, the log {'says' if said else 'does not say'}: {log_says}")


def a_valkey_that_stands_still_keeps_nobody_from_serving():
    shop.kill("valkey", signal.SIGSTOP)
    try:
        one = comes_up_with("Valkey stands still", '"the menu is warm"')
    finally:
        shop.kill("valkey", signal.SIGCONT)
    assert one.end() == 0


def a_menu_that_cannot_be_read_keeps_nobody_from_serving():
    """Somebody holds the table: a migration, or an admin at psql."""
    admin = os.environ["TEST_PG_ADMIN_URL"].rsplit("/", 1)[0] + "/order_db"
    holder = subprocess.Popen(["psql", "-qAtX", "-d", admin], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        holder.stdin.write("BEGIN; LOCK TABLE menu.menu_items IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        one = comes_up_with("the menu is locked", '"serving with a cold menu"')
    finally:
        holder.stdin.close()
        holder.wait(10)
    assert looks(one.metrics_url) == (0, 0)
    assert one.end() == 0


def nine_of_ten_looks_at_the_menu_are_hits_in_a_morning_rush():
    before = looks()
    done = subprocess.run([shop.ROOT + "/everything", "demo", "--orders", str(ORDERS)], check=False,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-600:] + done.stderr[-600:]
    for _ in range(ORDERS):  # each customer looks at the menu, too
        assert shop.insist("GET", "/menu")[0] == 200
    hits, misses = (now - then for now, then in zip(looks(), before))
    assert hits >= ORDERS, f"only {hits:.0f} hits: the load did not reach the menu"
    ratio = hits / (hits + misses)
    print(f"  {hits:.0f} hits, {misses:.0f} misses: {ratio:.3f}")
    assert ratio > 0.9, ratio


shop.fact(the_first_read_after_a_restart_is_a_hit_though_valkey_is_empty, "CACHE-11")
shop.fact(a_valkey_that_stands_still_keeps_nobody_from_serving, "CACHE-11")
shop.fact(a_menu_that_cannot_be_read_keeps_nobody_from_serving, "CACHE-11")
shop.fact(nine_of_ten_looks_at_the_menu_are_hits_in_a_morning_rush, "CACHE-14")
shop.finish()
