#!/usr/bin/python3 -B
"""golden.py SRCSEL [--update] [NAME...]: what every verb prints, text and JSON, byte by byte.

Each file of golden/ is a session on a host with two uplinks: behind "$ " a command, below it what it printed,
lines of stderr behind "! ", and its exit status if that is not 0. What differs from run to run (processes,
ports, times) is a word in capitals; JSON is laid out, and each object has to be as the schema that is shipped
says. --update writes the files anew: see what has changed before you commit it.

In the end every key of every schema must have been seen."""

import difflib
import json
import pathlib
import re
import sys

import jsonschema
from prometheus_client import parser as prometheus_parser

import alone

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parents[1] / "tools/srcsel/schema"
SHOWN = {}  # of each schema, the keys that have been seen

# What the commands of a session may use besides.
SESSION = r"""
set -u
mark_web() { iptables -t mangle -A OUTPUT -p tcp --dport 80 -j MARK --set-mark 100; }
follower() { srcsel status --json | grep -o '"pid":[0-9]*' | head -n 1 | cut -d : -f 2; }
# One decision of a connection, which begins as soon as the trace has.
traced() {
  exec 8< <(exec "$@" --count 1 2>&1 >traced)
  read -r _ <&8
  curl -s -o /dev/null http://192.0.2.80/
  local rest
  rest=$(cat <&8)
  cat traced
  [[ -z $rest ]] || echo "$rest" >&2
}
"""

# Keys of what cannot be made on this host at will.
UNSEEN = {
    "explain": {"candidates"},  # of several paths, of which the kernel takes one by a secret
    "route-get": {"error"},  # of one candidate of several: its table is being changed
    "verify": {"by", "flow", "kernel", "srcsel"},  # of disagreement, of which there is none
}

# Of JSON: values of these keys.
VARYING = {"pid": "PID", "tid": "TID", "since": "TIME", "policy_since": "TIME", "until": "TIME",
           "time_ns": "TIME", "cookie": "COOKIE", "fd": "FD", "program": "ID", "abi": "ABI",
           "version": "VERSION"}
# Of text, also that in JSON.
WORDS = [
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"\b\d\d:\d\d:\d\d\.\d{6}\b", "TIME"),
    (r"srcsel-run-(?:\d+-[0-9a-f]{8}|\w{6})\b", "srcsel-run-ID"),
    (r"\bcurl \d+(?= tcp )", "curl PID"),
    (r"(?m)^\d+(?= \S+ (?:up on|run in|preload by) )", "PID"),
    (r"(process |\b(?:bash|sh|python3|srcsel-up) \()\d+", r"\1PID"),
    (r"(10\.[01]\.0\.[12]|\[fd00:[0-9a-f:]+\]):[1-9]\d{4}\b", r"\1:PORT"),
]


def normalised(text):
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text)
    return text


def without_varying(value, key=""):
    if isinstance(value, dict):
        return {k: without_varying(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [without_varying(v, key) for v in value]
    if key in VARYING and value is not None:
        return VARYING[key]
    # Of a trace, the cgroup's id.
    return "ID" if key == "cgroup" and isinstance(value, int) else value


def schemas():
    return {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}


def schema_for(command):
    words = re.findall(r"srcsel ([a-z]+)(?: (get)\b)?", command)[-1]
    return "-".join(word for word in words if word)


def note_keys(value, shown):
    if isinstance(value, dict):
        shown.update(value)
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        note_keys(below, shown)


def check(name, value, command):
    schema = schemas()[name]
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(value):
        sys.exit(f"$ {command}\nis not as schema/{name}.json says: {error.json_path}: {error.message}")
    spoilt = [{**value[0], "undocumented": 1}] if isinstance(value, list) and value else \
        {**value, "undocumented": 1} if isinstance(value, dict) else None
    assert spoilt is None or not validator.is_valid(spoilt), f"{name}: any key would do"
    note_keys(value, SHOWN.setdefault(name, set()))


def check_metrics(text, command):
    """As Prometheus' own parser reads them, and as promtool would have them."""
    families = list(prometheus_parser.text_string_to_metric_families(text))
    assert families, f"$ {command}\nhas no metrics"
    for family in families:
        samples = {(sample.name, *sorted(sample.labels.items())) for sample in family.samples}
        assert family.documentation and family.name.startswith("srcsel_"), family
        assert family.type in ("counter", "gauge") and len(samples) == len(family.samples), family
        assert all(sample.name.endswith("_total") == (family.type == "counter")
                   for sample in family.samples), family


def laid_out(printed, command):
    """JSON, of which there may be several lines; as it is if it is none."""
    if "--prometheus" in command:
        check_metrics(printed, command)
    if "--json" not in command or not printed:
        return printed
    values = [json.loads(line) for line in printed.splitlines()]
    for value in values:
        check(schema_for(command), value, command)
    return "".join(json.dumps(without_varying(value), indent=1, ensure_ascii=False) + "\n"
                   for value in values)


def commands_of(path):
    """A command goes on behind "> "."""
    lines = path.read_text().splitlines()
    commands = []
    for before, line in zip(["", *lines], lines):
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("> ") and before[:2] in ("$ ", "> "):
            commands[-1] += "\n" + line[2:]
    return commands


def told(folder, number, command):
    """What stands in the file of the command."""
    out, err, status = ((folder / f"{what}.{number}").read_text() for what in ("out", "err", "status"))
    lines = ["$ " + command.replace("\n", "\n> ")]
    lines += laid_out(out, command).splitlines()
    lines += ["! " + line for line in err.splitlines()]
    if status.strip() != "0":
        lines.append(f"[{status.strip()}]")
    return normalised("\n".join(lines)) + "\n"


def play(path, environment):
    commands = commands_of(path)
    with alone.folder() as name:
        folder = pathlib.Path(name)
        steps = "".join(f"{{\n{command}\n}} >out.{number} 2>err.{number} </dev/null\n"
                        f"echo $? >status.{number}\n" for number, command in enumerate(commands))
        (folder / "session").write_text(SESSION + steps)
        done = alone.bash(alone.TWO_UPLINKS, folder, environment)
        if not (folder / f"status.{len(commands) - 1}").exists():
            sys.exit(f"{path.name}: exit status {done.returncode}\n{done.stdout}")
        return "\n".join(told(folder, number, command) for number, command in enumerate(commands))


def properties_of(schema):
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for key, below in schema.items():
            yield from properties_of(list(below.values()) if key == "properties" else below)
    elif isinstance(schema, list):
        for below in schema:
            yield from properties_of(below)


def main(srcsel, *words):
    alone.want_root()
    names = [word for word in words if word != "--update"]
    wrong = []
    for path in sorted((HERE / "golden").glob("*.txt")):
        if names and path.stem not in names:
            continue
        now = play(path, alone.environment_for(srcsel))
        if "--update" in words:
            path.write_text(now)
        elif now != path.read_text():
            wrong += difflib.unified_diff(path.read_text().splitlines(), now.splitlines(),
                                          f"golden/{path.name}", "now", lineterm="")
        print(f"{path.stem}: {len(commands_of(path))} commands", flush=True)
    for name, schema in schemas().items():
        unseen = set(properties_of(schema)) - SHOWN.get(name, set())
        if unseen != UNSEEN.get(name, set()) and not names:
            wrong.append(f"schema/{name}.json: never seen: {', '.join(sorted(unseen))}")
    sys.exit("\n".join(wrong) or 0)


main(*sys.argv[1:])
