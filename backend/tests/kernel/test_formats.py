"""Numbers and dates in each reader's manner; what nobody knows, and what cannot be set on paper, is English."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from waypost.kernel.formats import formats_of

AT = datetime(2026, 11, 26, 22, 10, tzinfo=UTC)


def plain(text: str) -> str:
    """With plain blanks for those that do not break."""
    return text.replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize(
    ("locale", "zone", "expected"),
    [
        (
            "en",
            "America/New_York",
            ("1,234,567.50", "45.0%", "3.5 hr", "Nov 6, 2026", "Monday", "Thursday, November 26, 2026, 5:10 PM EST"),
        ),
        (
            "en-GB",
            "Europe/London",
            ("1,234,567.50", "45.0%", "3.5 hrs", "6 Nov 2026", "Monday", "Thursday, 26 November 2026, 22:10 GMT"),
        ),
        (
            "de",
            "Asia/Tokyo",
            ("1.234.567,50", "45,0 %", "3,5 Std.", "6. Nov. 2026", "Montag", "Freitag, 27. November 2026, 07:10 JST"),
        ),
        (
            "fr",
            "Europe/Paris",
            ("1 234 567,50", "45,0 %", "3,5 h", "6 nov. 2026", "lundi", "jeudi 26 novembre 2026, 23:10 CET"),
        ),
        (
            "es",
            "UTC",
            ("1.234.567,50", "45,0 %", "3,5 h", "6 nov 2026", "lunes", "jueves, 26 de noviembre de 2026, 22:10 UTC"),
        ),
    ],
)
def test_everybody_reads_their_own(locale: str, zone: str, expected: tuple[str, ...]) -> None:
    f = formats_of(locale, zone)
    told = (
        f.number("1234567.5", 2, least=2),
        f.share(0.45),
        f.lasting(12_600),
        f.day(date(2026, 11, 6)),
        f.weekdays()[0],
        f.instant(AT),
    )
    assert tuple(map(plain, told)) == expected


@pytest.mark.parametrize("locale", ["tlh", "x", "zh-Hant-TW", "hi-IN", "ar"])
def test_what_is_not_known_or_has_no_letters_here_is_english(locale: str) -> None:
    assert formats_of(locale, "Nowhere/Atall") == formats_of("en", "UTC")


def test_a_country_nobody_knows_is_its_language() -> None:
    assert formats_of("de-XX", "UTC").number(1234.5, 1) == "1.234,5"


def test_lengths_of_time_are_told_in_what_people_say() -> None:
    f = formats_of("en", "UTC")
    told = [plain(f.lasting(s)) for s in (0, 50, 59 * 60, 3600, 47 * 3600, 48 * 3600, 3.26 * 86_400)]
    assert told == ["1 min", "1 min", "59 min", "1 hr", "47 hr", "2 days", "3.3 days"]
    assert plain(f.hours(400_000)) == "111.1 hr", "working time has no days"
    assert [f.number(n, 10) for n in (0, 2.5, 1000, 0.25)] == ["0", "2.5", "1,000", "0.25"], "marks of an axis"
    assert f.day(date(2026, 11, 6), with_year=False) == "Nov 6"
