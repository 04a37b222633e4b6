#!/usr/bin/python3 -B
"""schema.py SRCSEL: every verb with --json has a schema, in which every key is described and no other allowed,
and its --help names the same keys. lab.golden holds what is printed to them."""

import json
import re
import subprocess
import sys

import jsonschema

import sources

FOLDER = sources.ROOT / "tools/srcsel/schema"


def help_of(srcsel, *verb):
    return subprocess.run([srcsel, *verb, "--help"], capture_output=True, text=True, check=True).stdout


def verbs_with_json(srcsel):
    told = help_of(srcsel)
    for verb in re.findall(r"^  ([a-z]+) ", told.partition("Subcommands:")[2], re.MULTILINE):
        for words in ((verb,), (verb, "get")) if verb == "route" else ((verb,),):
            text = help_of(srcsel, *words)
            if "--json" in text:
                yield "-".join(words), text


def keys_in_help(text):
    """All that is quoted between "With --json" and an empty line."""
    told = text.rpartition("\nWith --json")[2].partition("\n\n")[0]
    return set(re.findall(r'"([a-z_]+)"', told))


def faults_of(schema, where, keys):
    if isinstance(schema, list):
        for number, below in enumerate(schema):
            yield from faults_of(below, f"{where}/{number}", keys)
    if not isinstance(schema, dict):
        return
    for key, below in schema.get("properties", {}).items():
        keys.add(key)
        if "description" not in below:
            yield f"{where}: {key} is not described"
    kind, referred = schema.get("type"), where.endswith("/$defs/story")
    if "object" in (kind if isinstance(kind, list) else [kind]) and not referred:
        if schema.get("additionalProperties", True) is True:
            yield f"{where}: any key would do"
    for word in ("properties", "$defs"):
        for key, below in schema.get(word, {}).items():
            yield from faults_of(below, f"{where}/{word}/{key}", keys)
    for word in ("items", "oneOf", "additionalProperties"):
        yield from faults_of(schema.get(word), f"{where}/{word}", keys)


def main(srcsel):
    errors, verbs = [], dict(verbs_with_json(srcsel))
    assert "status" in verbs and "route-get" in verbs, verbs.keys()
    files = {path.stem: path for path in FOLDER.glob("*.json")}
    errors += [f"{verb} has --json, and no schema" for verb in sorted(verbs.keys() - files.keys())]
    errors += [f"schema/{name}.json: of no verb" for name in sorted(files.keys() - verbs.keys())]
    for name in sorted(files.keys() & verbs.keys()):
        schema, keys = json.loads(files[name].read_text()), set()
        jsonschema.Draft202012Validator.check_schema(schema)
        errors += faults_of(schema, name, keys)
        told = keys_in_help(verbs[name])
        errors += [f"{name} --help: {key} is no key" for key in sorted(told - keys)]
        # Those of `ip -j route get` are said to be so.
        if name not in ("route-get", "pids"):
            errors += [f"{name} --help: does not name {key}" for key in sorted(keys - told)]
    sys.exit(sources.report(errors))


main(*sys.argv[1:])
