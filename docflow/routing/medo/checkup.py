"""Are the settings of МЭДО usable? Asked once, when the service starts."""

import asyncio
import logging
import os
from pathlib import Path

from core.errors import InvalidInput
from core.sandbox import pool
from core.settings import BadSettings, Settings
from docflow.gateways.medo import lists

log = logging.getLogger(__name__)


async def check(settings: Settings) -> None:
    """Raise BadSettings for lists, schemas or folders that can never serve, and say which.

    A folder of the transport that is merely not there now is told in the log and tried again at
    each poll: it may be a share that is not mounted yet.
    """
    await asyncio.to_thread(_check_folders, settings)
    try:
        lists.load()
    except InvalidInput as problem:
        raise BadSettings(f"MEDO_LISTS: {problem.message_ru}\n{problem.message_en}") from problem
    if settings.medo_schemas is not None:
        await _check_schemas(settings.medo_schemas)


def _check_folders(settings: Settings) -> None:
    ways = {"MEDO_IN": settings.medo_in, "MEDO_OUT": settings.medo_out}
    if settings.medo_in is not None and settings.medo_in == settings.medo_out:
        raise BadSettings(
            "MEDO_IN, MEDO_OUT: нужны две разные папки, иначе сервис примет отправленное.\n"
            "Two folders are needed: of one the service would take in what it sends."
        )
    for name, folder in ways.items():
        if folder is None:
            continue
        if folder.exists() and not folder.is_dir():
            raise BadSettings(f"{name}: не папка / not a folder: {folder}")
        if not os.access(folder.parent, os.W_OK | os.X_OK) or not os.access(folder, os.W_OK):
            log.warning(
                "%s: %s is not there, or it or the folder around it cannot be written", name, folder
            )


async def _check_schemas(folder: Path) -> None:
    if not await asyncio.to_thread(folder.is_dir):
        raise BadSettings(
            f"MEDO_SCHEMAS: нет такой папки: {folder}. Укажите папку с файлами XSD.\n"
            f"No such folder: {folder}. Name the folder with the XSD files."
        )
    usable, problems = await pool().run(
        "docflow.gateways.medo.schemas:overview", str(folder), timeout=60.0
    )
    for problem in problems:
        log.warning("MEDO_SCHEMAS: %s", problem)
    if not usable:
        said = "; ".join(problems[:3])
        raise BadSettings(
            "MEDO_SCHEMAS: ни одна схема не описывает сообщение или контейнер МЭДО"
            f" (корень communication или container): {folder}. {said}\n"
            "No schema there declares a message or a container of МЭДО. Remove the setting or put"
            " the official XSD files into the folder."
        )
    log.info("МЭДО is checked by the official schemas of: %s", ", ".join(usable))
