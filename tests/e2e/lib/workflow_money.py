"""What a workflow does with the money: taken at acceptance, given back where nothing was sold, by the
provider's own books. Its faults are set for one order at a time."""
import http.client
import json
import subprocess
import time
import urllib.parse
import uuid

import flows
import replica
import shop

flows.wait_for_those_before()
BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()
PROVIDER = shop.settings_of("order-service")["PAYMENT_PROVIDER_URL"]
quick = replica.Replica("order-service", ACCEPT_TIMEOUT=8, PICKUP_TIMEOUT=8)
door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(quick))
stern = replica.Replica("order-service", ACCEPT_TIMEOUT=8, PICKUP_TIMEOUT=8, PICKUP_TIMEOUT_REFUND=0)
free = replica.Replica("order-service", PAYMENT_PROVIDER_URL="")
free_door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(free))
stern_door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(stern))


def faults(rules=""):
    place = urllib.parse.urlsplit(PROVIDER)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request("POST", "/faults", json.dumps({"clear": 1, "rules": rules}),
                       {"Content-Type": "application/json"})
    assert connection.getresponse().status == 204
    connection.close()


def with_faults(rules, life):
    faults(rules)
    try:
        return life()
    finally:
        faults()


def live(*moves, url=None, ends=True):
    """The id of an order that was moved so, and whose workflow is then over."""
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE, url=url)
    assert status == 201, order
    for what in moves:
        if what == "captured":
            shop.within(shop.PATIENCE_S, money_is, order["id"], what)
            continue
        what, said = what.split(":") if ":" in what else (what, "no beans" if what == "decline" else "")
        body = {"reason": said} if said else {}
        status, answer = shop.insist("POST", f"/orders/{order['id']}/{what}", BARISTA, body, url=url)
        assert status == 200, f"{what}: {status} {answer}"
    if ends:
        flows.ends(order["id"], seconds=120)
    return order["id"]


def order_of(order):
    (status, reason), = shop.sql(f"SELECT status, cancel_reason FROM orders.orders WHERE id = '{order}'")
    return status, reason


def money(order):
    """(our state, taken, given back), which must be what the provider's books say."""
    (hold, state, taken, back), = shop.sql("SELECT hold_id, state, captured_cents, refunded_cents FROM payment.payments"
                                           f" WHERE order_id = '{order}'")
    status, text = shop.get(f"{PROVIDER}/authorizations/{hold}")
    books = json.loads(text)
    assert status == 200 and books["state"] == {"refunded": "captured"}.get(state, state), f"we say {state}, they {books}"
    assert (books["capturedCents"], books["refundedCents"]) == (int(taken), int(back)), f"we say {taken}, {back}, they {books}"
    return state, int(taken), int(back)


def what_is_sold_is_paid():
    order = live("accept", "ready", "pickup")
    state, taken, back = money(order)
    assert (state, back) == ("captured", 0) and taken > 0, money(order)


def the_money_is_taken_when_the_order_is_accepted():
    order = live("accept", ends=False)
    shop.within(shop.PATIENCE_S, lambda: money_is(order, "captured"))
    live_on(order, "ready", "pickup")
    flows.ends(order)


def money_is(order, state):
    return shop.sql(f"SELECT state FROM payment.payments WHERE order_id = '{order}'") == [[state]]


def live_on(order, *moves):
    for what in moves:
        assert shop.insist("POST", f"/orders/{order}/{what}", BARISTA, {})[0] == 200


def an_order_cancelled_in_any_state_is_paid_back_once():
    for moves, wanted in ((["cancel"], ("voided",)), (["decline"], ("voided",)), (["accept", "cancel"], ("voided", "refunded")),
                          (["accept", "captured", "cancel"], ("refunded",))):
        order = live(*moves)
        state, taken, back = money(order)
        assert state in wanted and taken == back, f"{moves}: {state} {taken} {back}"


def no_accept_gives_the_hold_back_once():
    order = live(url=door.url)
    assert order_of(order) == ("cancelled", "not_accepted")
    assert money(order) == ("voided", 0, 0)
    assert flows.steps(order).count("ReturnPayment") == 1


def no_pickup_gives_the_money_back_once():
    order = live("accept", "captured", "ready", url=door.url)
    assert order_of(order) == ("cancelled", "not_collected")
    state, taken, back = money(order)
    assert state == "refunded" and taken == back > 0
    assert flows.steps(order).count("ReturnPayment") == 1


def a_shop_that_keeps_the_money_of_what_nobody_collects_keeps_it():
    order = live("accept", "ready", url=stern_door.url)
    assert order_of(order) == ("cancelled", "not_collected")
    state, taken, back = money(order)
    assert state == "captured" and taken > 0 and back == 0
    assert "ReturnPayment" not in flows.steps(order)
    for how in ("cancel", "cancel:not_collected"):
        order = live("accept", "captured", how, url=stern_door.url)
        state, taken, back = money(order)
        assert taken == back, f"only what nobody collected is kept, not {how}"


def a_capture_that_is_refused_cancels_the_order_and_frees_the_hold():
    order = with_faults("decline:capture:100:1:0", lambda: live("accept"))
    assert order_of(order) == ("cancelled", "payment_failed")
    assert money(order) == ("voided", 0, 0)
    assert "StopOrder" in flows.steps(order)


def a_card_refused_after_the_pickup_leaves_an_order_that_says_so_and_all_that_know():
    shop.insist("PUT", "/baristas/me/shift", BARISTA, {"onShift": True})
    faults("unavailable:capture:100:0:0")
    order = live("accept", "ready", "pickup", ends=False)
    assert shop.insist("GET", f"/orders/{order}", TOKEN)[1]["unpaid"] is False
    with_faults("decline:capture:100:1:0", lambda: flows.ends(order, seconds=120))
    seen = shop.insist("GET", f"/orders/{order}", TOKEN)[1]
    assert (seen["status"], seen["unpaid"]) == ("completed", True), seen
    assert money(order) == ("voided", 0, 0)
    types = [type for type, in shop.sql(f"SELECT type FROM orders.order_events WHERE order_id = '{order}' ORDER BY seq")]
    assert types[-2:] == ["OrderCompleted", "OrderUnpaid"], types

    def told(whom, title):
        return [one for one in shop.insist("GET", "/inbox", whom)[1]["notices"]
                if one["orderId"] == order and one["title"] == f"{title} ({seen['number']})"]
    shop.within(shop.PATIENCE_S, told, BARISTA, "Not paid")
    shop.within(shop.PATIENCE_S, told, TOKEN, "Not paid yet")
    assert "pay at the counter" in told(TOKEN, "Not paid yet")[0]["body"] and not told(TOKEN, "Not paid")
    shop.insist("PUT", "/baristas/me/shift", BARISTA, {"onShift": False})


def whether_an_order_is_paid_is_its_own_whatever_the_setting_became():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE, url=free_door.url)
    assert status == 201, order
    live_on(order["id"], "accept", "ready", "pickup")
    flows.ends(order["id"])
    assert "CapturePayment" not in flows.steps(order["id"]), flows.steps(order["id"])
    said = shop.sql("SELECT count(*) FROM payment.payments WHERE order_id = '" + order["id"] + "'")
    assert said == [["0"]], said

    order = live(ends=False)
    for what in ("accept", "ready", "pickup"):
        assert shop.insist("POST", f"/orders/{order}/{what}", BARISTA, {}, url=free_door.url)[0] == 200
    flows.ends(order, seconds=120)
    assert money(order)[0] == "captured"


def no_request_waits_for_a_workflow_that_may_last_for_half_an_hour():
    timeouts = shop.settings_of("order-service")
    limit_s = int(timeouts.get("PICKUP_TIMEOUT", 1800))

    def place():
        return shop.at_once("POST", "/orders", TOKEN, shop.LATTE, str(uuid.uuid4()))
    placed = []
    took = shop.the_best_of(3, 0.5, lambda: placed.append(timed(place)) or placed[-1][0])
    assert took < 0.5, f"POST took {took:.3f} s"
    for _, (status, order) in placed:
        assert status == 201 and shop.within(shop.PATIENCE_S, flows.is_in, order["id"], "RUNNING")
    ready = []

    def accept_and_ready():
        """The slower of them, of one more order: a second tap would be no work."""
        ready.append(live(ends=False))
        moves = [timed(lambda: shop.call("POST", f"/orders/{ready[-1]}/{move}", BARISTA, {})) for move in ("accept", "ready")]
        assert all(status == 200 for _, (status, _) in moves), moves
        return max(took for took, _ in moves)
    shop.the_best_of(3, 2, accept_and_ready)
    order = ready[-1]
    shop.within(shop.PATIENCE_S, lambda: longest_timer(order) > limit_s - 30)
    assert flows.state(order) == "RUNNING" and limit_s >= 1800
    for order in ready:
        live_on(order, "pickup")
        flows.ends(order)
    shop.clear_queue(OWNER, TOKEN)


def timed(call):
    from_s = time.monotonic()
    answer = call()
    return time.monotonic() - from_s, answer


def longest_timer(order):
    return max((float(event["timerStartedEventAttributes"]["startToFireTimeout"].rstrip("s"))
                for event in flows.history(order) if event["eventType"] == "EVENT_TYPE_TIMER_STARTED"), default=0)


def a_refund_that_fails_twice_is_made_at_the_third_try():
    order = live("accept", "captured", ends=False)
    shop.within(shop.PATIENCE_S, lambda: money_is(order, "captured"))
    with_faults("unavailable:refund:100:2:0", lambda: (live_on(order, "cancel"), flows.ends(order)))
    state, taken, back = money(order)
    assert state == "refunded" and taken == back > 0
    started = [event["activityTaskStartedEventAttributes"].get("attempt", 1) for event in flows.history(order)
               if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_STARTED"]
    assert max(started) >= 3, f"attempts {started}"


def why_it_looks_stuck(order):
    """What ./everything order says."""
    shown = subprocess.run([shop.ROOT + "/everything", "order", order], check=True, capture_output=True, text=True, timeout=60).stdout
    return shown.partition("Why it may look stuck")[2].partition("Workflow\n")[0]


def a_refund_that_was_refused_is_made_once_when_its_workflow_is_reset():
    order = live("accept", "captured", ends=False)
    with_faults("decline:refund:100:1:0", lambda: (live_on(order, "cancel"), flows.ends(order, "FAILED")))
    assert money_is(order, "failed")
    said = why_it_looks_stuck(order)
    assert "refused to give the money back" in said and "ReturnPayment" in said, said
    flows.reset(order, "ReturnPayment")
    shop.within(shop.PATIENCE_S, money_is, order, "refunded")
    flows.ends(order)
    state, taken, back = money(order)
    assert state == "refunded" and taken == back > 0
    assert "provider" not in why_it_looks_stuck(order), "it is over"


def what_could_not_be_taken_and_nobody_sees_to_is_told_of():
    """As a workflow leaves it that was terminated between the refusal and the return."""
    order = live("cancel")
    long_ago = "now() - interval '2 hours'"
    shop.sql(f"UPDATE orders.orders SET cancelled_at = {long_ago} WHERE id = '{order}'")
    shop.sql(f"UPDATE payment.payments SET state = 'failed', changed_at = {long_ago} WHERE order_id = '{order}'")
    try:
        said = why_it_looks_stuck(order)
        assert "refused to take the money" in said and "hold" in said, said
        shop.sql(f"UPDATE payment.payments SET changed_at = now() WHERE order_id = '{order}'")
        assert "provider" not in why_it_looks_stuck(order), "its workflow is at it"
    finally:
        shop.sql(f"UPDATE payment.payments SET state = 'voided', changed_at = now() WHERE order_id = '{order}'")


def a_provider_that_loses_its_answers_takes_the_money_once():
    order = with_faults("cut:capture:100:2:0", lambda: live("accept", "captured", "ready", "pickup"))
    state, taken, back = money(order)
    assert (state, back) == ("captured", 0) and taken > 0


shop.fact(what_is_sold_is_paid, "WF-16")
shop.fact(the_money_is_taken_when_the_order_is_accepted)
shop.fact(an_order_cancelled_in_any_state_is_paid_back_once, "ORD-09", "WF-16")
shop.fact(no_accept_gives_the_hold_back_once, "ORD-07", "WF-10")
shop.fact(no_pickup_gives_the_money_back_once, "ORD-08", "WF-10")
shop.fact(a_shop_that_keeps_the_money_of_what_nobody_collects_keeps_it)
shop.fact(a_capture_that_is_refused_cancels_the_order_and_frees_the_hold, "WF-16")
shop.fact(a_card_refused_after_the_pickup_leaves_an_order_that_says_so_and_all_that_know, "PAY-05", "WF-16")
shop.fact(whether_an_order_is_paid_is_its_own_whatever_the_setting_became, "PAY-01")
shop.fact(no_request_waits_for_a_workflow_that_may_last_for_half_an_hour, "WF-13")
shop.fact(a_refund_that_fails_twice_is_made_at_the_third_try, "WF-12")
shop.fact(a_refund_that_was_refused_is_made_once_when_its_workflow_is_reset, "PAY-06", "WF-16")
shop.fact(what_could_not_be_taken_and_nobody_sees_to_is_told_of)
shop.fact(a_provider_that_loses_its_answers_takes_the_money_once)
shop.finish()
