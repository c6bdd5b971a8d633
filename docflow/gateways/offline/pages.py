"""``index.html`` of a package: what lies here and how to answer, readable without any network."""

import io
from html import escape
from urllib.parse import quote

import segno

from docflow.gateways.offline.manifests import DocumentEntry, Manifest

_STYLE = """
body{font:17px/1.45 "Segoe UI",Arial,sans-serif;max-width:52em;margin:1.5em auto;padding:0 1em;
color:#1b1b1b;background:#fff}
h1{font-size:1.4em}h2{font-size:1.15em;margin:.2em 0}
article{border:1px solid #999;border-radius:6px;padding:.8em 1em;margin:1em 0;break-inside:avoid}
.code{font:bold 1.3em/1.2 Consolas,monospace;white-space:nowrap}.en{color:#555;font-size:.88em}
.qr{float:right;width:7em;height:7em}li{margin:.3em 0}.due{color:#8a1c00;font-weight:bold}
@media print{.screen{display:none}}
"""
_MASK = 2
_HOW_RU = """Откройте файлы по ссылкам. Чтобы подтвердить ознакомление, выберите один способ:
позвоните в вышестоящую организацию и назовите код документа, свою фамилию и должность; или
распечатайте эту страницу, подпишите её и передайте; или, если у вас установлена программа,
загрузите в неё этот пакет и верните файл ответов."""
_HOW_EN = """Open the files by their links. To acknowledge, either telephone your superior
organization and tell the document's code, your name and post; or print and sign this page and
hand it over; or load this package into your installation and bring the file of answers back."""


def index_page(manifest: Manifest, *, address: str, how: str = "") -> str:
    """The page; nothing on it is fetched from anywhere, and no script runs.

    `address` begins the link of each code, for those who scan it with a telephone.
    """
    documents = "".join(_document(one, address) for one in manifest.documents)
    answers = (
        f"<p>Ответов в пакете: {len(manifest.answers)}.</p>" if manifest.answers else ""
    )  # fmt: skip
    return f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>Пакет документов</title>
<style>{_STYLE}</style></head><body>
<h1>Пакет документов № {manifest.sequence}</h1>
<p>От: <b>{escape(manifest.sender.name)}</b><br>Кому: <b>{escape(manifest.recipient.name)}</b>
({escape(manifest.recipient.code)})<br>Составлен: {manifest.made_at:%d.%m.%Y %H:%M} UTC</p>
{answers}<p>{escape(how) or _HOW_RU}</p><p class="en">{_HOW_EN}</p>
{documents}
<p>Дата ______________ Должность, фамилия ______________________ Подпись ______________</p>
<p class="en screen">Package {manifest.id}. The signature lies in seal.json; check it with
«docflow offline read».</p>
</body></html>
"""


def _document(one: DocumentEntry, address: str) -> str:
    files = "".join(
        f'<li><a href="{quote(file.path)}">{escape(file.title or file.file_name)}</a>'
        f"{_signed(len(file.signatures))}</li>"
        for file in one.files
    )
    due = f'<br><span class="due">Срок: {escape(one.due_on)}</span>' if one.due_on else ""
    mark = "<br><b>Для служебного пользования</b>" if one.mark == "dsp" else ""
    return f"""<article>{_qr(address, one.code)}<h2>{escape(one.title)}</h2>
<p>№ {escape(one.number)} от {escape(one.date)}, {escape(one.author.name)}{due}{mark}</p>
<ul>{files}</ul>
<p>Код для ответа / Code: <span class="code">{escape(one.code)}</span></p></article>"""


def _signed(number: int) -> str:
    return f" (подписей в отдельных файлах: {number})" if number else ""


def _qr(address: str, code: str) -> str:
    if not code or not address:
        return ""
    drawn = io.BytesIO()
    # a mask given: weighing all eight costs more than the rest of the package, and the code is
    # printed in words beside it
    segno.make(address + code.replace(" ", ""), error="m", mask=_MASK, micro=False).save(
        drawn, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True
    )
    return drawn.getvalue().decode()
