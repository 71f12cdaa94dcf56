"""Reading a stranger's table in a process of its own, with a bound on its time and its memory."""

from __future__ import annotations

import msgspec

from waypost.kernel.confined import Bounds, TooMuch, confined
from waypost.kernel.tables import BadTable, Table, read_table

BOUNDS = Bounds(memory=512 * 1024 * 1024, seconds=40, patience=90.0)


class Answer(msgspec.Struct):
    """The table, or why there is none."""

    table: Table | None = None
    wrong: str = ""


async def read(data: bytes) -> Table:
    """The table in a file. Raises `BadTable`."""
    try:
        answer = msgspec.msgpack.decode(await confined(told, data, BOUNDS), type=Answer)
    except TooMuch as ended:
        raise BadTable("takes too long to read, or too much memory") from ended
    if answer.table is None:
        raise BadTable(answer.wrong)
    return answer.table


def told(data: bytes) -> bytes:
    """In the child: what is told of a file."""
    try:
        answer = Answer(table=read_table(data))
    except BadTable as wrong:
        answer = Answer(wrong=str(wrong))
    return msgspec.msgpack.encode(answer)
