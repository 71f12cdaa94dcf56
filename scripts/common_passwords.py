"""Makes the list of common passwords again: `python scripts/common_passwords.py FOLDER`.

The folder holds what the list is made of, as npm and pip fetch it: `npm pack @zxcvbn-ts/language-common`, taken apart
(`package/src/passwords.json`, MIT), and the wheels of `zxcvbn` (MIT) and `django` (BSD-3-Clause).
"""

from __future__ import annotations

import ast
import gzip
import json
import sys
import unicodedata
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "backend"))
from waypost.access import common_passwords

LEAST = 6


def words_in(folder: Path) -> set[str]:
    """The passwords of all lists, as they are compared."""
    found = set(json.loads((folder / "package/src/passwords.json").read_text()))
    (django,) = folder.glob("django-*.whl")
    found |= set(gzip.decompress(_member(django, "django/contrib/auth/common-passwords.txt.gz")).decode().splitlines())
    (zxcvbn,) = folder.glob("zxcvbn-*.whl")
    module = ast.parse(_member(zxcvbn, "zxcvbn/frequency_lists.py"))
    listed = next(node.value for node in module.body if isinstance(node, ast.Assign))
    assert isinstance(listed, ast.Dict)
    for key, value in zip(listed.keys, listed.values, strict=True):
        if key is not None and ast.literal_eval(key) == "passwords":  # one text, split at its commas
            found |= set(next(text for n in ast.walk(value) if (text := _text(n))).split(","))
    tidy = {unicodedata.normalize("NFC", word).casefold() for word in found}
    return {word for word in tidy if len(word) >= LEAST}


def _text(node: ast.AST) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and "," in value else ""


def _member(wheel: Path, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


if __name__ == "__main__":
    entries = sorted({common_passwords.beginning(word) for word in words_in(Path(sys.argv[1]))})
    common_passwords.FILE.write_bytes(b"".join(entries))
    print(f"{len(entries)} passwords")
