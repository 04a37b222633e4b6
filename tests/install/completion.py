#!/usr/bin/env -S python3 -B
"""completion.py SRCSEL: has each shell complete srcsel's command line, by the script that srcsel prints for
it. What is asked for is read off --help, so that nothing can be missing."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile

SRCSEL = pathlib.Path(sys.argv[1])

# As one types, too: readline takes words apart at colons. Offered is what would be on the line.
BASH = r"""
tell() {
  local word=${COMP_LINE##* }
  _srcsel "$@"
  printf '%s\n' "${COMPREPLY[@]/#/"${word%"$2"}"}" "the end" >$fifo
  COMPREPLY=()
}
source "$2"/bash
complete -F tell srcsel
PS1=
"""

# Each offer is a line of the FIFO "$1", and so is the end of it: two words, which no offer is.
ZSH = r"""
fpath=("$2" $fpath)
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' menu no
LISTMAX=10000 PS1=
compadd() {
  local -a found under
  if (( ! ${@[(I)-[OAD]]} )); then
    zparseopts -E -a under p:
    builtin compadd -A found "$@"
    (( $#found )) && print -rl -- $under[2]$^found >$fifo
  fi
  builtin compadd "$@"
}
tell() { zle list-choices; zle kill-buffer; print the end >$fifo }
zle -N tell
bindkey '^I' tell
"""


def run(*command, **how):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **how)
    if done.returncode:
        sys.exit(f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def help_of(*verbs):
    text = run(SRCSEL, *verbs, "--help").split("\n\nExamples:")[0]
    options = re.findall(r"^  (?:-\w,)?(--[a-z-]+|-\w)\b", text, re.MULTILINE)
    subcommands = text.partition("Subcommands:")[2]
    return options, re.findall(r"^  ([a-z]+) ", subcommands, re.MULTILINE)


def with_fish(script):
    def complete(*words):
        line = " ".join(("srcsel", *words))
        told = run("fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]', script, line)
        return [offer.split("\t")[0] for offer in told.splitlines()]
    return complete


class Typed:
    """A shell on a terminal of its own, which nobody reads. How it tells what it offers, `tell` says."""

    def __init__(self, folder, start, tell, *command):
        self.shell = command[0]
        fifo, script = folder / f"{start}-offers", folder / start
        script.write_text(f"fifo={fifo}\nset -- {fifo} {folder}\n{tell}echo the end >$fifo\n")
        os.mkfifo(fifo)
        self.offers = os.open(fifo, os.O_RDWR)
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execvpe(command[0], command,
                       {**os.environ, "ZDOTDIR": str(folder), "INPUTRC": "/dev/null", "TERM": "dumb"})
        self.hear()

    def hear(self):
        """What is offered, until the end is."""
        told = b""
        while not told.endswith(b"the end\n"):
            ready, _, _ = select.select([self.offers, self.terminal], [], [], 60)
            if not ready:
                sys.exit(f"{self.shell} says no more than {told!r}")
            if self.terminal in ready:
                os.read(self.terminal, 65536)
            if self.offers in ready:
                told += os.read(self.offers, 65536)
        return told.decode().splitlines()[:-1]

    def complete(self, *words):
        # ^U: without what the line had before.
        os.write(self.terminal, b"\x15" + " ".join(("srcsel", *words)).encode() + b"\t")
        return self.hear()

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


def reasons():
    header = pathlib.Path(__file__).resolve().parents[2] / "include/srcsel/abi.h"
    words = re.findall(r'^ +X\(\w+, "([a-z-]+)"\)', header.read_text(), re.MULTILINE)
    assert {"mark", "app-port"} <= set(words), words
    return words


def expect(shell, complete, words, expected):
    missing = set(expected) - set(complete(*words))
    if missing:
        sys.exit(f"{shell}: 'srcsel {' '.join(words)}' lacks {sorted(missing)}, "
                 f"has {complete(*words)}")


def expect_all(shell, complete, scratch, process="1"):
    _, verbs = help_of()
    assert {"run", "up", "completion"} <= set(verbs), verbs
    expect(shell, complete, ("",), verbs)
    for verb in verbs:
        options, below = help_of(verb)
        expect(shell, complete, (verb, "--"), [o for o in options if o.startswith("--")])
        expect(shell, complete, (verb, ""), below)
    expect(shell, complete, ("route", "get", "--"), ["--json", "--netns"])
    expect(shell, complete, ("run", "--via", ""), ["auto", "bpf", "preload"])
    expect(shell, complete, ("import", ""), ["nft", "iptables"])
    expect(shell, complete, ("run", "--mark", "1", "--pol"), ["--policy"])
    expect(shell, complete, ("route", "get", "10.0.0.1", ""), ["oif", "dport"])
    expect(shell, complete, ("explain", "10.0.0.1", ""), ["flowlabel", "cgroup", "classid", "comm"])
    expect(shell, complete, ("route", "get", "10.0.0.1", "oif", ""), ["lo"])
    expect(shell, complete, ("trace", "--pid", ""), [process])
    expect(shell, complete, ("trace", "--all", "--reason", ""), reasons())
    expect(shell, complete, ("run", "--source", "fd00:1:"), ["fd00:1::1"])
    expect(shell, complete, ("run", "--source", "fd00:1::"), ["fd00:1::1"])
    expect(shell, complete, ("run", "--source", "fd00:1::1", "--pol"), ["--policy"])
    expect(shell, complete, ("explain", "fd00:1::1", ""), ["flowlabel", "comm"])
    expect(shell, complete, ("explain", "fd00:1::1", "com"), ["comm"])
    policy = scratch / "a-policy.toml"
    policy.touch()
    expect(shell, complete, ("up", "--policy", f"{scratch}/a-"), [str(policy)])
    expect(shell, complete, ("check", f"{scratch}/a-"), [str(policy)])
    print(f"{shell}: as expected")


def main():
    absent = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        (scratch / "bin").mkdir()
        (scratch / "bin/ip").write_text("#!/bin/sh\necho '2: eth1    inet6 fd00:1::1/64 scope global'\n")
        (scratch / "bin/ip").chmod(0o755)
        os.environ["PATH"] = f"{scratch}/bin:{os.environ['PATH']}"
        for shell in ("bash", "zsh", "fish"):
            script = scratch / ("_srcsel" if shell == "zsh" else shell)
            script.write_text(run(SRCSEL, "completion", shell))
            if not shutil.which(shell):
                absent.append(shell)
                continue
            run(shell, "-n", script)
            if shell == "fish":
                expect_all(shell, with_fish(script), scratch)
                continue
            typed = (Typed(scratch, ".zshrc", ZSH, "zsh", "--no-globalrcs", "-i") if shell == "zsh" else
                     Typed(scratch, ".bashrc", BASH, "bash", "--noprofile", "--rcfile",
                           str(scratch / ".bashrc"), "-i"))
            # zsh offers the processes of its own terminal.
            expect_all(shell, typed.complete, scratch, str(typed.process))
            typed.end()
    if absent:
        print(f"not installed: {', '.join(absent)}")


main()
