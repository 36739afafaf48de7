"""Each daemon from exec to ready, while Postgres, Valkey and Kafka are up: median of 20. Beside the
time on the wall, which on a shared machine tells of its other work too, the CPU that it took."""
from machine import PORTS, Daemon, cpu_exact_s, median

LIMIT_MS = 250
LIMIT_CPU_MS = 100
TIMES = 20


def run(table):
    took = {"gateway": [], "order-service": [], "customer-service": []}
    cpu = {name: [] for name in took}
    for _ in range(TIMES):
        for name, times in took.items():
            with Daemon(name, PORTS) as daemon:
                times.append(daemon.wait_ready() * 1000)
                cpu[name].append(cpu_exact_s(daemon.pid) * 1000)
    for name, times in took.items():
        print(f"   {name}: " + " ".join(f"{t:.0f}" for t in sorted(times)))
        table.add(f"start: {name}, median of {TIMES}", median(times), "ms", LIMIT_MS)
        table.add(f"start: {name}, CPU until ready", median(cpu[name]), "ms CPU", LIMIT_CPU_MS)
