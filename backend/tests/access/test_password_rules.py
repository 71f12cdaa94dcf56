"""What may be a password: length by what else protects the account, and what everybody tries first."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import PASSWORD
from waypost.access import common_passwords, passwords
from waypost.access.common_passwords import WIDTH, is_common
from waypost.access.errors import WeakPassword
from waypost.access.passwords import LEAST_ALONE, LEAST_BESIDE, MAX_LENGTH, check_new_password, problem_with

ABOUT = ("jdoe", "Jane", "Doe", "jane.doe", "contoso")


@pytest.mark.parametrize(
    "good",
    [
        PASSWORD,
        "correct horse battery staple",
        "ünïcödé läßt grüßen",
        "我的密码是一个很长的句子对不对啊",
        "plain-words-only",
        "x9k2m4p7q1z8w3v5",
        "Jane likes blue herons",
        "🦦🦞🦑🐙🦀🐡🐠🐟🐬🐳🐋🦈🐊🐅🐆",
    ],
)
def test_long_ones_are_taken_without_rules_of_composition(good: str) -> None:
    check_new_password(good, pointer="/password", about=ABOUT)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("short", "at least 15"),
        ("fourteen chars", "at least 15"),
        ("x9k2 " * 26, "at most 128"),
        ("aaaaaaaaaaaaaaaa", "repeat"),
        ("abababababababab", "repeat"),
        ("abcdefghijklmnop", "a row"),
        ("1234567890123456", "a row"),
        ("zyxwvutsrqponmlk", "a row"),
        ("dragondragondragon", "tried first"),
        ("Football123456789", "tried first"),
        ("!!!superman!!!2026", "tried first"),
        ("janedoejdoe.jane", "consist of your name"),
        ("Waypost-Password", "consist of your name"),
        ("contoso.contoso.1", "consist of your name"),
    ],
)
def test_what_is_easy_to_guess_is_not(bad: str, why: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_new_password(bad, pointer="/password", about=ABOUT)
    assert why in refused.value.errors[0].message
    assert refused.value.errors[0].pointer == "/password"


def test_eight_are_enough_beside_a_second_factor() -> None:
    check_new_password("k7#vRq2w", pointer="/p", has_second_factor=True)
    with pytest.raises(WeakPassword):
        check_new_password("k7#vRq2", pointer="/p", has_second_factor=True)
    for common in ("password1", "iloveyou", "qwertyuiop", "sunshine", "PASSWORD", "liverpool!"):
        with pytest.raises(WeakPassword):
            check_new_password(common, pointer="/p", has_second_factor=True)


@given(st.text(min_size=0, max_size=200))
def test_length_is_that_of_what_is_hashed(text: str) -> None:
    for least in (LEAST_ALONE, LEAST_BESIDE):
        problem = problem_with(passwords.nfc(text), about=(), least=least)
        if not least <= len(passwords.nfc(text)) <= MAX_LENGTH:
            assert problem
    assert passwords.is_short(text) is (len(unicodedata.normalize("NFC", text)) < LEAST_ALONE)


@given(st.text(min_size=15, max_size=128), st.lists(st.text(max_size=12), max_size=4))
def test_it_always_answers(text: str, about: list[str]) -> None:
    problem_with(text, about=tuple(about), least=8)


async def test_what_looks_the_same_opens_the_same() -> None:
    composed, apart = unicodedata.normalize("NFC", "Grüße aus Köln am Rhein"), "Gru\u0308ße aus Ko\u0308ln am Rhein"
    assert composed != apart
    for made in (composed, apart):
        kept = await passwords.hash_password(made)
        assert "m=19456,t=2,p=1" in kept
        assert await passwords.verify_password(kept, composed)
        assert await passwords.verify_password(kept, apart)
        assert not await passwords.verify_password(kept, "Grüße aus Köln")
    old = passwords._hasher.hash(apart)  # from before there was this
    assert await passwords.verify_password(old, apart)


def test_the_list_is_in_order_and_holds_what_it_says() -> None:
    kept = common_passwords._kept()
    entries = [kept[n] for n in range(len(kept))]
    assert len(entries) > 45_000
    assert entries == sorted(set(entries))
    assert all(len(entry) == WIDTH for entry in entries)
    for known in ("123456", "password", "letmein", "qwertyuiop", "iloveyou", "trustno1"):
        assert is_common(known)
    for other in ("demo-passw0rd-2026", "correct horse battery staple", "", "\x00", "\ud800"):
        assert not is_common(other)
