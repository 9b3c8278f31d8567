"""A process that answers requests does not outlive its caller."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import sys, time
from workbench.deploy.answering import answer_requests, private_output

def wait(request):
    time.sleep(request["seconds"])
    return {"waited": request["seconds"]}

with private_output() as answers:
    answer_requests(answers, {"wait": wait}, ValueError)
sys.exit(7)
"""


@pytest.fixture
def process():
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CODE]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as started:
        yield started
        started.kill()


def ask(process, seconds):
    process.stdin.write(json.dumps({"command": "wait", "seconds": seconds}) + "\n")
    process.stdin.flush()


def test_requests_are_answered_in_turn(process):
    for seconds in (0.01, 0.0):
        ask(process, seconds)
    answers = [json.loads(process.stdout.readline()) for _number in range(2)]
    assert answers == [{"waited": 0.01}, {"waited": 0.0}]
    process.stdin.close()
    assert process.wait(10) == 7


def test_a_request_is_not_finished_after_the_caller_has_ended(process):
    ask(process, 0.0)
    process.stdout.readline()
    ask(process, 600)
    process.stdin.close()  # as the end of the caller does
    assert process.wait(10) == 1
