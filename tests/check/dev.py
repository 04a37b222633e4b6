#!/usr/bin/env -S python3 -B
"""dev.py: the newcomer's script parses, explains itself, and refuses what it does not know."""

import subprocess
import sys

import sources


def run(*command):
    return subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True)


errors = []
for script in ("tools/dev", ".ci/run"):
    parsed = run("bash", "-n", script)
    if parsed.returncode:
        errors.append(f"bash -n {script}: {parsed.stderr}")

for question in ((), ("--help",)):
    told = run("./tools/dev", *question)
    if told.returncode or told.stderr or not told.stdout.startswith("usage: ./tools/dev"):
        errors.append(f"./tools/dev {' '.join(question)}: no usage: {told}")

for mistake in (("bild",), ("--verbose",), ("build", "now")):
    refused = run("./tools/dev", *mistake)
    one_line = refused.stderr.count("\n") == 1 and mistake[0] in refused.stderr
    if refused.returncode != 2 or refused.stdout or not one_line:
        errors.append(f"./tools/dev {' '.join(mistake)}: not one line and status 2: {refused}")

sys.exit(sources.report(errors))
