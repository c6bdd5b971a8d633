"""Names in certificates, as people read them."""

from web import certificate_words, translation


def test_parts_of_a_name_are_called_in_the_readers_language() -> None:
    name = "Organization: ООО «УЦ», 1.2.643.100.1: 1027700000000, Common Name: УЦ: Title, г. Тверь"
    translation.speak("ru")
    assert certificate_words.holder(name) == (
        "организация: ООО «УЦ», ОГРН: 1027700000000, имя: УЦ: Title, г. Тверь"
    )
    translation.speak("en")
    assert certificate_words.holder(name) == name
    translation.speak("ru")
