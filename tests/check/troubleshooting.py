#!/usr/bin/env -S python3 -B
"""troubleshooting.py: the headings of docs/troubleshooting.md are doctor's findings, all and no others, and each
says what is seen, what it breaks and what mends it."""

import re
import sys

import sources

PAGE, CHECKS = "docs/troubleshooting.md", "tools/srcsel/doctor/checks.cc"
PARTS = ("**Seen:**", "**Breaks:**", "**Mend:**")


def sections_of(page):
    parts = re.split(r"^#{2,3} (.+)$", page, flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2]))
    return {name: text for name, text in texts.items() if re.search(rf"^### {re.escape(name)}$", page,
                                                                    re.MULTILINE)}


def main():
    sections = sections_of((sources.ROOT / PAGE).read_text())
    findings = set(re.findall(r'^    \{"([a-z0-9-]+)", Check', (sources.ROOT / CHECKS).read_text(),
                              re.MULTILINE))
    assert findings, f"{CHECKS} has no finding"
    errors = [f"{PAGE}: no heading {name}" for name in sorted(findings - sections.keys())]
    errors += [f"{PAGE}: {name} is no finding" for name in sorted(sections.keys() - findings)]
    errors += [f"{PAGE}: {name} has no {part}" for name, text in sections.items()
               for part in PARTS if part not in text]
    sys.exit(sources.report(errors))


main()
