#!/usr/bin/env -S python3 -B
"""plot.py: what `./tools/dev bench --plot` draws of the figures of a real run is well-formed, has a bar for each
of them, as long as it is large; and what is no such figures is refused."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import sources

SAMPLES = pathlib.Path(__file__).resolve().parent / "plot_samples"
SVG = "{http://www.w3.org/2000/svg}"


def draw(path):
    return subprocess.run([sources.ROOT / "tests/bench/plot.py", path], capture_output=True, text=True)


def main():
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        measured = pathlib.Path(shutil.copy(SAMPLES / "connect.json", folder))
        done = draw(measured)
        drawn = measured.with_suffix(".svg")
        if done.returncode or done.stdout != f"{drawn}\n":
            sys.exit(f"plot.py: {done}")
        figures = json.loads(measured.read_text())
        bars = list(xml.parse(drawn).getroot().iter(SVG + "rect"))
        wanted = 3 * len(figures["ways"]) + len(figures["udp"]) + len(figures["held"])
        if len(bars) != wanted:
            errors.append(f"{len(bars)} bars, not {wanted}")
        rates = [way["connections_per_second"]["median"] for way in figures["ways"].values()]
        lengths = [float(bar.get("width")) for bar in bars[:len(rates)]]
        for rate, length in zip(rates, lengths):
            if abs(length / max(lengths) - rate / max(rates)) > 0.001:
                errors.append(f"a rate of {rate} has a bar of {length}")
        for wrong in ("{}", "[1]", "no JSON", '{"ways": {}}'):
            measured.write_text(wrong)
            refused = draw(measured)
            if refused.returncode != 1 or "Traceback" in refused.stderr:
                errors.append(f"{wrong} is drawn: {refused}")
    sys.exit(sources.report(errors))


main()
