"""CPU of a push, in the process of the sender: 10,000 through the stand-in for Apple's service. The least of the
rounds: other work on the machine makes it more, never less. The client beside Go's own, in turns: same pushes, as many
at once, each with a stand-in of its own."""
import os
import re
import subprocess
import tempfile
import time

from machine import ROUNDS, stop

ROOT, BUILD = os.environ["ROOT"], os.path.dirname(os.environ["BENCH_BIN"])
PUSHES = 10000
NOTICES = ("notices", "ten_thousand_notices_are_sent_once_in_effect")
CLIENT = ("apns", "ten_thousand_pushes_share_a_connection_and_arrive_once_in_effect")


def figure(done):
    found = re.search(r"([0-9.]+) us CPU", done.stdout)
    assert done.returncode == 0 and found, done.stdout + done.stderr
    return float(found.group(1))


def ours(program, fact):
    target = f"integration_customer_service_notify_test_{program}"
    subprocess.run(["ninja", "-C", BUILD, target], check=True, stdout=subprocess.DEVNULL, timeout=1800)
    return figure(subprocess.run([os.path.join(BUILD, "tests", target)], check=False, capture_output=True, text=True,
                                 timeout=300, cwd=ROOT, env={**os.environ, "CK_RUN_CASE": fact}))


def ready(folder, limit_s=20):
    """The port of the stand-in that was started there."""
    end = time.monotonic() + limit_s
    while not os.path.exists(folder + "/ready"):
        assert time.monotonic() < end, "the stand-in for Apple's service does not start"
        time.sleep(0.05)
    with open(folder + "/ready", encoding="ascii") as file:
        return file.read().split()[0]


def theirs():
    fake = subprocess.run([ROOT + "/tests/fakes/apns/build.sh"], check=True, capture_output=True, text=True, timeout=300)
    with tempfile.TemporaryDirectory(prefix="bench-push-") as folder:
        server = subprocess.Popen([fake.stdout.strip(), "-dir", folder])
        try:
            return figure(subprocess.run(
                [os.environ["PUSH_GO_HOME"] + "/bin/push", "https://127.0.0.1:" + ready(folder), folder + "/ca.pem",
                 str(PUSHES)], check=False, capture_output=True, text=True, timeout=300))
        finally:
            stop(server)


def run(table):
    took = {"notices": [], "client": [], "Go": []}
    for _ in range(ROUNDS):
        took["notices"].append(ours(*NOTICES))
        took["client"].append(ours(*CLIENT))
        took["Go"].append(theirs())
    for name, each in took.items():
        print(f"   {name}: " + " ".join(f"{us:.1f}" for us in each))
    client, go = min(took["client"]), min(took["Go"])
    table.add("push: from the notice's row to the acknowledgement", min(took["notices"]), "us CPU", 250)
    table.add("push: of that, the client of Apple's service", client, "us CPU", 60)
    table.add("push: the same by Go's own client", go, "us CPU")
    table.add("push: the client's CPU against Go's", client / go, "x", 0.5)
