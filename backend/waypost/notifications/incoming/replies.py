"""The new words of a reply: what its writer put there, without what their mail program quoted and signed. Pure.

Nothing here is sure, so the original stays readable beside every answer, and where nothing new is found all is kept.
What counts as a quote: all below our own marker line; a line that says who wrote when ("On … wrote:"), or the block of
headers that Outlook puts there, or a rule ("-----Original Message-----"), with what follows; lines that begin with ">".
Each line is looked at by itself and to a bounded length, so a hostile text costs no more than its number of lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARKER = "##- Please write your reply above this line -##"
MOST_LINES = 20_000
_LOOKED_AT = 500  # characters of a line
_HEADER_SPAN = 3  # lines one "On … wrote:" is broken into, besides the first
_BLOCK_SPAN = 8  # lines within which the headers of a quoted mail follow each other
_SHORT_SIGNATURE = 12  # lines after "--", which some people also draw a line with


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- who wrote when ---------------------------------------------------------------------------------------------------

_WROTE = (
    "wrote|writes|schrieb|schreef|a écrit|a ecrit|ha scritto|scrive|escribió|escribio|ha escrit|va escriure|escreveu"
    "|skrev|napisał|napisała|napisał(a)|napisal(a)|napsal|napsal(a)|napsala|napísal|napísal(a)|kirjoitti|írta|ezt írta"
    "|a scris|yazdı|şunu yazdı|написал|написала|написал(а)|пише|пишет|писал|написав|έγραψε|rakstīja|parašė|kirjutas"
    "|je napisao|napisao|napisala|написа|כתב|כתבה|כתב/ה|كتب|đã viết|menulis|เขียน|님이 작성|写道|寫道|のメール"
)
_VERBS = tuple(sorted(_WROTE.split("|"), key=len, reverse=True))
_STARTS = (
    "on ", "am ", "le ", "el ", "il ", "op ", "em ", "in data ", "w dniu ", "dnia ", "den ", "på ", "pe ", "dne ", "dňa ",
    "din ", "on,", "at ", "vào ", "pada ", "στις ", "a ", "в ", "kuupäeval ",
)  # fmt: skip
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DIGIT = re.compile(r"\d")

# --- the headers of a quoted mail -------------------------------------------------------------------------------------

_FROM = _words("""
    from von de da van fra från lähettäjä od nadawca от отправитель від από gönderen kimden feladó expeditor
    remitente mittente afsender expéditeur absender afzender 发件人 寄件者 差出人 보낸사람 מאת
""") | {"message du", "de la", "보낸 사람", "message de"}
_OTHER = _words("""
    sent date to cc bcc subject reply-to gesendet datum an kopie betreff antwort envoyé le à a objet sujet copie
    enviado enviada fecha data para asunto assunto inviato oggetto verzonden aan onderwerp dato til emne sendt
    skickat till ämne skickades kopia lähetetty vastaanottaja aihe päivämäärä wysłano do temat odesláno komu
    předmět odoslané predmet отправлено дата кому тема копия надіслано gönderildi kime konu tarih elküldve címzett
    tárgy trimis către subiect στάλθηκε προς θέμα ημερομηνία 发送时间 收件人 主题 抄送 日期
    傳送時間 主旨 送信日時 宛先 件名 보낸날짜 받는사람 제목 נשלח אל נושא
""") | {"envoyé le", "copie à", "보낸 날짜", "받는 사람", "reply to", "sent on"}
_HEADER = re.compile(r"[\s*_>|]{0,8}([^\W\d_][\w '’\-]{0,24}?)[*_]{0,2}[\s\u00a0]{0,2}[:：]")

# --- rules, greetings of machines, signatures -------------------------------------------------------------------------

_ORIGINAL = (
    "original message", "original appointment", "ursprüngliche nachricht", "originalnachricht", "message d'origine",
    "message d’origine", "message original", "mensaje original", "mensagem original", "messaggio originale",
    "oorspronkelijk bericht", "oprindelig besked", "oprindelig meddelelse", "opprinnelig melding", "opprinnelig epost",
    "ursprungligt meddelande", "originalmeddelande", "alkuperäinen viesti", "wiadomość oryginalna",
    "oryginalna wiadomość", "původní zpráva", "pôvodná správa", "исходное сообщение", "пересылаемое сообщение",
    "оригинальное сообщение", "eredeti üzenet", "mesaj original", "orijinal ileti", "özgün ileti", "αρχικό μήνυμα",
    "邮件原件", "原始邮件", "原始郵件", "元のメッセージ", "원본 메시지", "reply message", "antwort nachricht",
)  # fmt: skip
_FORWARDED = (
    "forwarded message", "begin forwarded message", "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht",
    "message transféré", "début du message transféré", "mensaje reenviado", "mensagem encaminhada",
    "messaggio inoltrato", "doorgestuurd bericht", "videresendt", "vidarebefordrat", "przekazana wiadomość",
)  # fmt: skip
_MACHINE = re.compile(
    r"(?:sent from (?:my |the all|mail |outlook|yahoo|proton|samsung|typeapp|gmail|windows|[A-Z][\w.]{2,})"
    r"|get outlook for |sent via |sent with |gesendet (?:von|mit) |von meinem .{1,40} gesendet|envoyé (?:de|à partir de|depuis) "
    r"|enviado (?:desde|do|de|a partir) |inviato da|verzonden (?:vanaf|met|via|van) |verstuurd vanaf |sendt fra "
    r"|skickat från |lähetetty .{1,40}(?:sta|stä|ni)|wysłan[eo] z |odesláno z |odoslané z |отправлено (?:с|из) |küldve "
    r"|trimis de pe |gönderildi|iphoneから送信|发自我的|從我的|나의 .{1,20}에서 보냄)",
    re.IGNORECASE,
)
_DASHED = re.compile(r"[-_*=~–—\s]{0,80}")


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the quote begins, and how: only what follows "… wrote:" may hold answers between its lines."""

    at: int
    may_hold_answers: bool = False


def new_words(text: str) -> str:
    """What is new in a reply's text. Never empty for a text that is not: then it is the whole of it."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    lines = whole.split("\n")
    if len(lines) > MOST_LINES:
        lines = lines[:MOST_LINES]
    cut = _first_cut(lines)
    above = _tidied(lines[: cut.at], ends_in_quote=cut.at < len(lines))
    below = lines[cut.at :] if cut.may_hold_answers else []
    answers = _answers(below)
    kept = "\n\n".join(part for part in (above, answers) if part)
    return kept or whole.strip()


def _first_cut(lines: list[str]) -> _Cut:
    for n, line in enumerate(lines):
        bare = line[:_LOOKED_AT].strip()
        if not bare or bare.startswith(">"):
            if bare and (start := _attribution_start(lines, n)) is not None:
                return _Cut(start, may_hold_answers=True)
            continue
        if _is_marker(bare) or _is_rule(bare, _ORIGINAL):
            return _Cut(n)
        if _is_rule(bare, _FORWARDED):
            return _Cut(len(lines))  # what somebody passes on is what they want to say
        if _is_block(lines, n) or _is_signature(lines, n) or _is_machine(lines, n):
            return _Cut(n)
        start = _attribution_start(lines, n)
        if start is not None:
            return _Cut(start, may_hold_answers=_is_quoted(lines, n + 1))
    return _Cut(len(lines))


def _is_marker(bare: str) -> bool:
    start = bare.find("##-")
    return start >= 0 and bare.find("-##", start + 3) > 0


def _is_rule(bare: str, words: tuple[str, ...]) -> bool:
    """A line of dashes with such words in its middle, or the words alone before a colon."""
    inner = bare.strip("-_*=~–— :\u00a0").casefold()
    return inner in words and (bare[0] in "-_*=~–—" or bare.endswith(":"))


def _attribution_start(lines: list[str], end: int) -> int | None:
    """Where a line that says who wrote when begins, when it ends with this line."""
    last = lines[end][:_LOOKED_AT].strip()
    if not (last.endswith((":", "：", "----")) or last.casefold().endswith(_VERBS)):
        return None
    joined = ""
    for n in range(end, max(-1, end - _HEADER_SPAN - 1), -1):
        bare = lines[n][:_LOOKED_AT].strip()
        if not bare or (n < end and bare.startswith(">")):
            return None
        joined = f"{bare} {joined}".strip()
        if _is_attribution(joined):
            return n
    return None


def _is_attribution(line: str) -> bool:
    bare = line.strip("-").strip() if line.startswith("--") else line
    if not bare or bare[0] == ">":
        return False
    low = bare.casefold()
    ends = low.rstrip(" :：")
    has_time = _CLOCK.search(low) is not None
    has_date = has_time or _YEAR.search(low) is not None
    has_address = "@" in low
    has_verb = ends.endswith(_VERBS) or any(f" {verb} " in low for verb in _VERBS)
    if has_verb and (low.startswith(_STARTS) or low[0].isdigit() or has_time):
        return (has_date or has_address) and _DIGIT.search(low) is not None
    # without any verb: a moment, then somebody's address in angle brackets, then a colon
    return has_time and has_address and ends.endswith(">") and low.endswith((":", "："))


def _is_block(lines: list[str], start: int) -> bool:
    """Whether the headers of a quoted mail begin here: who from, and two more within a few lines."""
    if _header_of(lines[start]) not in _FROM:
        return False
    more = {_header_of(line) for line in lines[start + 1 : start + _BLOCK_SPAN]}
    return len(more & _OTHER) >= 2


def _header_of(line: str) -> str:
    found = _HEADER.match(line[:80])
    return found[1].strip().casefold() if found else ""


def _is_signature(lines: list[str], n: int) -> bool:
    line = lines[n].rstrip("\r")
    if line == "-- ":
        return True
    if line.strip() not in ("--", "—", "––"):
        return False
    rest = [one for one in lines[n + 1 : n + 200] if one.strip()]
    after = next((k for k, one in enumerate(rest) if one.lstrip().startswith(">") or _is_marker(one)), len(rest))
    return 0 < after <= _SHORT_SIGNATURE or not rest


def _is_machine(lines: list[str], n: int) -> bool:
    """A program's own line such as "Sent from my phone": by itself below a blank one, or the last."""
    bare = lines[n][:_LOOKED_AT].strip()
    words = bare.split("<", 1)[0].strip()
    if len(words) > 60 or words.endswith((".", ",", "?", "!")) or _MACHINE.match(words) is None:
        return False
    return n == 0 or not lines[n - 1].strip() or not any(one.strip() for one in lines[n + 1 : n + 3])


def _is_quoted(lines: list[str], start: int) -> bool:
    return next((line.lstrip()[:1] == ">" for line in lines[start : start + 3] if line.strip()), False)


def _tidied(lines: list[str], *, ends_in_quote: bool) -> str:
    """Without the blank lines around it, and without the line that was drawn above the quote."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or (ends_in_quote and _is_drawn(kept[-1]))):
        kept.pop()
    while kept and not kept[0].strip():
        kept.pop(0)
    return _without_outer_quotes(kept)


def _is_drawn(line: str) -> bool:
    return len(line.strip()) >= 3 and _DASHED.fullmatch(line[:80]) is not None and len(line) <= 80


def _without_outer_quotes(lines: list[str]) -> str:
    """Text with quotes between its parts stays as it is; a quote before all of it, or after, goes."""
    parts = _parts(lines)
    words = [n for n, (is_quote, _) in enumerate(parts) if not is_quote]
    if not words:
        return ""
    first, last = words[0], words[-1]
    if any(is_quote for is_quote, _ in parts[first:last]):
        first = 0  # they answer point by point: the first point is one of them
    return "\n".join(line for _, part in parts[first : last + 1] for line in part).strip()


def _parts(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Lines as quotes and words in turn. What a program broke off a quoted line is still the quote, up to a blank line."""
    parts: list[tuple[bool, list[str]]] = []
    is_after_quote = False
    for line in lines:
        is_quote = line.lstrip()[:1] == ">"
        if not line.strip():
            is_after_quote = False
            if parts:
                parts[-1][1].append(line)
            continue
        is_quote = is_quote or is_after_quote
        is_after_quote = is_quote
        if parts and parts[-1][0] == is_quote:
            parts[-1][1].append(line)
        else:
            parts.append((is_quote, [line]))
    return parts


def _answers(quoted: list[str]) -> str:
    """What was written below or between the lines of a quote, down to its writer's signature."""
    start = next((n for n, line in enumerate(quoted) if line.lstrip()[:1] == ">"), len(quoted))
    rest = quoted[start:]
    end = next((n for n in range(len(rest)) if _ends_answers(rest, n)), len(rest))
    return _without_outer_quotes(rest[:end])


def _ends_answers(lines: list[str], n: int) -> bool:
    bare = lines[n][:_LOOKED_AT].strip()
    if not bare or bare.startswith(">"):
        return False
    return _is_signature(lines, n) or _is_machine(lines, n) or _is_marker(bare) or _is_rule(bare, _ORIGINAL)
