#!/usr/bin/env python3
"""Checks that no folder of the sources uses a folder above it: check.py PROJECT

The order is the first code block of ARCHITECTURE.md whose lines begin with a folder: one line a
folder, the lowest last. A folder that holds sources and has no line is an error too. Types are found
by their names: a file that names a type that another folder of its target declares uses that folder.
Two types of the same name are passed over. What lies between targets is the compiler's affair.

Prints each edge that goes up, with the file and the type; exit status 1 if there is one.
"""

import collections
import os
import re
import sys

DECLARATION = re.compile(
    r"^(?:(?:public|package|internal|final|indirect) )*"
    r"(?:struct|class|enum|actor|protocol|typealias) (\w+)", re.M)
NAME = re.compile(r"(?<![.\w])[A-Z]\w*")


def code(text):
    """The text without comments and literals, but with what is interpolated into those."""
    text = re.sub(r"//[^\n]*", "", text)
    interpolated = lambda match: " ".join(re.findall(r"\\\(([^()]*(?:\([^()]*\))?[^()]*)\)", match[0]))
    text = re.sub(r'"""(?:.*?)"""', interpolated, text, flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', interpolated, text)


def floors(project):
    """The folders in ARCHITECTURE.md, the lowest first."""
    text = open(os.path.join(project, "ARCHITECTURE.md"), encoding="utf-8").read()
    for block in re.findall(r"^```\n(.*?)^```", text, re.S | re.M):
        names = [line.split()[0].rstrip("/") for line in block.splitlines() if line.strip()]
        if names and all(os.path.isdir(os.path.join(project, "Sources", name)) for name in names):
            return names[::-1]
    sys.exit("ARCHITECTURE.md has no block with the folders of Sources")


def main(project):
    order = floors(project)
    root = os.path.join(project, "Sources")
    texts, homes = {}, collections.defaultdict(set)
    unknown = set()
    for folder, _, names in os.walk(root):
        for name in names:
            if not name.endswith(".swift"):
                continue
            path = os.path.join(folder, name)
            here = os.path.relpath(folder, root)
            # The longest folder in the list that holds the file.
            floor = max(
                (one for one in order if here == one or here.startswith(one + "/")),
                key=len, default=None)
            if floor is None:
                unknown.add(here)
                continue
            text = code(open(path, encoding="utf-8").read())
            texts[path] = (floor, text)
            for declared in DECLARATION.findall(text):
                homes[declared].add(floor)
    edges = []
    for path, (floor, text) in sorted(texts.items()):
        for name in sorted(set(NAME.findall(text))):
            homes_of = homes.get(name, ())
            if len(homes_of) == 1:
                (home,) = homes_of
                same_target = home.split("/")[0] == floor.split("/")[0]
                if same_target and order.index(home) > order.index(floor):
                    edges.append(f"{os.path.relpath(path, project)} uses {name} of {home}")
    for line in edges:
        print(line)
    for folder in sorted(unknown):
        print(f"ARCHITECTURE.md doesn't list Sources/{folder}")
    files = len(texts)
    print(f"{len(order)} folders, {files} files, {len(edges)} edges that go up")
    return 1 if edges or unknown or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
