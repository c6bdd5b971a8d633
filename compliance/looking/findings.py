"""What an examination of a picture may find: codes that stay, words for people, thresholds."""

from typing import Any

SMALL_SIDE = 640
"""Pixels of the shorter side below which a picture looks poor in print and on a page."""
BLURRED = 12.0
"""Variance of the Laplacian (longest side 1024, sRGB grey) below which nothing in it is sharp."""

_WORDS: dict[str, tuple[str, str]] = {
    "ai_declared": (
        "Файл сам сообщает, что изображение создано или изменено нейросетью. "
        "Проверьте условия сервиса и пометьте публикацию.",
        "The file itself says that a machine made or changed the picture. Check the service's "
        "terms and mark the publication.",
    ),
    "metadata_conflict": (
        "Сведения о правах в метаданных противоречат друг другу. Уточните автора у источника.",
        "The rights in the metadata contradict each other. Ask the source who the author is.",
    ),
    "metadata_broken": (
        "Часть метаданных повреждена и не прочитана. Запросите исходный файл.",
        "Part of the metadata is broken and was not read. Ask for the original file.",
    ),
    "metadata_unreadable": (
        "Метаданные не читаются. Запросите исходный файл.",
        "The metadata cannot be read. Ask for the original file.",
    ),
    "gps_present": (
        "В метаданных есть координаты съёмки. Удалите их перед публикацией.",
        "The metadata holds the place where it was taken. Remove it before publishing.",
    ),
    "type_mismatch": (
        "Расширение имени не соответствует содержимому. Переименуйте файл.",
        "The name's extension does not fit the content. Rename the file.",
    ),
    "low_quality": (
        "Качество изображения низкое. Найдите снимок крупнее или резче.",
        "The picture is of poor quality. Look for a larger or sharper one.",
    ),
    "no_features": (
        "На изображении слишком мало деталей: поиск совпадений ничего не доказывает. "
        "Проверьте источник вручную.",
        "There is too little in the picture: a search for matches proves nothing. Check its "
        "source by hand.",
    ),
    "c2pa_broken": (
        "Цифровая маркировка происхождения (C2PA) нарушена: файл изменён после подписания. "
        "Запросите исходный файл.",
        "The content credentials (C2PA) do not fit: the file was changed after signing. Ask for "
        "the original.",
    ),
    "c2pa_remote": (
        "Маркировка происхождения (C2PA) лежит на чужом сайте и не запрашивалась. "
        "Откройте её сами, если доверяете сайту.",
        "The content credentials (C2PA) lie on another site and were not fetched. Open them "
        "yourself if you trust it.",
    ),
    "credit_found": (
        "На изображении есть подпись автора или правообладателя. Получите разрешение.",
        "The picture bears the credit of an author or holder. Get permission.",
    ),
    "stock_mark": (
        "На изображении знак фотобанка. Купите лицензию или возьмите другое.",
        "The picture bears the mark of a stock agency. Buy a licence or take another.",
    ),
    "ocr_unavailable": (
        "Надписи не читались: нет программы распознавания Tesseract с русским языком. "
        "Установите tesseract-ocr и tesseract-ocr-rus.",
        "Print was not read: Tesseract with Russian is missing. Install tesseract-ocr and "
        "tesseract-ocr-rus.",
    ),
    "ocr_timeout": (
        "Надписи не прочитаны за отведённое время. Просмотрите края изображения сами.",
        "Print was not read in the time allowed. Look at the picture's edges yourself.",
    ),
    "animated": (
        "В файле несколько кадров, проверен первый. Проверьте остальные отдельно.",
        "The file has several frames; the first was checked. Check the others by themselves.",
    ),
    "foreign_data": (
        "За изображением в файле спрятан другой файл. Сохраните изображение заново.",
        "Another file is hidden in this one. Save the picture again.",
    ),
}

CODES = tuple(_WORDS)


def finding(code: str, **facts: Any) -> dict[str, Any]:
    """One finding for the wire, with what it was made from; KeyError for a code not listed."""
    ru, en = _WORDS[code]
    return {"code": code, "ru": ru, "en": en, **facts}
