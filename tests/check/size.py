#!/usr/bin/env -S python3 -B
"""size.py: fails on a source too long to be read at one sitting."""

import sys

import sources

LIMIT = 600


def lines(path):
    return len((sources.ROOT / path).read_text().splitlines())


code = sources.files(".c", ".h", ".cc", ".hh", ".py", ".sh", ".cmake", ".go")
sys.exit(sources.report([f"{p}: {lines(p)} lines, the limit is {LIMIT}"
                         for p in code if lines(p) > LIMIT]))
