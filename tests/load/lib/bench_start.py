"""Each daemon from exec to ready, while Postgres, Valkey and Kafka are up: median of 20."""
from machine import PORTS, Daemon, median

LIMIT_MS = 250
TIMES = 20


def run(table):
    took = {"gateway": [], "order-service": [], "customer-service": []}
    for _ in range(TIMES):
        for name, times in took.items():
            with Daemon(name, PORTS) as daemon:
                times.append(daemon.wait_ready() * 1000)
    for name, times in took.items():
        print(f"   {name}: " + " ".join(f"{t:.0f}" for t in sorted(times)))
        table.add(f"start: {name}, median of {TIMES}", median(times), "ms", LIMIT_MS)
