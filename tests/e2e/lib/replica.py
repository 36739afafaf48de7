"""More daemons from the settings of the stack, at ports of their own: children of the test, ended with it."""
import atexit
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

import shop

folder = tempfile.TemporaryDirectory(prefix="replica-")
everyone = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Replica:
    """One daemon. keep=True starts it again whenever it ends, as a supervisor would; 'under' is a command that
    runs it, valgrind say; in_place=True has the ports of the stack's own, which must be down."""

    def __init__(self, daemon, keep=False, wait=True, under="", in_place=False, **settings):
        self.daemon, self.keep, self.process = daemon, keep, None
        port = "HTTP_PORT" if daemon == "gateway" else "GRPC_PORT"
        settings[port], settings["METRICS_PORT"] = free_port(), free_port()
        if in_place:
            settings |= {name: int(shop.settings_of(daemon)[name]) for name in (port, "METRICS_PORT")}
        self.port, self.metrics_port = settings[port], settings["METRICS_PORT"]
        self.script = os.path.join(folder.name, f"{daemon}-{self.port}")
        with open(os.path.join(os.environ["TEST_STACK_RUN"], daemon, "run"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        last = lines.pop().replace("exec ", f"exec {under} ", 1)
        lines += [f"export {name}='{value}'" for name, value in settings.items()] + [last]
        with open(self.script, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        everyone.append(self)
        self.start()
        if wait:
            shop.within(shop.PATIENCE_S, self.is_ready)

    def start(self):
        with open(self.script + ".log", "ab") as log:
            self.process = subprocess.Popen(["/bin/sh", self.script], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if self.keep:
            threading.Thread(target=self._again, args=(self.process,), daemon=True).start()

    def _again(self, process):
        process.wait()
        time.sleep(0.3)
        if self.keep:
            self.start()

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self):
        return f"http://127.0.0.1:{self.metrics_port}"

    def is_ready(self):
        return shop.get(self.metrics_url + "/readyz")[0] == 200

    def kill(self, number=signal.SIGKILL):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass  # it is down: whoever keeps it is at it

    def stop(self):
        self.keep = False
        self.process.terminate()

    def end(self, seconds=30):
        """Its exit code after SIGTERM."""
        self.stop()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(5)

    def log(self):
        with open(self.script + ".log", encoding="utf-8", errors="replace") as file:
            return file.read()


def addresses(*services):
    """One target for several replicas of a daemon."""
    return "ipv4:" + ",".join(f"127.0.0.1:{s if isinstance(s, int) else s.port}" for s in services)


@atexit.register
def end_all():
    for one in everyone:
        one.stop()
    for one in everyone:
        one.end()
    folder.cleanup()


def leave(*_):
    end_all()
    os._exit(143)  # threads may be waiting for an answer


signal.signal(signal.SIGTERM, leave)
