#!/bin/sh
# The units of docs/deploy.md under a real systemd, in a small system of its own: sh app/packages/try-systemd.sh BUILD [SYSTEM]
# Installs BUILD there, boots it in namespaces (root and debootstrap needed, no container program), and does what the page says:
# the socket, the first connection, readiness, confinement of the service, models of root's, a token as a credential, a Unix socket
# for nginx and a photo through it, a stop that drains. SYSTEM keeps the unpacked system for the next time. Outside CI: a minute, 400 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?usage: try-systemd.sh BUILD [SYSTEM]}" && pwd)
source=$(cd "$here/../.." && pwd)
. "$here/chroot.sh"
work=$(mktemp -d)
group=$work/cgroup/mattebox-try.$$
leave() {
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    umount "$work/cgroup" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap leave EXIT
system=${2:-$work/system}
if [ ! -e "$system/usr/sbin/nginx" ]; then
    make_chroot "$system"
    needs=$(ldd "$build/mattebox" | awk '/=> \// { print $3 }' | xargs -n 1 readlink -f | xargs dpkg -S | cut -d : -f 1 | sort -u)
    # shellcheck disable=SC2086 # several names
    chroot "$system" env DEBIAN_FRONTEND=noninteractive sh -euc 'apt-get update -qq; apt-get install -y -qq --no-install-recommends "$@"' sh \
        systemd systemd-sysv libmicrohttpd12 nginx openssl curl $needs >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
fi
DESTDIR=$system cmake --install "$build" --prefix /usr/local >"$work/log"
cp "$source/docs/pictures/astronaut.jpg" "$system/srv/photo.jpg"
mkdir -p "$system/srv/deploy"
block() { # usage: block LANGUAGE NUMBER: that one of the page
    awk -v start="\`\`\`$1" -v n="$2" '$0 == start && ++seen == n { on = 1; next } on && /^```$/ { exit } on { print }' "$source/docs/deploy.md"
}
block ini 1 >"$system/srv/deploy/service.conf"
block ini 2 >"$system/srv/deploy/socket.conf"
block nginx 1 >"$system/srv/deploy/site"
cat >"$system/srv/deploy/try.sh" <<'END_OF_TRY'
set -eu
cd /srv/deploy
say() { echo "ok  $*" >>result; }
trap 'code=$?; [ $code -eq 0 ] || { echo "FAILED with $code"; systemctl status mattebox mattebox.socket nginx --no-pager -l; journalctl -n 40 --no-pager; } >>result 2>&1 || true
      echo $code >code; systemctl --no-block exit $code' EXIT
exec 2>>result
systemctl enable --now mattebox.socket
! systemctl is-active -q mattebox.service
curl -fsS --max-time 60 -F file=@/srv/photo.jpg 'http://127.0.0.1:7000/v1/cut?model=saliency' -o activated.png
mattebox /srv/photo.jpg --model saliency -q -o own.png
cmp activated.png own.png
systemctl is-active -q mattebox.service
say "the first connection starts the service; the answer is the program's own"
pid=$(systemctl show -P MainPID mattebox)
user=$(stat -c %u "/proc/$pid")
[ "$user" -ge 61184 ] && [ "$user" -le 65519 ]
grep -q '^CapEff:.0*$' "/proc/$pid/status" && grep -q '^NoNewPrivs:.1$' "/proc/$pid/status" && grep -q '^Seccomp:.2$' "/proc/$pid/status"
[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/1/ns/net)" ]
say "a user of its own ($user), no capabilities, no network"
journalctl -u mattebox --no-pager >journal
! grep -i 'sandbox\|warning' journal
filters=$(grep -l "^PPid:.$pid\$" /proc/[0-9]*/status | xargs sed -n 's/^Seccomp_filters:.//p' | sort -nu | head -n 1)
[ "$(sed -n 's/^Seccomp_filters:.//p' "/proc/$pid/status")" -lt "${filters:?no decoders}" ]
say "the decoders have their own filter beside the unit's"
systemctl stop mattebox.service mattebox.socket
[ "$(systemctl show -P ExecMainStatus mattebox)" = 0 ]
systemctl enable --now mattebox.service # Type=notify: active is ready
curl -fsS http://127.0.0.1:7000/ready >/dev/null
say "active is ready; stopped with exit code 0"
mkdir -p /etc/mattebox /etc/systemd/system/mattebox.service.d /etc/systemd/system/mattebox.socket.d
printf '0123456789abcdef\n' >/etc/mattebox/tokens
chmod 600 /etc/mattebox/tokens
cp service.conf /etc/systemd/system/mattebox.service.d/override.conf
cp socket.conf /etc/systemd/system/mattebox.socket.d/override.conf
MATTEBOX_MODELS=/var/lib/mattebox/models mattebox models path >/dev/null
mkdir -p /var/lib/mattebox/models # as `models get` makes it; nothing is fetched here
systemctl daemon-reload
systemctl stop mattebox.service mattebox.socket
systemctl start mattebox.socket
[ "$(stat -c '%G %a' /run/mattebox/http.sock)" = "www-data 660" ]
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=cut.example.org -addext subjectAltName=DNS:cut.example.org -days 2 -keyout key.pem -out cert.pem 2>/dev/null
sed 's|server_name|ssl_certificate /srv/deploy/cert.pem; ssl_certificate_key /srv/deploy/key.pem; server_name|' site >/etc/nginx/sites-enabled/default
systemctl restart nginx
through() { curl -sS --max-time 60 --cacert cert.pem --resolve cut.example.org:443:127.0.0.1 -o through.png -w '%{http_code}\n' "$@" 'https://cut.example.org/v1/cut?model=saliency'; }
[ "$(through -F file=@/srv/photo.jpg)" = 401 ]
[ "$(through -F file=@/srv/photo.jpg -H 'Authorization: Bearer 0123456789abcdef')" = 200 ]
cmp through.png own.png
say "the token is read from a credential; a photo through nginx and the Unix socket of its group"
through -F file=@/srv/photo.jpg -H 'Authorization: Bearer 0123456789abcdef' >drained & client=$!
sleep 0.2
systemctl stop mattebox.service
wait $client
[ "$(cat drained)" = 200 ] && cmp through.png own.png
say "stopping waits for the photo that is under way"
END_OF_TRY
cat >"$system/etc/systemd/system/try.service" <<'END_OF_UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /srv/deploy/try.sh
[Install]
WantedBy=multi-user.target
END_OF_UNIT
rm -rf "$system/srv/deploy"/*.png "$system/srv/deploy/result" "$system/srv/deploy/code" "$system"/etc/systemd/system/mattebox.*.d "$system"/etc/systemd/system/*/mattebox.* "$system/usr/sbin/policy-rc.d"
rm -rf "$system"/var/lib/mattebox "$system"/var/lib/private "$system"/var/log/journal
systemctl --root="$system" enable -q try.service
systemctl --root="$system" disable -q nginx 2>/dev/null || true
mkdir -p "$work/cgroup"
mount -t cgroup2 none "$work/cgroup"
mkdir "$group"
cat >"$work/boot.sh" <<'END_OF_BOOT'
set -eu
system=$1
mount --make-rprivate /
mount --bind "$system" "$system"
mount -t proc proc "$system/proc"
mount -t sysfs -o ro sysfs "$system/sys"
mount -t tmpfs tmpfs "$system/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$system/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$system/run"
mount -t tmpfs -o mode=1777 tmpfs "$system/tmp"
mount -t tmpfs -o mode=755 tmpfs "$system/dev"
for d in null zero full random urandom tty; do
    touch "$system/dev/$d"
    mount --bind "/dev/$d" "$system/dev/$d"
done
mkdir "$system/dev/pts" "$system/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$system/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$system/dev/pts"
ln -s pts/ptmx "$system/dev/ptmx"
ln -s /proc/self/fd "$system/dev/fd"
hostname mattebox-try
cd "$system"
mkdir -p run/old
pivot_root . run/old
umount -l /run/old
mount --make-rshared /
exec env -i container=mattebox-try PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-level=warning --show-status=no
END_OF_BOOT
sh -c "echo \$\$ >$group/cgroup.procs; exec timeout -k 5 "${LIMIT:-240}" unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child sh $work/boot.sh $system" >"$work/console" 2>&1 ||
    true
cat "$system/srv/deploy/result" 2>/dev/null || { tail -n 30 "$work/console"; exit 1; }
[ "$(cat "$system/srv/deploy/code")" = 0 ] || { tail -n 20 "$work/console"; exit 1; }
echo "the units run as the page says"
