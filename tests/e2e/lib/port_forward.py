"""kubectl port-forward, from our manifests to a gateway that runs with the settings of its ConfigMap.

Real are kubectl, the manifests as kustomize renders them, the streaming code of the kubelet and the gateway. The
API server is a stand-in (tests/fakes/cluster), the pod a process: its network is an address of the loopback, its
secrets are the stack's.
"""
import atexit
import http.client
import json
import os
import subprocess
import tempfile
import urllib.request

import shop

BIN, RUN = os.environ["CLUSTER_BIN"], os.environ["TEST_STACK_RUN"]
API, POD, HERE = "127.77.0.2", "127.77.0.5", "127.77.0.1"  # loopback: nobody else's port 8000
NAMESPACE = "everything"
folder = tempfile.TemporaryDirectory(prefix="port-forward-")
children = []


def path(name):
    return os.path.join(folder.name, name)


def start(name, *command, **options):
    with open(path(name + ".log"), "wb") as log:
        children.append(subprocess.Popen(command, stdout=log, stderr=log, **options))
    return children[-1]


def said_by(name):
    with open(path(name + ".log"), encoding="utf-8", errors="replace") as log:
        return log.read()


@atexit.register
def end_all():
    for child in reversed(children):
        child.terminate()
    for child in children:
        child.wait(30)


def render():
    shown = subprocess.run([BIN + "/kubectl", "kustomize", shop.ROOT + "/k8s"], check=True, capture_output=True, text=True)
    return shown.stdout


def settings_in(rendered):
    """Of the gateway's ConfigMap, for a process: paths of its pod are paths here."""
    document = next(d for d in rendered.split("\n---\n") if "\nkind: ConfigMap\n" in d and "\n  name: server-" in d)
    lines = document.split("data:\n")[1].split("\nkind:")[0].splitlines()
    settings = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
    settings = {name: value.strip('"') for name, value in settings.items()}
    settings["LISTEN_ADDRESS"] = POD
    return {name: value.replace("/run/secrets", RUN + "/secrets") for name, value in settings.items()}


def the_pod_of(rendered):
    with open(os.path.join(RUN, "gateway", "run"), encoding="utf-8") as script:
        program = script.read().splitlines()[-1].removeprefix("exec ").strip("'")
    settings = settings_in(rendered)
    pod = start("gateway", program, env={**settings, "PATH": "/usr/bin:/bin"})
    # kubectl ends its forwarding at the first connection that the pod refuses
    shop.within(shop.PATIENCE_S, lambda: shop.get(f"http://{POD}:{settings['HTTP_PORT']}/healthz")[0] == 200)
    return pod


def cluster(name, rendered):
    with open(path(name + ".yaml"), "w+", encoding="utf-8") as manifests:
        manifests.write(rendered)
        manifests.seek(0)
        start(name, BIN + "/cluster", "-address", API + ":0", "-pods", POD, "-ready", path(name), stdin=manifests)
    shop.within(shop.PATIENCE_S, lambda: os.path.exists(path(name)) and os.path.getsize(path(name)))
    with open(path(name), encoding="ascii") as address:
        return "http://" + address.read()


def forward(api, name="forward", service="api-gateway"):
    return start(name, BIN + "/kubectl", "--server", api, "--namespace", NAMESPACE, "port-forward", "--address", HERE,
                 "svc/" + service, "8000:80", env={"KUBECONFIG": os.devnull, "HOME": folder.name, "PATH": "/usr/bin:/bin"})


def healthz():
    with urllib.request.urlopen(f"http://{HERE}:8000/healthz", timeout=30) as answer:
        return json.load(answer)


def answers():
    try:
        return healthz() == {"status": "ok"}
    except (OSError, ValueError, http.client.HTTPException):  # it, or the gateway behind it, ends just now
        return False


def kubectl_forwards_a_port_to_the_gateway():
    rendered = render()
    pod, api = the_pod_of(rendered), cluster("cluster", rendered)
    for service in ("api-gateway", "server"):
        forwarding = forward(api, service=service)
        shop.within(shop.PATIENCE_S, answers)
        print("  " + said_by("forward").splitlines()[0])
        forwarding.terminate()
        forwarding.wait(30)
        assert not answers(), "who answers there is not kubectl"
    pod.terminate()
    pod.wait(30)


def a_service_that_leads_to_no_port_of_the_pod_is_found():
    rendered = render().replace("targetPort: http\n", "targetPort: https\n")
    forwarding = forward(cluster("misled", rendered), name="misled-forward")
    assert forwarding.wait(shop.PATIENCE_S) != 0
    assert "https" in said_by("misled-forward"), said_by("misled-forward")


shop.fact(kubectl_forwards_a_port_to_the_gateway, "GW-10")
shop.fact(a_service_that_leads_to_no_port_of_the_pod_is_found)
shop.finish()
