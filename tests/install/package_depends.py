"""What a package needs on the host, and what it says that it needs: where everything is installed already, nothing
else would tell the two apart."""

import pathlib
import re
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]

# Packages of the programs that are called where they are there.
CALLED = {"iptables": "iptables", "ip6tables": "iptables", "ipset": "ipset"}
CALLING = "libsrcsel/netfilter"


def printed(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=True).stdout


def field(package, name):
    """Names of packages, without versions and alternatives."""
    return set(re.findall(r"(?:^|,)\s*([a-z0-9.+-]+)", printed("dpkg-deb", "--field", package, name)))


def owner(path):
    """Of a file of this host: its package. /lib is /usr/lib, and dpkg may know it by either name."""
    path = pathlib.Path(path).resolve()
    for known in (path, str(path).removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "--search", str(known)], capture_output=True, text=True)
        if done.returncode == 0:
            return re.split("[:,]", done.stdout)[0]
    raise LookupError(f"no package has {path}")


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def libraries_of(path, host):
    for soname in re.findall(r"\(NEEDED\)\s+Shared library: \[(.+)\]", printed("readelf", "-d", path)):
        yield soname, host[soname]


def needed_by(root, host, own):
    """(what needs it, package) of all that is installed below root."""
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        if is_elf(path):
            for soname, package in libraries_of(path, host):
                yield f"{path.relative_to(root)}, which needs {soname}", package
        elif path.suffix == ".pc":
            for name in re.findall(r"^Requires[^:]*: (.*)$", path.read_text(), re.MULTILINE)[0].split():
                found, = printed("pkg-config", "--variable=pcfiledir", name).split()
                yield f"{path.relative_to(root)}, which requires {name}", owner(f"{found}/{name}.pc")
    for path in root.rglob("*.so"):
        if path.is_symlink():
            yield f"{path.relative_to(root)}, which leads to {path.readlink()}", own[path.readlink().name]


class Host(dict):
    """Packages by soname, as the loader finds the library here."""

    def __missing__(self, soname):
        found = re.search(rf"^\s*{re.escape(soname)} \(libc6[^)]*\) => (.+)$",
                          printed("ldconfig", "-p"), re.MULTILINE)
        if not found:
            raise LookupError(f"the loader does not find {soname}")
        self[soname] = owner(found[1])
        return self[soname]


def called():
    source = "".join(path.read_text() for path in (SOURCE / CALLING).glob("*.cc"))
    for program, package in CALLED.items():
        assert f'"{program}"' in source, f"{program} is not called any more"
        yield f"it calls {program}", package


def missing(packages):
    """What is needed and not said, a line each."""
    host, faults, own = Host(), [], {}
    names = {package: printed("dpkg-deb", "--field", package, "Package").strip() for package in packages}
    with tempfile.TemporaryDirectory() as scratch:
        roots = {package: pathlib.Path(scratch, name) for package, name in names.items()}
        for package, root in roots.items():
            printed("dpkg-deb", "--extract", package, root)
            own |= {path.name: names[package] for path in root.rglob("*.so*") if not path.is_symlink()}
        # That which links to a library of the other package's, too.
        for package, root in roots.items():
            own |= {path.name: own[path.readlink().name] for path in root.rglob("*.so.*")
                    if path.is_symlink() and path.readlink().name in own}
        host |= own
        for package, root in roots.items():
            depends = field(package, "Depends") | field(package, "Pre-Depends") | {names[package]}
            faults += [f"{names[package]}: {why}: Depends has no {wanted}"
                       for why, wanted in needed_by(root, host, own) if wanted not in depends]
            if names[package] == "srcsel":
                offered = depends | field(package, "Recommends") | field(package, "Suggests")
                faults += [f"srcsel: {why}: neither Recommends nor Suggests has {wanted}"
                           for why, wanted in called() if wanted not in offered]
    return faults
