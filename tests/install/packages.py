#!/usr/bin/env -S python3 -B
"""packages.py BUILD_DIR SANITIZERS: makes the Debian packages, asks lintian about them, installs them into a
copy of this host's root that is gone afterwards, and uses what is installed there."""

import os
import pathlib
import subprocess
import sys
import tempfile

import package_depends

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = ["libsrcsel-dev", "libsrcsel0", "srcsel", "srcsel-preload"]
SKIPPED = 77


def run(*command, **how):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **how)
    if done.returncode:
        sys.exit(f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def make(build, folder):
    run("cpack", "--config", build / "CPackConfig.cmake", "-B", folder, cwd=build)
    packages = sorted(folder.glob("*.deb"))
    names = [run("dpkg-deb", "--field", package, "Package").strip() for package in packages]
    assert sorted(names) == PACKAGES, names
    return packages


def main(build, sanitizers):
    if os.geteuid() != 0:
        print("needs root, to mount an overlay and to install packages into it")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        folder.chmod(0o755)
        packages = make(pathlib.Path(build).resolve(), folder)
        print(run("lintian", "--allow-root", "--fail-on", "error", *packages), end="")
        missing = package_depends.missing(packages)
        if missing:
            sys.exit("\n".join(missing))
        print("what they need, they depend on")
        flags = f"-fsanitize={sanitizers}" if sanitizers else ""
        environment = {**os.environ, "CFLAGS": flags}
        # Mounts and interfaces are this process's own, and go with it.
        print(run("unshare", "--mount", "--net", "--ipc", "--propagation", "private",
                  HERE / "use_packages.sh", *packages, env=environment), end="")


main(*sys.argv[1:])
