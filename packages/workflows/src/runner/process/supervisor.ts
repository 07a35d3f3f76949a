/**
 * The program that accompanies one step, for any POSIX shell. It outlives the engine, and it is given to the shell as an
 * argument rather than as a file, so that an update never changes it under a running step.
 *
 * Arguments: the attempt's directory, `1` to keep standard output, the mode, the root, the working directory, the command.
 *
 * - It claims the attempt by creating `identity` exclusively; whoever recovers an attempt without one creates it instead,
 *   and then this program ends without having run anything.
 * - The exit code is one write of a line; a reader takes a file without its newline as not there.
 * - It ends by killing its own process group: what a step leaves behind does not outlive it.
 */
export const supervisorScript = `
dir=$1 capture=$2 mode=$3 root=$4 workdir=$5
shift 5
path=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$path
read -r stat < /proc/$$/stat
read -r boot < /proc/sys/kernel/random/boot_id
set -C
printf '%s\\n%s\\n' "$boot" "$stat" > "$dir/identity" || exit 70
set +C
trap : TERM INT HUP
run() {
  case $mode in
    direct) ( cd -- "$workdir" || { echo "the working directory $workdir is not there" > "$dir/setup-error"; exit 64; }; PATH=$path; exec "$@" ) ;;
    root) unshare -m --propagation private /bin/sh -c "$ARC_ENTER" sh "$dir" "$root" "$workdir" "$path" "$@" ;;
    user) unshare -U -r -m --propagation private /bin/sh -c "$ARC_ENTER" sh "$dir" "$root" "$workdir" "$path" "$@" ;;
  esac
}
if [ "$capture" = 1 ]; then
  { trap : TERM INT HUP; run "$@"; echo $? > "$dir/code"; } | ( trap '' TERM INT HUP; exec tee "$dir/stdout" )
  code=137
  read -r code < "$dir/code"
else
  run "$@"
  code=$?
fi
printf '%s\\n' "$code" > "$dir/exit"
kill -KILL 0
`;

/** Runs inside the new mount namespace: mounts what was prepared and enters the root. */
export const enterScript = `
unset ARC_ENTER
dir=$1 root=$2
shift 2
mount -a -T "$dir/fstab" || { echo "the mounts of the step could not be set up" > "$dir/setup-error"; exit 64; }
exec chroot "$root" /bin/sh -c 'cd -- "$1" || exit 64; PATH=$2; shift 2; exec "$@"' sh "$@"
`;

/** How a step sees the paths its template declares. */
export type PathMode = 'root' | 'user' | 'direct';
