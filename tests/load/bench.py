"""Runs the measurements named, prints the table, writes bench-results/. Called by bench.sh."""
import datetime
import importlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from table import Table  # noqa: E402 (lib/ must be on the path first)


def main(names):
    table = Table()
    for name in names:
        print(f"-- {name}", flush=True)
        importlib.import_module("bench_" + name).run(table)
    table.show()
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    stem = os.path.join(os.environ["ROOT"], "bench-results", now + "-" + "-".join(names))
    with open(stem + ".json", "w", encoding="utf-8") as file:
        json.dump(table.rows, file, indent=1)
    print(f"written to {os.path.relpath(stem, os.environ['ROOT'])}.json")
    return 0 if table.holds() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
