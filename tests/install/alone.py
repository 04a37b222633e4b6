"""bash in namespaces and a cgroup of its own: no `srcsel up` there reaches any other process, and all
that is made there goes with it."""

import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
NAME = "srcsel-alone-"  # of cgroups and folders, with the pid behind it

# Directories of this bash's own, for what it mounts and writes.
PREPARE = r"""
set -euo pipefail
mount -t tmpfs none /run
mkdir /run/netns /run/etc /run/etc/upper /run/etc/work
mount -t overlay none -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
mkdir -p /etc/srcsel
mountpoint -q /sys/fs/bpf && umount /sys/fs/bpf
mount -t bpf none /sys/fs/bpf
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
"""

# A host with two uplinks, in which the file session is run. Mark 100 leads to the second one. Links have no
# addresses made of their MACs, which would differ.
TWO_UPLINKS = r"""
ip netns add host
ip netns add internet
for netns in host internet; do
  ip netns exec $netns sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 \
    net.ipv6.conf.lo.addr_gen_mode=1 net.ipv6.conf.default.accept_dad=0
  ip -n $netns link set lo up
done
ip link add eth0 netns host type veth peer name telecom netns internet
ip link add eth1 netns host type veth peer name unicom netns internet
ip -n internet address add 10.0.0.254/24 dev telecom
ip -n internet address add 10.1.0.254/24 dev unicom
ip -n internet address add fd00::254/64 dev telecom nodad
ip -n internet address add fd00:1::254/64 dev unicom nodad
ip -n internet address add 192.0.2.80/32 dev lo
ip -n internet address add 2001:db8:80::80/128 dev lo nodad
ip -n host address add 10.0.0.1/24 dev eth0
ip -n host address add 10.1.0.1/24 dev eth1
ip -n host address add 10.1.0.2/24 dev eth1
ip -n host address add fd00::1/64 dev eth0 nodad
ip -n host address add fd00:1::1/64 dev eth1 nodad
for link in eth0 eth1; do ip -n host link set $link up; done
for link in telecom unicom; do ip -n internet link set $link up; done
ip netns exec host sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.all.arp_announce=2 \
  net.ipv4.ping_group_range="0 0"
ip -n host route add default via 10.0.0.254 src 10.0.0.1
ip -n host route add default via 10.1.0.254 src 10.1.0.1 table 100
ip -n host rule add fwmark 100 table 100
ip -n host -6 route add default via fd00::254 src fd00::1
ip -n host -6 route add default via fd00:1::254 src fd00:1::1 table 100
ip -n host -6 rule add fwmark 100 table 100
cat >server.py <<'PYTHON'
import socketserver
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
server = socketserver.ThreadingTCPServer(("192.0.2.80", 80), Answer)
print("listening", flush=True)
server.serve_forever()
PYTHON
mkfifo listening
ip netns exec internet python3 server.py >listening 2>/dev/null &
read -r _ <listening
exec nsenter --net=/run/netns/host bash session
"""


def cgroup2():
    """Where cgroup v2 is mounted."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    print("no cgroup v2 is mounted here")
    sys.exit(SKIPPED)


def want_root():
    if os.geteuid() != 0:
        print("needs root, for namespaces")
        sys.exit(SKIPPED)


def run(*command, **how):
    """What it prints; the test fails with it."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **how)
    if done.returncode:
        sys.exit(f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def remove(cgroup):
    """With all that still runs in it."""
    (cgroup / "cgroup.kill").write_text("1")
    with open(cgroup / "cgroup.events") as events:
        changes = select.poll()
        changes.register(events, select.POLLPRI)
        while "populated 1" in events.read():
            changes.poll(30000)
            events.seek(0)
    for path, _, _ in os.walk(cgroup, topdown=False):
        os.rmdir(path)


def is_left_over(name):
    """Whether it is of a process that has ended: srcsel-alone-PID, srcsel-alone-PID-..."""
    pid = name.removeprefix(NAME).partition("-")[0]
    return name.startswith(NAME) and pid.isdigit() and not pathlib.Path("/proc", pid).exists()


def sweep():
    """What those that were killed have left."""
    for cgroup in filter(lambda path: is_left_over(path.name), cgroup2().iterdir()):
        remove(cgroup)
    for left in filter(lambda path: is_left_over(path.name), pathlib.Path(tempfile.gettempdir()).iterdir()):
        shutil.rmtree(left)


def bash(script, folder, environment, timeout=300):
    """Runs the text in that folder. All its processes have ended when this returns."""
    sweep()
    cgroup = cgroup2() / f"{NAME}{os.getpid()}"
    cgroup.mkdir()
    pathlib.Path(folder, "script").write_text(PREPARE + script)
    try:
        return subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--cgroup", "--mount", "--net", "--ipc",
             "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
             "bash", "script"],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=timeout, preexec_fn=lambda: (cgroup / "cgroup.procs").write_text("0"))
    except subprocess.TimeoutExpired as late:
        sys.exit(f"still runs after {timeout} s\n{(late.stdout or b'').decode()}")
    finally:
        remove(cgroup)


def folder():
    return tempfile.TemporaryDirectory(prefix=f"{NAME}{os.getpid()}-")


def environment_for(srcsel, **more):
    return {**os.environ, "PATH": f"{pathlib.Path(srcsel).resolve().parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8", **more}
