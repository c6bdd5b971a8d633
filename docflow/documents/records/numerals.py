"""Whole numbers in Russian words, as totals of papers have them; pure."""

_UNITS = ("", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять")
_TEENS = (
    "десять", "одиннадцать", "двенадцать", "тринадцать", "четырнадцать", "пятнадцать",
    "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать",
)  # fmt: skip
_TENS = (
    "", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят",
    "восемьдесят", "девяносто",
)  # fmt: skip
_HUNDREDS = (
    "", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот",
    "девятьсот",
)  # fmt: skip


def in_words(number: int) -> str:
    """«двадцать одно», neuter as «дело»; up to a million, beyond it the figures."""
    if not 0 <= number < 1_000_000:
        return str(number)
    if number == 0:
        return "ноль"
    thousands, rest = divmod(number, 1000)
    words = []
    if thousands:
        words += [*_below(thousands, one="одна", two="две"), of(thousands, _THOUSANDS)]
    return " ".join(words + _below(rest, one="одно", two="два"))


_THOUSANDS = ("тысяча", "тысячи", "тысяч")
CASES = ("дело", "дела", "дел")


def of(number: int, forms: tuple[str, str, str]) -> str:
    """The form of a noun after a number: 1 дело, 2 дела, 5 дел."""
    if number % 100 in range(11, 15):
        return forms[2]
    return forms[{1: 0, 2: 1, 3: 1, 4: 1}.get(number % 10, 2)]


def _below(number: int, *, one: str, two: str) -> list[str]:
    tens, unit = divmod(number % 100, 10)
    words = [_HUNDREDS[number // 100]]
    if tens == 1:
        words.append(_TEENS[unit])
    else:
        words += [_TENS[tens], {1: one, 2: two}.get(unit, _UNITS[unit])]
    return [word for word in words if word]
