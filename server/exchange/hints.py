"""Words of a file that look misspelt. They are kept as they are written; people are told before the run."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from babel import Locale

from server.core.i18n import LOCALES
from server.core.text import fold
from server.exchange.mapping import Mapping
from server.exchange.profile import Profile

CLOSE = 0.85
_INDUSTRIES = (
    "technology software telecommunications finance financial insurance banking retail wholesale "
    "medical healthcare pharmaceutical education entertainment media marketing advertising "
    "manufacturing automotive construction energy agriculture food logistics transport "
    "consulting services employment recruitment government tourism hospitality textile mining "
    "فناوری نرم‌افزار مخابرات بیمه بانکداری خرده‌فروشی پزشکی داروسازی آموزش تبلیغات بازاریابی "
    "خودروسازی ساختمان کشاورزی گردشگری نساجی معدن حمل‌ونقل مشاوره "
    "technologie logiciel télécommunications finance assurance banque distribution santé "
    "pharmacie éducation industrie automobile agriculture transport conseil tourisme"
)


@dataclass(frozen=True)
class Hint:
    """A word that looks misspelt, and what was probably meant."""

    header: str
    word: str
    meant: str


def hints(profile: Profile, mapping: Mapping, used: Iterable[str] = ()) -> tuple[Hint, ...]:
    """Return the words that look misspelt in columns of countries and industries; `used` are known ones."""
    found = []
    for column in profile.columns:
        field = mapping.columns.get(column.header)
        if field == "country":
            found += _of(column.header, column.words, _countries())
        elif field == "industry":
            found += _of(column.header, column.words, _by_key([*used, *_INDUSTRIES.split()]))
    return tuple(found)


def _of(header: str, words: Iterable[str], known: dict[str, str]) -> list[Hint]:
    found = []
    for word in words:
        key = fold(word)
        close = [] if key in known else get_close_matches(key, known, n=1, cutoff=CLOSE)
        if close:
            found.append(Hint(header, word, known[close[0]]))
    return found


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    return _by_key(
        name for code in LOCALES for name in Locale.parse(code).territories.values() if name
    )


def _by_key(words: Iterable[str]) -> dict[str, str]:
    return {fold(word): word for word in words if len(fold(word)) > 4}
