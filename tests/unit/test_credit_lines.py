"""The grammar of credit lines: what is one, what is none, letters of both scripts."""

from typing import Any

import pytest

from compliance.reading.credits import credit_in, credits_in

LINES: list[tuple[str, dict[str, Any]]] = [
    ("Фото: А. Смирнов / ТАСС", {"name": "А. Смирнов", "agency": "ТАСС"}),
    ("© Иван Петров", {"name": "Иван Петров", "role": "holder"}),
    ("Фото Ивана Петрова", {"name": "Ивана Петрова"}),
    ("Фото — РИА Новости / Алексей Куденко",
     {"name": "Алексей Куденко", "agency": "РИА Новости"}),
    ("PИA Hoвocти / A. Kуденко", {"agency": "РИА Новости"}),
    ("Photo by John Smith on Unsplash", {"name": "John Smith", "stock": "Unsplash"}),
    ("(c) 2023 Getty Images", {"stock": "Getty Images", "year": 2023}),
    ("shutterstock", {"stock": "Shutterstock"}),
    ("shutterst0ck.com", {"stock": "Shutterstock"}),
    ("предоставлено пресс-службой Минтруда", {"name": "пресс-службой Минтруда"}),
    ("Фото: Wikimedia Commons, CC BY-SA 4.0",
     {"agency": "Wikimedia Commons", "licence": "CC BY-SA 4.0"}),
    ("© ООО «Фотобанк Лори», 2024", {"agency": "Фотобанк Лори", "year": 2024}),
    ("Фото: Анна СМИРНОВА", {"name": "Анна СМИРНОВА"}),
    ("Ольга Ветрова / Коммерсантъ", {"name": "Ольга Ветрова", "agency": "Коммерсантъ"}),
    ("Снимок: О. Ветрова, 2022", {"name": "О. Ветрова", "year": 2022}),
    ("Фотография: Мария Л. Кузнецова", {"name": "Мария Л. Кузнецова"}),
    ("©Иван Петров/РИА Новости", {"name": "Иван Петров", "agency": "РИА Новости"}),
    ("Photo: AP/Ivan Sekretarev", {"name": "Ivan Sekretarev", "agency": "AP"}),
    ("Copyright John Doe. All rights reserved", {"name": "John Doe"}),
    ("Фото: vk.com/profsouz", {"name": "vk.com"}),
    ("ТАСС", {"agency": "ТАСС"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line for line, _ in LINES])
def test_a_credit_is_read(line: str, expected: dict[str, Any]) -> None:
    found = credit_in(line)
    assert found is not None
    assert expected.items() <= found.as_dict().items()


@pytest.mark.parametrize(
    "line",
    [
        "ФОТО НА ДОКУМЕНТЫ", "Фото на паспорт за 5 минут", "Аптека 36,6", "Первомай в Москве",
        "Известия дня сегодня утром", "Фотостудия «Улыбка»", "Фото: из открытых источников",
        "Коммерсантъ продал завод", "Продажа / Аренда", "www.photosite.ru", "КП", "", "©", "Фото:",
        "Иван Петров", "х" * 400,
    ],
)  # fmt: skip
def test_what_is_no_credit(line: str) -> None:
    assert credit_in(line) is None


def test_the_same_credit_counts_once() -> None:
    assert len(credits_in("Фото: А. Смирнов / ТАСС\n© ТАСС\nФото: А. Смирнов / ТАСС")) == 2
