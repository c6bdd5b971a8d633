"""What a caller hears when a file could not be read at arm's length."""

from core.errors import InvalidInput


class HostileInput(InvalidInput):
    """The file is broken, or built to harm who reads it (422); keep it in quarantine."""

    code = "hostile_input"
    ru = (
        "Файл не удалось безопасно прочитать. Сохраните документ заново в исходной программе "
        "и отправьте ещё раз."
    )
    en = "The file could not be read safely. Save it again in its program and send it once more."


class SandboxTimeout(HostileInput):
    """Reading took longer than allowed."""

    code = "parse_timeout"
    ru = (
        "Файл слишком сложен: проверка не уложилась в отведённое время. Упростите файл "
        "или разделите его на части и отправьте ещё раз."
    )
    en = "Reading the file took too long. Simplify it or split it into parts and send again."


class SandboxCrash(HostileInput):
    """The process that read the file died."""

    code = "parse_crash"
    ru = (
        "Файл повреждён: программа чтения аварийно остановилась. Сохраните документ заново "
        "в исходной программе и отправьте ещё раз."
    )
    en = "The file made its reader crash. Save it again in its program and send it once more."


class SandboxMemory(HostileInput):
    """Reading wanted more memory than allowed."""

    code = "parse_memory"
    ru = (
        "Для чтения файла нужно слишком много памяти. Уменьшите размеры страниц и рисунков "
        "или разделите файл на части."
    )
    en = "Reading the file needs too much memory. Make its pages and pictures smaller, or split it."


class SandboxAnswerTooLarge(HostileInput):
    """What was read out of the file is more than the service takes."""

    code = "parse_answer_too_large"
    ru = "Содержимое файла слишком велико для обработки. Разделите файл на части."
    en = "The content of the file is too large to be handled. Split the file into parts."


class SandboxFailure(HostileInput):
    """The reader raised; `exception` and `reason` in the details name it, nothing more."""

    code = "parse_failure"
