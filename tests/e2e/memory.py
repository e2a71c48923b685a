"""What stands in the memory of a running process, as root or a debugger sees it: /proc/PID/maps and /proc/PID/mem."""
import os
from pathlib import Path

SKIPPED = ("[vvar]", "[vsyscall]", "[vdso]")


def readable(pid):
    """(start, end, name) of each mapping that can be read and holds something of the process's own."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, mode, _, _, inode, *name = line.split(None, 5)
        name = name[0] if name else ""
        if "r" not in mode or name in SKIPPED:
            continue
        if int(inode) != 0 and "w" not in mode:
            continue  # a program's or library's own bytes
        start, end = (int(part, 16) for part in span.split("-"))
        yield start, end, name


PAGE = 4096
ZEROS = bytes(PAGE)


def runs(content):
    """(offset, bytes) of what is not empty pages: most of a process is, and looking through them takes minutes. With 128
    bytes on both sides: a form of two bytes a letter may end with a zero on an empty page."""
    start = None
    for at in range(0, len(content) + PAGE, PAGE):
        page = content[at:at + PAGE]
        empty = not page or page == ZEROS[:len(page)]
        if not empty and start is None:
            start = max(0, at - 128)
        elif empty and start is not None:
            yield start, content[start:at + 128]
            start = None


def regions(pid, piece=8 << 20, overlap=4096):
    """(address, name, bytes), in pieces that overlap, so that nothing is cut in two. What can't be read is left out:
    memfd_secret's pages answer nobody."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in readable(pid):
            at = start
            while at < end:
                size = min(piece, end - at)
                try:
                    content = os.pread(memory.fileno(), size, at)
                except OSError:
                    content = b""
                for offset, part in runs(content):
                    yield at + offset, name, part
                at += size if size < piece else size - overlap


def find(pid, needles):
    """{needle: [(address, mapping), ...]} of the needles (bytes) that stand there."""
    found = {}
    for address, name, content in regions(pid):
        for needle in needles:
            at = content.find(needle)
            while at >= 0:
                found.setdefault(needle, set()).add((address + at, name))
                at = content.find(needle, at + 1)
    return {needle: sorted(places) for needle, places in found.items()}


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
