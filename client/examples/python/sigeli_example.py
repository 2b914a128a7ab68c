"""An institution's program in Python: registers files, and writes a bundle beside each that anybody can verify offline.

Everything that is hashed or signed is made here from docs/protocol.md alone; the interface is ledger.proto. Meant to be
read beside docs/integrate.md and carried over to Java or C#. Needs Python 3.9 and requirements.txt.

  sigeli_example.py vectors GOLDEN                      compares this program with the ledger's golden vectors
  sigeli_example.py anchor  STATE KEY INSTITUTION ACCREDITATION LEVEL FIELD ECTS10 ISSUED NODES FILES...
  sigeli_example.py bundles STATE NODES                 a bundle beside each file of the batch in STATE

NODES is HOST:PORT, several separated by commas. STATE is a file that holds the salts: keep it, secretly. Run `anchor` again
with the same STATE after any failure: nothing is registered twice.
"""

import datetime
import importlib
import json
import os
import pathlib
import secrets
import struct
import sys
import tempfile
import time

import blake3
import grpc
import nacl.signing
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent.parent.parent / "proto" / "proto"

RAW = 1  # profile: the file as it is
PURPOSE_ANCHOR = 1
KIND_BATCH_ANCHOR = 32
MICRO_CREDENTIAL = 1
EXPIRED = 111
VALID_MS = 9 * 60 * 1000  # less than the 10 minutes that the ledger allows, for clocks that differ
CALL_S = 20  # deadline of one call
PATIENCE_S = 300  # of the whole


# ---------------------------------------------------------------- hashes and signatures: protocol.md sections 2 to 6


def h(name, *parts):
    """H.name(parts): BLAKE3 in derive_key mode."""
    context = "ge.microcredential.ledger 2026-11 v1 " + name
    return blake3.blake3(b"".join(parts), derive_key_context=context).digest()


def document_digest(profile, canonical):
    return h("document digest", bytes([profile]), canonical)


def leaf_commitment(profile, salt, digest):
    return h("leaf commitment", bytes([1, profile]), salt, digest)


def status_handle(salt, leaf):
    return h("status handle", salt, leaf)


def tree_levels(leaves):
    """The perfect tree over 2^height leaves, from the leaves to the root."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([h("merkle node", below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return levels


def siblings(levels, index):
    return [level[(index >> depth) ^ 1] for depth, level in enumerate(levels[:-1])]


def batch_anchor(genesis, valid_until, institution, root, height, facts):
    """An unsigned transaction: header of a transaction, then payload 32."""
    body = genesis + struct.pack("<Q", valid_until) + b"\x01" + struct.pack("<I", institution)
    body += bytes([KIND_BATCH_ANCHOR]) + root + bytes([height, 1])
    return body + struct.pack(
        "<IBHHiB",
        facts["accreditation"],
        facts["level"],
        facts["field"],
        facts["ects_tenths"],
        facts["issued_day"],
        MICRO_CREDENTIAL,
    )


def transaction_id(body):
    return h("transaction", body)


def preimage(genesis, body):
    """The 80 bytes that are signed."""
    return b"sigeli/tx/v1".ljust(16, b"\0") + genesis + transaction_id(body)


def signed(genesis, body, key_index, key):
    signature = key.sign(preimage(genesis, body)).signature
    return body + struct.pack("<HH", 1, key_index) + signature


# ---------------------------------------------------------------- golden vectors


def check_vectors(path):
    golden = json.loads(pathlib.Path(path).read_text())
    formats = {name: bytes.fromhex(vector["bytes"]) for name, vector in golden["formats"].items()}
    derived = {name: bytes.fromhex(value) for name, value in golden["derived"].items()}

    def same(what, ours, theirs):
        if ours != theirs:
            raise SystemExit(f"{what}: {ours.hex()} is not {theirs.hex()}")

    document = b"credential 0 of the fixture"
    digest = document_digest(RAW, document)
    same("document digest", digest, derived["document digest, raw, of credential 0"])
    leaf = leaf_commitment(RAW, b"\x11" * 32, digest)
    same("leaf", leaf, derived["leaf, raw, salt 32 times 0x11, of credential 0"])
    same("status handle", status_handle(b"\x11" * 32, leaf), derived["status handle of that leaf"])

    # The receipt of credential 0 leads to the batch root.
    receipt = formats["receipt"]
    salt, height = receipt[1:33], receipt[45]
    node, index = leaf_commitment(RAW, salt, digest), struct.unpack("<I", receipt[46:50])[0]
    for depth in range(height):
        sibling = receipt[50 + 32 * depth : 82 + 32 * depth]
        pair = (sibling, node) if index >> depth & 1 else (node, sibling)
        node = h("merkle node", *pair)
    same("batch root", node, derived["batch root"])

    body = formats["transaction: batch anchor"]
    genesis, valid_until, institution = body[:32], *struct.unpack("<QxI", body[32:45])
    accreditation, level, field, ects, issued, _ = struct.unpack("<IBHHiB", body[80:])
    facts = dict(accreditation=accreditation, level=level, field=field, ects_tenths=ects, issued_day=issued)
    same("transaction", batch_anchor(genesis, valid_until, institution, body[46:78], body[78], facts), body)
    same("transaction id", transaction_id(body), derived["transaction id: batch anchor"])
    same("preimage", preimage(genesis, body), formats["transaction preimage"])
    # The fixture's keys are derived from their numbers; key 101 signs as key 2, after key 100 as key 0.
    seed = blake3.blake3(b"key" + struct.pack("<Q", 101), derive_key_context="sigeli test fixture").digest()
    ours = signed(genesis, body, 2, nacl.signing.SigningKey(seed))
    same("signature", ours[-66:], formats["signed transaction"][-66:])
    print("vectors: the same")


# ---------------------------------------------------------------- the interface


def load_interface():
    """Makes the stubs from ledger.proto. A real program does so when it is built."""
    out = tempfile.mkdtemp()
    arguments = ["protoc", f"-I{PROTO}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(arguments + [str(PROTO / "sigeli" / "v1" / "ledger.proto")]) != 0:
        raise SystemExit("ledger.proto cannot be compiled")
    sys.path.insert(0, out)
    return importlib.import_module("sigeli.v1.ledger_pb2"), importlib.import_module("sigeli.v1.ledger_pb2_grpc")


RETRY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.NOT_FOUND,  # another node may be ahead of this one
)


class Nodes:
    """Several nodes of one ledger: the one that answered last is asked first."""

    def __init__(self, addresses):
        self.pb, stubs = load_interface()
        self.stubs = [stubs.LedgerStub(grpc.insecure_channel(address)) for address in addresses.split(",")]

    def call(self, method, request, patience=PATIENCE_S):
        until, pause = time.monotonic() + patience, 0.2
        while True:
            for stub in list(self.stubs):
                try:
                    answer = getattr(stub, method)(request, timeout=CALL_S)
                except grpc.RpcError as error:
                    if error.code() not in RETRY:
                        raise
                    last = error
                else:
                    self.stubs.remove(stub)
                    self.stubs.insert(0, stub)
                    return answer
            if time.monotonic() >= until:
                raise last
            time.sleep(pause)
            pause = min(pause * 2, 3)

    def key_index(self, institution, public, purpose):
        start = 0
        while True:
            page = self.call("ListKeys", self.pb.ListKeysRequest(institution=institution, start=start, limit=100))
            for key in page.keys:
                # Key record, protocol.md section 9: purposes, algorithm 1, 32 bytes, window, added, state.
                if key.record[0] & purpose and key.record[1:34] == b"\x01" + public:
                    return key.index
            if not page.HasField("next") or page.next <= start:
                raise SystemExit("the key is none of the institution's")
            start = page.next

    def submit(self, transaction):
        """Hands these very bytes in until they are decided: ("done", height) or ("rejected", Rejected)."""
        until, pause = time.monotonic() + PATIENCE_S, 0.2
        while True:
            rejections = []
            for stub in list(self.stubs):
                try:
                    request = self.pb.SubmitRequest(transaction=transaction, wait_ms=10_000)
                    outcome = stub.Submit(request, timeout=CALL_S).outcome
                except grpc.RpcError as error:
                    if error.code() not in RETRY:
                        raise
                    continue
                state = outcome.WhichOneof("state")
                if state == "committed":
                    return "done", outcome.committed.height
                if state == "rejected":
                    # The same bytes, or another transaction with the same effect, came first: that is success.
                    if outcome.rejected.HasField("first_height"):
                        return "done", outcome.rejected.first_height
                    rejections.append(outcome.rejected)
            # A node that is behind refuses what others accept: a refusal counts when every node gives one.
            if len(rejections) == len(self.stubs):
                return "rejected", rejections[0]
            if time.monotonic() >= until:
                raise SystemExit("undecided: run the same command again, nothing is done twice")
            time.sleep(pause)
            pause = min(pause * 2, 3)


# ---------------------------------------------------------------- what an institution does


def write_durably(path, data):
    """Whole or not at all, and on the disk when it returns."""
    staged = path.with_name(path.name + ".partial")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(staged, path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def read_key(path):
    lines = pathlib.Path(path).read_text().splitlines()
    line = next(line for line in lines if line.strip() and not line.startswith("#"))
    name, version, algorithm, seed = line.split()
    assert (name, version, algorithm) == ("sigeli-key", "v1", "ed25519")
    return nacl.signing.SigningKey(bytes.fromhex(seed))


def prepare(state_path, institution, facts, files):
    """Draws salts and places, and writes them to the disk before anything leaves the machine."""
    height = max(4, (len(files) - 1).bit_length())
    leaves = [secrets.token_bytes(32) for _ in range(1 << height)]  # decoys
    places = secrets.SystemRandom().sample(range(1 << height), len(files))
    entries = []
    for name, index in zip(files, places):
        salt = secrets.token_bytes(32)
        leaves[index] = leaf_commitment(RAW, salt, document_digest(RAW, pathlib.Path(name).read_bytes()))
        entries.append({"file": os.path.abspath(name), "salt": salt.hex(), "index": index})
    levels = tree_levels(leaves)
    for entry in entries:
        entry["siblings"] = [sibling.hex() for sibling in siblings(levels, entry["index"])]
    state = {"institution": institution, "facts": facts, "root": levels[-1][0].hex(), "height": height, "files": entries}
    write_durably(state_path, json.dumps(state, indent=1).encode())
    return state


def anchor(state_path, key_path, institution, facts, nodes, files):
    state_path, key = pathlib.Path(state_path).absolute(), read_key(key_path)
    state = json.loads(state_path.read_text()) if state_path.exists() else prepare(state_path, institution, facts, files)
    nodes = Nodes(nodes)
    status = nodes.call("GetNodeStatus", nodes.pb.GetNodeStatusRequest())
    index = nodes.key_index(state["institution"], key.verify_key.encode(), PURPOSE_ANCHOR)
    kept = state_path.with_name(state_path.name + ".transaction")
    root = bytes.fromhex(state["root"])
    while True:
        if not kept.exists():
            now = max(status.time_ms, int(time.time() * 1000))
            body = batch_anchor(
                status.genesis_hash, now + VALID_MS, state["institution"], root, state["height"], state["facts"]
            )
            write_durably(kept, signed(status.genesis_hash, body, index, key))
        how, what = nodes.submit(kept.read_bytes())
        if how == "done":
            print(f"anchored in block {what}, root {state['root']}")
            return
        if what.code != EXPIRED:
            raise SystemExit(f"refused: {what.code} {what.name}: {what.message}")
        # It can never be executed any more: a new one with the same content may be signed. If the old one was executed
        # after all, the ledger answers already_exists with its height.
        kept.unlink()


def bundles(state_path, nodes):
    """Receipt and stamp beside each file. Verify them with `sigeli verify` before you hand them out."""
    state, nodes = json.loads(pathlib.Path(state_path).read_text()), Nodes(nodes)
    genesis = nodes.call("GetNodeStatus", nodes.pb.GetNodeStatusRequest()).genesis_hash
    root, institution = bytes.fromhex(state["root"]), state["institution"]
    for entry in state["files"]:
        salt = bytes.fromhex(entry["salt"])
        leaf = leaf_commitment(RAW, salt, document_digest(RAW, pathlib.Path(entry["file"]).read_bytes()))
        request = nodes.pb.GetStampRequest(
            institution=institution, batch_root=root, status_handle=status_handle(salt, leaf), with_permission=True
        )
        stamp = nodes.call("GetStamp", request).stamp
        receipt = bytes([RAW]) + salt + struct.pack("<I", institution) + root[:8]
        receipt += bytes([state["height"]]) + struct.pack("<I", entry["index"])
        receipt += b"".join(bytes.fromhex(sibling) for sibling in entry["siblings"])
        bundle = pathlib.Path(entry["file"] + ".sigeli")
        write_durably(bundle, b"SIGELIB\x01" + genesis[:8] + receipt + stamp)
        print(bundle)


def main(arguments):
    match_ = arguments[0] if arguments else ""
    if match_ == "vectors" and len(arguments) == 2:
        check_vectors(arguments[1])
    elif match_ == "anchor" and len(arguments) > 10:
        state, key, institution, accreditation, level, field, ects, issued, nodes, *files = arguments[1:]
        day = (datetime.date.fromisoformat(issued) - datetime.date(1970, 1, 1)).days
        facts = dict(
            accreditation=int(accreditation), level=int(level), field=int(field), ects_tenths=int(ects), issued_day=day
        )
        anchor(state, key, int(institution), facts, nodes, files)
    elif match_ == "bundles" and len(arguments) == 3:
        bundles(*arguments[1:])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
