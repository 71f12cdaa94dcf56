"""A report's picture as SVG: the same series, kinds and order as on the screen. Pure.

Colours are those of the light theme; series differ in lightness, and lines in their dashes and marks as well, so a print
without colours can be read. The words are escaped, and the drawing names nothing outside of itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from waypost.kernel.formats import Formats
from waypost.reports.export_tables import Sheet, axis_unit, drawn, said

WIDTH = 760
MOST_ROWS, MOST_SERIES, MOST_HEAT = 60, 24, 40
MOST_TURNED = 15  # letters of a turned word: a longer one would leave the picture on its left
FONT, SIZE = "Libertinus Serif", 12.5
LETTER = 0.47  # the width of a letter, as a share of its size, on average
TEXT, MUTED, LINE = "#1f2937", "#4b5563", "#d4d4d8"
COLOURS = ("#4338ca", "#15803d", "#d97706", "#0ea5e9", "#7e22ce", "#b91c1c", "#64748b", "#f472b6")
LOW, HIGH = (238, 240, 255), (55, 48, 163)
DASHES = ("", "7 4", "2 3", "9 3 2 3")
LEFT, RIGHT, TOP = 58, 12, 14


def is_drawn(sheet: Sheet) -> bool:
    """Whether a picture says anything the table does not say better."""
    return sheet.chart != "TABLE" and len(sheet.rows) > 0 and bool(_series(sheet))


def left_out(sheet: Sheet) -> str:
    """What of the table is not in the picture, in words; empty when all is."""
    most = MOST_HEAT if sheet.chart == "HEAT" else MOST_ROWS
    parts = []
    if len(sheet.rows) > most:
        parts.append(f"the first {most} of {len(sheet.rows)} rows")
    if len(sheet.columns) > _most_series(sheet):
        parts.append(f"the first {_most_series(sheet)} of {len(sheet.columns)} columns")
    return f"The picture shows {' and '.join(parts)}." if parts else ""


def _most_series(sheet: Sheet) -> int:
    return MOST_HEAT if sheet.chart == "HEAT" else MOST_SERIES


def svg(sheet: Sheet, formats: Formats) -> str:
    """The picture, its numbers as its reader reads them."""
    if sheet.chart == "HEAT":
        return _heat(sheet, formats)
    rows = sheet.rows[:MOST_ROWS]
    labels = [label for label, _ in rows]
    series = _series(sheet)
    legend, legend_height = _legend([sheet.columns[n].label for n, _ in series], sheet.chart == "LINE")
    top = TOP + legend_height
    slot = (WIDTH - LEFT - RIGHT) / len(rows)
    turned = max(len(label) for label in labels) * SIZE * LETTER > slot - 6
    below = min(MOST_TURNED, max(len(label) for label in labels)) * SIZE * LETTER * 0.72 + 24 if turned else 26
    height = 250
    high = _highest(sheet.chart, [values for _, values in series])
    ticks = nice_ticks(high)
    scale = height / ticks[-1]
    parts = [legend, _axis(ticks, top, height, scale, axis_unit(sheet), formats)]
    draw = _lines if sheet.chart == "LINE" else _bars
    parts.append(draw(series, top, height, scale, slot, is_stacked=sheet.chart == "STACKED"))
    if sheet.chart == "BAR" and len(series) * len(rows) <= 14:
        parts.append(_numbers(sheet, formats, series, top, height, scale, slot))
    parts.append(_below(labels, top + height, slot, turned=turned))
    return _whole(parts, top + height + below)


def _series(sheet: Sheet) -> list[tuple[int, list[float | None]]]:
    """The numbers of each column that is drawn, with its place; measures of another unit stand in the table alone."""
    found = []
    for n, column in enumerate(sheet.columns[:MOST_SERIES]):
        if column.unit is sheet.columns[0].unit:
            values = [drawn(values[n], column.unit) for _, values in sheet.rows[:MOST_ROWS]]
            found.append((n, values))
    return found


def _highest(kind: str, series: Sequence[Sequence[float | None]]) -> float:
    if kind == "STACKED":
        return max(sum(v or 0 for v in at) for at in zip(*series, strict=True))
    return max((v or 0 for values in series for v in values), default=0)


def nice_ticks(high: float) -> list[float]:
    """Round numbers from 0 up to at least `high`, four to six of them."""
    if high <= 0:
        return [0, 1]
    rough = high / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough - 1e-9 * rough)
    if high >= 1 and step % 1 and float(high).is_integer():
        step = math.ceil(step)  # whole things have no halves
    return [round(step * n, 10) for n in range(math.ceil(high / step - 1e-9) + 1)]


def _axis(ticks: Sequence[float], top: float, height: float, scale: float, unit: str, formats: Formats) -> str:
    parts = []
    for tick in ticks:
        y = top + height - tick * scale
        words = f"{formats.number(tick, 10)}{' ' + unit if unit else ''}"
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{LINE}" stroke-width="{0.6 if tick else 1}"/>')
        parts.append(_text(LEFT - 7, y + 4, words, anchor="end", fill=MUTED))
    return "".join(parts)


def _bars(
    series: Sequence[tuple[int, list[float | None]]],
    top: float,
    height: float,
    scale: float,
    slot: float,
    *,
    is_stacked: bool,
) -> str:
    parts = []
    wide = min(38.0, slot * 0.72) if is_stacked else min(38.0, slot * 0.78 / len(series))
    held = [0.0] * len(series[0][1])
    for place, (n, values) in enumerate(series):
        for row, value in enumerate(values):
            if not value:
                continue
            across = wide if is_stacked else wide * len(series)
            x = LEFT + slot * (row + 0.5) - across / 2 + (0 if is_stacked else wide * place)
            tall = value * scale
            y = top + height - tall - (held[row] if is_stacked else 0)
            held[row] += tall
            edge = ' stroke="#fff" stroke-width="0.8"' if is_stacked or len(series) > 1 else ""
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{_colour(n)}"{edge}/>'
            )
    return "".join(parts)


def _lines(
    series: Sequence[tuple[int, list[float | None]]],
    top: float,
    height: float,
    scale: float,
    slot: float,
    *,
    is_stacked: bool,
) -> str:
    parts = []
    for n, values in series:
        way, pen = [], "M"
        for row, value in enumerate(values):
            if value is None:
                pen = "M"  # where there is no number there is no line
                continue
            x, y = LEFT + slot * (row + 0.5), top + height - value * scale
            way.append(f"{pen}{x:.1f} {y:.1f}")
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2.6 if len(values) <= 31 else 1.4}" fill="{_colour(n)}"/>'
            )
            pen = "L"
        dash = DASHES[n % len(DASHES)]
        style = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<path d="{"".join(way)}" fill="none" stroke="{_colour(n)}" stroke-width="1.8"{style}/>')
    return "".join(parts)


def _numbers(
    sheet: Sheet,
    formats: Formats,
    series: Sequence[tuple[int, list[float | None]]],
    top: float,
    height: float,
    scale: float,
    slot: float,
) -> str:
    """The numbers over their bars, where there are few."""
    wide = min(38.0, slot * 0.78 / len(series))
    parts = []
    for place, (n, values) in enumerate(series):
        for row, value in enumerate(values):
            if value is None:
                continue
            x = LEFT + slot * (row + 0.5) - wide * len(series) / 2 + wide * (place + 0.5)
            words = said(sheet.rows[row][1][n], sheet.columns[n].unit, formats)
            if len(words) * SIZE * LETTER < max(wide, slot / len(series)):
                parts.append(_text(x, top + height - value * scale - 4, words, anchor="middle"))
    return "".join(parts)


def _below(labels: Sequence[str], y: float, slot: float, *, turned: bool) -> str:
    """The words below; where they are narrow, turned, and not all of them."""
    every = max(1, math.ceil(15 / slot)) if turned else 1
    parts = []
    for n, label in enumerate(labels):
        if n % every:
            continue
        x = LEFT + slot * (n + 0.5)
        if turned:
            parts.append(
                _text(x + 4, y + 14, shortened(label, MOST_TURNED), anchor="end", fill=MUTED, turn=(-45, x + 4, y + 14))
            )
        else:
            parts.append(_text(x, y + 17, label, anchor="middle", fill=MUTED))
    return "".join(parts)


def _legend(names: Sequence[str], is_line: bool) -> tuple[str, float]:
    """What the colours are, and how much room it takes; nothing for one alone."""
    if len(names) < 2:
        return "", 0
    parts, x, y = [], float(LEFT), 12.0
    for n, name in enumerate(names):
        words = shortened(name, 32)
        wide = 24 + len(words) * SIZE * LETTER + 16
        if x + wide > WIDTH - RIGHT and x > LEFT:
            x, y = float(LEFT), y + 18
        if is_line:
            dash = f' stroke-dasharray="{DASHES[n % len(DASHES)]}"' if DASHES[n % len(DASHES)] else ""
            parts.append(f'<path d="M{x:.1f} {y:.1f}h18" stroke="{_colour(n)}" stroke-width="2"{dash}/>')
        else:
            parts.append(f'<rect x="{x:.1f}" y="{y - 6:.1f}" width="14" height="11" fill="{_colour(n)}"/>')
        parts.append(_text(x + 23, y + 4, words))
        x += wide
    return "".join(parts), y + 8


def _heat(sheet: Sheet, formats: Formats) -> str:
    rows, columns = sheet.rows[:MOST_HEAT], sheet.columns[:MOST_HEAT]
    left = min(190.0, max(len(label) for label, _ in rows) * SIZE * LETTER + 14)
    wide = (WIDTH - left - RIGHT) / len(columns)
    tall = 24.0
    high = max((float(v) for _, values in rows for v in values[: len(columns)] if v is not None), default=0) or 1
    is_turned = max(len(c.label) for c in columns) * SIZE * LETTER > wide - 6
    top = min(22, max(len(c.label) for c in columns)) * SIZE * LETTER * 0.72 + 20 if is_turned else 24
    parts = []
    for n, column in enumerate(columns):
        x, words = left + wide * (n + 0.5), shortened(column.label, 22)
        if is_turned:
            parts.append(_text(x, top - 7, words, fill=MUTED, turn=(-45, x, top - 7)))
        else:
            parts.append(_text(x, top - 8, words, anchor="middle", fill=MUTED))
    for r, (label, values) in enumerate(rows):
        y = top + tall * r
        parts.append(_text(left - 7, y + 16, shortened(label, 30), anchor="end", fill=MUTED))
        for n, column in enumerate(columns):
            value = values[n]
            share = float(value) / high if value is not None else 0
            shade = "#f6f6f8" if value is None else _shade(share)
            x = left + wide * n
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall}" fill="{shade}" stroke="#fff"/>'
            )
            words = "" if value is None else said(value, column.unit, formats)
            if words and len(words) * SIZE * LETTER < wide - 2:
                fill = "#fff" if share > 0.5 else TEXT
                parts.append(_text(x + wide / 2, y + 16, words, anchor="middle", fill=fill))
    return _whole(parts, top + tall * len(rows) + 4)


def _shade(share: float) -> str:
    return "#" + "".join(f"{round(low + (high - low) * share):02x}" for low, high in zip(LOW, HIGH, strict=True))


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def shortened(words: str, most: int) -> str:
    """Words of at most so many letters."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    fill: str = TEXT,
    turn: tuple[float, float, float] | None = None,
) -> str:
    how = f' transform="rotate({turn[0]} {turn[1]:.1f} {turn[2]:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}"{how}>{escape(words)}</text>'


def _whole(parts: Sequence[str], height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
        f' font-family="{FONT}" font-size="{SIZE}"><rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>'
        f"{''.join(parts)}</svg>"
    )
