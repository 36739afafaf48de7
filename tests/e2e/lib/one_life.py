"""One order's life, and what the database, Temporal, Kafka and the statistics say of it afterwards."""
import json
import os
import subprocess
import uuid

import flows
import shop

BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()
STEPS = ["placed_at", "accepted_at", "preparing_at", "ready_at", "completed_at"]


def place():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    return order["id"]


def move(order, what, token=BARISTA):
    status, answer = shop.insist("POST", f"/orders/{order}/{what}", token, {})
    assert status == 200, answer


def told(topic, order):
    """The events of that order in a topic; None while there is none."""
    return [event for _, key, event in shop.topic(topic) if key == order] or None


def numbers():
    return (shop.insist("GET", "/customers/me/stats", TOKEN)[1]["ordersCompleted"],
            shop.insist("GET", "/customers/me/loyalty", TOKEN)[1]["points"])


def columns(order):
    return shop.sql(f"SELECT status, customer_id, {', '.join(STEPS)} FROM orders.orders WHERE id = '{order}'")[0]


def placing_leaves_a_row_a_workflow_and_an_event():
    order = place()
    assert columns(order)[:2] == ["placed", OWNER], columns(order)
    shop.within(shop.PATIENCE_S, flows.is_in, order, "RUNNING")
    about = json.loads(shop.get(f"{flows.URL}order-{order}")[1])["workflowExecutionInfo"]
    assert about["type"]["name"] == "CoffeeOrderWorkflow", about
    assert len(shop.within(shop.PATIENCE_S, told, "order.placed", order)) >= 1
    shop.insist("POST", f"/orders/{order}/cancel", TOKEN, {})


def each_step_that_was_passed_has_its_time():
    order = place()
    for passed, what in [(1, None), (3, "accept"), (4, "ready"), (5, "pickup")]:
        if what:
            move(order, what)
        times = columns(order)[2:]
        assert all(times[:passed]) and not any(times[passed:]), (what, times)
        assert times[:passed] == sorted(times[:passed]), times
    kept = shop.sql(f"SELECT seq, type FROM orders.order_events WHERE order_id = '{order}' ORDER BY seq")
    assert [int(seq) for seq, _ in kept] == [1, 2, 3, 4, 5], kept


def a_pickup_ends_the_workflow_and_moves_statistics_and_points_by_an_event():
    completed, points = numbers()
    order = place()
    for what in ("accept", "ready", "pickup"):
        move(order, what)
    flows.ends(order)
    assert len({event["id"] for event in shop.within(shop.PATIENCE_S, told, "order.completed", order)}) == 1
    shop.within(shop.PATIENCE_S, lambda: numbers() == (completed + 1, points + 4))  # 440 cents


def a_new_consumer_reads_from_the_start():
    """A group that nobody knew gets what was published before it was there."""
    order = place()
    shop.insist("POST", f"/orders/{order}/cancel", TOKEN, {})
    shop.within(shop.PATIENCE_S, told, "order.cancelled", order)
    heard = subprocess.run(["timeout", "120", "kcat", "-q", "-b", os.environ["KAFKA_BROKERS"], "-X",
                            "auto.offset.reset=earliest", "-X", "enable.partition.eof=true", "-e", "-f", "%k\n", "-G",
                            f"newcomer-{uuid.uuid4()}", "order.placed"], capture_output=True, text=True, check=False)
    everything = [key for _, key, _ in shop.topic("order.placed")]
    assert order in heard.stdout.split(), heard.stderr
    assert len(heard.stdout.split()) >= len(everything) - 5, (len(heard.stdout.split()), len(everything))


shop.fact(placing_leaves_a_row_a_workflow_and_an_event, "SCN-B4")
shop.fact(each_step_that_was_passed_has_its_time, "ORD-10")
shop.fact(a_pickup_ends_the_workflow_and_moves_statistics_and_points_by_an_event, "SCN-A6")
shop.fact(a_new_consumer_reads_from_the_start, "EVT-13")
shop.finish()
