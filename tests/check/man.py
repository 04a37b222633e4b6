#!/usr/bin/env -S python3 -B
"""man.py BUILD_DIR: fails on a man page that man(1) warns of, or that does not name an option, a key or
a variable that there is, or explain a reason."""

import pathlib
import re
import subprocess
import sys

import sources


def text_of(page):
    done = subprocess.run(["man", "--warnings=w", "--local-file", page], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "100", "LC_ALL": "C.UTF-8",
                               "MAN_KEEP_FORMATTING": "", "MANPAGER": "cat"})
    return done.stdout, done.stderr.strip()


def names_in(pattern, *paths):
    found = set()
    for path in paths:
        found |= set(re.findall(pattern, (sources.ROOT / path).read_text()))
    assert found, f"found no name in {paths}"
    return found


def wanted():
    policy = [p for p in sources.files(".cc") if str(p).startswith("libsrcsel/policy/read_")]
    return {
        "srcsel.8": names_in(r'add_(?:flag|option)\("(?:-\w,)?(--[a-z-]+)"',
                             *[p for p in sources.files(".cc") if str(p).startswith("tools/srcsel/")]),
        "srcsel.toml.5": names_in(r'\{"([a-z-]+)", Read\w+\}', *policy),
        "libsrcsel.3": names_in(r"\b(srcsel_\w+)\(", "include/srcsel/srcsel.h"),
        "srcsel-preload.7": names_in(r'(?:word|is_on)\("(\w+)"\)', "preload/environment.c"),
    }


def reasons_unexplained(text):
    """Of the reasons that decisions can have, those with no paragraph of their own in the section."""
    section = text.partition("\nREASONS\n")[2].partition("\nENVIRONMENT\n")[0]
    # A short one has its text beside it, from column 14 on.
    explained = re.findall(r"^ {7}(?:(?=[a-z -]{6} \S)([a-z-]+) |([a-z-]{7,})$)", section, re.MULTILINE)
    return names_in(r'X\(\w+, "([a-z-]+)"\)', "include/srcsel/abi.h") - {a or b for a, b in explained}


def main(build):
    errors = []
    for page, names in wanted().items():
        path = pathlib.Path(build, "share/man", page)
        text, warnings = text_of(path)
        errors += [f"{page}: {line}" for line in warnings.splitlines()]
        text = text.replace("\N{HYPHEN}", "-")
        errors += [f"{page}: does not name {name}" for name in sorted(names)
                   if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
        if page == "srcsel.8":
            errors += [f"{page}: does not explain {reason}" for reason in sorted(reasons_unexplained(text))]
    sys.exit(sources.report(errors))


main(*sys.argv[1:])
