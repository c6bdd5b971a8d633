"""МЭДО messages as other systems write them, by hand: nothing here comes from our own writer."""

import io
import zipfile
from pathlib import Path

from docflow.gateways.medo.messages import Finding, Message

IEDMS = "http://www.infpres.com/IEDMS"
PASSPORT_27 = "http://minsvyaz.ru/container"
MESSAGE_271, PASSPORT_271 = "urn:IEDMS:MESSAGE", "urn:IEDMS:CONTAINER"
SENDER = "a0000001-0000-4000-8000-000000000001"
RECEIVER = "b0000002-0000-4000-8000-000000000002"
HEADER = "11111111-0000-4000-8000-000000000111"
DOCUMENT = "22222222-0000-4000-8000-000000000222"
CONTAINER = "33333333-0000-4000-8000-000000000333"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nbody\n%%EOF\n"


def envelope(*files: str, more: str = "", addresses: str = "0=MINPRIMER_S~MEDOGU") -> str:
    """The transport's file as the official client writes it."""
    listed = "\r\n".join(f"{place}={name}" for place, name in enumerate(files))
    return (
        "[ПИСЬМО КП ПС СЗИ]\r\nТЕМА=ЭСД МЭДО (1-2/3 от 01.02.2024)\r\nШИФРОВАНИЕ=0\r\n"
        "АВТООТПРАВКА=1\r\nЭЦП=1\r\nДОСТАВЛЕНО=1\r\nПРОЧТЕНО=1\r\n"
        f"{more}\r\n[АДРЕСАТЫ]\r\n{addresses}\r\n\r\n[ФАЙЛЫ]\r\n{listed}\r\n"
    )


def place(folder: Path, files: dict[str, bytes | str], *, encoding: str = "windows-1251") -> Path:
    """A folder of these files; texts in `encoding`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
    return folder


def communication(
    inner: str, *, version: str = "2.6", kind: str = "Документ", encoding: str = "windows-1251",
    namespace: str = IEDMS, prefix: str = "xdms", uid: str = HEADER,
    created: str = "2024-02-01T10:00:00", index: str = "",
) -> str:  # fmt: skip
    """A description around its content; elements of `inner` carry the prefix `x:`."""
    text = f"""<?xml version="1.0" encoding="{encoding}"?>
<x:communication xmlns:x="{namespace}" x:version="{version}">
 <x:header x:type="{kind}" x:uid="{uid}" x:created="{created}">
  <x:source x:uid="{SENDER}"><x:organization>Министерство примеров</x:organization></x:source>
 </x:header>{inner}{index}</x:communication>"""
    return text.replace("x:", f"{prefix}:").replace("xmlns:x=", f"xmlns:{prefix}=")


ANSWER = f"""
<x:document x:uid="{DOCUMENT}" x:id="77"><x:kind>Письмо</x:kind>
 <x:num><x:number>02-11/45</x:number><x:date>2024-03-05</x:date></x:num>
 <x:signatories><x:signatory><x:region>Тестовая область</x:region>
  <x:organization>Министерство примеров</x:organization><x:person>Иванов И.И.</x:person>
  <x:department>Правовой департамент</x:department><x:post>Директор</x:post>
  <x:signed>2024-03-05</x:signed></x:signatory></x:signatories>
 <x:addressees><x:addressee><x:organization>Федерация</x:organization></x:addressee></x:addressees>
 <x:pages>1</x:pages><x:annotation>Об ответе на обращение</x:annotation>
 <x:correspondents><x:correspondent><x:organization>Федерация</x:organization>
  <x:num><x:number>1-Ф/7</x:number><x:date>2024-02-01</x:date></x:num></x:correspondent>
 </x:correspondents>
 <x:links><x:link x:uid="{CONTAINER}"><x:linkType>В ответ на</x:linkType><x:reference>
  <x:organization>Федерация</x:organization>
  <x:num><x:number>1-Ф/7</x:number><x:date>2024-02-01</x:date></x:num></x:reference></x:link>
 </x:links>
 <x:clauses><x:clause x:localId="0"><x:designation>п. 2</x:designation><x:text>Представить</x:text>
  <x:deadline>2024-04-01</x:deadline><x:principal><x:person>Петров</x:person></x:principal>
  </x:clause></x:clauses>
 <x:executor><x:person>Исполнителев А.А.</x:person><x:contactInfo>8 (000) 1</x:contactInfo>
 </x:executor>
</x:document>
<x:files><x:file x:localName="mainDoc.pdf" x:localId="0" x:type="pdf"><x:group>Текст документа
 </x:group><x:pages>1</x:pages></x:file></x:files>"""


def answer(folder: Path, *, version: str = "2.6", encoding: str = "windows-1251") -> Path:
    """An answer of 2.6 and before: loose files, a link to our request, a task, an executor."""
    xml = communication(ANSWER, version=version, encoding=encoding)
    files: dict[str, bytes | str] = {
        "mainDoc.pdf": PDF,
        "document.xml": xml.encode(encoding),
        "envelope.ltr": envelope("mainDoc.pdf", "document.xml"),
    }
    return place(folder, files)


def passport(
    *, namespace: str = PASSPORT_27, version: str = "1.0", encoding: str = "windows-1251",
    more: str = "", requisites: str = "", signature: str = "sign1.p7s", stamp: str = "stamp.png",
) -> bytes:  # fmt: skip
    """A passport as the Notes adapter writes it."""
    text = f"""<?xml version="1.0" encoding="{encoding}"?>
<c:container xmlns:c="{namespace}" c:uid="{CONTAINER}" c:version="{version}"><c:requisites>
<c:documentKind>Письмо</c:documentKind>{requisites}<c:annotation>О сроках «проверок»</c:annotation>
</c:requisites><c:authors><c:author><c:organization><c:title>Правительство области</c:title>
</c:organization><c:registration><c:number>5-17/999</c:number><c:date>2024-05-06</c:date>
<c:registrationStamp c:localName="{stamp}"><c:position><c:page>1</c:page><c:topLeft><c:x>15</c:x>
<c:y>63</c:y></c:topLeft><c:dimension><c:w>100</c:w><c:h>14</c:h></c:dimension></c:position>
</c:registrationStamp></c:registration><c:sign><c:person><c:post>Заместитель</c:post>
<c:name>Петров П.П.</c:name></c:person><c:documentSignature c:localName="{signature}"
 c:type="Утверждающая"/></c:sign></c:author></c:authors><c:addressees><c:addressee>
<c:organization><c:title>Федерация</c:title></c:organization></c:addressee></c:addressees>
<c:document c:localName="document.pdf"/>{more}</c:container>"""
    return text.encode(encoding)


def packed(members: dict[str, bytes]) -> bytes:
    """An ordinary zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


MEMBERS = {"document.pdf": PDF, "sign1.p7s": b"0\x80signature", "stamp.png": b"\x89PNG"}
BODY = (
    '<x:container x:type="Документ в электронном виде"><x:body>document.edc.zip</x:body>'
    "</x:container>"
)


def container(
    folder: Path, *, members: dict[str, bytes] | None = None, data: bytes | None = None,
    version: str = "2.7",
) -> Path:  # fmt: skip
    """A container of 2.7 with a passport in windows-1251."""
    if members is None:
        members = {"passport.xml": passport(), **MEMBERS}
    files: dict[str, bytes | str] = {
        "document.edc.zip": packed(members) if data is None else data,
        "document.xml": communication(BODY, version=version, kind="Транспортный контейнер"),
        "envelope.ini": envelope("document.edc.zip", "document.xml"),
    }
    return place(folder, files)


FOUNDATION = """<x:foundation><x:organization>Федерация</x:organization><x:num>
<x:number>1-Ф/7</x:number><x:date>2024-02-01</x:date></x:num></x:foundation>"""
TIME = "<x:time>2024-02-02T09:00:00</x:time>"
EVENTS = {
    "documentAccepted": (
        "Зарегистрирован",
        "<x:num><x:number>ВХ-5</x:number><x:date>2024-02-02</x:date></x:num>",
    ),
    "documentRefused": ("Отказано в регистрации", "<x:reason>Ошибка адресации</x:reason>"),
    "executorAssigned": (
        "Назначен исполнитель",
        "<x:secretary><x:person>С</x:person></x:secretary><x:manager><x:person>М</x:person>"
        "</x:manager><x:executor><x:person>Исполнителев</x:person></x:executor>",
    ),
    "reportPrepared": (
        "Доклад подготовлен",
        "<x:signatory><x:person>Докладчиков</x:person></x:signatory>",
    ),
    "reportSent": (
        "Доклад направлен",
        "<x:report><x:organization>М</x:organization><x:num><x:number>Д-1</x:number>"
        "<x:date>2024-02-10</x:date></x:num></x:report>",
    ),
    "courseChanged": ("Исполнение", "<x:courseText>Срок продлён</x:courseText>"),
    "documentPublished": (
        "Опубликование",
        "<x:num><x:number>0001202402</x:number><x:date>2024-02-09</x:date></x:num>"
        "<x:publicationPlace>Портал</x:publicationPlace>",
    ),
}


def notification(folder: Path, event: str, *, version: str = "2.6", own: str | None = None) -> Path:
    """A notification of this event."""
    kind, part = EVENTS[event]
    inner = (
        f'<x:notification x:type="{kind}" x:uid="{DOCUMENT}" x:id="77"><x:{event}>{TIME}'
        f"{FOUNDATION}{part if own is None else own}</x:{event}>"
        "<x:comment>Примечание</x:comment></x:notification>"
    )
    files: dict[str, bytes | str] = {
        "notification.xml": communication(inner, version=version, kind="Уведомление"),
        "envelope.ltr": envelope("notification.xml"),
    }
    return place(folder, files)


def codes(findings: tuple[Finding, ...]) -> set[str]:
    """Their codes."""
    return {one.code for one in findings}


def facts(message: Message) -> tuple[str, str, set[str], set[str]]:
    """Kind, version, warnings and errors in one look."""
    return message.kind.value, message.version, codes(message.warnings), codes(message.errors)
