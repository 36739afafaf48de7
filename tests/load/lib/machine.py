"""Processes and what they cost, from /proc; load from wrk; the figures that count on a shared machine."""
import glob
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
BIN = os.environ["BENCH_BIN"]
RUN = os.environ["EVERYTHING_RUN"]
ROUNDS = int(os.environ["BENCH_ROUNDS"])
PORTS = int(os.environ["BENCH_PORTS"])  # the first of some that are free for us
median = statistics.median


def started_settings(daemon):
    """What the stack told this daemon by environment."""
    with open(f"{RUN}/{daemon}/run", encoding="utf-8") as file:
        return dict(re.findall(r"^export (\w+)='(.*)'$", file.read(), re.M))


def stack_pid(name):
    with open(f"{RUN}/{name}/pid", encoding="utf-8") as file:
        return int(file.read().split()[0])


class Daemon:
    """A daemon of ours beside the stack's, on ports of its own, with some settings changed."""

    def __init__(self, name, port, **changed):
        settings = started_settings(name)
        settings.update(METRICS_PORT=str(port + 1), **changed)
        settings["HTTP_PORT" if name == "gateway" else "GRPC_PORT"] = str(port)
        self.port, self.admin = port, port + 1
        self.log = open(f"{RUN}/log/bench-{name}-{port}.log", "wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen([f"{BIN}/{name}"], env=settings, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)
        self.log.close()

    def wait_ready(self, limit_s=10):
        """Seconds from exec to the first 200 of /readyz."""
        while time.monotonic() - self.began < limit_s:
            if is_ready(self.admin):
                return time.monotonic() - self.began
            time.sleep(0.002)
        raise AssertionError(f"not ready in {limit_s} s: see {self.log.name}")


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_ready(admin_port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def cpu_s(pids):
    """User and system time so far of each of these processes."""
    times = {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        times[pid] = (int(fields[11]) + int(fields[12])) / TICK
    return times


def thread_cpu_s(pid, names):
    """The same of the threads of a process whose names begin so."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        try:
            with open(path, encoding="utf-8") as file:
                name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        fields = rest.split()
        total += (int(fields[11]) + int(fields[12])) / TICK if name.startswith(names) else 0
    return total


def cpu_exact_s(pid):
    """What its threads have had so far, in nanoseconds' exactness; without those that ended."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="utf-8") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def cpu_since(before, pids):
    """Seconds since then, of all together; a process that was born since counts from its birth."""
    return sum(now - before.get(pid, 0) for pid, now in cpu_s(pids).items())


def postgres_pids(without_database):
    """The postmaster of the stack and its children, but for those connected to that database."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            here = os.readlink(folder + "/cwd") == os.environ["BENCH_PG_DATA"]
            with open(folder + "/cmdline", encoding="utf-8", errors="replace") as file:
                title = file.read()
        except OSError:
            continue
        if here and f" {without_database} " not in title:
            found.append(int(os.path.basename(folder)))
    return found


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def mapped_kib(pid, library):
    """What a process has in memory of files with that name."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
        parts = re.findall(r"^[0-9a-f]+-[0-9a-f]+ .*?(\S*)\n(?:\w.*\n)*?Rss:\s+(\d+)", file.read(), re.M)
    return sum(int(kib) for name, kib in parts if library in name)


def frames(pid):
    """The page frames a process has in memory."""
    seen = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            begin, end = (int(x, 16) // PAGE for x in line.split()[0].split("-"))
            if begin >= 1 << 47:
                continue
            pagemap.seek(begin * 8)
            table = pagemap.read((end - begin) * 8)
            for i in range(0, len(table), 8):
                entry = int.from_bytes(table[i:i + 8], "little")
                if entry >> 63 and entry & (1 << 55) - 1:
                    seen.add(entry & (1 << 55) - 1)
    return seen


def together_kib(pids):
    """PSS of these processes as if nobody else had the libraries open: another stack on the machine
    would make the kernel's figure too small. Needs root; else the kernel's figure."""
    if os.geteuid() == 0:
        return len(set().union(*(frames(pid) for pid in pids))) * PAGE // 1024
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
    return total


LUA = """
local key, n = "{key}", 0
request = function()
    n = n + 1
    return wrk.format("{method}", "{path}", {{{headers}}}, {body})
end
"""


class Load:
    """A request, sent over 32 kept-alive connections as fast as answers come."""

    def __init__(self, method, port, path, headers=None, body=None, key_header=None):
        self.url = f"http://127.0.0.1:{port}"
        lines = [f'["{name}"]="{value}"' for name, value in (headers or {}).items()]
        if key_header:
            lines.append(f'["{key_header}"]=key .. n')
        self.parts = {"method": method, "path": path, "headers": ",".join(lines),
                      "body": f"[==[{body}]==]" if body else "nil"}

    def run(self, seconds):
        """(answers, answers a second, p50 and p99 in ms); every answer must be a success."""
        script = LUA.format(key=os.urandom(8).hex() + "-", **self.parts)
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(script)
            file.flush()
            out = subprocess.run(["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", "-s", file.name, self.url],
                                 capture_output=True, text=True, check=True).stdout
        bad = re.search(r"Non-2xx.*|Socket errors.*", out)
        if bad:
            raise AssertionError(f"{self.parts['method']} {self.parts['path']}: {bad.group(0)}")
        count = int(re.search(r"(\d+) requests in", out).group(1))
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        return count, rate, milliseconds(out, "50"), milliseconds(out, "99")


def milliseconds(out, percentile):
    number, unit = re.search(rf"\s{percentile}%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Measured:
    """One line of a comparison: the same load, several rounds, whose CPU is counted."""

    def __init__(self, name, load, pids, after=None):
        self.name, self.load, self.pids, self.after = name, load, pids, after
        self.cpu_us, self.rates, self.p99s = [], [], []

    def round(self, seconds):
        load = self.load() if callable(self.load) else self.load
        before = cpu_s(self.pids())
        count, rate, p50, p99 = load.run(seconds)
        if self.after:
            self.after()
        cpu = cpu_since(before, self.pids()) / count * 1e6
        self.cpu_us.append(cpu)
        self.rates.append(rate)
        self.p99s.append(p99)
        print(f"   {self.name:<44} {cpu:7.1f} us CPU, {rate:7.0f}/s, p50 {p50:.2f} p99 {p99:.1f} ms", flush=True)


def compare(measured, seconds, warm_up=1):
    for one in measured:
        (one.load() if callable(one.load) else one.load).run(warm_up)
        if one.after:
            one.after()
    for number in range(ROUNDS):
        print(f"   round {number + 1}, load {os.getloadavg()[0]:.1f}")
        for one in measured:
            one.round(seconds)


def ratio(ours, theirs):
    """The median of the rounds' ratios: what disturbed a round disturbed both."""
    return median([a / b for a, b in zip(ours.cpu_us, theirs.cpu_us)])
