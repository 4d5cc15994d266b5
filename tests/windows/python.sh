# Of tests/windows.sh: the wheel in a Python for Windows. python311.dll and the modules in C come from a package of PyPI that carries
# them (panda3d, for games that run without an installation), the modules in Python from a Python 3.11 of this system, as Debian 12
# has it; python.exe is a few lines of C. Set: root, windows, work; say; a wine that runs. What pip fetched stays in the Windows build.
# shellcheck shell=sh disable=SC2154

# usage: modules_of PYTHON: the folder of the modules of its standard library, if it is a 3.11
modules_of() {
    "$1" -c 'import sys, sysconfig
if sys.version_info[:2] == (3, 11):
    print(sysconfig.get_path("stdlib"))' 2>/dev/null
}

# usage: python_for_windows FOLDER: makes one there; 1: not to be had
python_for_windows() {
    fetched=$windows/python
    modules=$(modules_of python3)
    modules=${modules:-$(modules_of /usr/bin/python3)}
    [ -n "$modules" ] || { echo "skipped a Python for Windows (needs Python 3.11 here)"; return 1; }
    mkdir -p "$fetched" "$1/DLLs" "$1/Lib/site-packages"
    if ! ls "$fetched"/pillow-*.whl >/dev/null 2>&1 &&
        ! python3 -m pip download -q --no-deps --only-binary=:all: --platform win_amd64 --python-version 311 --implementation cp \
            --abi cp311 -d "$fetched" panda3d==1.10.16 numpy==1.26.4 pillow==10.4.0 >"$work/pip.log" 2>&1; then
        echo "skipped a Python for Windows (pip: $(tail -n 1 "$work/pip.log"))"
        return 1
    fi
    python3 -m zipfile -e "$fetched"/panda3d-*.whl "$1/from"
    mv "$1/from/deploy_libs/python311.dll" "$1/"
    mv "$1/from/deploy_libs/"*.pyd "$1/from/deploy_libs/lib"*.dll "$1/from/deploy_libs/sqlite3.dll" "$1/DLLs/"
    rm -rf "$1/from"
    for wheel in "$fetched"/numpy-*.whl "$fetched"/pillow-*.whl; do
        python3 -m zipfile -e "$wheel" "$1/Lib/site-packages"
    done
    tar -C "$modules" -c --exclude=__pycache__ --exclude=test --exclude='*-packages' --exclude=lib-dynload --exclude='config-*' . |
        tar -C "$1/Lib" -x
    x86_64-w64-mingw32-gcc-win32 -O2 -Wall -Wextra -Werror -municode -o "$1/python.exe" "$root/tests/windows/programs/python.c"
}

mkdir "$work/python" && cd "$work/python" || exit 2
if [ ! -d "$windows/codecs-work/source" ]; then
    echo "skipped the wheel in Python (no sources of the picture libraries beside the build)"
elif python_for_windows "$work/python/Python311"; then
    export PYTHONDONTWRITEBYTECODE=1 PYTHONIOENCODING=utf-8
    # usage: python ARGUMENT...: what it says in log. Through a pipe: of Wine's files Python asks what they do not answer.
    python() {
        { wine Python311/python.exe "$@" </dev/null 2>&1; echo $? >code; } | tr -d '\r' >log
        return "$(cat code)"
    }
    python -c 'import sys, numpy; print(sys.version.split()[0], sys.platform, "with numpy", numpy.__version__)' && grep -q '^3.11.*win32' log
    say $? "a Python for Windows runs: $(tail -n 1 log)"
    mkdir site
    python3 "$root/app/python/build_wheel.py" --system windows --build "$windows" --out . >wheel.log 2>&1 &&
        python3 -m zipfile -e mattebox-*-py3-none-win_amd64.whl site
    say $? "the wheel is made and unpacked"
    python "$root/tests/python/package_test.py" site "$root" && grep -q '^OK' log
    ended=$?
    say $ended "the package's own tests: $(grep '^Ran ' log), $(tail -n 1 log)"
    [ $ended -eq 0 ] || grep -A30 -E '^(FAIL|ERROR)' log | head -200
    # as people call it, on a name of another script
    cp "$root/tests/data/photos/cat.jpg" 猫.jpg
    PYTHONPATH=site python -m mattebox 猫.jpg -o aus/ --model saliency -q && [ -s aus/猫.cutout.png ]
    say $? "python -m mattebox on a name of another script"
fi
cd "$work" || exit 2
