"""950 event streams that open at once: nobody is refused, though order-service queues 64 calls."""
import socket
import time
import urllib.parse

import replica
import shop

CLIENTS = 950
OWNER, TOKEN = shop.newcomer()


def place():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    return order["id"]


def ask(place_, order):
    """A connection on which the stream was asked for."""
    connection = socket.create_connection((place_.hostname, place_.port), shop.PATIENCE_S)
    connection.sendall((f"GET /orders/{order}/events HTTP/1.1\r\nHost: {place_.netloc}\r\n"
                        f"Authorization: Bearer {TOKEN}\r\nAccept: text/event-stream\r\n\r\n").encode())
    return connection


def first_words(connection):
    heard = b""
    while b"event: order" not in heard and (more := connection.recv(65536)):
        heard += more
        if b"\r\n\r\n" in heard and b" 200 " not in heard[:16]:
            break
    return heard.split(b"\r\n", 1)[0].decode()


def refused_by_a_new_gateway(order):
    """The answers that are no stream; when one process stands still for seconds there are some."""
    gateway = replica.Replica("gateway", MAX_STREAMS_PER_PERSON=CLIENTS)
    began = time.monotonic()
    clients = [ask(urllib.parse.urlsplit(gateway.url), order) for _ in range(CLIENTS)]
    answers = [first_words(one) for one in clients]
    took = time.monotonic() - began
    for one in clients:
        one.close()
    gateway.end()
    print(f"  {CLIENTS} streams opened in {took:.1f} s")
    return [answer for answer in answers if " 200 " not in answer]


def all_clients_of_a_new_gateway_get_their_streams():
    order, refused = place(), []
    for _ in range(3):
        refused.append(refused_by_a_new_gateway(order))
        if not refused[-1]:
            return
    raise AssertionError(f"of {CLIENTS} were refused: {[(len(answers), answers[0]) for answers in refused]}")


shop.fact(all_clients_of_a_new_gateway_get_their_streams, "RT-08")
shop.clear_queue(OWNER, TOKEN)
shop.finish()
