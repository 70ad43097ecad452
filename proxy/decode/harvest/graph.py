#!/usr/bin/env python3
"""Makes proxy/catalog/graph/shapes.txt from the pinned packages: every path of Microsoft Graph, v1.0 and beta, with the
methods that it takes.

    graph.py PACKAGES [--check]

PyPI's `msgraph-sdk` and `msgraph-beta-sdk` have a class a path. Its template says the path, its methods the methods, and
its description whether it is called (a function, an action) or stands for something. Paths below the same things are the
same: they are written once, as a shape that is called by the first path that has it.

    shape PATH
    NAME V1 BETA [act|fun|key] [answers] [stream] [>PATH]

Methods are letters: G GET, P POST, A PATCH, U PUT, D DELETE, `-` none; `.` for the same in the beta. `{}` is an id. What a
call does is not said here: the room's own tables say it.
"""

import hashlib
import pathlib
import re
import sys
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/graph"
LETTERS = {"GET": "G", "POST": "P", "PATCH": "A", "PUT": "U", "DELETE": "D"}

REQUEST = re.compile(
    r"def to_(\w+)_request_information\((.*?)\) -> RequestInformation:.*?RequestInformation\(Method\.(\w+), "
    r"(self\.url_template|'[^\n]*'|\"[^\n]*\"), self\.path_parameters\)(.*?)return request_info",
    re.S,
)
TEMPLATE = re.compile(r'super\(\).__init__\(request_adapter, ("[^\n]*"|\'[^\n]*\'), path_parameters\)')
ABOUT = re.compile(r'class \w+\(BaseRequestBuilder\):\n    """\n    (.*?)\n')


def packages(folder):
    """The pinned packages, whose hashes are those that are written down."""
    for one in tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"]:
        file = pathlib.Path(folder) / one["file"]
        if hashlib.sha256(file.read_bytes()).hexdigest() != one["sha256"]:
            raise SystemExit(f"{file} is not the pinned file; fetch it again")
        yield file


def segments(template):
    """The segments of a template's path: labels without their names, calls and keys as `name(argument,…)`."""
    path = template.removeprefix("{+baseurl}/").replace("%2D", "-").replace("%24", "$").replace("%40", "@")
    path = re.sub(r"(\{\?[^}]*\}|\?.*)$", "", path)
    for segment in re.split(r"/(?![^(]*\))", path):
        segment = re.sub(r"\{[^}]*\}", "{}", segment)
        segment = segment.replace("microsoft.graph.", "graph.", 1)
        call = re.fullmatch(r"([\w.]+)\((.*)\)", segment)
        if call:
            names = [one.split("=")[0] for one in call.group(2).split(",")] if call.group(2) else []
            yield f"{call.group(1)}({','.join(names)})"
        elif "={}" in segment or "='{}'" in segment:
            # Something with several keys, which the package gives as one.
            yield "{}"
        else:
            yield segment


def rows(archive):
    """Path, method, whether it is called, whether it answers, whether its body is a stream."""
    for name in sorted(archive.namelist()):
        if not re.fullmatch(r"msgraph(_beta)?/generated/.*_request_builder_?\.py", name):
            continue
        text = archive.read(name).decode()
        template, about = TEMPLATE.search(text), ABOUT.search(text)
        for found in REQUEST.finditer(text):
            own = template.group(1) if found.group(4) == "self.url_template" else found.group(4)
            answer = re.search(rf"async def {found.group(1)}\(.*?\) -> (.*?):\n", text, re.S)
            yield (
                tuple(segments(own[1:-1])),
                LETTERS[found.group(3)],
                bool(about and "to call the" in about.group(1)),
                answer is not None and answer.group(1) != "None",
                "set_stream_content" in found.group(5),
            )


class Node:
    """A place in the tree of paths."""

    def __init__(self, name):
        self.name, self.methods, self.marks, self.children = name, [set(), set()], set(), {}

    def child(self, name):
        """What stands below it under a name, in any case."""
        return self.children.setdefault(name.lower(), Node(name))


def tree(archives):
    """All paths as one tree, and the names of what is called."""
    root, called = Node(""), set()
    for version, archive in enumerate(archives):
        for path, method, is_call, answers, streams in rows(archive):
            node = root
            for name in path:
                node = node.child(name)
            node.methods[version].add(method)
            if is_call:
                called.add(path[-1].lower())
                node.marks.add("fun" if method == "G" else "act")
                if method == "P" and answers:
                    node.marks.add("answers")
            if streams:
                node.marks.add("stream")
    return root, called


def main():
    """Writes the catalogue, or says that it differs."""
    root, called = tree(zipfile.ZipFile(file) for file in packages(sys.argv[1]))
    shapes, lines = {}, []

    def write(node, path):
        """The name of the shape of what stands below a node; written where nothing else has had it."""
        rows = []
        for key, child in sorted(node.children.items()):
            marks = set(child.marks)
            if "(" in key and not marks:
                marks.add("fun" if key in called else "key")
            if child.name == "{}":
                marks.discard("fun")
            v1, beta = ("".join(one for one in "GPAUD" if one in methods) or "-" for methods in child.methods)
            row = [child.name, v1, "." if beta == v1 else beta]
            row += [mark for mark in ("act", "fun", "key", "answers", "stream") if mark in marks]
            below = write(child, f"{path}/{child.name}".lstrip("/")) if child.children else None
            rows.append(" ".join(row + ([f">{below}"] if below else [])))
        text = "\n".join(rows)
        if text not in shapes:
            shapes[text] = path or "/"
            lines.append(f"shape {path or '/'}\n{text}\n")
        return shapes[text]

    write(root, "")
    lines.sort(key=lambda one: one.split("\n", 1)[0].lower())
    text = "\n".join(lines)
    file = CATALOGUE / "shapes.txt"
    if "--check" in sys.argv:
        if file.read_text() != text:
            raise SystemExit("the catalogue of Microsoft Graph differs from what its source gives; regenerate it")
    else:
        file.write_text(text)


if __name__ == "__main__":
    main()
