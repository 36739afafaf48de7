"""Pushes as Apple gets them: the stack's stand-in (tests/fakes/apns) writes each down."""
import http.client
import json
import math
import os
import secrets
import subprocess
import threading
import time

import flows
import shop

RUN = os.environ["TEST_STACK_RUN"]
METRICS = f"http://127.0.0.1:{shop.settings_of('customer-service')['METRICS_PORT']}"
# Both are measured, more than once where the machine is shared; the sanitizers make all slower.
IS_RELEASE = "/asan/" not in open(os.path.join(RUN, "customer-service", "run"), encoding="utf-8").read()
P99_S = 0.05 if IS_RELEASE else 3  # Apple takes 5


# ---- the stand-in ----

def control(path, body=None):
    with open(os.path.join(RUN, "apns", "ready"), encoding="ascii") as file:
        port = int(file.read().split()[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, None if body is None else json.dumps(body))
    reply = connection.getresponse()
    reply.read()
    assert reply.status == 200, f"{path}: {reply.status}"
    connection.close()


def program(*answers):
    control("/program", list(answers))


def pushes(*wanted, verdict="ok"):
    """What was pushed and holds all the wanted texts, in the order it came."""
    with open(os.path.join(RUN, "apns", "pushes.jsonl"), encoding="utf-8") as file:
        lines = [line for line in file if line.endswith("\n") and all(text in line for text in wanted)]
    return [push for push in map(json.loads, lines) if verdict in (None, push["verdict"])]


def alerts(*wanted):
    return [push for push in pushes(*wanted) if push["apns-push-type"] == "alert"]


def activities(*wanted):
    return [push for push in pushes(*wanted) if push["apns-push-type"] == "liveactivity"]


def wait_for(count, find, *wanted, seconds=shop.PATIENCE_S):
    shop.within(seconds, lambda: len(find(*wanted)) >= count)
    return find(*wanted)


# ---- people ----

class Person:
    """Somebody with one device."""

    def __init__(self, token=None, customer=None):
        self.customer, self.token = (customer, token) if token else shop.newcomer()
        self.address = secrets.token_hex(32)
        status, device = shop.insist("POST", "/devices", self.token, {
            "apns": {"token": self.address, "environment": "sandbox"}})
        assert status == 201, device
        self.device = device["id"]

    def activity(self, order=None):
        token = secrets.token_hex(32)
        body = {"deviceId": self.device, "token": token, **({"orderId": order} if order else {})}
        status, answer = shop.insist("POST", "/live-activities", self.token, body)
        assert status == 201, answer
        return token

    def place(self):
        status, order = shop.insist("POST", "/orders", self.token, shop.LATTE)
        assert status == 201, order
        return order["id"]

    def go(self):
        shop.insist("DELETE", f"/devices/{self.device}", self.token)


class Bar:
    """A barista on shift; others are not."""

    def __enter__(self):
        shop.sql("DELETE FROM notify.shifts", "customer_db")
        self.barista = Person(shop.login("barista"))
        shift(self.barista.token, True)
        return self.barista

    def __exit__(self, *_):
        shift(self.barista.token, False)
        self.barista.go()


def shift(token, on):
    status, answer = shop.insist("PUT", "/baristas/me/shift", token, {"onShift": on})
    assert status == 200, answer


def move(order, *commands, token=None):
    for command in commands:
        body = {"reason": "no beans"} if command == "decline" else {}
        status, answer = shop.insist("POST", f"/orders/{order}/{command}", token or shop.login("barista"), body)
        assert status == 200, answer
    return answer


# ---- facts ----

def the_barista_on_shift_is_told_within_two_seconds_and_accepts():
    with Bar() as barista:
        colleague = Person(shop.login("barista2"))

        def tell():
            order = Person().place()
            began = time.monotonic()
            wait_for(1, alerts, barista.address, order)
            took = time.monotonic() - began
            time.sleep(0.5)
            push, = alerts(order)
            assert push["token"] == barista.address, "not the one on shift"
            assert "Flat White" in push["payload"]["aps"]["alert"]["body"], push
            assert move(order, "accept")["status"] in ("accepted", "preparing")
            return took
        shop.the_best_of(5, 2.0, tell)
        colleague.go()


def the_customer_is_told_of_acceptance_and_of_refusal():
    person = Person()
    accepted, declined = person.place(), person.place()
    move(accepted, "accept")
    move(declined, "decline")
    push, = wait_for(1, alerts, person.address, accepted)
    assert push["payload"]["aps"]["alert"]["title"].startswith("Order accepted"), push
    push, = wait_for(1, alerts, person.address, declined)
    assert push["payload"]["aps"]["alert"]["title"].startswith("Order declined"), push
    move(accepted, "cancel")


def ready_tells_the_customer_by_alert_and_live_activity():
    person = Person()
    order = person.place()
    activity = person.activity(order)
    move(order, "accept", "ready")
    push, = wait_for(1, alerts, person.address, "Ready to pick up")
    assert "Flat White" in push["payload"]["aps"]["alert"]["body"], push
    wait_for(1, activities, activity, '"stage":"ready"')
    time.sleep(1)
    assert len(alerts(person.address, "Ready to pick up")) == 1
    assert len(activities(activity, '"stage":"ready"')) == 1
    move(order, "pickup")


def a_live_activity_starts_moves_on_and_ends_with_its_order():
    """Four steps are promised. One that a later one has overtaken is not sent: it would take the screen back."""
    person = Person()
    start = person.activity()
    order = person.place()
    push, = wait_for(1, activities, start)
    assert push["payload"]["aps"]["event"] == "start", push
    assert push["payload"]["aps"]["attributes"]["orderId"] == order, push
    token = person.activity(order)
    for command, shown in ("accept", '"progress":50'), ("ready", '"progress":100'), ("pickup", '"event":"end"'):
        move(order, command)
        wait_for(1, activities, token, shown)
    shop.within(shop.PATIENCE_S, four_steps_are_over, order, token)
    steps = [push["payload"]["aps"] for push in activities(token)]
    assert [step["event"] for step in steps] == ["update"] * (len(steps) - 1) + ["end"], steps
    progress = [step["content-state"]["progress"] for step in steps]
    assert progress == sorted(progress) and set(progress) - {25} == {50, 100}, progress
    assert push["apns-topic"].endswith(".push-type.liveactivity"), push


def four_steps_are_over(order, token):
    rows = shop.sql(f"SELECT state FROM notify.notices WHERE order_id = '{order}' AND token = '{token}'", "customer_db")
    return len(rows) == 4 and {state for (state,) in rows} <= {"sent", "replaced"}


def each_stage_is_told_once_in_order_under_one_collapse_id():
    person = Person()
    order = person.place()
    for step, command in enumerate(("accept", "ready", "pickup"), 1):
        move(order, command)
        wait_for(step, alerts, person.address)
    time.sleep(1)
    told = alerts(person.address)
    assert [push["payload"]["stage"] for push in told] == ["accepted", "ready", "completed"], told
    assert {push["apns-collapse-id"] for push in told} == {f"order-{order}"}, told


def the_buttons_of_a_notice_work():
    person = Person()
    order = person.place()
    move(order, "accept", "ready")
    ready, = wait_for(1, alerts, person.address, '"stage":"ready"')
    assert ready["payload"]["aps"]["category"] == "ORDER_READY", ready
    assert move(ready["payload"]["orderId"], "pickup", token=person.token)["status"] == "completed"
    done, = wait_for(1, alerts, person.address, '"stage":"completed"')
    assert done["payload"]["aps"]["category"] == "ORDER_DONE", done
    status, again = shop.insist("POST", f"/orders/{done['payload']['orderId']}/reorder", person.token, {})
    assert status == 201 and again["id"] != order, again
    move(again["id"], "cancel", token=person.token)


def two_outages_and_the_third_try_tells_the_barista():
    with Bar() as barista:
        program({"token": barista.address, "times": 2, "status": 503, "reason": "Shutdown"})
        order = Person().place()
        wait_for(1, alerts, barista.address, order)
        # by the address: a late notice of an order before this one may have met an outage, too
        refused = [push for push in pushes(barista.address, verdict=None) if push["verdict"] == "Shutdown"]
        assert len(refused) == 2, refused
        move(order, "cancel")


def a_device_that_is_gone_is_forgotten():
    person = Person()
    program({"token": person.address, "times": 1, "status": 410, "reason": "Unregistered"})
    order = person.place()
    move(order, "accept")
    shop.within(shop.PATIENCE_S, lambda: not shop.sql(
        f"SELECT 1 FROM notify.devices WHERE id = '{person.device}'", "customer_db"))
    move(order, "cancel")


def a_phone_that_changes_hands_shows_nothing_of_who_had_it():
    """Its next owner signs in while Apple has asked for a pause."""
    person, other = Person(), Person()
    start = person.activity()
    order = person.place()
    wait_for(1, activities, start, order)
    program({"token": person.address, "times": 1, "status": 429, "reason": "TooManyRequests", "retryAfter": 15})
    move(order, "accept")
    shop.within(shop.PATIENCE_S, lambda: pushes(person.address, verdict="TooManyRequests"))
    status, device = shop.insist("POST", "/devices", other.token, {
        "apns": {"token": person.address, "environment": "sandbox"}})
    assert status == 201 and device["id"] == person.device, device
    later, theirs = person.place(), other.place()
    move(theirs, "accept")
    wait_for(1, alerts, person.address, theirs)
    shop.within(shop.PATIENCE_S, lambda: shop.sql(
        f"SELECT DISTINCT state FROM notify.notices WHERE order_id = '{order}' AND channel = 'apns'", "customer_db") == [["gone"]])
    shop.within(shop.PATIENCE_S, lambda: [one for one in shop.insist("GET", "/inbox", person.token)[1]["notices"]
                                          if one["orderId"] == later])
    assert not alerts(person.address, order) and not activities(start, later), "the former owner's"
    for one, token in (order, None), (later, person.token), (theirs, None):
        move(one, "cancel", token=token)


def an_order_does_not_wait_for_a_slow_receiver():
    """Twenty a second, whenever the last was answered; Apple takes 5 s for each push."""
    with Bar() as barista:
        people = [Person() for _ in range(8)]
        for person in people:
            person.start = person.activity()
        program({"delayMs": 5000})
        try:
            shop.the_best_of(5, P99_S, lambda: twenty_a_second(people, 6))
        finally:
            program()
        order = shop.sql("SELECT id FROM orders.orders ORDER BY placed_at DESC LIMIT 1")[0][0]
        wait_for(1, alerts, barista.address, order, seconds=5 * shop.PATIENCE_S)
        wait_for(1, activities, order, '"event":"start"', seconds=5 * shop.PATIENCE_S)


def an_order_waits_neither_for_a_slow_receiver_nor_for_temporal():
    """As above, with Temporal stopped meanwhile: what it is to be told waits in the outbox, and is told later."""
    with Bar() as barista:
        people = [Person() for _ in range(8)]
        for person in people:
            person.start = person.activity()
        shop.wish("temporal", "down")
        program({"delayMs": 5000})
        try:
            best = shop.the_best_of(5, P99_S, lambda: twenty_a_second(people, 6))
            assert shop.is_down("temporal"), "it came back by itself"
            (told_later,), = shop.sql("SELECT count(*) FROM outbox.events WHERE sink = 'temporal'")
            assert int(told_later) >= 120, f"only {told_later} rows wait for Temporal"
            program()
            order = people[0].place()
            wait_for(1, alerts, barista.address, order, seconds=5 * shop.PATIENCE_S)  # it does not need Temporal
        finally:
            program()
            shop.wish("temporal", "up")
        print(f"  p99 {best * 1000:.1f} ms, {told_later} rows for Temporal waited")
        shop.within(10 * shop.PATIENCE_S, flows.nothing_waits)
        shop.insist("POST", f"/orders/{order}/cancel", people[0].token, {})
        flows.ends(order)
        for person in people:
            person.go()


def twenty_a_second(people, seconds):
    """The 99th percentile; endless where one order failed: those that a busy machine held up all come at once."""
    took, failed = [], []

    def one(person, at):
        time.sleep(max(0, at - time.monotonic()))
        try:
            status, order = shop.call("POST", "/orders", person.token, shop.LATTE)
            took.append(time.monotonic() - at)
            assert status == 201, order
            shop.call("POST", f"/orders/{order['id']}/cancel", person.token, {})
        except Exception as error:
            failed.append(repr(error))

    begin = time.monotonic() + 0.2
    threads = [threading.Thread(target=one, args=(people[i % len(people)], begin + i / 20))
               for i in range(20 * seconds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed or (IS_RELEASE and max(took) >= 0.5):
        print(f"  one took {max(took, default=0):.3f} s, {len(failed)} failed: {failed[:3]}")
        return math.inf
    return sorted(took)[int(len(took) * 0.99) - 1]


def an_emptied_valkey_loses_no_pending_push():
    people = [Person() for _ in range(6)]
    program({"delayMs": 700})
    try:
        orders = [(person, person.place()) for person in people for _ in range(3)]
        for _, order in orders:
            move(order, "accept")
            shop.valkey("FLUSHALL")
    finally:
        program()
    for person, order in orders:
        wait_for(1, alerts, person.address, order)
    for _, order in orders:
        move(order, "cancel")


def depth_is_told():
    """Some wait, and the metric says how many."""
    (waiting,), = shop.sql("SELECT count(*) FROM jobs.jobs WHERE kind = 'push.send' AND state IN ('waiting', 'handed', 'running')",
                           "customer_db")
    return 0 < int(waiting) == shop.metric(METRICS, "jobs_queue_depth", 'kind="push.send"')


def watch_depth(seen, over):
    """It is high for some seconds only, which may pass while another metric is asked for."""
    while not over.wait(0.05):
        seen.append(depth_is_told())


def depth_age_and_failures_of_jobs_are_metrics():
    shop.in_one_of(3, a_push_that_fails_and_waits)


def a_push_that_fails_and_waits():
    person = Person()
    failed = shop.metric(METRICS, "jobs_failed_total", 'kind="push.send"')
    done = shop.metric(METRICS, "job_age_seconds_count", 'kind="push.send"')
    program({"token": person.address, "times": 1, "status": 503, "reason": "Shutdown"},
            {"token": person.address, "times": 1, "delayMs": 5000})
    order = person.place()
    seen, over = [], threading.Event()
    watcher = threading.Thread(target=watch_depth, args=(seen, over))
    watcher.start()
    try:
        move(order, "accept")
        shop.within(shop.PATIENCE_S, lambda: shop.metric(METRICS, "jobs_failed_total", 'kind="push.send"') > failed)
        wait_for(1, alerts, person.address, order)
    finally:
        over.set()
        watcher.join()
    shop.within(shop.PATIENCE_S, lambda: shop.metric(METRICS, "job_age_seconds_count", 'kind="push.send"') > done)
    move(order, "cancel")
    if not any(seen):  # it is for seconds that some wait
        raise shop.Late(f"of {len(seen)} looks none found the depth that the table has")


def everything(*words):
    return subprocess.run([os.path.join(shop.ROOT, "everything"), *words], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def a_job_that_was_given_up_is_listed_and_begins_anew():
    person = Person()
    order = person.place()
    move(order, "accept")
    wait_for(1, alerts, person.address, order)
    row = f"payload = '{order}' AND kind = 'push.send'"
    shop.within(shop.PATIENCE_S, lambda: not shop.sql(
        f"SELECT 1 FROM jobs.jobs WHERE {row} AND state <> 'done'", "customer_db"))
    shop.sql(f"UPDATE jobs.jobs SET state = 'dead', last_error = 'planted by a test' WHERE {row}", "customer_db")
    line, = [line for line in everything("dead").splitlines() if order in line]
    assert "planted by a test" in line, line
    job = line.split("|")[0].strip()
    assert "begins anew" in everything("dead", "replay", job)
    shop.within(shop.PATIENCE_S, lambda: shop.sql(
        f"SELECT state FROM jobs.jobs WHERE id = '{job}'", "customer_db") == [["done"]])
    assert order not in everything("dead")
    move(order, "cancel")


def somebody_without_a_device_finds_it_in_the_inbox():
    """As a person reads it (`./everything inbox`), and while it goes on."""
    handle = "t" + secrets.token_hex(6)
    status, answer = shop.insist("POST", "/users", key="k" + handle, body={
        "handle": handle, "email": handle + "@example.org", "password": "a good long password", "name": "Inbox"})
    assert status == 201, answer
    words = ["inbox", "--password", "a good long password", handle]
    follower = subprocess.Popen([os.path.join(shop.ROOT, "everything"), *words[:1], "--follow", *words[1:]],
                                stdout=subprocess.PIPE, text=True)
    try:
        token = shop.login(handle, "a good long password")
        status, order = shop.insist("POST", "/orders", token, shop.LATTE)
        assert status == 201, order
        move(order["id"], "accept", "ready", "pickup")
        lines = []
        threading.Thread(target=lambda: lines.extend(follower.stdout), daemon=True).start()
        shop.within(shop.PATIENCE_S, lambda: "Picked up" in everything(*words))
        told = everything(*words).splitlines()
        number = order["number"]
        for text in (f"Order accepted ({number}): Your Flat White", f"Ready to pick up ({number}): Your Flat White",
                     "liveactivity", "start: placed, 0 %", "end: completed, 100 %"):
            assert any(text in line for line in told), f"{text}: {told}"
        shop.within(shop.PATIENCE_S, lambda: len(lines) >= len(told))
    finally:
        follower.terminate()
    follower.wait(shop.PATIENCE_S)
    assert [line.rstrip("\n") for line in lines] == told, f"{lines} is not {told}"
    status, inbox = shop.call("GET", "/inbox?pageSize=2", token)
    assert status == 200 and len(inbox["notices"]) == 2, inbox
    assert shop.call("GET", "/inbox", shop.newcomer()[1])[1]["notices"] == [], "it is somebody else's"


if not os.path.exists(os.path.join(RUN, "apns", "ready")):
    print("skip all_of_them: this stack has no stand-in for Apple (FAKE_APNS=1 in .env)")
    shop.finish()
shop.fact(the_barista_on_shift_is_told_within_two_seconds_and_accepts, "PUSH-03", "SCN-A4")
shop.fact(the_customer_is_told_of_acceptance_and_of_refusal, "PUSH-05")
shop.fact(ready_tells_the_customer_by_alert_and_live_activity, "PUSH-04", "SCN-A5", "WF-07")
shop.fact(a_live_activity_starts_moves_on_and_ends_with_its_order, "PUSH-18")
shop.fact(each_stage_is_told_once_in_order_under_one_collapse_id, "PUSH-17", "WF-17")
shop.fact(the_buttons_of_a_notice_work, "PUSH-16")
shop.fact(two_outages_and_the_third_try_tells_the_barista, "PUSH-01", "WF-03")
shop.fact(a_device_that_is_gone_is_forgotten, "PUSH-01")
shop.fact(a_phone_that_changes_hands_shows_nothing_of_who_had_it, "PUSH-02", "PUSH-18")
shop.fact(an_order_does_not_wait_for_a_slow_receiver, "JOB-02", "SCN-B5")
shop.fact(an_order_waits_neither_for_a_slow_receiver_nor_for_temporal, "JOB-02")
shop.fact(an_emptied_valkey_loses_no_pending_push, "JOB-09")
shop.fact(depth_age_and_failures_of_jobs_are_metrics, "JOB-08")
shop.fact(a_job_that_was_given_up_is_listed_and_begins_anew, "JOB-01")
shop.fact(somebody_without_a_device_finds_it_in_the_inbox, "PUSH-20")
shop.finish()
