# Of tests/windows.sh: the CUDA back end, where the Windows build has it, with a stand-in for the driver: nvcuda.dll that looks at
# launches and does nothing. Set: root, windows, work; say; a wine that runs.
mkdir "$work/cuda" && cd "$work/cuda" || exit 2
cp "$windows/mattebox.exe" "$work/a.jpg" .
wine mattebox.exe a.jpg -o absent.png --device cuda --model demo -q </dev/null 2>err
if grep -q "this build has no CUDA" err; then
    echo "skipped CUDA (this Windows build has none)"
else
    grep -q "nvcuda.dll not found" err && [ ! -e absent.png ]
    say $? "without a driver the error names nvcuda.dll"
    standin=$root/tests/cuda/standin
    x86_64-w64-mingw32-gcc-win32 -std=gnu11 -O1 -Wno-attributes -shared -static -o nvcuda.dll -include "$root/tests/windows/programs/memalign.h" -I"$root/kernels" -I"$root/engine" \
        -I"$root/engine/include" -I"$standin" "$standin/driver.c" "$standin/streams.c" "$root/tests/windows/programs/launches.c" -lpthread
    say $? "a stand-in for nvcuda.dll"
    export MB_STANDIN_SM=80 MB_STANDIN_NAMES=names.txt WINEDLLOVERRIDES="mscoree,mshtml=;nvcuda=n"
    wine mattebox.exe version --verbose --device cuda </dev/null >version.txt
    grep -q "cublasLt64_13.dll and cublasLt64_12.dll not found.*cudnn64_9.dll not found" version.txt
    say $? "version --verbose names the libraries that are missing"
    wine mattebox.exe a.jpg -o a.png --device cuda --model demo -q </dev/null 2>err && [ -s a.png ] && [ "$(wc -l <names.txt)" -ge 15 ]
    say $? "a photo goes through loading, $(sort -u names.txt | wc -l) kernels, copies and saving"
    export WINEDLLOVERRIDES="mscoree,mshtml="
    unset MB_STANDIN_SM MB_STANDIN_NAMES
fi
cd "$work" || exit 2
