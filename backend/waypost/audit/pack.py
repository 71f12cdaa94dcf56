"""The evidence of one request as a file, and how it is checked anywhere, without the installation. Pure.

`evidence.json` holds what the request says, its events as they were hashed, and for each stretch of the chain that has one
of them: the hash before it, the hashes of all its rows, and the signed checkpoint at its end.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waypost.approvals import statements
from waypost.audit.chain import COLUMNS, Leaf, Row, chain_hash, read_data, row_hash
from waypost.audit.checkpoints import FalseCheckpoint, Signed, read

FORMAT = "waypost-evidence-1"
JSON_NAME, PDF_NAME, READ_ME = "evidence.json", "evidence.pdf", "README.txt"
MOST_BYTES = 200 * 1024 * 1024


class NoPack(ValueError):
    """The file is no evidence pack; the message says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a pack found. `keys` are the ids of the keys its checkpoints are signed with."""

    problems: tuple[str, ...]
    events: int
    stretches: int
    keys: tuple[str, ...]
    ticket: str
    made_at: str
    signatures: int

    @property
    def is_whole(self) -> bool:
        return not self.problems


def write(document: Mapping[str, Any], pdf: bytes | None) -> bytes:
    """The pack as a ZIP file."""
    told = to_json(document)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(JSON_NAME, told)
        if pdf is not None:
            file.writestr(PDF_NAME, pdf)
        file.writestr(READ_ME, _READ_ME)
    return out.getvalue()


def to_json(document: Mapping[str, Any]) -> bytes:
    """The document as it stands in the pack."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")


_READ_ME = """This is the evidence of one request, taken from Waypost.

evidence.pdf   for people
evidence.json  the same and the proof, for programs

Check it, on any machine with Waypost's command line and without a connection:

    waypost audit verify-pack THIS-FILE.zip --key PUBLIC-KEY

Decisions that were signed with a passkey stand in `signatures` (bytes in base64url). The device signed
authenticator_data followed by the SHA-256 of client_data_json, with the key in public_key_cose (COSE, RFC 9052). The
challenge in client_data_json is 32 random bytes and the SHA-256 of `statement` (of several at once: of their `hashes`,
sorted, one a line). In the statement, content_sha256 is the SHA-256 of `content` as JSON with sorted names and no spaces;
not so where `content_is_masked`: a field of it became sensitive since, and its answer is not told. The installation holds
such a signature against the sealed content whenever the request is opened, and says in `wrong` what it found.

PUBLIC-KEY is what the installation publishes (`waypost audit public-keys`); ask for it by another way than this file.
Without --key the key in the file is used, which shows that the file is whole, not who made it.
"""


def open_pack(content: bytes) -> dict[str, Any]:
    """The document of a pack, or of its `evidence.json` alone. Raises `NoPack`."""
    try:
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as file:
                if file.getinfo(JSON_NAME).file_size > MOST_BYTES:
                    raise NoPack("it is too large")
                content = file.read(JSON_NAME)
        document = json.loads(content)
    except (ValueError, KeyError, zipfile.BadZipFile, RecursionError) as wrong:
        if isinstance(wrong, NoPack):
            raise
        raise NoPack("this is no evidence pack") from wrong
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NoPack("this is no evidence pack")
    return document


def event_row(event: Mapping[str, Any]) -> Row:
    """An event of a pack as it is hashed."""
    return Row(tuple(event["columns"][name] for name in COLUMNS), read_data(event["data"]))


def check(document: Mapping[str, Any], keys: Mapping[str, bytes] | None = None) -> Verdict:
    """Whether a pack is whole: each event fits its hash, each stretch leads to its checkpoint, a key signed that.

    `keys` are public keys by id; without them those in the pack are believed.
    """
    problems: list[str] = []
    signed_with: set[str] = set()
    rows: dict[int, str] = {}
    try:
        known = keys or {k: bytes.fromhex(v) for k, v in document["keys"].items()}
        for stretch in document["stretches"]:
            _check_stretch(stretch, known, rows, problems, signed_with)
        for event in document["events"]:
            _check_event(event, rows, problems)
        _check_files(document, problems)
        signed = _check_signatures(document, problems)
        number, made_at = str(document["ticket"]["ticket_number"]), str(document["made_at"])
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return Verdict((f"something is missing or not as it should be: {wrong}",), 0, 0, (), "?", "?", 0)
    return Verdict(
        tuple(problems),
        len(document["events"]),
        len(document["stretches"]),
        tuple(sorted(signed_with)),
        number,
        made_at,
        signed,
    )


def _check_stretch(
    stretch: Mapping[str, Any], keys: Mapping[str, bytes], rows: dict[int, str], problems: list[str], used: set[str]
) -> None:
    position, chain = int(stretch["first"]) - 1, bytes.fromhex(stretch["before"])
    for told in stretch["row_hashes"]:
        position += 1
        rows[position] = told
        chain = chain_hash(chain, position, bytes.fromhex(told))
    try:
        checkpoint = read(Signed(stretch["checkpoint"]["body"], stretch["checkpoint"]["signature"]), keys)
    except FalseCheckpoint as wrong:
        problems.append(f"The checkpoint at position {position} is not genuine: {wrong}.")
        return
    used.add(checkpoint.key_id)
    if (checkpoint.position, checkpoint.chain_hash) != (position, chain.hex()):
        problems.append(f"The hashes up to position {position} do not lead to the checkpoint that was signed.")


def _check_event(event: Mapping[str, Any], rows: Mapping[int, str], problems: list[str]) -> None:
    salt = bytes.fromhex(event["salt"]) if event["salt"] else None
    kept = event["leaves"]
    leaves = (
        None
        if kept is None
        else {
            p: Leaf(bytes.fromhex(x["salt"]) if "salt" in x else None, bytes.fromhex(x.get("hash", "")) or None)
            for p, x in kept.items()
        }
    )
    try:
        found = row_hash(event_row(event), salt, leaves).hex()
    except KeyError:
        found = ""
    if found != rows.get(int(event["position"])):
        problems.append(
            f"Event {event['columns']['id']} at position {event['position']} is not the one that was sealed."
        )


def _check_files(document: Mapping[str, Any], problems: list[str]) -> None:
    """Files are named with their hash in the event that added them; what is said of them here must be the same."""
    added = {}
    for event in document["events"]:
        if event["columns"]["type"] == "attachment.added":
            told = json.loads(event["data"])
            added[told["attachment_id"]] = told.get("sha256") or None
    problems += [
        f"File {file['id']} has another hash here than when it was added."
        for file in document["files"]
        if added.get(file["id"]) not in (None, file["sha256"])
    ]


def _signed_content(signature: Mapping[str, Any]) -> Any:
    """What was signed, where it is here as it was: an answer that is hidden now cannot be held against the hash."""
    return None if signature.get("content_is_masked") else signature["content"]


def _check_signatures(document: Mapping[str, Any], problems: list[str]) -> int:
    """Approvers' signatures: right in themselves, of the content that is here, and the ones the log has the hash of."""
    logged = {
        event["columns"]["id"]: json.loads(event["data"])["record_sha256"]
        for event in document["events"]
        if event["columns"]["type"] == "approval.signed"
    }
    told = document.get("signatures", [])
    for one in told:
        record = statements.read(one["record"])
        why = statements.verify(record)
        if why is None:
            why = statements.contradicts(record, statements.Stood(None, None, None, _signed_content(one)))
        if why is None and logged.get(one["event_id"]) != statements.record_hash(record):
            why = "it is not the one that the log has the hash of"
        if why is not None:
            problems.append(f"The signature of event {one['event_id']} is not right: {why}.")
    problems += [
        f"Event {missing} says that a decision was signed; the signature is not here."
        for missing in sorted(logged.keys() - {one["event_id"] for one in told})
    ]
    return len(told)


def sha256(content: bytes) -> str:
    """The hash of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
