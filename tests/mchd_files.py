"""Powers of attorney made for tests, after the form EMCHD_1; every name and number is made up."""

from dataclasses import dataclass, replace

NUMBER = "4f1c2d3e-5a6b-4c7d-8e9f-0a1b2c3d4e5f"
PARENT = "11111111-2222-4333-8444-555555555555"
INN, OGRN = "7707083893", "1027700132195"


@dataclass(frozen=True, slots=True)
class Who:
    surname: str
    given: str
    patronymic: str
    inn: str
    snils: str

    def xml(self, tag: str) -> str:
        return (
            f'<{tag} ИННФЛ="{self.inn}" СНИЛС="{self.snils}" Должность="Председатель"><СведФЛ>'
            f'<ФИО Фамилия="{self.surname}" Имя="{self.given}" Отчество="{self.patronymic}"/>'
            f"</СведФЛ></{tag}>"
        )

    @property
    def digits(self) -> str:
        return "".join(sign for sign in self.snils if sign.isdigit())


HEAD = Who("Галиев", "Рустам", "Ильдарович", "165001234562", "112-233-445 95")
DEPUTY = Who("Соколова", "Марина", "Андреевна", "165007654394", "123-456-789 64")
CLERK = Who("Ёлкин", "Пётр", "Ильич", "165001111108", "001-002-003 48")


@dataclass(frozen=True, slots=True)
class Made:
    """What a made file says; `replace` what a test needs otherwise."""

    number: str = NUMBER
    issued: str = "2026-09-01"
    expires: str = "2026-10-31"
    inn: str = INN
    ogrn: str = OGRN
    head: Who = HEAD
    people: tuple[Who, ...] = (DEPUTY,)
    powers: str = "<ТекстПолн>Подписание писем и обращений организации</ТекстПолн>"
    delegation: str = "1"
    revocable: str = "1"
    joint: str = "1"
    version: str = "EMCHD_1"
    namespace: str = "urn://x-artefacts/EMCHD_1"
    encoding: str = "UTF-8"
    extra: str = ""
    parent: str = ""
    giver: Who | None = None

    def but(self, **changes: object) -> "Made":
        return replace(self, **changes)  # type: ignore[arg-type]  # reason: a test names fields

    def bytes(self) -> bytes:
        text = (
            f'<?xml version="1.0" encoding="{self.encoding}"?>\n'
            f'<Доверенность xmlns="{self.namespace}" ВерсФорм="{self.version}" '
            f'ПрЭлФорм="00000000" ИдФайл="ON_EMCHD_20260901_{self.number}"><Документ>'
            + (self._passed() if self.parent else self._direct())
            + "</Документ></Доверенность>\n"
        )
        return text.encode(self.encoding)

    def _facts(self, tag: str) -> str:
        return (
            f'<{tag} ВидДовер="{self.revocable}" ПрПередов="{self.delegation}" ВнНомДовер="М-17" '
            f'НомДовер="{self.number}" ДатаВыдДовер="{self.issued}" СрокДейст="{self.expires}">'
            "<СведСист>https://registry.example.org/check</СведСист>"
            f"</{tag}>"
        )

    def _direct(self) -> str:
        company = (
            '<РосОргДовер ЕИОУК="0" ЕИОФЛ="1" ЕИОИП="0">'
            f'<СвРосОрг НаимОрг="Профсоюз «Пример»" ИННЮЛ="{self.inn}" КПП="165001001" '
            f'ОГРН="{self.ogrn}"/><ЛицоБезДов ПолнЮЛ="1">{self.head.xml("СвФЛ")}</ЛицоБезДов>'
            "</РосОргДовер>"
        )
        return (
            f"<Довер>{self._facts('СвДов')}"
            f'<СвДоверит ТипДоверит="1"><Доверит>{company}</Доверит></СвДоверит>'
            f"{self._receivers('СвУпПред')}{self._powers()}{self.extra}</Довер>"
        )

    def _passed(self) -> str:
        giver = self.giver or DEPUTY
        return (
            f'<Передов ПрНалПередов="1"><СвПервДовер ПрДовер="1" ФормДовер="1" '
            f'ДатаВыдДовер="2026-09-01" СрокДейст="2026-10-31" НомДоверПерв="{self.parent}"/>'
            f"{self._facts('СвПереДовер')}"
            f'<СвПередПолн ТипПерПолн="3"><ПередПолн>{giver.xml("ФЛПерПолн")}</ПередПолн>'
            f"</СвПередПолн>{self._receivers('СвПолучПолн')}{self._powers()}{self.extra}</Передов>"
        )

    def _receivers(self, tag: str) -> str:
        return "".join(
            f'<{tag} ТипПред="3"><Пред>{one.xml("СведФизЛ")}</Пред></{tag}>' for one in self.people
        )

    def _powers(self) -> str:
        return f'<СвПолн ТипПолн="0" ПрСовмПолн="{self.joint}">{self.powers}</СвПолн>'
