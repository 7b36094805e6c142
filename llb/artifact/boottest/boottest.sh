#!/bin/sh
# Boots an artifact in QEMU, where the system runs assertions, and reports the results.
#
# usage: boottest.sh MEDIUM OUT SECONDS VARIABLES QEMU...
#   MEDIUM     directory with the files of the test medium: guest.sh, assertions and a cloud-config
#   OUT        writes OUT.test.txt, with one line per assertion, and OUT.test.log, the serial console
#   SECONDS    timeout of the whole test
#   VARIABLES  file with the initial variables of the firmware, or empty
#   QEMU...    command of the VM. It runs in a directory with medium.iso, variables and the disk report, and writes serial
#              and pid there
#
# The exit code is one of these. Assertions are numbered from 0.
# FLAVORKIT_EXIT_FAILED   plus the number of the first failed assertion, up to
# FLAVORKIT_EXIT_LAST     which is for all later ones
# FLAVORKIT_EXIT_UNTRIED  not all assertions were finished, and none failed
set -eu
medium=$1 out=$2 seconds=$3 variables=$4
shift 4

escape=$(printf '\033')

# readable removes terminal control sequences. Where the cursor moves, it starts a new line.
readable() {
	LC_ALL=C sed -u -e "s/$escape\[[0-9;]*H/\n/g" -e "s/$escape\[[0-9;?=]*[A-Za-z]//g" -e 's/[^[:print:]\n\t]//g' |
		sed -u -e 's/[[:space:]]*$//' -e '/^$/d'
}

# watch stops the VM after the report is complete or the kernel has panicked.
watch() {
	until grep -aqx end report || grep -aq 'Kernel panic - not syncing' serial; do
		sleep 1
	done
	kill "$(cat pid)"
}

# verdicts prints the report: a line for each assertion, followed by the output of one that failed.
verdicts() {
	for assertion in "$medium"/assertions/*; do
		number=${assertion##*/}
		line=$(grep "^[pf][a-z]*ed $number " notes) || line=untried
		took=${line##* }
		case $line in
		passed*) echo "passed: $(cat "$assertion/title") (${took}s)" ;;
		failed*) echo "failed: $(cat "$assertion/title") (${took}s)" ;;
		*) echo "not finished: $(cat "$assertion/title")" ;;
		esac
		sed -n "s/^said $number /    /p" notes
	done
}

console() {
	echo "the last lines of the serial console:"
	tail -n 30 "$out.test.log" | awk '{ print "    " $0 }'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
xorriso -as mkisofs -quiet -V cidata -R -o medium.iso "$medium"
[ -z "$variables" ] || cp "$variables" variables
truncate -s 1M report
: >serial

tail --pid=$$ -n +1 -f serial | readable &
watch &
watcher=$!
code=0
timeout -k 10 "$seconds" "$@" </dev/null >qemu 2>&1 || code=$?
kill "$watcher" 2>/dev/null || true

case $code in
0 | 124 | 137) ;;
*)
	cat qemu >&2
	exit 1
	;;
esac
tr -d '\000' <report | readable >notes
readable <serial >"$out.test.log"
verdicts >"$out.test.txt"
failed=$(sed -n 's/^failed 0*\([0-9][0-9]*\) .*/\1/p' notes | head -n 1)
# The most important lines come last: clients repeat the end of the output of a
# step.
if [ -n "$failed" ]; then
	console >&2
	cat "$out.test.txt" >&2
	code=$((FLAVORKIT_EXIT_FAILED + failed))
	[ "$code" -lt "$FLAVORKIT_EXIT_LAST" ] || code=$FLAVORKIT_EXIT_LAST
	exit "$code"
fi
cat "$out.test.txt" >&2
if ! grep -qx end notes; then
	console >&2
	case $code in
	0) echo "the VM ended before all assertions were finished" >&2 ;;
	*) echo "the VM was not done after $seconds seconds" >&2 ;;
	esac
	exit "$FLAVORKIT_EXIT_UNTRIED"
fi
