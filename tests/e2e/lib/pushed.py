"""Live updates as clients see them: each state once, resumable, quick, and correct without Valkey."""
import threading
import time

import live
import shop

BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()


def place():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    return order["id"]


def move(order, *commands):
    for command in commands:
        status, answer = shop.insist("POST", f"/orders/{order}/{command}", BARISTA, {})
        assert status == 200, answer


def events_of(order, last_id=None, token=TOKEN):
    return live.Events(f"/orders/{order}/events", token, last_id)


def rest_of(stream):
    """Everything until the server ends the stream, without queue places and comments."""
    stream.sock.settimeout(shop.PATIENCE_S)
    got = []
    while (event := stream.next()) is not None:
        got += [event] if event[1] == "order" else []
    return got


def states(events):
    return [(seq, data["status"]) for seq, _, data in events]


WHOLE_LIFE = [(1, "placed"), (2, "accepted"), (3, "preparing"), (4, "ready"), (5, "completed")]


def each_state_comes_once_with_its_id_and_then_the_end():
    order = place()
    stream = events_of(order)
    assert stream.head["content-type"].startswith("text/event-stream"), stream.head
    stream.order("placed")
    move(order, "accept", "ready", "pickup")
    rest = rest_of(stream)
    assert states(rest) == WHOLE_LIFE[1:], states(rest)
    assert all(seq == data["seq"] for seq, _, data in rest)


def a_dropped_stream_goes_on_where_it_was():
    order = place()
    stream = events_of(order)
    stream.order("placed")
    stream.close()
    move(order, "accept", "ready")
    again = events_of(order, last_id=1)
    assert states([again.until(lambda e: e[1] == "order") for _ in range(3)]) == WHOLE_LIFE[1:4]
    again.close()
    late = events_of(order, last_id=3)
    late.order("ready")
    move(order, "pickup")
    assert states(rest_of(late)) == WHOLE_LIFE[4:]


def a_finished_order_has_a_snapshot_then_the_end_then_204():
    order = place()
    move(order, "cancel")
    assert states(rest_of(events_of(order))) == [(2, "cancelled")]
    try:
        events_of(order, last_id=2)
    except live.Refused as refused:
        assert refused.status == 204, refused
    else:
        raise AssertionError("a stream was opened for one that has seen all")


def a_place_in_the_queue_is_told_and_the_line_is_kept_alive():
    order, other = place(), place()
    stream = events_of(other)
    _, _, first = stream.until(lambda e: e[1] == "queue")
    assert first["queuePosition"] > 1 and first["etaSeconds"] > 0, first
    move(order, "cancel")
    stream.until(lambda e: e[1] == "queue" and e[2]["queuePosition"] <= first["queuePosition"] - 1)
    shop.the_best_of(3, 17, lambda: until_the_ping(stream))
    stream.close()
    move(other, "cancel")


def until_the_ping(stream):
    began = time.monotonic()
    stream.until(lambda e: e[1] == ":" and e[2] == "ping")
    return time.monotonic() - began


def strangers_get_404_and_nobody_401():
    order = place()
    for token, expected in ((shop.login("customer2"), 404), ("not-a-token", 401)):
        try:
            events_of(order, token=token)
        except live.Refused as refused:
            assert refused.status == expected, refused
        else:
            raise AssertionError(f"opened for the one due {expected}")
    stream = events_of(order, token=BARISTA)
    stream.order("placed")
    stream.close()


def a_screen_gets_a_snapshot_and_each_new_order_within_a_second():
    waiting = place()
    screen = live.WebSocket("/ws/queue", BARISTA)
    assert waiting in [order["id"] for order in screen.snapshot()["orders"]]
    took_s = shop.the_best_of(5, 1, lambda: until_on_the_screen(screen))
    print(f"  from POST to the screen: {took_s * 1000:.0f} ms")
    screen.close()


def until_on_the_screen(screen):
    began = time.monotonic()
    screen.order(place(), "placed")
    return time.monotonic() - began


def a_screen_can_make_every_move_and_hears_why_not():
    order = place()
    screen = live.WebSocket("/ws/queue", BARISTA, by_protocol=True)
    assert screen.head["sec-websocket-protocol"] == "bearer", screen.head
    screen.snapshot()
    for command, status in (("accept", "preparing"), ("ready", "ready"), ("undo-ready", "preparing"),
                            ("ready", "ready"), ("pickup", "completed")):
        screen.send({"type": command, "id": order, "ref": command})
        seen = []
        while not (said(seen, "ok") and told(seen, status)):
            seen.append(screen.until(lambda m: m["type"] != "snapshot" and not is_about_another(m, order)))
            if is_late(seen[-1]):
                screen.send({"type": command, "id": order, "ref": command})
        assert said(seen, "ok")["ref"] == command, seen
    for message, code in (({"type": "accept", "id": order, "ref": "a"}, "illegal_move"),
                          ({"type": "dance", "id": order, "ref": "b"}, "invalid_fields"),
                          ({"type": "accept", "id": "17", "ref": "c"}, "invalid_fields"),
                          (b"not json", "bad_request")):
        screen.send(message)
        while is_late(answer := screen.until(lambda m: m["type"] == "error")):
            screen.send(message)
        assert answer["problem"]["code"] == code, answer
        assert isinstance(message, bytes) or answer["ref"] == message["ref"], answer
    screen.close()


def is_about_another(message, order):
    return message["type"] == "order" and message["order"]["id"] != order


def is_late(message):
    return message["type"] == "error" and message["problem"]["status"] == 504


def said(seen, kind):
    return next((m for m in seen if m["type"] == kind), None)


def told(seen, status):
    return any(m["type"] == "order" and m["order"]["status"] == status for m in seen)


def customers_have_no_screen():
    for token, expected in ((TOKEN, 403), (None, 401)):
        try:
            live.WebSocket("/ws/queue", token)
        except live.Refused as refused:
            assert refused.status == expected, refused
        else:
            raise AssertionError(f"opened for the one due {expected}")


def without_valkey_it_is_slower_and_right():
    order = place()
    stream, screen = events_of(order), live.WebSocket("/ws/queue", BARISTA)
    stream.order("placed")
    screen.snapshot()
    shop.wish("valkey", "down")
    try:
        shop.within(shop.PATIENCE_S, shop.is_down, "valkey")
        began = time.monotonic()
        move(order, "accept")
        stream.order("preparing")
        stream_s = time.monotonic() - began
        screen.until(lambda m: any(o["id"] == order and o["status"] == "preparing" for o in orders_in(m)))
        took_s = time.monotonic() - began
    finally:
        shop.wish("valkey", "up")
    move(order, "ready")
    stream.order("ready")
    move(order, "pickup")
    assert states(rest_of(stream))[-1:] == WHOLE_LIFE[4:]
    screen.close()
    print(f"  Valkey away: {stream_s:.1f} s to the phone, {took_s:.1f} s to the screen")


def orders_in(message):
    return message["orders"] if message["type"] == "snapshot" else [message["order"]]


def many_streams_of_one_order_hear_the_same():
    order = place()
    streams = [events_of(order) for _ in range(20)]
    heard = []
    readers = [threading.Thread(target=lambda s=s: heard.append(states(rest_of(s)))) for s in streams]
    for stream in streams:
        assert stream.order("placed")[0] == 1  # it is open: what happens from here on is heard
    for reader in readers:
        reader.start()
    move(order, "accept", "ready", "pickup")
    for reader in readers:
        reader.join(2 * shop.PATIENCE_S)
    assert heard == [WHOLE_LIFE[1:]] * 20, heard


shop.fact(each_state_comes_once_with_its_id_and_then_the_end, "RT-08")
shop.fact(a_dropped_stream_goes_on_where_it_was, "RT-08")
shop.fact(a_finished_order_has_a_snapshot_then_the_end_then_204, "RT-08")
shop.fact(a_place_in_the_queue_is_told_and_the_line_is_kept_alive, "RT-08")
shop.fact(strangers_get_404_and_nobody_401, "RT-08")
shop.fact(many_streams_of_one_order_hear_the_same, "RT-08")
shop.fact(a_screen_gets_a_snapshot_and_each_new_order_within_a_second, "RT-01", "SCN-B6")
shop.fact(a_screen_can_make_every_move_and_hears_why_not, "RT-01", "RT-07")
shop.fact(customers_have_no_screen, "RT-07")
shop.fact(without_valkey_it_is_slower_and_right, "CACHE-01", "RT-08")
shop.finish()
