"""Makes tests/fuzz/corpus/validation anew: tokens of an authority of openssl's, each with one thing that a server answers.
Usage: make_validation_corpus.py FOLDER"""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from anchor_test import Chain  # noqa: E402


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for way in ("ocsp", "crl"):
        for revoked in (False, True):
            with tempfile.TemporaryDirectory() as name, Chain(Path(name) / "ca", way, revoked) as chain:
                chain.openssl("ts", "-query", "-digest", "5a" * 32, "-sha256", "-cert", "-out", "q.tsq")
                chain.openssl("ts", "-reply", "-config", "ts.cnf", "-section", "tsa1", "-queryfile", "q.tsq", "-signer", "signer.pem",
                              "-inkey", "signer.key", "-token_out", "-out", "token")
                token = (chain.folder / "token").read_bytes()
                if way == "ocsp":
                    chain.openssl("ocsp", "-issuer", "issuer.pem", "-cert", "signer.pem", "-no_nonce", "-reqout", "query")
                    chain.openssl("ocsp", "-index", "index", "-CA", "issuer.pem", "-rsigner", "issuer.pem", "-rkey", "issuer.key",
                                  "-reqin", "query", "-respout", "answer", "-ndays", "3650")
                else:
                    chain.openssl("ca", "-gencrl", "-config", "ts.cnf", "-name", "own", "-out", "crl.pem")
                    chain.openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", "answer")
                answers = {way: (chain.folder / "answer").read_bytes()}
                if not revoked:
                    answers["issuer"] = (chain.folder / "issuer.der").read_bytes()
                for kind, answer in answers.items():
                    name = f"{way}-{kind}{'-revoked' if revoked else ''}"
                    (folder / name).write_bytes(len(token).to_bytes(2, "big") + token + answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
