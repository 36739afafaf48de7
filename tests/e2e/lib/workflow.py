"""An order's workflow from placed to its end, in each of the ways there are; deadlines of seconds."""
import json
import subprocess
import time

import flows
import replica
import shop

flows.wait_for_those_before()
BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()
# the same worker queue as the stack's, but deadlines that a test can wait for
quick = replica.Replica("order-service", ACCEPT_TIMEOUT=10, PICKUP_TIMEOUT=10)
door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(quick))
calm = replica.Replica("order-service")
slow_door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(calm))

STACK_METRICS = f"http://127.0.0.1:{shop.settings_of('order-service')['METRICS_PORT']}"


def place(url):
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE, url=url)
    assert status == 201, order
    return order["id"]


def move(order, what, token=None, url=None):
    body = {"reason": "no beans"} if what == "decline" else {}
    status, answer = shop.insist("POST", f"/orders/{order}/{what}", token or BARISTA, body, url=url)
    assert status == 200, f"{what}: {status} {answer}"
    return answer


def read(order):
    return shop.insist("GET", f"/orders/{order}", TOKEN)[1]


def an_order_that_is_placed_accepted_ready_and_picked_up_completes_its_workflow():
    order = place(slow_door.url)
    flows.until(order, "NotifyBarista")
    assert move(order, "accept")["status"] == "preparing"
    shop.within(shop.PATIENCE_S, lambda: flows.count(order, "WORKFLOW_EXECUTION_SIGNALED") == 1)
    move(order, "ready")
    flows.until(order, "NotifyCustomer")
    move(order, "pickup")
    flows.ends(order)
    kinds = {event["eventType"] for event in flows.history(order)}
    assert "EVENT_TYPE_TIMER_FIRED" not in kinds, kinds
    assert flows.count(order, "WORKFLOW_EXECUTION_SIGNALED") == 3, "a signal too many costs a workflow task"


def the_worker_polls_and_says_so():
    shop.within(shop.PATIENCE_S, lambda: any(one.startswith(f"{quick.pid}@") for one in flows.pollers("orders")))
    said = [json.loads(line) for line in quick.log().split("\n")[:-1] if line.startswith("{")]  # the last is half written
    assert {line["task_queue"] for line in said if line["event"] == "worker polling"} == {"orders", "order-notices"}


def a_notice_is_tried_again_while_customer_service_is_away_and_nothing_waits_for_it():
    shop.wish("customer-service", "down")
    try:
        order = place(slow_door.url)
        shop.within(shop.PATIENCE_S, lambda: flows.attempts(order).get("NotifyBarista", 0) >= 3)
        move(order, "accept")
        move(order, "ready")
        shop.within(shop.PATIENCE_S, lambda: flows.attempts(order).get("NotifyCustomer", 0) >= 2)
    finally:
        shop.wish("customer-service", "up")
    flows.until(order, "NotifyBarista", seconds=2 * shop.PATIENCE_S)
    flows.until(order, "NotifyCustomer", seconds=2 * shop.PATIENCE_S)
    move(order, "pickup")
    flows.ends(order)
    begun = [event for event in flows.history(order) if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"]
    retry = begun[0]["activityTaskScheduledEventAttributes"]["retryPolicy"]
    assert retry["backoffCoefficient"] == 2 and retry["initialInterval"] == "1s", retry


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def the_request_does_not_wait_for_the_workflow():
    orders = []
    shop.the_best_of(5, 0.5, lambda: timed(lambda: orders.append(place(slow_door.url))))
    shop.the_best_of(1 + len(orders), 1, lambda: timed(lambda: move(orders[0], "accept")))
    shop.within(shop.PATIENCE_S, flows.is_in, orders[0], "RUNNING")
    for order in orders:
        move(order, "cancel")
        flows.ends(order)


def an_order_that_nobody_accepts_is_cancelled_by_the_timer():
    shop.in_one_of(3, is_ended_by_a_timer, "not_accepted")


def an_order_that_nobody_collects_is_cancelled_by_the_timer():
    shop.in_one_of(3, is_ended_by_a_timer, "not_collected", "accept", "ready")


def is_ended_by_a_timer(reason, *moves):
    order = place(door.url)
    for what in moves:
        move(order, what, url=door.url)
    flows.ends(order)
    found = read(order)
    assert (found["status"], found["cancelReason"]) == ("cancelled", reason), found
    assert "ExpireOrder" in flows.steps(order)
    fired = flows.count(order, "TIMER_FIRED")
    if not fired:
        raise shop.Late("the workflow began after the deadline, and needed no timer")
    assert fired == 1, f"{fired} timers"


def ready_for_six_seconds(order, then):
    """(status after them, answer to the move then); None where a slow machine came near the deadline."""
    began = time.monotonic()
    move(order, "ready", url=door.url)
    time.sleep(6)
    status, answer = read(order)["status"], shop.insist("POST", f"/orders/{order}/{then}", BARISTA, {}, url=door.url)
    return (status, answer) if time.monotonic() - began < 9 else None


def ready_is_undone_in_time():
    order = place(door.url)
    move(order, "accept", url=door.url)
    if not (found := ready_for_six_seconds(order, "undo-ready")):
        return False
    assert found[1][0] == 200, found
    time.sleep(6)  # the first deadline passes now
    assert read(order)["status"] == "preparing"
    if not (found := ready_for_six_seconds(order, "pickup")):
        return False
    assert found[0] == "ready", "the first deadline was taken for the second"
    assert found[1][0] == 200, found
    flows.ends(order)
    assert flows.count(order, "TIMER_FIRED") == 0
    return True


def undoing_ready_begins_the_pickup_deadline_anew():
    assert any(ready_is_undone_in_time() for _ in range(3)), "never in time"


def an_order_can_be_cancelled_in_each_state():
    for moves in (["cancel"], ["decline"], ["accept", "cancel"]):
        order = place(slow_door.url)
        for what in moves:
            move(order, what)
        flows.ends(order)
        assert read(order)["status"] == "cancelled"
        assert flows.count(order, "TIMER_FIRED") == 0
    status, answer = shop.insist("POST", f"/orders/{order}/pickup", BARISTA, {})
    assert (status, answer["code"]) == (409, "illegal_move"), answer


def the_sweep_finds_nothing_while_temporal_is_up():
    assert shop.within(shop.PATIENCE_S, flows.nothing_waits)
    for one in (quick, calm):
        assert flows.swept(one.metrics_url) == 0, "the sweep did what the workflow should have"


def the_workflow_has_metrics():
    told = shop.metric(quick.metrics_url, "workflow_told_total") + shop.metric(calm.metrics_url, "workflow_told_total")
    urls = [quick.metrics_url, calm.metrics_url, STACK_METRICS]
    assert told + shop.metric(STACK_METRICS, "workflow_told_total") > 0
    assert sum(shop.metric(url, "workflow_tasks_total", 'workflow="CoffeeOrderWorkflow"') for url in urls) > 0
    assert sum(shop.metric(url, "workflows_closed_total", 'outcome="completed"') for url in urls) > 0
    assert all(shop.metric(url, "outbox_pending", 'sink="temporal"') >= 0 for url in urls)


def series(name, *labels):
    return [shop.metric(url, name, *labels) for url in (quick.metrics_url, calm.metrics_url, STACK_METRICS)]


def open_is_told():
    """Each replica knows what Temporal knows, though maybe not at once."""
    running = flows.running("CoffeeOrderWorkflow")
    return running if set(series("workflows_open", 'workflow="CoffeeOrderWorkflow"')[:2]) == {running} else None


def open_closed_and_waiting_workflows_are_metrics_that_move():
    closed = sum(series("workflows_closed_total", 'outcome="completed"'))
    orders = [place(slow_door.url) for _ in range(3)]
    for order in orders:
        flows.until(order, "NotifyBarista")
    opened = shop.within(2 * shop.PATIENCE_S, open_is_told)
    assert opened >= 3, opened
    for order in orders:
        move(order, "cancel")
        flows.ends(order)
    shop.within(2 * shop.PATIENCE_S, lambda: open_is_told() in range(opened - 2))  # an order left by others may expire, too
    assert sum(series("workflows_closed_total", 'outcome="completed"')) >= closed + 3
    shop.wish("temporal", "down")
    try:
        order = place(slow_door.url)
        shop.within(shop.PATIENCE_S, lambda: max(series("outbox_pending", 'sink="temporal"')) >= 1)
    finally:
        shop.wish("temporal", "up")
    shop.within(2 * shop.PATIENCE_S, lambda: max(series("outbox_pending", 'sink="temporal"')) == 0)
    move(order, "cancel")
    flows.ends(order)


def the_trace_of_the_request_goes_on_in_the_activity():
    order = place(slow_door.url)
    flows.until(order, "NotifyBarista")
    trace = shop.sql(f"SELECT trace_id FROM orders.order_events WHERE order_id = '{order}' AND seq = 1")[0][0]
    for event in flows.history(order):
        for told in (event.get("workflowExecutionStartedEventAttributes"), event.get("activityTaskScheduledEventAttributes")):
            assert told is None or trace in str(told["header"]), f"{trace} is not in {told}"
    move(order, "cancel")
    flows.ends(order)


def shown_of(order):
    return subprocess.run([shop.ROOT + "/everything", "order", order], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def the_front_door_shows_the_workflow_and_its_step():
    order = place(slow_door.url)
    flows.until(order, "NotifyBarista")
    shown = shown_of(order)
    assert f"order-{order}  running" in shown and "step: waiting for the barista" in shown, shown
    move(order, "cancel")
    flows.ends(order)
    shown = shown_of(order.upper())
    assert f"order-{order}  completed" in shown and "step: cancelled" in shown, shown


def the_front_door_says_that_no_worker_answers():
    order = place(slow_door.url)
    flows.until(order, "NotifyBarista")
    quick.end()
    calm.end()
    shop.wish("order-service", "down")
    try:
        shown = shown_of(order)
        assert f"order-{order}  running" in shown and "step: no worker answers" in shown, shown
    finally:
        shop.wish("order-service", "up")
    move(order, "cancel")
    flows.ends(order)


shop.fact(an_order_that_is_placed_accepted_ready_and_picked_up_completes_its_workflow,
          "WF-02", "WF-05", "WF-06", "WF-09", "SCN-A3", "SCN-B11")
shop.fact(the_worker_polls_and_says_so, "WF-01")
shop.fact(a_notice_is_tried_again_while_customer_service_is_away_and_nothing_waits_for_it, "WF-03", "WF-12")
shop.fact(the_request_does_not_wait_for_the_workflow, "WF-13")
shop.fact(an_order_that_nobody_accepts_is_cancelled_by_the_timer, "ORD-07", "WF-04", "WF-10")
shop.fact(an_order_that_nobody_collects_is_cancelled_by_the_timer, "ORD-08", "WF-08")
shop.fact(undoing_ready_begins_the_pickup_deadline_anew)
shop.fact(an_order_can_be_cancelled_in_each_state, "ORD-09")
shop.fact(the_workflow_has_metrics)
shop.fact(open_closed_and_waiting_workflows_are_metrics_that_move, "WF-22")
shop.fact(the_trace_of_the_request_goes_on_in_the_activity, "WF-23")
shop.fact(the_front_door_shows_the_workflow_and_its_step, "WF-15")
shop.fact(the_sweep_finds_nothing_while_temporal_is_up)
shop.fact(the_front_door_says_that_no_worker_answers)
shop.finish()
