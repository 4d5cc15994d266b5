#!/bin/sh
# No command but `models get` touches a network: the program and the library import nothing that could, and everything
# works where there is no interface at all. no_network.sh BUILD SOURCE; 77 where such a namespace cannot be made.
set -eu
build=$1 source=$2
work=$build/test-files/no-network
rm -rf "$work"
mkdir -p "$work"
cd "$work"
PATH=$build:$PATH
HOME=$work
export PATH HOME
unset MATTEBOX_MODELS MATTEBOX_OFFLINE XDG_DATA_HOME XDG_CACHE_HOME 2>/dev/null || true

# libcurl is opened by models get alone; no sanitizer's run-time library is linked in a build that this looks at. Of the
# program all but the server: `serve` listens, and connects to nothing but sockets in the file system (systemd's, its own)
names=' (socket|connect|getaddrinfo|gethostbyname|sendto|curl_[a-z_]*)(@.*)?$'
objects=$build/CMakeFiles/mattebox_app.dir/app
[ -f "$objects/main.c.o" ] || { echo "no $objects/main.c.o"; exit 1; }
for file in "$objects"/*.o; do
    if nm --undefined-only "$file" | grep -E "$names"; then
        echo "$file can reach a network"
        exit 1
    fi
done
if grep -n 'connect(' "$source"/app/server/*.c | grep -v 'listen.c:'; then # is_left_over: a socket in the file system
    echo "the server can connect to others"
    exit 1
fi
for file in "$build/mattebox-weights" "$build"/libmattebox.so.*.*; do
    if nm -D --undefined-only "$file" | grep -q __asan_init; then
        continue
    fi
    # the static CUDA runtime brings socket and connect (it talks to the driver's daemon on this machine): not ours
    own=$names
    if nm "$file" 2>/dev/null | grep -q cudaGetDeviceCount; then
        own=$(echo "$names" | sed 's/socket|connect|//')
    fi
    if nm -D --undefined-only "$file" | grep -E "$own"; then
        echo "$file can reach a network"
        exit 1
    fi
done

if ! unshare -rn true 2>/dev/null; then
    echo "no network namespace can be made here"
    exit 77
fi
cat >run.sh <<'END'
set -eux
[ "$(grep -c : /proc/net/dev)" -le 1 ] # nothing but lo, and that is down
mattebox-weights generate tiny7 -o .local.mbw
mattebox-weights generate vitmatte-tiny4 --checkpoint -o hub.safetensors
mattebox models import hub.safetensors
mkdir -p .local/share/mattebox/models
mv .local.mbw .local/share/mattebox/models/default.mbw
mv .local/share/mattebox/models/hub.mbw .local/share/mattebox/models/vitmatte-s.mbw
cp "$1/tests/data/pictures/chelsea.ppm" photo.ppm
cp "$1/tests/data/pictures/chelsea_mask.pgm" mask.pgm
mattebox photo.ppm --mask --size 128 --detail vitmatte-local
mattebox matte photo.ppm --mask-from mask.pgm --detail vitmatte -o matte.png
mattebox matte photo.ppm --mask-from mask.pgm --detail pymatting -o closed.png
mattebox trimap mask.pgm
mattebox models list
mattebox models verify
mattebox models path
mattebox models export out
mattebox models rm vitmatte-s
mattebox models import out
mattebox info default
mattebox bench default --size 64 --runs 1
mattebox version --verbose
code=0
mattebox models get vitmatte-b --timeout 2 2>err || code=$?
cat err
[ $code -eq 3 ]
grep -q -e "cannot reach huggingface.co" -e "cannot download" -e "downloading needs" err
END
unshare -rn sh run.sh "$source" >log 2>&1 || {
    cat log
    exit 1
}
echo "everything works without a network"
