#!/usr/bin/env -S python3 -B
"""run.py SERIES BUILD_DIR PROGRAM[:FILTER]...: tests of a build under Debian's kernel SERIES, in qemu.

The kernel is unpacked below BUILD_DIR/kernels, never installed. The guest has this host's root,
read-only by 9p, under a layer in memory, and no network but what the tests make: all it changes is
gone when it powers off. Without hardware for KVM it is emulated, and some 25 times slower.

Prints what the programs print, and leaves their figures in BUILD_DIR/kernels/results, a file for
each kernel, for table.py. Exit status: 0 if all passed, 1 if not, 77 with a sentence if the guest
cannot be had here.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# What it takes to mount the host's root; the guest's own modprobe loads the others.
BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
# Modules of hardware that the guest has not got, most of all there are.
NOT_NEEDED = ("drivers/[!nv]*", "drivers/net/ethernet", "drivers/net/wireless", "sound")
# The second line saves half of an emulated boot: self-tests and random layouts.
COMMAND_LINE = ("console=ttyS0 panic=-1 loglevel=5 "
                "nokaslr norandmaps mitigations=off cryptomgr.notests rcupdate.rcu_expedited=1")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def output_of(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def by_version(release):
    return [int(number) for number in re.findall(r"\d+", release)]


def newest(releases, series):
    fitting = [r for r in releases if re.fullmatch(rf"{re.escape(series)}\.[\d.+deb-]+-amd64", r)]
    return max(fitting, key=by_version, default=None)


def download(series, folder):
    """The newest kernel of the series that apt knows, as a package in the folder. Where the host's
    lists know none, or one that is replaced by now, lists of our own are read."""
    prefix = "linux-image-"
    for own in (False, True):
        options = ["-o", "APT::Sandbox::User=root"]
        if own:
            (folder / "lists").mkdir()
            options += ["-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"]
            subprocess.run(["apt-get", "-qq", *options, "update"])
        known = output_of("apt-cache", *options, "pkgnames", f"{prefix}{series}.", text=True).split()
        release = newest([name.removeprefix(prefix) for name in known], series)
        get = ["apt-get", "-qq", *options, "download", f"{prefix}{release}"]
        if release and subprocess.run(get, cwd=folder).returncode == 0:
            return release
    skip(f"apt-get can download no kernel {series}")


def kernel(series, kernels):
    """The folder of an unpacked kernel: the newest of the series here, else the newest apt knows."""
    kernels.mkdir(exist_ok=True)
    release = newest(os.listdir(kernels), series)
    if release:
        return kernels / release
    with tempfile.TemporaryDirectory(dir=kernels) as name:
        folder = pathlib.Path(name)
        release = download(series, folder)
        unpacked = folder / "unpacked"
        unpacked.mkdir()
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", *folder.glob("*.deb")],
                              stdout=subprocess.PIPE) as package:
            output_of("tar", "-x", "-C", unpacked, *(f"--exclude=*/kernel/{p}" for p in NOT_NEEDED),
                      stdin=package.stdout)
        if not (unpacked / "lib").exists():
            (unpacked / "lib").symlink_to("usr/lib")
        # The guest would take a minute to unpack those it loads.
        output_of("find", unpacked, "-name", "*.ko.xz", "-exec", "xz", "-d", "{}", "+")
        output_of("depmod", "-b", unpacked, release)
        return unpacked.rename(kernels / release)


def write_initrd(unpacked, path):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for room in ("bin", "modules"):
            (root / room).mkdir()
        shutil.copy(shutil.which("busybox"), root / "bin/busybox")
        shutil.copy(HERE / "init", root / "init")
        modules = {}  # in the order to load them in
        for name in BOOT_MODULES:
            steps = output_of("modprobe", "-d", unpacked, "-S", unpacked.name, "--show-depends",
                              name, text=True)
            modules |= dict.fromkeys(re.findall(r"^insmod (\S+)", steps, re.MULTILINE))
        for number, module in enumerate(map(pathlib.Path, modules)):
            shutil.copy(module, root / f"modules/{number:02}-{module.name}")
        names = "".join(f"{p.relative_to(root)}\n" for p in sorted(root.rglob("*")))
        path.write_bytes(output_of("busybox", "cpio", "-o", "-H", "newc", cwd=root,
                                   input=names.encode(), stderr=subprocess.DEVNULL))


def accelerator():
    # A device alone proves nothing: where the processor has no such mode, stock kernels do not boot.
    capable = re.search(r"^flags.*\b(vmx|svm)\b", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    if capable and os.access("/dev/kvm", os.W_OK):
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


def guest(unpacked, folder, environment):
    """A machine that does what `init` and `guest` say; its console goes to a file of the folder. It
    has one processor: emulated, two take twice the time, waiting for each other's locks."""
    write_initrd(unpacked, folder / "initrd")
    variables = " ".join(f"{name}={value}" for name, value in environment.items())
    return ["setpriv", "--pdeathsig", "KILL",
            "qemu-system-x86_64", *accelerator(), "-nodefaults", "-no-user-config",
            "-M", "q35,usb=off,sata=off,smbus=off,graphics=off", "-m", "1536",
            "-nic", "none", "-display", "none", "-no-reboot",
            "-kernel", unpacked / f"boot/vmlinuz-{unpacked.name}", "-initrd", folder / "initrd",
            "-append", f"{COMMAND_LINE} {variables}",
            "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-serial", f"file:{folder}/console", "-serial", "stdio"]


class Results:
    """What the programs said of their tests, read from what they print."""

    OUTCOMES = {"       OK ": "passed", "  SKIPPED ": "skipped", "  FAILED  ": "failed"}

    def __init__(self):
        self.programs = {}
        self.tests = {}

    def read(self, line):
        if test := re.match(r"\[([ A-Z]{10})\] (\S+?)(?:,.*)? \(\d+ ms\)", line):
            if test[1] in self.OUTCOMES:
                self.tests[test[2]] = self.OUTCOMES[test[1]]
        elif end := re.fullmatch(r"guest: ([^:\s]+)\S* ended with (\d+)\s*", line):
            self.programs[end[1]] = {"status": int(end[2]), "tests": self.tests}
            self.tests = {}

    def write(self, release, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{release}.json").write_text(
            json.dumps({"kernel": release, "programs": self.programs}, indent=2) + "\n")

    def passed(self):
        """How many programs did, of those that had a test to run."""
        return sum(program["status"] == 0 and "passed" in program["tests"].values()
                   for program in self.programs.values())


def main(series, build, *tests):
    for program in ("qemu-system-x86_64", "busybox", "modprobe", "depmod", "xz", "apt-get"):
        if not shutil.which(program):
            skip(f"no {program} here")
    unpacked = kernel(series, build / "kernels")
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        command = guest(unpacked, pathlib.Path(folder), {
            "GUEST": HERE / "guest", "MODULES": unpacked / "lib/modules", "BIN": build / "bin",
            "TESTS": ",".join(tests)})
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, errors="replace") as machine:
            for line in machine.stdout:
                print(line, end="", flush=True)
                results.read(line)
        results.write(unpacked.name, build / "kernels/results")
        passed = results.passed()
        if passed < len(tests):
            print(f"{passed} of {len(tests)} programs passed; the console said last:")
            print("".join(open(f"{folder}/console", errors="replace").readlines()[-30:]))
    return 0 if passed == len(tests) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), *sys.argv[3:]))
