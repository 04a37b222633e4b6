#!/usr/bin/env -S python3 -B
"""layers.py [--self-test]: fails on an include that points up or sideways.

A room is a folder. MAY_SEE names, for each, the rooms whose headers it may include besides its own;
everything else of the project is closed to it. System and third-party headers are open to all, but
to the freestanding C of KERNEL_SIDE only in angle brackets.
"""

import pathlib
import re
import sys
import tempfile

import sources

MAY_SEE = {
    "base": set(),
    "state": {"base"},
    "abi": set(),
    "engine": {"abi"},
    "policy": {"abi", "base", "state"},
    "netlink": {"base", "state"},
    "image": {"abi", "base", "engine", "policy", "state"},
    "netfilter": {"base", "netlink", "policy", "state"},
    "bpf": {"abi", "engine"},
    "preload": {"abi", "engine"},
    "lookup": {"abi", "base", "engine", "image", "policy", "state"},
    "hooks": {"abi", "base", "skeleton"},
    "mirror": {"abi", "base", "image", "lookup", "netlink", "policy", "state"},
    "agent": {"abi", "base", "engine", "hooks", "image", "lookup", "netfilter", "netlink", "policy",
              "state"},
}
TOP = {"tools", "tests", "api"}
# Public headers that are a room's face.
FACES = {"abi.h": "abi", "address.hh": "base", "flow.hh": "state", "selection.hh": "state",
         "mirror.hh": "mirror"}
KERNEL_SIDE = {"abi", "engine", "bpf", "preload"}

SOURCE = (".c", ".h", ".cc", ".hh")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def room_of(path):
    parts = path.parts
    if path.name.endswith(".skel.h"):
        return "skeleton"
    if parts[0] == "libsrcsel":
        return parts[1]
    if parts[0] == "include":
        return FACES.get(path.name, "api")
    return parts[0]


def target_of(name, includer, root):
    """The project's file that the name means, or None for a header of somebody else."""
    if name.endswith(".skel.h"):
        return pathlib.Path("bpf") / name
    for folder in (includer.parent, "libsrcsel", "include", "tests", "tools", "."):
        if (root / folder / name).is_file():
            return pathlib.Path(folder) / name
    return None


def wrong(includer, bracket, name, root):
    """Why the file may not include the name; None if it may."""
    room = room_of(includer)
    if room in TOP:
        return None
    if room not in MAY_SEE:
        return f"the room '{room}' has no floor: give it one in tests/check/layers.py"
    if ".." in name.split("/"):
        return "names a folder above: include from libsrcsel/ or include/"
    target = target_of(name, includer, root)
    if target is None:
        freestanding = room in KERNEL_SIDE and bracket == '"'
        return f"{room} is freestanding C: only system headers, in <>" if freestanding else None
    seen = room_of(target)
    if seen == room or seen in MAY_SEE[room]:
        return None
    return f"{room} may not see {seen}; it sees {', '.join(sorted(MAY_SEE[room])) or 'no other room'}"


def check(root):
    errors = []
    for path in sources.files(*SOURCE, root=root):
        text = (root / path).read_text()
        for include in INCLUDE.finditer(text):
            reason = wrong(path, *include.groups(), root)
            if reason:
                line = text.count("\n", 0, include.start(1)) + 1
                errors.append(f"{path}:{line}: includes {include[2]}: {reason}")
    return errors


def self_test():
    """A tree in order passes; each of these includes, planted in it, is found and named."""
    in_order = {
        "include/srcsel/abi.h": "#include <linux/types.h>\n",
        "libsrcsel/base/fd.hh": "#include <vector>\n",
        "libsrcsel/engine/decide.h": "#include <srcsel/abi.h>\n",
        "libsrcsel/image/build.hh": '#include "absl/status/status.h"\n#include "base/fd.hh"\n',
        "libsrcsel/hooks/load.hh": '#include "base/fd.hh"\n#include "srcsel.skel.h"\n',
        "bpf/hook.bpf.h": '#include "engine/decide.h"\n',
        "bpf/connect.bpf.c": '#include "hook.bpf.h"\n',
        "tests/lab/lab.cc": '#include "hooks/load.hh"\n',
    }
    planted = {
        "libsrcsel/base/up.hh": '#include "image/build.hh"\n',
        "libsrcsel/base/dots.hh": '#include "../image/build.hh"\n',
        "libsrcsel/image/sideways.hh": '  # include "hooks/load.hh"\n',
        "libsrcsel/image/bpf.hh": '#include "bpf/hook.bpf.h"\n',
        "libsrcsel/image/test.hh": '#include "tests/lab/lab.cc"\n',
        "libsrcsel/netlink/abi.cc": "\n#include <srcsel/abi.h>\n",
        "libsrcsel/agent/skeleton.cc": '#include "srcsel.skel.h"\n',
        "libsrcsel/attic/new.hh": "#include <vector>\n",
        "bpf/up.bpf.c": '#include "hooks/load.hh"\n',
        "bpf/stranger.bpf.c": '#include "absl/status/status.h"\n',
    }
    failures = [f"in order, but blamed: {e}" for e in errors_in(in_order)]
    for name, text in planted.items():
        errors = errors_in({**in_order, name: text})
        if len(errors) != 1 or not errors[0].startswith(name):
            failures.append(f"planted {name} with {text.strip()}, found {errors}")
    return failures


def errors_in(tree):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return check(root)


if __name__ == "__main__":
    sys.exit(sources.report(self_test() if "--self-test" in sys.argv else check(sources.ROOT)))
