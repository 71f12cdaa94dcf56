"""What is no checkpoint and no pack of ours is told apart before anything in it is believed."""

from __future__ import annotations

import json

import pytest

from waypost.audit import pack
from waypost.audit.chain import COLUMNS, Row
from waypost.audit.checkpoints import FalseCheckpoint, Signed, read


def test_a_checkpoint_of_another_format_is_none() -> None:
    for body in (json.dumps({"format": "another"}), json.dumps({"no": "format"}), "[]", "nonsense"):
        with pytest.raises(FalseCheckpoint):
            read(Signed(body=body, signature="00"), {})


def test_a_pack_without_a_picture_opens_and_one_too_large_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"format": pack.FORMAT, "about": "x" * 100}
    content = pack.write(document, None)
    assert pack.open_pack(content) == document
    monkeypatch.setattr(pack, "MOST_BYTES", 10)
    with pytest.raises(pack.NoPack, match="too large"):
        pack.open_pack(content)


def test_a_row_is_known_by_its_first_column() -> None:
    assert Row((7, *[None] * (len(COLUMNS) - 1)), {}).id == 7
