"""The same order workflow on our worker, on the official Go SDK's and on the Python SDK's: one server,
one driver, in turns. All with the options they come with: Go and Python keep workflows in their sticky
cache and take activities eagerly; ours replays each task from its whole history.

An order is three activities, three signals and two timers: seven workflow tasks, 39 events."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from machine import BIN, PORTS, ROUNDS, cpu_s, cpu_since, median, ratio, rss_kib, stop

COUNT = int(os.environ.get("BENCH_WORKFLOWS", "20"))  # of each, each round
CLIENTS = 6
WARM_UP = 6
SETTLE_S = 5
LIMIT_S = 120
SERVER_PORT = PORTS + 10
TARGET = f"127.0.0.1:{SERVER_PORT}"
HERE = os.environ["ROOT"] + "/tests/load/temporal"


def memory_kib(pid, field, file="status"):
    with open(f"/proc/{pid}/{file}", encoding="utf-8") as lines:
        return int(re.search(rf"^{field}:\s+(\d+)", lines.read(), re.M).group(1))


class Server:
    """A development server of its own, its data gone afterwards."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="bench-temporal-")
        program = os.environ["TEMPORAL_HOME"] + "/bin/temporal"
        self.log = open(self.folder + "/log", "wb")
        self.process = subprocess.Popen(
            [program, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(SERVER_PORT),
             "--db-filename", self.folder + "/db", "--log-level", "error"], stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        end = time.monotonic() + 60
        while not self.answers():
            if time.monotonic() > end or self.process.poll() is not None:
                self.__exit__()
                raise AssertionError("the Temporal server does not start")
            time.sleep(0.1)
        return self

    @staticmethod
    def answers():
        try:
            socket.create_connection(("127.0.0.1", SERVER_PORT), 1).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        stop(self.process)
        self.log.close()
        shutil.rmtree(self.folder)


class Worker:
    """A worker process, and what its rounds cost it and the server."""

    def __init__(self, name, queue, command):
        self.name, self.queue = name, queue
        self.cpu_us, self.server_us, self.rates = [], [], []
        self.process = subprocess.Popen(command + [queue], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.set_blocking(self.process.stderr.fileno(), False)
        self.pid = self.process.pid

    def drive(self, count):
        driven = subprocess.run([BIN + "/drive_orders", "ipv4:" + TARGET, self.queue, str(count), str(CLIENTS)],
                                capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if driven.returncode != 0:
            said = (self.process.stderr.read() or b"").decode(errors="replace")
            raise AssertionError(f"{self.name}: {driven.stdout}{driven.stderr}{said[-1000:]}")
        return driven.stdout.strip()

    def round(self, server):
        before, server_before = cpu_s([self.pid]), cpu_s([server.pid])
        told = self.drive(COUNT)
        self.cpu_us.append(cpu_since(before, [self.pid]) / COUNT * 1e6)
        self.server_us.append(cpu_since(server_before, [server.pid]) / COUNT * 1e6)
        print(f"   {self.name:<14} {self.cpu_us[-1] / 1000:6.2f} ms CPU, server {self.server_us[-1] / 1000:6.1f} ms; "
              f"{told}", flush=True)

    def note_idle(self):
        self.idle_kib = rss_kib(self.pid)

    def note_end(self):
        self.end_kib = rss_kib(self.pid)
        self.peak_kib = memory_kib(self.pid, "VmHWM")
        self.pss_kib = memory_kib(self.pid, "Pss", "smaps_rollup")


def workers():
    python = os.environ["TEMPORAL_PYTHON_HOME"] + "/bin/python"
    return [Worker("ours", "ours", [BIN + "/order_worker", "ipv4:" + TARGET]),
            Worker("Go SDK", "go", [os.environ["TEMPORAL_GO_HOME"] + "/bin/order_worker", TARGET]),
            Worker("Python SDK", "python", [python, HERE + "/order_worker.py", TARGET])]


def measure(server, all_three):
    time.sleep(SETTLE_S)
    for worker in all_three:
        worker.note_idle()
    for worker in all_three:
        worker.drive(WARM_UP)
    for number in range(ROUNDS):
        print(f"   round {number + 1}, load {os.getloadavg()[0]:.1f}")
        for worker in all_three:
            worker.round(server)
    for worker in all_three:
        worker.note_end()


def report(table, ours, others):
    for other in others:
        table.add(f"temporal: CPU of a workflow against the {other.name}", ratio(ours, other), "x", 1)
    for other in others:
        table.add(f"temporal: peak RSS against the {other.name}", ours.peak_kib / other.peak_kib, "x", 1)
    for worker in [ours] + others:
        table.add(f"temporal: CPU of a workflow, {worker.name}", median(worker.cpu_us) / 1000, "ms")
        table.add("temporal:   and of the server meanwhile", median(worker.server_us) / 1000, "ms")
        for what, kib in (("idle", worker.idle_kib), ("afterwards", worker.end_kib), ("at its peak", worker.peak_kib)):
            table.add(f"temporal:   RSS {what}", kib / 1024, "MiB")
        table.add("temporal:   PSS afterwards", worker.pss_kib / 1024, "MiB")
    table.add("temporal: load of the machine at the end", os.getloadavg()[0], "")


def run(table):
    with Server() as server:
        all_three = workers()
        try:
            measure(server, all_three)
        finally:
            for worker in all_three:
                stop(worker.process)
    report(table, all_three[0], all_three[1:])
