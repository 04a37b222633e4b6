#!/usr/bin/env -S python3 -B
"""format.py [--fix]: fails on a source that clang-format would lay out otherwise; or lays it out."""

import subprocess
import sys

import sources

mode = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror"]
paths = sources.files(".c", ".h", ".cc", ".hh")
sys.exit(subprocess.run(["clang-format-14", *mode, *paths], cwd=sources.ROOT).returncode)
