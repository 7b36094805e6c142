#!/bin/sh
# Boots an artifact in QEMU, where the system tries assertions on itself, and tells how that went.
#
# usage: boottest.sh MEDIUM OUT SECONDS VARIABLES QEMU...
#   MEDIUM     directory that becomes the medium with what the system has to do: guest.sh, assertions and a cloud-config
#   OUT        results are OUT.test.txt, a line for each assertion, and OUT.test.log, the serial console
#   SECONDS    for all of it
#   VARIABLES  what the firmware's variables begin with, or nothing
#   QEMU...    the machine. It is started in a directory with medium.iso, variables and the disk report, and writes serial
#              and pid there
#
# The exit code is one of these. Numbers of assertions begin with 0.
# FLAVORKIT_EXIT_FAILED   and the number of the first assertion that failed, up to
# FLAVORKIT_EXIT_LAST     for all that follow
# FLAVORKIT_EXIT_UNTRIED  not all assertions were tried, and none failed
set -eu
medium=$1 out=$2 seconds=$3 variables=$4
shift 4

escape=$(printf '\033')

# readable takes out of a console what a terminal would act on. Where the cursor is moved, a line begins.
readable() {
	LC_ALL=C sed -u -e "s/$escape\[[0-9;]*H/\n/g" -e "s/$escape\[[0-9;?=]*[A-Za-z]//g" -e 's/[^[:print:]\n\t]//g' |
		sed -u -e 's/[[:space:]]*$//' -e '/^$/d'
}

# watch switches the machine off when there is nothing more to wait for.
watch() {
	until grep -aqx end report || grep -aq 'Kernel panic - not syncing' serial; do
		sleep 1
	done
	kill "$(cat pid)"
}

# verdicts reads the report: a line for each assertion, below it what there was to see of one that failed.
verdicts() {
	for assertion in "$medium"/assertions/*; do
		number=${assertion##*/}
		line=$(grep "^[pf][a-z]*ed $number " notes) || line=untried
		took=${line##* }
		case $line in
		passed*) echo "passed: $(cat "$assertion/title") (${took}s)" ;;
		failed*) echo "failed: $(cat "$assertion/title") (${took}s)" ;;
		*) echo "not tried to the end: $(cat "$assertion/title")" ;;
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
# What says most comes last: clients repeat the end of what a step has written.
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
	0) echo "the machine ended before all assertions were tried" >&2 ;;
	*) echo "the machine was not done after $seconds seconds" >&2 ;;
	esac
	exit "$FLAVORKIT_EXIT_UNTRIED"
fi
