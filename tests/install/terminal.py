#!/usr/bin/env -S python3 -B
"""terminal.py SRCSEL: what a terminal gets and a pipe does not: colour, unless NO_COLOR says otherwise, and how
far long work is. Each command is run three times, on terminals made for it, and in pipes."""

import errno
import os
import pathlib
import pty
import subprocess
import sys

import alone

ESCAPE = "\033["


def read_all(descriptor):
    told = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError as error:  # the other end of a terminal is closed
            assert error.errno == errno.EIO, error
            part = b""
        if not part:
            os.close(descriptor)
            return told.decode().replace("\r\n", "\n")
        told += part


def told_by(command, on_terminal, **environment):
    """stdout and stderr, each of which is a terminal of its own, or a pipe."""
    ends = [pty.openpty() if on_terminal else os.pipe() for _ in range(2)]
    outputs = [end[1] for end in ends]
    kept = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=outputs[0],
                               stderr=outputs[1], env={**kept, "TERM": "xterm", **environment})
    for output in outputs:
        os.close(output)
    told = [read_all(end[0]) for end in ends]
    process.wait()
    return told


def expect(what, is_so, told):
    if not is_so:
        sys.exit(f"{what}: {told!r}")
    print(f"{what}: as expected")


def try_colour(*command):
    name = " ".join(command)
    shown, _ = told_by(command, True)
    expect(f"{name}: colour on a terminal", ESCAPE in shown, shown)
    plain, _ = told_by(command, True, NO_COLOR="1")
    expect(f"{name}: none with NO_COLOR", ESCAPE not in plain, plain)
    empty, _ = told_by(command, True, NO_COLOR="")
    expect(f"{name}: an empty NO_COLOR says nothing", ESCAPE in empty, empty)
    piped, _ = told_by(command, False)
    expect(f"{name}: none in a pipe", piped and ESCAPE not in piped, piped)
    json, _ = told_by((*command, "--json"), True)
    expect(f"{name}: none in JSON", json and ESCAPE not in json, json)


def try_progress(word, *command, said=""):
    name = " ".join(command)
    _, shown = told_by(command, True)
    expect(f"{name}: progress on a terminal",
           word in shown and shown.endswith("\r" + ESCAPE + "K" + said), shown)
    _, piped = told_by(command, False)
    expect(f"{name}: none in a pipe", piped == said, piped)


def inside():
    large = pathlib.Path("large.txt")
    large.write_text("".join(f"{a}.{b}.{c}.0/24\n" for a in (11, 12) for b in range(256)
                             for c in range(256)))
    pathlib.Path("large.toml").write_text('[set.large]\nfile = "large.txt"\n'
                                          '[[rule]]\nto = "@large"\nmark = 100\n')
    try_progress("1000 of 3000 flows", "srcsel", "verify", "--flows", "3000")
    try_progress("reading large.toml", "srcsel", "check", "large.toml")
    try_progress("compiling image", "srcsel", "check", "large.toml", "--compile", "image",
                 said="srcsel: wrote image, for SRCSEL_IMAGE\n")
    try_progress("reading large.toml", "srcsel", "run", "-q", "--policy", "large.toml", "--", "true")
    try_colour("srcsel", "explain", "192.0.2.80", "from", "10.1.0.1")
    try_colour("srcsel", "doctor")
    try_progress("reading routes", "srcsel", "up", "-q", "--policy", "large.toml", "--dry-run")
    subprocess.run(["srcsel", "up", "-q", "--policy", "large.toml"], check=True)
    try_progress("reading the policy", "srcsel", "reload", "-q")
    try_colour("srcsel", "status")
    subprocess.run(["srcsel", "down", "-q"], check=True)


def main(srcsel):
    if srcsel == "--inside":
        return inside()
    alone.want_root()
    with alone.folder() as folder:
        here = pathlib.Path(__file__).resolve()
        pathlib.Path(folder, "session").write_text(f"exec {here} --inside\n")
        done = alone.bash(alone.TWO_UPLINKS, folder, alone.environment_for(srcsel))
        print(done.stdout, end="")
        return done.returncode


sys.exit(main(*sys.argv[1:]))
