"""What the judges of histories share: the official Python SDK replays each against a workflow written in
Python. Ends with 0 when it accepts all of them, with 2 when it finds that code and history disagree."""
import asyncio
import os
import sys

from temporalio import workflow
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer


async def replay(flow, paths):
    replayer = Replayer(workflows=[flow])
    for path in paths:
        with open(path, "rb") as file:
            history = History.FromString(file.read())
        try:
            await replayer.replay_workflow(WorkflowHistory("judged", list(history.events)))
        except workflow.NondeterminismError as refused:
            print(f"{path}: refused: {refused}")
            return 2
        print(f"{os.path.basename(path)}: {flow.__name__} accepted {len(history.events)} events")
    return 0


def main(flows):
    """Of the command line WORKFLOW HISTORY...; 'flows' has them by name."""
    verdict = asyncio.run(replay(flows[sys.argv[1]], sys.argv[2:]))
    sys.stdout.flush()
    os._exit(verdict)  # the SDK's native threads have crashed an interpreter that ends politely
