"""The commands in docs/expert-guide*.md: blocks ```console, where `$ ` begins a command, `> ` continues it, and the rest is what it prints."""
import re
import subprocess

END = "--- end of command "


class Command:
    def __init__(self, text, line):
        self.text, self.line, self.promised, self.printed = text, line, [], []


def commands(page):
    found, inside = [], False
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(Command(line[2:], number))
        elif inside and line.startswith("> "):
            found[-1].text += "\n" + line[2:]
        elif inside:
            found[-1].promised.append(line)
    return found


def run(found, folder):
    """Runs them in one shell, one after the other, and notes what each prints."""
    script = "".join(f"{c.text}\nprintf '\\n{END}%d\\n' $?\n" for c in found)
    done = subprocess.run(["bash"], cwd=folder, input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=600, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})
    parts = re.split(r"\n" + END + r"(\d+)\n", done.stdout)
    for command, printed, code in zip(found, parts[::2], parts[1::2]):
        command.printed, command.code = printed.splitlines(), int(code)
    return len(parts) // 2 == len(found)


DATE = re.compile(r"[A-Z][a-z]{2} +\d+ [\d:.]+ \d{4} GMT")
VALUE = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){31}|(?:[0-9a-f]{4} ){15}[0-9a-f]{4}|[A-Za-z0-9+/=]{40,}|[0-9a-fA-F]{16,}|\b[0-9a-f]{8}\b|\d{2,}")


def fits(promised, printed, known):
    """The words and single digits are the same; dates and numbers may differ; and a long value stands wherever the page has the same long
    value (known: page's value -> this bundle's)."""
    promised, printed = DATE.sub("date", promised), DATE.sub("date", printed)
    if VALUE.sub("#", promised) != VALUE.sub("#", printed):
        return False
    return all(known.setdefault(a.lower(), b.lower()) == b.lower()
               for a, b in zip(VALUE.findall(promised), VALUE.findall(printed)) if len(a) >= 16)


def rewritten(page, found):
    """The page with what the commands have just printed."""
    lines, out, by_line = page.splitlines(), [], {c.line: c for c in found}
    inside, waiting = False, None
    for number, line in enumerate(lines, 1):
        if line.startswith("```") or line.startswith("$ ") and inside:
            out += waiting.printed if waiting else []
            waiting, inside = None, line == "```console" or inside and not line.startswith("```")
            out.append(line)
            waiting = by_line.get(number) if inside else None
        elif not inside or line.startswith("> "):
            out.append(line)
    return "\n".join(out) + "\n"
