#!/usr/bin/env -S python3 -B
"""table.py RESULTS [README]: what run.py left in the folder RESULTS, as a Markdown table, one column
a kernel. With README, puts it there between the two lines that name this script.
"""

import collections
import json
import pathlib
import re
import sys

BEGIN, END = "<!-- tests/kernels/table.py -->", "<!-- end -->"


def cell(program):
    counts = collections.Counter(program["tests"].values())
    words = [f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")
             if counts[outcome]]
    return ", ".join(words) or f"status {program['status']}"


def table(results):
    # By version: 6.12 comes after 6.1.
    results.sort(key=lambda r: [int(n) for n in re.findall(r"\d+", r["kernel"])])
    programs = list(dict.fromkeys(name for r in results for name in r["programs"]))
    rows = [["tests"] + [r["kernel"] for r in results], ["---"] * (len(results) + 1)]
    for name in programs:
        rows.append([f"`{name}`"] + [cell(r["programs"][name]) if name in r["programs"] else "-"
                                     for r in results])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(folder, readme=None):
    results = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("*.json"))]
    if not results:
        sys.exit(f"table.py: no results in {folder}")
    print(table(results), end="")
    if readme:
        path = pathlib.Path(readme)
        before, _, rest = path.read_text().partition(BEGIN + "\n")
        _, found, after = rest.partition(END)
        if not found:
            sys.exit(f"table.py: no line {BEGIN!r} and {END!r} in {readme}")
        path.write_text(f"{before}{BEGIN}\n\n{table(results)}\n{END}{after}")


if __name__ == "__main__":
    main(*sys.argv[1:])
