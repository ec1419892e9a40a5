"""Dates as Strava's exports write them: in the athlete's language, always in UTC.

Seen in public copies: "Oct 7, 2020, 2:43:11 PM" (English), "09.12.2022, 15:24:49" (German),
"9 mei 2026, 19:00:00" (Dutch), "2018-09-12 15:02:23" (all, until June 2019). The others follow the
medium formats of Unicode's CLDR, which those agree with.
"""

import datetime as dt
import re
import unicodedata

from tracklake.clock import UTC

# Beginnings of month names without accents; the longest that fits wins ("marras" over "mar").
_MONTHS = {
    1: "jan ene gen sty led oca tammi янв ιαν",
    2: "feb fev fevr lut uno sub helmi фев лют φεβ",
    3: "mar maa mrt bre мар бер μαρ",
    4: "apr abr avr kwi dub nis huhti апр απρ",
    5: "may mai mag mei maj kve maggio touko маи мая μαι",
    6: "jun giu juin haz cze cervna kesa июн ιουν",
    7: "jul lug juil lip tem cervenc heina июл ιουλ",
    8: "aug ago aou agu sie srp elo авг αυγ",
    9: "sep set eyl wrz zar syys сен σεπ",
    10: "oct okt ott out eki paz rij loka окт οκτ",
    11: "nov kas lis marras ноя νοε",
    12: "dec dic dez des ara gru pro joulu дек δεκ",
}
_BEGINNINGS = {word: month for month, words in _MONTHS.items() for word in words.split()}
_TIME = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?\D*$")
_AFTERNOON = re.compile(r"\bp\.?\s?m\b|오후|午後|下午")
_MORNING = re.compile(r"\ba\.?\s?m\b|오전|午前|上午")


def unix_seconds(text: str) -> float | None:
    """Read a date with its time as UNIX seconds; None where it is none.

    Where only slashes tell the order of day and month, the day comes first, unless it cannot.
    """
    plain = _plain(text)
    clock = _TIME.search(plain)
    day = _date(plain[: clock.start()]) if clock else None
    if clock is None or day is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock.groups())
    if _AFTERNOON.search(plain) and hour < 12:
        hour += 12
    elif _MORNING.search(plain) and hour == 12:
        hour = 0
    try:
        return dt.datetime(*day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Fold case, accents and the special spaces that CLDR puts before "PM"."""
    letters = unicodedata.normalize("NFKD", text[:100].casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", kept)


def _date(text: str) -> tuple[int, int, int] | None:
    numbers = [int(number) for number in re.findall(r"\d{1,4}", text)]
    words = re.findall(r"[^\W\d_]{3,}", text)
    month = next((found for word in words if (found := _month(word))), None)
    if month is not None and len(numbers) == 2:
        day, year = sorted(numbers)
        return year, month, day
    if len(numbers) != 3:
        return None
    if numbers[0] > 31:
        return numbers[0], numbers[1], numbers[2]
    first, second, year = numbers
    return (year, first, second) if second > 12 else (year, second, first)


def _month(word: str) -> int | None:
    for length in range(len(word), 2, -1):
        if word[:length] in _BEGINNINGS:
            return _BEGINNINGS[word[:length]]
    return None
