#!/usr/bin/env -S python3 -B
"""examples.py SRCSEL PRELOAD: runs every example of the README, of each verb's --help, from which srcsel(8) is made,
and of the other man pages.

All of them run on one host with two uplinks, where whatever they name is there. A command has to end with 0; what
may end otherwise, and what cannot be run at all, is listed here with the reason, and each line of these lists has to
be of use."""

import pathlib
import re
import sys

import alone

SOURCE = pathlib.Path(__file__).resolve().parents[2]

NOT_RUN = {
    "./tools/dev": "builds, and runs the demo or the tests, of which this is one",
}

# Exit statuses that say what was found.
TELLING = {
    "srcsel doctor": "1: addresses of this host leave by the wrong uplink",
    "srcsel identify": "1: no policy holds for it",
    "srcsel status": "1: nothing is up",
}

# What the examples name, on the host of the scene.
PREPARE = r"""
set -u
here=$PWD
export PATH=$here/bin:$PATH HOME=$here/home
mkdir -p bin home/.zfunc home/.local/share/bash-completion/completions home/.config/fish/completions
mount -t tmpfs none /var/lib
mkdir -p /var/lib/prometheus/node-exporter /sys/fs/cgroup/system.slice/{backup,named,postfix}.service
ln -s host /run/netns/blue
echo "192.0.2.80 example.com" >>/etc/hosts
ip address add 10.0.0.9/32 dev lo
echo 203.0.113.0/24 >unicom.txt
printf '[[rule]]\ndport = 80\nmark = 100\n' >srcsel.toml
cp srcsel.toml /etc/srcsel/srcsel.toml
cp srcsel.toml /etc/srcsel/night.toml
ip route add default via 10.1.0.254 src 10.1.0.1 table 77
ip rule add pref 77 fwmark 77 lookup 77
mkdir -p /etc/iproute2
echo 77 vtab >>/etc/iproute2/rt_tables
for name in crawler make-backup old-udp-server CMD; do
  printf '#!/bin/sh\nexec curl -s -o /dev/null http://192.0.2.80/\n' >bin/$name
  chmod +x bin/$name
done
cp "$(type -P sleep)" bin/nginx
nginx infinity &

# A connection of process 1234 from 10.0.0.1:40000, as there is in examples.
ip netns exec internet python3 -c '
import socket
listener = socket.create_server(("192.0.2.80", 443))
print(flush=True)
print(listener.accept(), flush=True)
listener.accept()
' >listening2 &
until [[ -s listening2 ]]; do :; done
echo 1233 >/proc/sys/kernel/ns_last_pid
python3 -c '
import signal, socket
held = socket.create_connection(("192.0.2.80", 443), source_address=("10.0.0.1", 40000))
signal.pause()
' &
[[ $! == 1234 ]] || { echo "the connection is held by process $!"; exit 1; }
until (($(wc -l <listening2) > 1)); do :; done

# What stays, for as long as the next command needs it: nothing of one example is in the way of another.
srcsel() {
  case $1 in
    up)
      command srcsel down --quiet
      if [[ " $* " == *" --foreground "* ]]; then
        command srcsel "$@" &
        until command srcsel status >/dev/null; do :; done
      else
        command srcsel "$@"
      fi
      ;;
    down) command srcsel "$@" ;;
    reload | confirm | stats | trace)
      command srcsel status >/dev/null || command srcsel up --quiet --policy /etc/srcsel/srcsel.toml
      case $1 in
        confirm) command srcsel "$@" || [[ $(command srcsel status) != *"on trial"* ]] ;;
        trace) connecting srcsel "$@" --count 1 ;;
        *) command srcsel "$@" ;;
      esac
      ;;
    *)
      command srcsel down --quiet
      command srcsel "$@"
      ;;
  esac
}
# While a trace waits for one: connections, with a source of the application's own and without.
connecting() {
  (echo $BASHPID >/sys/fs/cgroup/system.slice/backup.service/cgroup.procs
   while :; do for how in "" "--interface 10.0.0.1"; do curl -s $how http://192.0.2.80/; done; done) \
    >/dev/null &
  local busy=$!
  command "$@"
  local status=$?
  kill $busy
  return $status
}
"""


def help_of(srcsel, *verb):
    return alone.run(srcsel, *verb, "--help")


def examples_in(text):
    """Of a verb's --help: what is indented by two below "Examples:"; what is indented further says what it does."""
    below = re.search(r"^Examples:\n((?:  .*\n|\n(?=  ))+)", text, re.MULTILINE)
    return [line[2:] for line in below[1].splitlines() if re.match(r"  \S", line)] if below else []


def of_help(srcsel):
    for verb in re.findall(r"^  ([a-z]+) ", help_of(srcsel).partition("Subcommands:")[2], re.MULTILINE):
        words = (verb, "get") if verb == "route" else (verb,)
        found = examples_in(help_of(srcsel, *words))
        if not found:
            sys.exit(f"srcsel {' '.join(words)} --help has no example")
        for command in found:
            yield f"srcsel {' '.join(words)} --help", command


def commands_in(block):
    return [line for line in block.splitlines() if line and not line.startswith("#")]


def of_readme():
    for block in re.findall(r"```sh\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL):
        for command in commands_in(block):
            yield "README.md", command


def roff_text(lines):
    return re.sub(r"^\.\w+ ?", "", lines, flags=re.MULTILINE).replace("\\-", "-").replace("\\e", "\\")


def page(name):
    return (SOURCE / f"docs/man/{name}.in").read_text()


def of_preload_page():
    synopsis = re.search(r"\.SH SYNOPSIS\n\.nf\n(.*?)\.fi", page("srcsel-preload.7"), re.DOTALL)[1]
    for command in roff_text(synopsis).splitlines():
        yield "srcsel-preload(7)", command


def of_policies(folder):
    """The policies of the README and of srcsel.toml(5), to be checked."""
    example = re.search(r"\.SH EXAMPLE\n\.RS 4\n\.nf\n(.*?)\.fi", page("srcsel.toml.5"), re.DOTALL)[1]
    found = {"srcsel.toml(5)": roff_text(example)}
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", (SOURCE / "README.md").read_text(),
                                              re.DOTALL)):
        found[f"README.md, policy {number}"] = block
    for number, (where, text) in enumerate(found.items()):
        (folder / f"policy-{number}.toml").write_text(text)
        yield where, f"srcsel check policy-{number}.toml"


def known(where, words):
    return next((word for word in words if where.startswith(word)), None)


def main(srcsel, preload):
    alone.want_root()
    with alone.folder() as name:
        folder = pathlib.Path(name)
        examples = [*of_readme(), *of_help(srcsel), *of_preload_page(), *of_policies(folder)]
        used, script = set(), PREPARE
        for number, (_, command) in enumerate(examples):
            skipped = known(command, NOT_RUN)
            used.add(skipped)
            if not skipped:
                script += f"{{ {command}\n}} >told.{number} 2>&1 </dev/null\necho $? >status.{number}\n"
        (folder / "session").write_text(script)
        done = alone.bash(alone.TWO_UPLINKS, folder, alone.environment_for(
            srcsel, LD_LIBRARY_PATH=str(pathlib.Path(preload).resolve().parent)), timeout=280)
        wrong = []
        for number, (where, command) in enumerate(examples):
            if known(command, NOT_RUN):
                continue
            if not (folder / f"status.{number}").exists():
                wrong.append(f"{where}: {command}\nnever ended\n{done.stdout}")
                break
            status = int((folder / f"status.{number}").read_text())
            telling = known(command, TELLING)
            used.add(telling if status == 1 else None)
            if status and not (status == 1 and telling):
                wrong.append(f"{where}: {command}\nexit status {status}\n"
                             f"{(folder / f'told.{number}').read_text()}")
        wrong += [f"'{word}' is of no use in the lists of examples.py"
                  for word in sorted({*NOT_RUN, *TELLING} - used)]
        print(f"{len(examples)} examples")
        sys.exit("\n".join(wrong) or 0)


main(*sys.argv[1:])
