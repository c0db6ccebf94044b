"""A small reader of C, enough for the lints: comments and strings out, functions by their braces."""
import os
import re
import subprocess

FOLDERS = ("coord", "proto", "node", "sim", "tests")

TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
HEAD = re.compile(r"(\w+)\s*\(")
NO_FUNCTION = {"if", "for", "while", "switch", "return", "sizeof", "_Static_assert", "__attribute__"}


def blank(text):
    """The same number of lines, and nothing on them."""
    return "\n" * text.count("\n")


def without_comments(text):
    """Comments become blanks; string and character literals stay."""
    return TOKENS.sub(lambda m: " " + blank(m[0]) if m[0][0] == "/" else m[0], text)


def bare(text):
    """Comments, literals and preprocessor directives become blanks; lines keep their numbers."""
    text = TOKENS.sub(lambda m: (" " if m[0][0] == "/" else "0") + blank(m[0]), text)
    return DIRECTIVE.sub(lambda m: blank(m[0]), text)


def includes(text):
    """(line, '<' or '"', name) of every #include."""
    found = []
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if match:
            found.append((number, match[1], match[2]))
    return found


def function_name(head):
    """The name that stands before the parameters, or None when `head` is no function's head."""
    head = head.strip()
    if "(" not in head or head.endswith("=") or "=" in re.sub(r"\([^()]*\)", "", head):
        return None
    for match in HEAD.finditer(head):
        if match[1] not in NO_FUNCTION:
            return match[1]
    return None


def functions(text):
    """(name, first line, last line, body) of every function; its head begins in the first line."""
    code = bare(text)
    found, depth, head_from, open_at, name = [], 0, 0, 0, None
    for at, char in enumerate(code):
        if char == "{":
            if depth == 0:
                name, open_at = function_name(code[head_from:at]), at
            depth += 1
        elif char == "}":
            depth = max(0, depth - 1)
            if depth == 0:
                if name:
                    start = head_from + len(code[head_from:]) - len(code[head_from:].lstrip())
                    found.append((name, code.count("\n", 0, start) + 1,
                                  code.count("\n", 0, at) + 1, code[open_at:at + 1]))
                    name = None
                head_from = at + 1
        elif char == ";" and depth == 0:
            head_from = at + 1
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def walk(root):
    """Every file below root but for .git and build, as a path with slashes relative to root."""
    for folder, folders, names in os.walk(root):
        relative = os.path.relpath(folder, root)
        skipped = {".git", "__pycache__"} | ({"build"} if relative == "." else set())
        folders[:] = sorted(set(folders) - skipped)
        for name in sorted(names):
            yield name if relative == "." else relative.replace(os.sep, "/") + "/" + name


def tracked(root):
    """What belongs to the repository; without git, every file that lies in the tree."""
    try:
        out = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    except (OSError, subprocess.CalledProcessError):
        return list(walk(root))
    names = [os.fsdecode(name) for name in out.split(b"\0") if name]
    return sorted(name for name in set(names) if os.path.isfile(os.path.join(root, name)))


def sources(root, suffixes=(".c", ".h")):
    """The C files of the source folders."""
    return [path for path in tracked(root)
            if path.split("/")[0] in FOLDERS and path.endswith(suffixes)]
