#!/usr/bin/env -S python3 -B
"""spdx.py: fails unless all that ends up in a kernel program opens with the licence that needs."""

import sys

import sources

LICENCE = "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
KERNEL_SIDE = ("bpf/", "libsrcsel/engine/", "include/srcsel/abi.h")


def opens_with_licence(path):
    lines = (sources.ROOT / path).read_text().splitlines()
    return lines and lines[0] in (f"// {LICENCE}", f"/* {LICENCE} */")


code = [p for p in sources.files(".c", ".h") if str(p).startswith(KERNEL_SIDE)]
assert code, "found none of the files to check"
sys.exit(sources.report([f"{p}: the first line must be /* {LICENCE} */"
                         for p in code if not opens_with_licence(p)]))
