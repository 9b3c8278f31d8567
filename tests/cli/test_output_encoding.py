"""What the console prints also goes to a pipe whose encoding has fewer letters."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

CODE = """
import sys
from workbench.cli import commands, main
command = commands.COMMANDS[0]
options = lambda parser: parser.add_argument("--name", default="3 × 10⁻⁷")
run = lambda options: {"name": options.name}
show = lambda result: print(result["name"])
made = commands.Command("say", "says it", options, run, show)
commands.COMMANDS = (made,)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_letters_that_an_encoding_lacks_are_written_by_their_numbers(encoding):
    def printed(*arguments):
        command = [sys.executable, "-c", CODE, "say", *arguments]
        variables = {**os.environ, "PYTHONIOENCODING": encoding}
        process = subprocess.run(command, env=variables, capture_output=True, check=True)
        return process.stdout.decode(encoding).strip()

    assert json.loads(printed("--json")) == {"name": "3 × 10⁻⁷"}
    text = printed()
    assert text.startswith("3 ")
    assert (text == "3 × 10⁻⁷") == (encoding == "utf-8")
