#!/usr/bin/env -S python3 -B
"""documents.py BUILD_DIR SRCSEL SANITIZERS: runs the commands of docs/, page by page, and compares what they
print with what the page says.

Of a page, each block ```sh is run, and a block ```text right behind it is what that prints; "…" stands for
anything, alone in a line for any lines. All of a page is one bash, in namespaces and a cgroup of its own,
where no `srcsel up` can reach any other process. A how-to begins on the host that the tutorial builds, and
says where that tells how; the tutorial leaves nothing behind."""

import pathlib
import re
import sys
import tempfile

import alone

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"

# What a how-to says of the tutorial's host.
THERE = "On that very host they are typed [in its namespace](../tutorial.md#the-how-tos-on-this-host)."

# Behind the tutorial's host, for how-tos: what they say is there besides.
HOST = r"""
ip -n host address add 10.1.0.2/24 dev eth1
ip -n host rule add from 10.1.0.0/24 table 100
nsenter --net=/run/netns/host bash page
"""

# The shell of a how-to, in the cgroup that its `srcsel up` is for.
PAGE = r"""
set -euo pipefail
mkdir /sys/fs/cgroup/page
echo $$ >/sys/fs/cgroup/page/cgroup.procs
srcsel() {
  if [[ $1 == up ]]; then set -- up --cgroup /page "${@:2}"; fi
  command srcsel "$@"
}
"""


def steps_of(page):
    """(commands, what they print or None), in order."""
    pattern = r"```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?"
    found = re.findall(pattern, page.read_text(), re.DOTALL)
    assert found, f"{page} has no commands"
    return [(commands, printed or None) for commands, printed in found]


def as_pattern(printed):
    lines = []
    for line in printed.splitlines():
        lines.append(r"(?:.*\n)*" if line == "…" else
                     ".*".join(map(re.escape, line.split("…"))) + r"\n")
    return "".join(lines)


def script_of(page, steps, folder):
    told = "".join(f"exec >out.{number}\n{commands}\n" for number, (commands, _) in enumerate(steps))
    if page.stem == "tutorial":
        return told
    host = "".join(commands for commands, _ in steps_of(DOCS / "tutorial.md")[:3])
    (folder / "page").write_text(PAGE + told)
    return host + HOST


def try_page(page, environment):
    steps = steps_of(page)
    with alone.folder() as name:
        folder = pathlib.Path(name)
        done = alone.bash(script_of(page, steps, folder), folder, environment)
        if done.returncode:
            last = sorted(folder.glob("out.*"), key=lambda p: int(p.suffix[1:]))
            where = f" in ```sh number {last[-1].suffix[1:]}, from 0" if last else ""
            sys.exit(f"{page}: exit status {done.returncode}{where}\n{done.stdout}")
        for number, (commands, printed) in enumerate(steps):
            got = (folder / f"out.{number}").read_text()
            if printed is not None and not re.fullmatch(as_pattern(printed), got):
                sys.exit(f"{page}:\n{commands}\nis to print\n{printed}\nand prints\n{got}\n"
                         f"{done.stdout}")
        if page.stem == "tutorial":
            left = {p.name for p in folder.iterdir() if not p.match("out.*")} - {"script"}
            assert not left, f"{page} leaves {left} behind"
            assert "\n## The how-tos on this host\n" in page.read_text()
        else:
            assert THERE in page.read_text().replace("\n", " "), f"{page} says nothing of the tutorial's host"
    print(f"{page.relative_to(DOCS)}: {len(steps)} blocks, as written")


def main(build, srcsel, sanitizers, *names):
    alone.want_root()
    with tempfile.TemporaryDirectory() as prefix:
        for component in ("libsrcsel0", "libsrcsel-dev"):
            alone.run("cmake", "--install", build, "--prefix", prefix, "--component", component)
        packages, = pathlib.Path(prefix).rglob("pkgconfig")
        environment = alone.environment_for(
            srcsel, PKG_CONFIG_PATH=str(packages), LD_LIBRARY_PATH=str(packages.parent),
            CFLAGS=f"-fsanitize={sanitizers}" if sanitizers else "")
        for page in [DOCS / "tutorial.md", *sorted(DOCS.glob("how-to/*.md"))]:
            if not names or page.stem in names:
                try_page(page, environment)


main(*sys.argv[1:])
