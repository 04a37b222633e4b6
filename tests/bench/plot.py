#!/usr/bin/env -S python3 -B
"""plot.py FILE.json...: draws what a benchmark has measured, FILE.svg beside each FILE.json, and prints its
name. Which benchmark it was is told by the keys.

A plot is panels of horizontal bars that begin at 0; it is readable on light and on dark ground. A bar that would
leave nothing of the others is broken off."""

import dataclasses
import json
import pathlib
import sys
from xml.sax.saxutils import escape

WIDTH, MARGIN, VALUE = 760, 20, 150
ROW, BAR, HEAD, GAP = 22, 12, 34, 18
LETTER = 7.3   # the width of one, on average
BREAK = 5      # times as long as the next shorter one: broken off
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .note { fill: #6e7781; }
  .ours { fill: #0969da; } .others { fill: #8c959f; }
  .limit { stroke: #cf222e; stroke-width: 2; } .axis { stroke: #8c959f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .note { fill: #9198a1; } .ours { fill: #4493f8; }
    .others { fill: #6e7681; } .limit { stroke: #f85149; }
  }
"""


@dataclasses.dataclass
class Bar:
    label: str
    value: float
    told: str  # behind the bar
    ours: bool = True
    limit: float = 0  # a line across it


@dataclasses.dataclass
class Panel:
    title: str
    note: str
    bars: list
    scale: str = ""  # panels of the same one are drawn to the same


def longest_of(panels):
    """What is drawn as long as there is room: the longest bar, or the one before those that are broken off."""
    ends = sorted(max(bar.value, bar.limit) for panel in panels for bar in panel.bars)
    for end, longer in zip(ends[2:], ends[3:]):
        if end and longer > BREAK * end:
            return end
    return ends[-1] or 1


def bar_of(bar, left, room, longest, middle):
    """The bar, a line at its limit, and the figure behind whichever of them is in the way."""
    across = room / longest
    wide, limit = min(bar.value * across, room), min(bar.limit * across, room)
    kind, top = "ours" if bar.ours else "others", middle - BAR / 2
    pieces = [(0, wide)] if bar.value <= longest else [(0, wide - 16), (wide - 12, 12)]
    for begin, length in pieces:
        yield (f'<rect class="{kind}" x="{left + begin:.1f}" y="{top}" width="{length:.1f}" height="{BAR}" '
               f'rx="2"/>')
    behind = wide
    if bar.limit:
        yield (f'<line class="limit" x1="{left + limit:.1f}" x2="{left + limit:.1f}" y1="{middle - 9}" '
               f'y2="{middle + 9}"/>')
        if wide < limit < wide + 16 + LETTER * len(bar.told):
            behind = limit
    yield f'<text class="note" x="{left + behind + 8:.1f}" y="{middle + 4}">{escape(bar.told)}</text>'


def svg_of(panels, name):
    """All panels, one below the other."""
    parts, y = [], MARGIN
    left = round(MARGIN + 18 + LETTER * max(len(bar.label) for panel in panels for bar in panel.bars))
    room = WIDTH - MARGIN - VALUE - left
    for panel in panels:
        longest = longest_of([other for other in panels
                              if other is panel or panel.scale and other.scale == panel.scale])
        parts.append(f'<text class="title" x="{MARGIN}" y="{y + 14}">{escape(panel.title)} '
                     f'<tspan class="note" font-weight="400" font-size="13">{escape(panel.note)}'
                     f'</tspan></text>')
        y += HEAD
        for bar in panel.bars:
            middle = y + ROW / 2
            parts.append(f'<text x="{left - 8}" y="{middle + 4}" text-anchor="end">'
                         f'{escape(bar.label)}</text>')
            parts += bar_of(bar, left, room, longest, middle)
            y += ROW
        parts.append(f'<line class="axis" x1="{left}" x2="{left}" y1="{y - ROW * len(panel.bars)}" '
                     f'y2="{y}"/>')
        y += GAP
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
            f'height="{y}" role="img">\n<title>{escape(name)}</title>\n<style>{STYLE}</style>\n')
    return head + "\n".join(parts) + "\n</svg>\n"


NOT_OURS = {"bare", "marked", "masquerade", "none"}


def ways(title, unit, key, of):
    """One figure of each way of bench connect, with its ratio to the way without anything."""
    bars = []
    for name, way in of.items():
        figure = way[key]
        bars.append(Bar(name, figure["median"],
                        f"{figure['median']:,.{0 if figure['median'] >= 1000 else 1}f}, "
                        f"{figure['ratio_to_bare']:.2f}x", name not in NOT_OURS))
    return Panel(title, unit, bars)


def connect(report):
    tcp, udp = report["ways"], report["udp"]
    held = [Bar(name, way["kernel_bytes_per_connection"],
                f"{way['kernel_bytes_per_connection']:,.0f}, {way['conntrack_entries']:,} tracked",
                name not in NOT_OURS) for name, way in report["held"].items()]
    return [ways("TCP connections a second", "more is better; ratio to bare, round by round",
                 "connections_per_second", tcp),
            ways("connect(), median", "microseconds, less is better", "connect_median_us", tcp),
            ways("connect(), 99 of 100", "microseconds, less is better", "connect_p99_us", tcp),
            ways("UDP exchanges a second", "more is better; ratio to bare, round by round",
                 "connections_per_second", udp),
            Panel("Kernel memory of a connection that stays", "bytes, both ends", held)]


def hooks(rows):
    panels = []
    for hook, prefixes in dict.fromkeys((row["hook"], row["prefixes"]) for row in rows):
        bars = [Bar(f"{row['action']}, {row['rules']:,} rule{'s' * (row['rules'] != 1)}", row["ns"],
                    f"{row['ns']:,.0f} ns, {row['ratio']:.2f}x")
                for row in rows if (row["hook"], row["prefixes"]) == (hook, prefixes)]
        panels.append(Panel(f"{hook}, {prefixes:,} prefixes",
                            "nanoseconds a run; ratio to one rule without prefixes", bars, hook))
    return panels


def preload(report):
    return [Panel(measure, "microseconds; the line is what may be added",
                  [Bar(name, figure["us"],
                       f"{figure['us']:,.2f} us" + (f", +{figure['more_us']:,.2f}"
                                                    if "more_us" in figure else ""),
                       name not in NOT_OURS,
                       ways_["none"]["us"] + figure.get("floor_us", 0) if "floor_us" in figure else 0)
                   for name, figure in ways_.items()]) for measure, ways_ in report.items()]


OURS_OF_ROUTES = {"select", "lookup", "table"}


def routes(report):
    """Google Benchmark's. Lookups are NAME/independent/FAMILY/SIZE, or dependent: a panel for each table; what
    builds one is NAME/FAMILY/SIZE: a panel for each name."""
    lookups, builds = {}, {}
    for row in report["benchmarks"]:
        if row.get("run_type", "iteration") != "iteration" or row.get("error_occurred"):
            continue
        words = [word for word in row["name"].split("/") if not word.endswith("_time")]
        name, family, size, unit = words[0].replace("_", " "), words[-2], words[-1], row["time_unit"]
        told = f"{row['real_time']:,.1f} {unit}"
        if len(words) > 3:
            panel = lookups.setdefault((family, size), Panel(
                f"A lookup, {family}, {size} routes", f"{unit}; dependent: each waits for the one before", []))
            panel.bars.append(Bar(f"{name}, {words[1]}", row["real_time"], told, words[0] in OURS_OF_ROUTES))
        else:
            panel = builds.setdefault(words[0], Panel(name.capitalize(), f"{unit}, less is better", []))
            panel.bars.append(Bar(f"{family}, {size} routes", row["real_time"], told))
    return [*lookups.values(), *builds.values()]


def rates(report):
    """Google Benchmark's, of bench trace: what is done in a second of CPU."""
    bars = [Bar(row["name"], row["items_per_second"], f"{row['items_per_second']:,.0f}")
            for row in report["benchmarks"] if row.get("run_type", "iteration") == "iteration"]
    return [Panel("Decisions printed in a second of CPU", "more is better", bars)]


def panels_of(report):
    if isinstance(report, list):
        return hooks(report)
    if "benchmarks" in report:
        is_rates = any("items_per_second" in row for row in report["benchmarks"])
        return rates(report) if is_rates else routes(report)
    return connect(report) if "ways" in report else preload(report)


def main(*names):
    for name in names:
        path = pathlib.Path(name)
        try:
            panels = panels_of(json.loads(path.read_text()))
            if not panels:
                raise ValueError("there are none")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            sys.exit(f"{path}: not the figures of a benchmark: {error!r}")
        drawn = path.with_suffix(".svg")
        drawn.write_text(svg_of(panels, f"bench {path.stem}"))
        print(drawn)


main(*sys.argv[1:])
