#!/usr/bin/env python3
"""Checks one evidence bundle of Kustos: python3 check_bundle.py bundle.pdf [fingerprint]
Written from docs/format alone, to be read line by line; docs/expert-guide.md explains it. Needs Python 3.8 and openssl 3, nothing of Kustos.
One sentence for each step. Exit code: 0 nothing is wrong, 1 something is wrong."""
import base64, calendar, hashlib, io, json, os, re, struct, subprocess, sys, tempfile, time, zipfile

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def need(truth, otherwise):
    if not truth: raise ValueError(otherwise)
def openssl(command, otherwise, **files):  # runs openssl in a folder with these files; gives what it prints
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file: file.write(content)
        done = subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True)
    need(done.returncode == 0, otherwise)
    return done.stdout

def container(pdf):  # the one stream that is marked as evidence: a zip file (bundle.md, "The container")
    marks = re.compile(rb"\n\d+ 0 obj\n<< [^\n]*/KustosEvidence 1 [^\n]*/Length (\d+)[^\n]*>>\nstream\r?\n")
    mark = marks.search(pdf)
    need(mark, "there is none")
    end = mark.end() + int(mark[1])
    need(pdf[end:].strip().startswith(b"endstream") and not marks.search(pdf, end), "it has no end, or there are two")
    with zipfile.ZipFile(io.BytesIO(pdf[mark.end():end])) as members:
        need(len(set(members.namelist())) == len(members.namelist()), "two files have one name")
        return {name: members.read(name) for name in members.namelist()}

def listed(files, manifest):  # the list at the container's head: every file, and no other
    there = {name: (len(content), sha(content).hex()) for name, content in files.items() if name != "manifest.json"}
    told = {row["name"]: (row["size"], row["sha256"]) for row in manifest["files"]}
    need(there.keys() == told.keys(), "it lists other files than there are")
    need(there == told, "not what it lists: " + ", ".join(name for name in there if there[name] != told[name]))
    print(f"right  The container has {len(files)} files, exactly those that its manifest lists.")

def signed_by(key, note):  # size and root of a checkpoint that this key has signed (ledger.md, "Checkpoint")
    (text, signatures), (name, number, public) = note.split("\n\n", 1), key.split("+", 2)
    public, line = base64.b64decode(public), re.match(r"— (\S+) (\S+)\n", signatures)
    signature = base64.b64decode(line[2]) if line else b""
    need(sha(name.encode(), b"\n", public)[:4].hex() == number == signature[:4].hex(), "it is not signed by the archive's key")
    openssl("pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile signature", "its signature is wrong",
            key=bytes.fromhex("302a300506032b6570032100") + public[1:], text=(text + "\n").encode(), signature=signature[4:])
    origin, size, root = text.split("\n")
    need(origin == line[1] == name, "it is another archive's")
    print(f"right  The checkpoint of {size} entries is signed by the key of {origin}.")
    return int(size), base64.b64decode(root)

def climb(index, size, value, proof):  # from an entry's hash up to the root (RFC 9162 section 2.1.3.2)
    last = size - 1
    need(0 <= index <= last, "the ledger has no such entry")
    for sibling in proof:
        need(last > 0, "its proof is too long")
        if index % 2 or index == last:
            value = sha(b"\1", sibling, value)
            while index and not index % 2: index, last = index // 2, last // 2
        else: value = sha(b"\1", value, sibling)
        index, last = index // 2, last // 2
    need(last == 0, "its proof is too short")
    return value

def entry(document, kind, size, root):  # the bytes of an entry that is proven to stand in the ledger
    raw = bytes.fromhex(document["entry"])
    need(raw[:3] == bytes([0x4B, 1, kind]) and len(raw) >= 116, "it is not such an entry")
    proof = map(bytes.fromhex, document["proof"])
    need(climb(document["index"], size, sha(b"\0", raw), proof) == root, "its proof does not lead to the checkpoint")
    return raw

def statement(raw):  # the public body of a control entry (ledger.md): number of a row -> value
    rows, at = {}, 116
    while at < len(raw):
        tag, size = struct.unpack_from(">HH", raw, at)
        rows[tag], at = rows.get(tag, b"") + raw[at + 4:at + 4 + size], at + 4 + size
    return rows

def checkpoint(files, key, note):  # size and root; the key may have changed: each new one stands in a checkpoint of the one before (signer.md)
    for number in range(1, sum(name.startswith("rotations/") for name in files) // 2 + 1):
        raw, proof = files[f"rotations/{number:06}.entry"], files[f"rotations/{number:06}.tlog-proof"].decode()
        (_, index, *path), old_note = proof.split("\n\n", 1)[0].split("\n"), proof.split("\n\n", 1)[1]
        size, root = signed_by(key, old_note)
        need(climb(int(index[6:]), size, sha(b"\0", raw), map(base64.b64decode, path)) == root, "a change of its key is not proven")
        need(statement(raw)[1] == b"\0\x12", "a change of its key is not announced")
        key = statement(raw)[5].decode()
    return signed_by(key, note)

def identity(files, manifest, tree, published):  # the first entries of the ledger say whose it is, and which certificates sign bundles
    said = [statement(entry(json.loads(files[name]), 5, *tree)) for name in manifest["context"]]
    key = [rows[5].decode() for rows in said if rows[1] in (b"\0\1", b"\0\x13")][-1]  # archive_created; archive_continued names a newer one
    digits = sha(key.encode()).hex()
    shown, given = " ".join(digits[at:at + 4] for at in range(0, 64, 4)), "".join(published.split()).lower()
    need(key == manifest["vkey"], "the ledger names another key")
    print(f"right  The ledger itself names this key. Its fingerprint is {shown}.")
    if not given: print("       Nobody has compared it. So whose archive this is stays open.")
    elif given == digits: print("right  It is the fingerprint that you gave.")
    else: print("WRONG  It is not the fingerprint that you gave.")
    return given in ("", digits), [rows[6] for rows in said if rows[1] == b"\0\2"]

def signed(pdf, certificates):  # the PDF's signature (bundle.md, "The signature", "CMS")
    start = b" 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0"
    place = re.compile(re.escape(start) + rb" (\d+) (\d+) (\d+)\] */Contents <([0-9a-f]+)> >>\nendobj\n").match(pdf, pdf.rfind(start))
    need(place, "there is none of the right form")
    first, behind, rest = map(int, place.groups()[:3])
    need((first, behind, behind + rest) == (place.start(4) - 1, place.end(4) + 1, len(pdf)), "it does not cover the whole file")
    cms, covered = bytes.fromhex(place[4].decode()), pdf[:first] + pdf[behind:]
    certificate = next((c for c in certificates if c in cms), b"")
    need(certificate, "its certificate is none that the ledger names")
    openssl("cms -verify -binary -inform DER -in cms -content covered -nointern -certfile certificate -noverify -out out",
            "the file was changed after signing", cms=cms, covered=covered, certificate=certificate)
    form = ("3082....06092a864886f70d010702a082....3082....020101310d300b0609608648016503040201300b06092a864886f70d010701a082...."
            f"{certificate.hex()}3182....3082....020101.*300a06082a8648ce3d04030204..(?:..)*")  # what openssl does not look at
    end = 4 + int.from_bytes(cms[2:4], "big")
    need(re.fullmatch(form, cms[:end].hex()) and not cms[end:].strip(b"\0"), "something in its place does not belong there")
    print(f"right  The signature covers all {len(covered)} bytes of the PDF but its own place; the ledger names its certificate.")

def stamped(files, note, row):  # a time stamp over a tree of hashes (anchors.md, "The imprint")
    first_note = re.match(r"(?s).*?\n\n[^\n]*\n", note)[0].encode()  # without signatures of witnesses
    need(row["path"][0] == [sha(first_note).hex()], "it is not of this checkpoint")
    value = b""
    for group in row["path"]:
        members = sorted([bytes.fromhex(member) for member in group] + ([value] if value else []))
        value = members[0] if len(members) == 1 else sha(*members)
    token = files[row["token"]]
    text = openssl("ts -reply -token_in -in token -text", "it is none", token=token).decode()
    moment = re.search("Time stamp: (.*) GMT", text)[1]
    at = calendar.timegm(time.strptime(re.sub(r"\.\d+", "", moment), "%b %d %H:%M:%S %Y"))
    carried = openssl("pkcs7 -inform DER -in token -print_certs", "it has no certificates", token=token)
    openssl(f"ts -verify -token_in -in token -digest {value.hex()} -CAfile carried -partial_chain -attime {at}",
            "it is over something else, or its signature is wrong", token=token, carried=carried)
    print(f"right  The checkpoint was stamped on {moment} GMT. Whether to believe \"{row['authority']}\" is for you to judge.")

def record(files, name, tree, used, kind=1):  # an entry, its fields, its original (ledger.md, "Commitments"; bundle.md, "records/")
    document = json.loads(files[name])
    raw, rows, values = entry(document, kind, *tree), document["fields"], {}
    commitments, original = list(map(bytes.fromhex, document["commitments"])), document.get("original")
    need(name[-18:] == f"/{document['index']:012}.json", "it has the number of another entry")
    need(name not in used and original not in used, "it, or its original, stands in the bundle twice")
    need(len(commitments) == len(rows) == int.from_bytes(raw[42:44], "big"), "it has more or fewer fields than were sealed")
    need(sha(b"\2", bytes.fromhex(document["key_commitment"]), sha(b"\4", *commitments)) == raw[44:76], "its fields are not the entry's")
    for number, row in enumerate(rows):
        if row["state"] == "redacted": continue
        value, source = base64.b64decode(row.get("value", "")), row.get("value_from")
        if source:  # part of an attachment: they follow each other without a gap
            need(used.get(source["file"], 0) == source["offset"], f"field {number} leaves out part of an attachment")
            used[source["file"]] = end = source["offset"] + source["length"]
            value = files[source["file"]][source["offset"]:end]
        head = struct.pack(">HHHBQ", number, row.get("path", 0), row.get("ordinal", 0), row.get("type", 0), len(value))
        need(sha(b"\3\1", raw[18:34], bytes.fromhex(row["salt"]), head, value) == commitments[number], f"field {number} is not what was sealed")
        values[row.get("path", 0)] = value
    need(not original or values[14] == struct.pack(">Q", len(files[original])) + sha(files[original]), "its original is not what was sealed")
    used.update({member: len(files[member]) for member in (name, original) if member})
    for blob in document.get("blobs", []): record(files, blob, tree, used, 2)
    if kind == 1:
        hidden = sum(row["state"] == "redacted" for row in rows)
        print(f"right  Entry {document['index']} stands in the ledger. {len(rows) - hidden} fields are what was sealed, {hidden} are redacted" +
              ("; so is its original." if original else "."))

def main(path, published=""):
    wrong = []
    def step(what, check, *given):
        try: return check(*given)
        except Exception as error:
            wrong.append(what)
            print(f"WRONG  {what}: {error if isinstance(error, ValueError) else 'it is not in its form, ' + repr(error)}.")
    with open(path, "rb") as file: pdf = file.read()
    def everything():
        files = container(pdf)
        manifest, note = json.loads(files["manifest.json"]), files["checkpoint.note"].decode()
        step("The manifest", listed, files, manifest)
        tree, used = step("The checkpoint", checkpoint, files, manifest["vkey"], note) or (0, b""), {}
        same, certificates = step("The identity of the archive", identity, files, manifest, tree, published) or (True, [])
        if not same: wrong.append("the fingerprint")
        step("The signature", signed, pdf, certificates)
        for row in manifest["anchors"]: step(f"The time stamp {row['token']}", stamped, files, note, row)
        for name in manifest["records"]: step(f"The record {name}", record, files, name, tree, used)
        loose = [name for name in files if name[:4] in ("reco", "blob", "orig", "atta") and used.get(name) != len(files[name])]
        step("The contents", need, not loose, "no record answers for " + ", ".join(loose))
    step("The container", everything)
    print("Something is wrong: " + ", ".join(wrong) + "." if wrong else
          "Nothing is wrong. Not checked: that the pages show what originals/ says; that the query has no other hits; evidence/*.ers.")
    return 1 if wrong else 0

if __name__ == "__main__": sys.exit(main(*sys.argv[1:3]))
