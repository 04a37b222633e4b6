#!/usr/bin/env -S python3 -B
"""units.py SRCSEL: has systemd-analyze verify the units, and brings srcsel up under the capabilities that they
leave it, with a socket in the place of systemd's."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from alone import cgroup2, want_root

SRCSEL = pathlib.Path(sys.argv[1])
SOURCE = pathlib.Path(__file__).resolve().parents[2]
UNITS, DOCS = SOURCE / "tools/package", SOURCE / "docs"


def verify(scratch):
    """systemd-analyze wants the program to be there, so it gets the units with the one just built."""
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed: the units are not verified")
        return
    for name in ("srcsel.service", "srcsel@.service"):
        unit = (UNITS / name).read_text().replace("/usr/sbin/srcsel", str(SRCSEL))
        (scratch / name).write_text(unit)
    for name in ("srcsel.service", "srcsel@wan2.service"):
        analyze(scratch / name, "srcsel")
    verify_drop_ins(scratch)


def blocks(page):
    """What is below "# systemctl edit UNIT", by unit."""
    return re.findall(r"```ini\n# systemctl edit (\S+)\n(.*?)```", page.read_text(), re.DOTALL)


def verify_drop_ins(scratch):
    """Those of the documents, put where `systemctl edit` puts them; and one with a mistake in it is found."""
    found = blocks(DOCS / "how-to/per-service-source.md")
    assert any("BPFProgram=" in text for _, text in found), "no drop-in with BPFProgram="
    for number, (name, text) in enumerate(found):
        folder = scratch / f"drop-in-{number}"
        (folder / f"{name}.d").mkdir(parents=True)
        (folder / name).write_text("[Service]\nExecStart=/bin/true\n")
        for unit in scratch.glob("srcsel*.service"):
            shutil.copy(unit, folder)
        drop_in = folder / f"{name}.d/override.conf"
        drop_in.write_text(text)
        analyze(folder / name, name, drop_in.name)
        mistaken = text.replace("BPFProgram=connect4:", "BPFProgram=conect4:").replace("Slice=", "Slise=")
        drop_in.write_text(mistaken)
        if not re.search("conect4|Slise", run_analyze(folder / name).stderr):
            sys.exit(f"systemd-analyze verify does not see a mistake in {mistaken}")


def run_analyze(unit):
    return subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                          text=True)


def analyze(unit, *names):
    done = run_analyze(unit)
    ours = [line for line in done.stderr.splitlines() if any(name in line for name in names)]
    if done.returncode or ours:
        sys.exit(f"{unit}: exit status {done.returncode}\n{done.stderr}")
    print(f"{unit.name}: verified")


def setting(name, key):
    return re.search(rf"^{key}=(.*)$", (UNITS / name).read_text(), re.MULTILINE)[1]


def hear(manager, expected):
    manager.settimeout(60)
    told = manager.recv(4096).decode()
    if expected not in told.splitlines():
        sys.exit(f"the manager is told {told!r}, not {expected!r}")
    print(f"the manager is told {expected}")


def come_up(scratch, cgroup):
    """As the template's service does: only the run directory and the bpffs can be written to."""
    assert setting("srcsel.service", "CapabilityBoundingSet") == \
        setting("srcsel@.service", "CapabilityBoundingSet")
    kept = setting("srcsel@.service", "CapabilityBoundingSet").replace("CAP_", "+").lower().split()
    run, bpf = scratch / "run", scratch / "bpf"
    policy = scratch / "wan2.toml"
    policy.write_text('[[rule]]\nmark = 100\n')
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(scratch / "notify"))
    for folder in (run, bpf):
        folder.mkdir()
    environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(scratch / "notify"),
                   "SRCSEL_RUN_DIR": str(run), "SRCSEL_BPF_DIR": str(bpf / "srcsel")}
    prepare = f"mount -t bpf none {bpf} && mount --bind {run} {run} && " \
              "mount -o remount,bind,ro / && exec \"$@\""
    process = subprocess.Popen(
        ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", prepare, "sh",
         "setpriv", "--no-new-privs", f"--bounding-set=-all,{','.join(kept)}",
         SRCSEL, "up", "--foreground", "--quiet", "--cgroup", f"/{cgroup.name}", "--policy", policy],
        env=environment)
    try:
        hear(manager, "READY=1")
        policy.write_text('[[rule]]\nmark = 101\n')
        subprocess.run([SRCSEL, "reload", "--quiet"], env=environment, check=True)
        hear(manager, "RELOADING=1")
        hear(manager, "READY=1")
        process.terminate()
        hear(manager, "STOPPING=1")
        if process.wait(60):
            sys.exit(f"up: exit status {process.returncode}")
    finally:
        process.kill()
        process.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        verify(scratch)
        want_root()
        cgroup = cgroup2() / f"srcsel-units-{os.getpid()}"
        cgroup.mkdir()
        try:
            come_up(scratch, cgroup)
        finally:
            cgroup.rmdir()


main()
