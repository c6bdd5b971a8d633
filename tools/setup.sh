#!/usr/bin/env bash
# Sets up what a command needs and nothing twice: tools/setup.sh runtime|demo|dev|test
#   runtime  Python, .venv, the locked packages the service runs on, the launcher .venv/bin/docflow
#   demo     the same and what makes GOST test signatures
#   dev      the same and the locked tools of `make check`
#   test     the same and the system packages that some tests need (they skip without)
# Everything is said on standard error, so that a command's own output stays clean.
set -euo pipefail
exec 1>&2
export LC_ALL=C.UTF-8

level=${1:-dev}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
cd "$root"

say() { printf '%s\n' "$*"; }

is_root() { [ "$(id -u)" -eq 0 ]; }

usable() {  # a Python 3.11 that can make virtual environments
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' \
            >/dev/null 2>&1
}

find_python() {
    local name
    for name in python3.11 /usr/bin/python3.11 python3 /usr/bin/python3; do
        if usable "$name"; then
            python=$name
            return 0
        fi
    done
    return 1
}

apt_command() { say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"; }

apt_install() {  # root only; answers false when it did not work
    command -v apt-get >/dev/null 2>&1 || return 1
    say "Ставлю системные пакеты / installing system packages: $*"
    apt-get update -qq </dev/null || say "apt-get update: не всё ответило / not everything answered"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

need_python() {
    find_python && return 0
    if is_root && apt_install python3.11 python3.11-venv && find_python; then
        return 0
    fi
    say "Нужен Python 3.11 с модулем venv. Выполните и повторите:"
    say "Python 3.11 with its venv module is needed. Run this and try again:"
    apt_command python3.11 python3.11-venv
    exit 1
}

make_venv() {
    if ! "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
        need_python
        say "Создаю окружение / making $venv"
        "$python" -m venv --clear "$venv"
    fi
    local packages
    packages=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
    printf '%s\n' "$root" >"$packages/docflow-checkout.pth"
    write_launcher
}

write_launcher() {  # through sh: a #! line takes no path with spaces and none of any length
    local fresh
    fresh=$(mktemp "$venv/bin/.docflow.XXXXXX")
    cat >"$fresh" <<'LAUNCHER'
#!/bin/sh
'''exec' "$(dirname "$(readlink -f "$0")")/python" "$0" "$@"
' '''
import sys

from cli import main

if __name__ == "__main__":
    sys.exit(main())
LAUNCHER
    chmod 755 "$fresh"
    mv -f "$fresh" "$venv/bin/docflow"
}

install_locked() {  # install_locked NAME: requirements/NAME.txt, unless the stamp says it is there
    local file=requirements/$1.txt stamp=$venv/.$1.stamp mark
    mark="$(cat "$file" tools/setup.sh | sha256sum | cut -d' ' -f1) $root"
    [ "$(cat "$stamp" 2>/dev/null)" = "$mark" ] && return 0
    make_venv
    say "Ставлю зависимости / installing $file"
    "$venv/bin/python" -m pip install -qq --no-input --disable-pip-version-check \
        --require-hashes --no-deps -r "$file" </dev/null
    printf '%s\n' "$mark" >"$stamp"
}

need_packages() {  # need_packages RU EN command=package …: installed as root, else named
    local ru=$1 en=$2 missing=() pair
    shift 2
    for pair in "$@"; do
        present "${pair%%=*}" || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if is_root && apt_install "${missing[@]}"; then
        return 0
    fi
    say "$ru"
    say "$en"
    apt_command "${missing[@]}"
}

present() {  # a command, a language of tesseract, or OpenSSL's GOST engine
    case $1 in
        tesseract:*) tesseract --list-langs 2>/dev/null | grep -qx "${1#*:}" ;;
        file:*) [ -e "${1#*:}" ] ;;
        engine:gost) openssl engine gost >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;  # not in everybody's path
    esac
}

runtime_packages() {  # reading text in pictures; PDF/A of what goes to a ministry
    need_packages "Без этого системного пакета PDF для МЭДО не приводится к PDF/A. Чтобы приводился:" \
        "PDF for МЭДО is not converted to PDF/A without this system package. To have it:" \
        gs=ghostscript
    need_packages "Без этих системных пакетов текст на картинках не читается. Чтобы читался:" \
        "Text in pictures is not read without these system packages. To have it read:" \
        tesseract=tesseract-ocr tesseract:rus=tesseract-ocr-rus
}

gost_packages() {  # makes test signatures only; the service checks GOST without it
    need_packages "Без этого системного пакета тестовых подписей ГОСТ не будет. Чтобы были:" \
        "There are no GOST test signatures without this system package. To have them:" \
        openssl=openssl engine:gost=libengine-gost-openssl
}

test_packages() {  # what tests use of the system; they skip with a message where it is absent
    need_packages "Без этих системных пакетов часть проверок будет пропущена. Чтобы прошли все:" \
        "Some tests will be skipped without these system packages. To run them all:" \
        softhsm2-util=softhsm2 chromium=chromium docker-compose=docker-compose \
        haproxy=haproxy clamd=clamav-daemon \
        go=golang-go file:/usr/share/gocode/src/golang.org/x/mod=golang-golang-x-mod-dev
}

case $level in
    runtime)
        install_locked runtime
        runtime_packages
        ;;
    demo)
        install_locked runtime
        runtime_packages
        gost_packages
        ;;
    dev) install_locked dev ;;
    test)
        install_locked dev
        runtime_packages
        gost_packages
        test_packages
        ;;
    *)
        say "usage: tools/setup.sh runtime|demo|dev|test"
        exit 64
        ;;
esac
