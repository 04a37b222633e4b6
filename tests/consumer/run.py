#!/usr/bin/env -S python3 -B
"""run.py BUILD_DIR SANITIZERS: installs the library into a scratch prefix, and has a program outside
of this tree use it: in C++ by find_package(), in C by pkg-config."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = "10.9.0.1\n10.9.0.2\n"


def run(*command, **env):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, **env})
    if done.returncode:
        sys.exit(f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")
    print(f"{what}: as expected")


def in_cxx(outside, prefix, flags):
    build = outside / "build"
    run("cmake", "-S", outside, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_CXX_COMPILER=g++-12", f"-DCMAKE_CXX_FLAGS={' '.join(flags)}")
    run("cmake", "--build", build)
    expect("C++, find_package", run(build / "consumer"), EXPECTED)


def in_c(outside, prefix, flags):
    packages, = prefix.rglob("pkgconfig")
    words = run("pkg-config", "--cflags", "--libs", "srcsel", PKG_CONFIG_PATH=str(packages)).split()
    run("gcc-12", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *flags,
        outside / "consumer.c", "-o", outside / "consumer_c", *words)
    expect("C, pkg-config",
           run(outside / "consumer_c", LD_LIBRARY_PATH=str(packages.parent)), EXPECTED)


def shows_the_c_api_alone(prefix):
    library, = prefix.rglob("libsrcsel.so.0")
    symbols = [line.split()[-1] for line in
               run("nm", "--dynamic", "--defined-only", library).splitlines()]
    strangers = [name for name in symbols if not name.startswith(("srcsel_", "SRCSEL_"))]
    expect("symbols that are none of the C API's", strangers, [])
    needed = [line for line in run("objdump", "-p", library).splitlines() if "NEEDED" in line]
    expect("libbpf among what it needs", [line for line in needed if "bpf" in line], [])


def main(build, sanitizers):
    flags = [f"-fsanitize={sanitizers}"] if sanitizers else []
    with tempfile.TemporaryDirectory() as scratch:
        prefix, outside = pathlib.Path(scratch, "prefix"), pathlib.Path(scratch, "outside")
        for component in ("libsrcsel0", "libsrcsel-dev"):
            run("cmake", "--install", build, "--prefix", prefix, "--component", component)
        shutil.copytree(HERE, outside)
        in_cxx(outside, prefix, flags)
        in_c(outside, prefix, flags)
        shows_the_c_api_alone(prefix)


main(*sys.argv[1:])
