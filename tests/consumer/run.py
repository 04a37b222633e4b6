#!/usr/bin/env -S python3 -B
"""run.py BUILD_DIR SANITIZERS: installs the library into a scratch prefix, and has programs outside
of this tree use it, in C++ by find_package(), in C by pkg-config: one in each language, and the
examples of the README and of libsrcsel(3), as they are written there."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
EXPECTED = "10.9.0.1\n10.9.0.2\n"
OF_EXAMPLE = "10.9.0.2\n"


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


def of_readme(language):
    block, = re.findall(rf"```{language}\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    return block


def of_page():
    page = (SOURCE / "docs/man/libsrcsel.3.in").read_text()
    include, = re.findall(r"^\.B (#include .*)$", page, re.MULTILINE)
    example = re.search(r"\.SH EXAMPLE\n\.RS 4\n\.nf\n(.*?)\.fi", page, re.DOTALL)[1]
    return f"{include}\n{example}".replace("\\-", "-").replace("\\e", "\\")


def frame(folder, example):
    """What frame.c and frame.cc include: the example's own includes, and the rest of it."""
    folder.mkdir()
    lines = example.splitlines(keepends=True)
    includes = [line for line in lines if line.startswith("#include")]
    (folder / "example_includes.h").write_text("".join(includes))
    (folder / "example.inc").write_text("".join(line for line in lines if line not in includes))


def in_cxx(outside, prefix, flags):
    build = outside / "build"
    frame(outside / "readme", of_readme("cpp"))
    run("cmake", "-S", outside, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_CXX_COMPILER=g++-12", f"-DCMAKE_CXX_FLAGS={' '.join(flags)}")
    run("cmake", "--build", build)
    expect("C++, find_package", run(build / "consumer"), EXPECTED)
    expect("C++, README.md", run(build / "readme"), OF_EXAMPLE)


def in_c(outside, prefix, flags):
    packages, = prefix.rglob("pkgconfig")
    words = run("pkg-config", "--cflags", "--libs", "srcsel", PKG_CONFIG_PATH=str(packages)).split()

    def result_of(source, *more):
        program = outside / "program_c"
        run("gcc-12", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *flags, *more,
            outside / source, "-o", program, *words)
        return run(program, LD_LIBRARY_PATH=str(packages.parent))

    expect("C, pkg-config", result_of("consumer.c"), EXPECTED)
    for where, example in {"README.md": of_readme("c"), "libsrcsel(3)": of_page()}.items():
        frame(outside / where, example)
        expect(f"C, {where}", result_of("frame.c", "-I", outside / where), OF_EXAMPLE)


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
