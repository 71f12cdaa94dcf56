"""Setting documents as PDF by Typst: from one fixed source, out of data.

What people wrote comes in as data and is never source. The source reads no file and names no package, and the folder it
may read from is an empty one.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from typing import Any, Literal

import typst

Standard = Literal["a-2a", "ua-1", "1.7"]


def set_as(wanted: Standard, source: str, told: Mapping[str, Any]) -> bytes:
    """The document that `source` makes of `told` (its `sys.inputs.told`, as JSON), of the wanted standard.

    Where a character has no shape in our fonts, which the archive's and the readers' standards forbid, it is tagged PDF 1.7.
    Raises `typst.TypstError` when the source is wrong.
    """
    words = json.dumps(told, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="waypost-pdf-") as empty:
        try:
            return _compile(source, words, empty, wanted)
        except typst.TypstError:  # it wants a shape for every character, and our fonts do not have all there are
            return _compile(source, words, empty, "1.7")


def _compile(source: str, told: str, empty: str, standard: Standard) -> bytes:
    compiler = typst.Compiler(
        source.encode(),
        root=empty,
        ignore_system_fonts=True,
        package_path=empty,
        package_cache_path=empty,
        sys_inputs={"told": told},
    )
    made = compiler.compile(format="pdf", pdf_standards=[standard])
    if not isinstance(made, bytes):
        raise TypeError("a document has one file")
    return made
