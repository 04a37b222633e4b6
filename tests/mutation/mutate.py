#!/usr/bin/env -S python3 -B
"""mutate.py SOURCE BUILD [NAME...]: switches each clause of the evaluator off and expects a
differential test to find it out: random hosts, what they have found before, or, for what other
clauses hide from them, the test of one part. With --check for BUILD: only whether each clause is
where it is said to be.

Works on a copy of SOURCE in BUILD, so that the sources stay as they are. Fails if a clause is not
missed: then either the hosts are too tame, or the clause is not needed.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from mutations import MUTATIONS

# In the order in which they are built and run, until one fails. The last has VRFs, as not every
# kernel does.
TESTS = ("differential_traps", "differential_hosts", "differential_multipath",
         "differential_default_rotation", "differential_source6", "unit_select")
TARGETS = {"unit_select": "unit_tests"}  # where it is not the test's name
HOSTS = dict(os.environ, SRCSEL_HOSTS="300")
NOT_COPIED = shutil.ignore_patterns("build", ".git")


def run(words, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def must(words):
    done = run(words)
    if done.returncode != 0:
        sys.exit(f"mutate: {' '.join(map(str, words))} failed:\n{done.stdout[-4000:]}")


def copy(source, tree):
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(source, tree, ignore=NOT_COPIED, symlinks=True)


def failing(out):
    """The first test that fails; None if none does."""
    for test in TESTS:
        built = run(["cmake", "--build", out, "--target", TARGETS.get(test, test)])
        if built.returncode != 0:
            sys.exit(f"mutate: {test} does not compile:\n{built.stdout[-4000:]}")
        if run([out / "bin" / test], env=HOSTS).returncode != 0:
            return test
    return None


def misplaced(source):
    for name, (file, text, _) in MUTATIONS.items():
        times = (source / file).read_text().count(text)
        if times != 1:
            yield f"'{name}': {file} has its text {times} times, not once"


def mutate(tree, out, name):
    """The test that fails without the clause, or None."""
    file, text, replacement = MUTATIONS[name]
    path = tree / file
    whole = path.read_text()
    path.write_text(whole.replace(text, replacement))
    try:
        return failing(out)
    finally:
        path.write_text(whole)


def main():
    source, place = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    if errors := list(misplaced(source)):
        sys.exit("mutate: " + "\n".join(errors))
    if sys.argv[2] == "--check":
        return
    names = sys.argv[3:] or list(MUTATIONS)
    tree, out = place / "tree", place / "build"
    copy(source, tree)
    must(["cmake", "-S", tree, "-B", out, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
          "-DCMAKE_CXX_COMPILER=g++-12", "-DCMAKE_C_COMPILER=gcc-12", "-DCMAKE_CXX_FLAGS=-w",
          "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG", "-DSRCSEL_PRECOMPILE=ON"])
    if test := failing(out):
        sys.exit(f"mutate: {test} fails with every clause in place")
    survivors = []
    for name in names:
        test = mutate(tree, out, name)
        print(f"missed by {test}: {name}" if test else f"NOT MISSED: {name}", flush=True)
        if not test:
            survivors.append(name)
    if survivors:
        sys.exit(f"mutate: {len(survivors)} of {len(names)} clauses are not missed")


if __name__ == "__main__":
    main()
