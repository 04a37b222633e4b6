"""Which files are the project's own: what git tracks or would track; without git, what is there."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOT_OURS = {".git", "build", ".cache", "__pycache__"}


def files(*suffixes, root=ROOT):
    """Paths relative to root, sorted, of all files with one of the suffixes; of all without any."""
    found = sorted(p for p in _known_to_git(root) or _walk(root) if (root / p).is_file())
    return [p for p in found if not suffixes or p.suffix in suffixes]


def report(errors):
    """Prints the errors, one a line; the exit status of a check that found them."""
    print("\n".join(errors) or "clean")
    return 1 if errors else 0


def _known_to_git(root):
    if not (root / ".git").exists():
        return []
    list_files = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(list_files, capture_output=True, text=True)
    except FileNotFoundError:
        return []
    return [pathlib.Path(name) for name in done.stdout.split("\0") if name]


def _walk(root):
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if NOT_OURS.isdisjoint(relative.parts):
            yield relative
