# Of tests/windows.sh: the library as programs of others use it. Set: root, linux, windows, work; say; a wine that runs.
mkdir "$work/library" && cd "$work/library" || exit 2
cc=x86_64-w64-mingw32-gcc-win32
cp "$windows/mattebox.dll" "$root/tests/data/photos/cat.jpg" .
python3 -c 'import ctypes, sys
sys.exit(ctypes.CDLL(sys.argv[1]).mb_cutout_file(b"demo", b"cat.jpg", b"cat.linux.png", ctypes.create_string_buffer(8192)))' "$linux/libmattebox.so"

# usage: host NAME TEXT FLAG...: builds host.c with flags, runs it, compares the cut-out with that of Linux
host() {
    name=$1
    text=$2
    shift 2
    $cc -O2 -Wall -Wextra -Werror -I"$root/engine/include" -o "$name.exe" "$root/tests/windows/programs/host.c" "$@" &&
        wine "$name.exe" cat.jpg "$name.png" </dev/null >"$name.log" 2>&1 && cmp -s "$name.png" cat.linux.png
    say $? "$text$(tr -d '\r' <"$name.log" | sed 's/^/: /')"
}
host linked "a program linked with libmattebox.dll.a cuts out, bytes as on Linux" "$windows/libmattebox.dll.a"
host windowed "one without a console gets none" "$windows/libmattebox.dll.a" -mwindows
host loaded "one that loads the DLL by name, three times, and lets go of it" -DBY_NAME

if command -v lld-link >/dev/null && command -v clang >/dev/null; then
    clang --target=x86_64-pc-windows-msvc -O2 -ffreestanding -fno-stack-protector -I"$root/engine/include" \
        -c "$root/tests/windows/programs/microsoft.c" -o microsoft.obj &&
        lld-link /nologo /subsystem:console /entry:start /nodefaultlib /out:microsoft.exe microsoft.obj "$windows/mattebox.lib" &&
        wine microsoft.exe </dev/null
    say $? "a program of Microsoft's kind, linked with mattebox.lib"
else
    echo "skipped mattebox.lib (needs clang and lld)"
fi

# What the DLL needs: the system's own libraries alone; what it gives: the header's functions alone.
x86_64-w64-mingw32-objdump -p mattebox.dll >objdump.txt
strange=$(sed -n 's/.*DLL Name: //p' objdump.txt | tr 'A-Z' 'a-z' | grep -vxE '(kernel32|msvcrt|shell32|user32|advapi32|bcrypt)\.dll')
[ -z "$strange" ]
say $? "the DLL needs nothing that Windows lacks${strange:+: $strange}"
sed -n '/Name Pointer. Table/,/^$/p' objdump.txt | grep -oE '\bmb_[a-z0-9_]+$' | sort >exported.txt
grep -oE '\bmb_[a-z0-9_]+$|^ +mb_[a-z0-9_]+' "$windows/mattebox.def" | tr -d ' ' | sort >declared.txt
[ -s exported.txt ] && cmp -s exported.txt declared.txt
say $? "it exports the $(wc -l <declared.txt) functions of the header"

# ---- the wheel: no Python for Windows can be had here, so the C program above stands for it
if [ -d "$windows/codecs-work/source" ]; then
    python3 "$root/app/python/build_wheel.py" --system windows --build "$windows" --out . >wheel.log 2>&1 &&
        python3 -m zipfile -e mattebox-*-py3-none-win_amd64.whl wheel &&
        (cd wheel && python3 - <<'CHECK')
import base64, csv, glob, hashlib
rows = list(csv.reader(open(glob.glob("*.dist-info/RECORD")[0])))
for name, digest, size in rows[:-1]:
    data = open(name, "rb").read()
    assert len(data) == int(size) and digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(), name
assert len(glob.glob("*.dist-info/licenses/*")) >= 8, "licences of the picture libraries"
CHECK
    say $? "a wheel for Windows whose RECORD is right"
    cp loaded.exe cat.jpg wheel/mattebox/lib/ && (cd wheel/mattebox/lib && wine loaded.exe cat.jpg cat.png </dev/null) &&
        cmp -s wheel/mattebox/lib/cat.png cat.linux.png && wine wheel/mattebox/bin/mattebox.exe version </dev/null | grep -q '^mattebox '
    say $? "its DLL cuts out, its program starts"
else
    echo "skipped the wheel (no sources of the picture libraries beside the build)"
fi
cd "$work" || exit 2
