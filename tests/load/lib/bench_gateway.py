"""Ours and a bare grpc-gateway in front of the same order-service, same requests, interleaved.

Twice: with everything of ours on (sign-in, limits, log), and with only what both do. The bare one
gets the signed identity with each request and passes it on: it signs nothing itself."""
import os
import subprocess

from machine import PORTS, Daemon, Load, Measured, compare, median, ratio, started_settings, stop
from shop import DRINK, JSON, ORDER, call, identity, login, subject

SECONDS = 3
ORDERS, MENU = "/coffee.order.v1.OrderService/", "/coffee.menu.v1.MenuService/"
QUIET = {"LOG_LEVEL": "error", "ACCESS_LOG": "0", "RATE_READ": "1000000/1s", "RATE_WRITE": "1000000/1s"}


def bare_gateway(port):
    backend = started_settings("gateway")["ORDER_SERVICE_ADDR"]
    program = os.environ["GRPC_GATEWAY_HOME"] + "/bin/gateway"
    return subprocess.Popen([program, f"127.0.0.1:{port}", backend])


def comparisons(full, quiet, bare_port, bare_pid):
    token = login("customer")
    who = subject(token)
    order = "/orders/" + call("POST", "/orders", token, ORDER)["id"]
    signed_in = {"Authorization": "Bearer " + token}

    def bare(method, path, rpc, body=None, role="customer"):
        headers = {"Grpc-Metadata-X-Identity": identity(role, rpc, who)}
        if body:
            headers.update(JSON)
        return Load(method, bare_port, path, headers, body, "Grpc-Metadata-Idempotency-Key" if body else None)

    ours, theirs, silent = (lambda: [full.pid]), (lambda: [bare_pid]), (lambda: [quiet.pid])
    post_headers = {**signed_in, **JSON}
    return {
        "get": (Measured("ours, all on: GET /orders/{id}", Load("GET", full.port, order, signed_in), ours),
                Measured("bare grpc-gateway: GET /orders/{id}", lambda: bare("GET", order, ORDERS + "GetOrder"), theirs)),
        "post": (Measured("ours, all on: POST /orders",
                          Load("POST", full.port, "/orders", post_headers, ORDER, "Idempotency-Key"), ours),
                 Measured("bare grpc-gateway: POST /orders",
                          lambda: bare("POST", "/orders", ORDERS + "PlaceOrder", ORDER), theirs)),
        "same": (Measured("ours, same work: GET /menu/{id}", Load("GET", quiet.port, DRINK), silent),
                 Measured("bare grpc-gateway: GET /menu/{id}",
                          lambda: bare("GET", DRINK, MENU + "GetMenuItem", role="nobody"), theirs)),
    }


def report(table, pairs):
    for name, what, limit, aim in (("get", "all on, GET", 0.7, 60), ("post", "all on, POST", 0.7, 100),
                                   ("same", "same work, GET", 0.5, None)):
        ours, theirs = pairs[name]
        table.add(f"gateway: {what}, CPU against grpc-gateway", ratio(ours, theirs), "x", limit)
        table.add(f"gateway: {what}, ours" + (f" (aim {aim})" if aim else ""), median(ours.cpu_us), "us")
        table.add(f"gateway: {what}, grpc-gateway", median(theirs.cpu_us), "us")


def run(table):
    bare_port = PORTS + 4
    other = bare_gateway(bare_port)
    try:
        with Daemon("gateway", PORTS) as full, Daemon("gateway", PORTS + 2, **QUIET) as quiet:
            full.wait_ready()
            quiet.wait_ready()
            pairs = comparisons(full, quiet, bare_port, other.pid)
            compare([one for pair in pairs.values() for one in pair], SECONDS)
            report(table, pairs)
    finally:
        stop(other)
