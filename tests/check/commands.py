#!/usr/bin/env -S python3 -B
"""commands.py SRCSEL: what the documents name in passing, as in `srcsel up --steer`, is there: the verb, and the
options as that verb has them. (What stands in blocks is run: lab.examples, lab.documents.)"""

import re
import subprocess
import sys

import sources

PAGES = ["README.md", "ARCHITECTURE.md", "docs"]


class Program:
    def __init__(self, path):
        self.path, self.options = path, {}
        self.verbs = set(re.findall(r"^  ([a-z]+) ", self.help_of().partition("Subcommands:")[2],
                                    re.MULTILINE))

    def help_of(self, *words):
        return subprocess.run([self.path, *words, "--help"], capture_output=True, text=True,
                              check=True).stdout

    def options_of(self, *words):
        if words not in self.options:
            told = self.help_of(*words).split("\n\nExamples:")[0]
            self.options[words] = {option for said in re.findall(r"^  (-\S+)", told, re.MULTILINE)
                                   for option in said.split(",")}
        return self.options[words]

    def faults_of(self, command):
        """Of "srcsel VERB ..."; what is behind -- is another program's."""
        words = command.split()[1:]
        words = words[:words.index("--")] if "--" in words else words
        verb = [word for word in words[:1] if not word.startswith("-")]
        if verb and verb[0] not in self.verbs:
            return [f"'{command}': {verb[0]} is no verb"]
        if words[:2] == ["route", "get"]:
            verb = words[:2]
        return [f"'{command}': {' '.join(['srcsel', *verb])} has no {word}" for word in words
                if re.match(r"--?[a-z]", word) and word not in self.options_of(*verb)]


def commands_in(text):
    """Inline ones: what is between single backquotes, of which a part may be another program's."""
    prose = re.sub(r"^( *)```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`([^`]+)`", prose):
        for part in re.split(r"&&|\|\||[|;]", span):
            found = re.search(r"(?:^|\bsudo )\s*(srcsel(?:\s+.*)?)$", part, re.DOTALL)
            if found:
                yield " ".join(found[1].split())


def main(srcsel):
    program = Program(srcsel)
    for wrong in ("srcsel exlpain ADDR", "srcsel up --polcy FILE", "srcsel --hlep"):
        assert program.faults_of(wrong), wrong
    errors, count = [], 0
    for page in sources.files(".md"):
        if not str(page).startswith(tuple(PAGES)):
            continue
        for command in commands_in((sources.ROOT / page).read_text()):
            count += 1
            errors += [f"{page}: {fault}" for fault in program.faults_of(command)]
    assert count > 30, f"only {count} commands are found"
    sys.exit(sources.report(errors))


main(*sys.argv[1:])
