#!/bin/bash
# `make test-wake`: a guest in QEMU goes to sleep, and our own wake timer brings it back; a timer of another clock never does.
# What is needed comes from Debian's packages, unpacked under target/wake; nothing is installed on this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target} work=${CARGO_TARGET_DIR:-$PWD/target}/wake
root=$work/root
mkdir -p "$work/packages" "$root"

# The emulator with what it needs and this machine lacks, the kernel of Debian, and what an initramfs is made with.
fetch() {
    local kernel needed missing=()
    kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
    needed=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances qemu-system-x86 | grep '^[a-z0-9]' | sort -u)
    for package in $needed; do
        state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
        [ "$state" = "install ok installed" ] || missing+=("$package")
    done
    # `_apt` may not write below a home folder, and says so; it is no fault.
    (cd "$work/packages" && apt-get download "${missing[@]}" qemu-system-x86 qemu-system-common qemu-system-data seabios \
        busybox-static cpio "$kernel" 2> >(grep -v 'performed unsandboxed' >&2))
    for package in "$work"/packages/*.deb; do
        case $package in
            */linux-image-*) dpkg-deb --fsys-tarfile "$package" | tar xf - -C "$root" ./boot ;;
            *) dpkg-deb -x "$package" "$root" ;;
        esac
    done
    touch "$work/fetched"
}

# An initramfs whose first process is our program, with the libraries it is linked with.
pack() { # NAME WORDS…
    local name=$1; shift
    local tree=$work/$name
    rm -rf "$tree"; mkdir -p "$tree"/{bin,p,s,d,sys,proc,dev,tmp,lib64}
    cp "$root/bin/busybox" "$tree/bin/busybox"
    cp "$target/debug/wake_guest" "$tree/bin/wake_guest"
    ldd "$target/debug/wake_guest" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$tree$(dirname "$library")"; cp -L "$library" "$tree$library"
    done
    cat > "$tree/init" <<EOF
#!/bin/busybox sh
/bin/busybox mount -t proc p /proc; /bin/busybox mount -t sysfs s /sys; /bin/busybox mount -t devtmpfs d /dev
echo  # the firmware leaves the cursor anywhere
/bin/wake_guest $*
echo GUEST-DONE; /bin/busybox poweroff -f
EOF
    chmod +x "$tree/init"
    (cd "$tree" && find . | PATH="$root/bin:$root/usr/bin:$PATH" cpio -o -H newc --quiet | gzip -1 > "$work/$name.gz")
}

# Software emulation alone: no KVM is needed. On a busy machine its ticks come too late for the kernel's check of them.
guest() { # NAME LIMIT
    local kernel=("$root"/boot/vmlinuz-*)
    LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" timeout "$2" \
        "$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" -M pc -accel tcg -cpu max \
        -m 512 -smp 1 -nographic -nodefaults -serial mon:stdio -no-reboot -kernel "${kernel[0]}" -initrd "$work/$1.gz" \
        -append "console=ttyS0 quiet no_timer_check no_console_suspend rdinit=/init panic=1" -global PIIX4_PM.disable_s3=0 \
        < /dev/null > "$work/$1.log" 2>&1 || echo "guest ended with $?" >> "$work/$1.log"
    tr -d '\r' < "$work/$1.log" > "$work/$1.txt"
}

fail() { echo "$1"; tail -40 "$work/${2}.txt"; exit 1; }

[ -e "$work/fetched" ] || fetch
cargo build --quiet --package loopwright-tests --bin wake_guest

pack alarm alarm 12
began=$SECONDS
guest alarm 300
took=$((SECONDS - began))
grep -q '^HINDRANCE None' "$work/alarm.txt" || fail "The guest has a clock that wakes, and it is said to have none." alarm
grep -q '^GUEST-DONE' "$work/alarm.txt" || fail "The guest with our timer did not wake." alarm
asleep=$(sed -n 's/^RESUMED .*asleep \([0-9]*\)\..*/\1/p' "$work/alarm.txt")
[ "${asleep:-0}" -ge 5 ] || fail "The guest was not asleep." alarm
grep -qE '^SERVE woken by the clock: true, -?0\.' "$work/alarm.txt" || fail "Whoever waits as serve does was not told of it." alarm
grep -E '^(HINDRANCE|SET|RESUMED|SERVE|DONE)' "$work/alarm.txt" | sed 's/^/alarm: /'

# The control: the same on a clock that counts through sleep and ends none. It gets twice the time in which the other one was
# started, asleep, awake and gone, however busy this machine is.
pack plain plain 12
guest plain $((2 * took + 30))
grep -q '^HINDRANCE' "$work/plain.txt" || fail "The guest of the control did not start." plain
if grep -qE '^(RESUMED|GUEST-DONE)' "$work/plain.txt"; then fail "The control woke: the test proves nothing." plain; fi
echo "plain: still asleep after $((2 * took + 30)) s (the other one was awake and gone after $took s), as it must be"
