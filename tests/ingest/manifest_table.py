#!/usr/bin/env python3
"""Compares dump_mail with the corpora's manifest, which an independent reader (Python's email package) made.

Prints a table and each disagreement; exit 1 if fewer than 99 % of the mails without defects agree in subject,
from, to, date and attachments. Nothing but counts and file names is printed unless --show is given. Exit 77: the corpora are absent.
"""
import argparse
import email.utils
import json
import os
import re
import subprocess
import sys
from email.header import decode_header, make_header

BOUND = 99.0  # per cent of all mails without defects; of each set no more than one may differ
# Where the standard, not the other reader, is right. Printed, and not counted against us.
EXPLAINED = {
    "email/mime4j/mimetools-testmsgs/intl.msg": "RFC 2047 section 6.2: white space between encoded words is not shown",
    "email/mime4j/mimetools-testmsgs/twopart.msg": "the other reader gave up on base64 that lacks its padding",
    "email/authored-de/subject_rfc2047_inword.eml": "no encoded word by RFC 2047; readers differ in the spaces",
    "email/nodemailer/examples/nodemailer.eml": "RFC 2047 section 6.2: white space before ordinary text is shown",
    "email/ruby-mail/emails/rfc6532/utf8_headers.eml": "the other reader does not read UTF-8 header lines (RFC 6532)",
    "email/ruby-mail/emails/plain_emails/raw_email_with_at_display_name.eml": "the other reader takes a name for an address",
    "email/ruby-mail/emails/error_emails/bad_encoded_subject.eml": "unknown charset: the text is shown, not its encoding",
    "email/mimekit/messages/disposition-notification.anonymized.eml": "the other reader drops the zone behind a comment",
}
FIELDS = ("subject", "from", "to", "date", "attachments", "text")


def squeeze(text):
    return re.sub(r"\s+", " ", text or "").strip()


def addresses(text):
    """Python's opinion of the addresses in a decoded header."""
    found = [a.lower() for _, a in email.utils.getaddresses([text or ""]) if "@" in a]
    return sorted(set(re.sub(r"\s", "", a) for a in found))


def ours(people):
    return sorted(set(re.sub(r"\s", "", p["address"]).lower() for p in people if "@" in p["address"]))


def date_ms(text):
    try:
        return int(email.utils.parsedate_to_datetime(text).timestamp() * 1000)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def all_attachments(mail):
    """Named or declared attachments, nested mails opened, as the manifest counts them."""
    count = 0
    for a in mail["attachments"]:
        if "inner" in a:
            count += all_attachments(a["inner"])
        if a["name"]:
            count += 1
    return count


def sizes(mail):
    out = []
    for a in mail["attachments"]:
        out.append(a["sha256"][:16])
        if "inner" in a:
            out += sizes(a["inner"])
    return out


def same_text(theirs, mine):
    """The other reader writes U+FFFD for each byte that it could not read: those match anything."""
    theirs, mine = squeeze(theirs), squeeze(mine)
    if "\ufffd" not in theirs:
        return theirs == mine
    return re.fullmatch(".*".join(re.escape(t) for t in re.split("\ufffd+", theirs)), mine) is not None


def compare(fact, mail):
    bad = []
    subject = fact.get("subject_intended", fact.get("subject"))
    if not same_text(subject, mail["subject"]) and not same_text(fact.get("subject"), mail["subject"]):
        bad.append(("subject", subject, mail["subject"]))
    prose = {"must be stripped of path": None, "shows bidi override: flag": None, "600 × ä + .docx": "ä" * 600 + ".docx"}
    for name in [prose.get(fact["filename_intended"], fact["filename_intended"])] if "filename_intended" in fact else []:
        if name is None and any("/" in a["name"] or "\\" in a["name"] for a in mail["attachments"]):
            bad.append(("attachments", "a path", ""))
        if name is not None and name not in [a["name"] for a in mail["attachments"]]:
            bad.append(("attachments", name, [a["name"] for a in mail["attachments"]]))
    authors = addresses(fact.get("from"))  # the first of several is the sender
    if (authors or ours([mail["from"]])) and not set(ours([mail["from"]])) & set(authors):
        bad.append(("from", fact.get("from"), mail["from"]))
    to = fact.get("to") or ""
    cut = len(to) >= 200  # the manifest keeps 200 characters
    if cut and not set(addresses(to[: to.rfind(",")])) <= set(ours(mail["to"])) or not cut and addresses(to) != ours(mail["to"]):
        bad.append(("to", fact.get("to"), mail["to"]))
    if "date" in fact and date_ms(fact["date"]) is not None and date_ms(fact["date"]) != mail.get("date_ms"):
        bad.append(("date", fact["date"], mail.get("date_ms")))
    if "att" in fact:
        missing = [a for a in fact["att"] if a[3] not in sizes(mail)]
        if missing:
            bad.append(("attachments", fact["att"], mail["attachments"]))
    elif fact.get("attachments", 0) > all_attachments(mail):
        bad.append(("attachments", fact["attachments"], mail["attachments"]))
    nested = any("inner" in a for a in mail["attachments"])  # there the manifest looks into the nested mail
    if fact.get("text_start") and not nested and squeeze(fact["text_start"]) not in squeeze(mail["body"])[:300]:
        bad.append(("text", fact["text_start"], squeeze(mail["body"])[:80]))
    if not mail["raw_exact"]:
        bad.append(("raw", "", ""))
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dump_mail")
    parser.add_argument("corpora")
    parser.add_argument("--show", action="store_true", help="print both opinions")
    args = parser.parse_args()
    manifest = os.path.join(args.corpora, "MANIFEST.tsv")
    if not os.path.exists(manifest):
        print("skipped: the corpora are absent")
        return 77
    rows = []
    for line in open(manifest, encoding="utf-8"):
        columns = line.rstrip("\n").split("\t")
        if len(columns) < 6 or not columns[0].startswith("email/"):
            continue
        fact = json.loads(columns[5]) if columns[5] else {}
        if fact.get("reader") == "py-email":
            rows.append((columns[0], fact))
    names = "".join(os.path.join(args.corpora, path) + "\n" for path, _ in rows)
    result = subprocess.run([args.dump_mail], input=names.encode(), stdout=subprocess.PIPE, check=True)
    mails = [json.loads(line) for line in result.stdout.decode("utf-8").splitlines()]
    if len(mails) != len(rows):
        print("dump_mail gave", len(mails), "answers for", len(rows))
        return 1
    table, failed = {}, False
    for (path, fact), mail in zip(rows, mails):
        group = path.split("/")[1]
        if "defects" in fact:
            continue
        counts = table.setdefault(group, {"mails": 0, "agree": 0, **{f: 0 for f in FIELDS}})
        counts["mails"] += 1
        bad = compare(fact, mail)
        if bad and path in EXPLAINED:
            print("explained:", path, "(%s)" % EXPLAINED[path])
            bad = []
        counts["agree"] += not [b for b in bad if b[0] != "text"]
        for field, theirs, mine in bad:
            counts[field] = counts.get(field, 0) + 1
            print("differs:", path, field, *((repr(theirs), "|", repr(mine)) if args.show else ()))
    print("%-18s %6s %6s %7s   disagreements in %s" % ("set", "mails", "agree", "%", ", ".join(FIELDS)))
    for group, c in sorted(table.items()):
        percent = 100.0 * c["agree"] / c["mails"]
        print("%-18s %6d %6d %6.1f%%   %s" % (group, c["mails"], c["agree"], percent, " ".join(str(c[f]) for f in FIELDS)))
        failed |= c["mails"] - c["agree"] > 1 and percent < BOUND
    mails, agree = sum(c["mails"] for c in table.values()), sum(c["agree"] for c in table.values())
    print("%-18s %6d %6d %6.1f%%" % ("all", mails, agree, 100.0 * agree / mails))
    return 1 if failed or agree * 100.0 < BOUND * mails else 0


if __name__ == "__main__":
    sys.exit(main())
