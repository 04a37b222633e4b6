#!/usr/bin/env -S python3 -B
"""tidy.py BUILD_DIR: clang-tidy over the C++ sources of a configured build, one process a core.

A source that was clean stays so until one of these changes: its own text, that of any header it
includes, its flags, .clang-tidy, or clang-tidy. BUILD_DIR/tidy keeps, for each clean source, the
headers it saw and a digest of all of these; so a second run takes seconds.

The *_test.cc are left to the compiler: GoogleTest's headers alone would double the time of a run.
So is tests/bench/routes, whose lambdas that capture parts of pairs clang 14 does not know.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import sources

CLANG_TIDY = "clang-tidy-14"
# What matters to a reader of the source; the rest of a gcc command line may mean nothing to clang.
PASSED_ON = ("-I", "-D", "-U", "-std=")
PASSED_ON_WITH_VALUE = ("-isystem", "-iquote", "-include")


def run(*command, cwd=sources.ROOT):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def flags_of(entry):
    arguments = iter(shlex.split(entry["command"]))
    for argument in arguments:
        if argument in PASSED_ON_WITH_VALUE:
            value = next(arguments)
            if not value.endswith("/cmake_pch.hxx"):  # gcc's; clang does without
                yield from (argument, value)
        elif argument.startswith(PASSED_ON):
            yield argument


@functools.cache
def digest_of(path):
    try:
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except FileNotFoundError:
        return "gone"


@functools.cache
def judge():
    return run(CLANG_TIDY, "--version").stdout + digest_of(sources.ROOT / ".clang-tidy")


def digest_of_all(flags, paths):
    parts = [judge(), *flags, *(f"{path} {digest_of(path)}" for path in paths)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def included(source, flags, directory):
    rule = run("clang++-14", "-M", *flags, source, cwd=directory).stdout
    return sorted(rule.replace("\\\n", " ").partition(":")[2].split())


def tidy(entry, cache):
    """None if the source is clean, else what clang-tidy says about it."""
    source, flags = entry["file"], list(flags_of(entry))
    memory = cache / (hashlib.sha256(source.encode()).hexdigest() + ".json")
    if memory.exists():
        known = json.loads(memory.read_text())
        if known["digest"] == digest_of_all(flags, known["paths"]):
            return None
    found = run(CLANG_TIDY, "--quiet", source, "--", *flags, cwd=entry["directory"])
    if found.returncode or found.stdout:
        return found.stdout or f"{source}: {CLANG_TIDY} ended with {found.returncode}: {found.stderr}"
    paths = included(source, flags, entry["directory"])
    memory.write_text(json.dumps({"digest": digest_of_all(flags, paths), "paths": paths}))
    return None


def by_source(commands):
    """A unity source stands for those that it includes."""
    for entry in commands:
        unity = pathlib.Path(entry["file"])
        included = [unity]
        if unity.parent.name == "Unity":
            included = re.findall(r'^#include "(.+)"$', unity.read_text(), re.MULTILINE)
        yield from ((str(source), entry | {"file": str(source)}) for source in included)


def main(build):
    ours = {str(sources.ROOT / path) for path in sources.files(".cc")
            if not path.name.endswith("_test.cc") and not path.is_relative_to("tests/bench/routes")}
    commands = json.loads((build / "compile_commands.json").read_text())
    entries = {source: entry for source, entry in by_source(commands) if source in ours}
    if not entries:
        return sources.report([f"{build} compiles none of our sources"])
    cache = build / "tidy"
    cache.mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = pool.map(lambda entry: tidy(entry, cache), entries.values())
        return sources.report([text.rstrip() for text in findings if text])


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
