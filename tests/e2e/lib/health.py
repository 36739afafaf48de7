"""One truth about a daemon's health, seen through two doors: /readyz and grpc.health.v1."""
import json
import os
import subprocess

import shop

DAEMONS = {"order-service": "ORDER_SERVICE_ADDR", "customer-service": "CUSTOMER_SERVICE_ADDR"}
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
GRPCURL = os.environ.get("GRPCURL") or f"{CACHE}/everything/grpcurl-1.9.3/bin/grpcurl"


def readyz(daemon):
    return shop.get(f"http://127.0.0.1:{shop.settings_of(daemon)['METRICS_PORT']}/readyz")[0]


def health(daemon):
    asked = subprocess.run([GRPCURL, "-plaintext", os.environ[DAEMONS[daemon]], "grpc.health.v1.Health/Check"],
                           capture_output=True, text=True, timeout=60)
    return json.loads(asked.stdout)["status"] if asked.returncode == 0 else asked.stderr


def both_say(ready):
    expected = (200, "SERVING") if ready else (503, "NOT_SERVING")
    return all((readyz(daemon), health(daemon)) == expected for daemon in DAEMONS)


def grpc_health_says_what_readyz_says_while_postgres_goes_and_comes():
    shop.within(shop.PATIENCE_S, both_say, True)
    pids = {daemon: shop.pid_of(daemon) for daemon in DAEMONS}
    shop.wish("postgres", "down")
    try:
        shop.within(shop.PATIENCE_S, both_say, False)
    finally:
        shop.wish("postgres", "up")
    shop.within(2 * shop.PATIENCE_S, both_say, True)
    assert pids == {daemon: shop.pid_of(daemon) for daemon in DAEMONS}, "a daemon died of it"
    shop.within(shop.PATIENCE_S, lambda: shop.call("GET", "/menu")[0] == 200)


shop.fact(grpc_health_says_what_readyz_says_while_postgres_goes_and_comes, "GRPC-02")
shop.finish()
