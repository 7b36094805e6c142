#!/usr/bin/awk -f
# Compares what is needed with what is there. The first word of a line says
# what it is:
#   file      a module, below the folder of its kernel
#   dep       a line of modules.dep
#   builtin   a line of modules.builtin
#   config    an option of the kernel
#   firmware  a file, below the folder of firmware
#   inside    a path inside the initramfs
#   need      a line of the list of needs: kind, names with " or " between, why
# Prints a line for each need that is not met, and fails when there is one.

# The kernel lacks for the initramfs what it lacks for the userland: once will do.
function fail(name, text) {
	text = "check failed: " name ": " text
	if (!(text in said)) print text
	said[text] = failed = 1
}

# name: what modprobe calls a module, for which - and _ are the same.
function name(path) {
	sub(/.*\//, "", path)
	sub(/\.ko(\.[a-z0-9]+)?$/, "", path)
	gsub(/-/, "_", path)
	return path
}

# ails: what is wrong with a module of the kernel, or nothing.
function ails(m) {
	if (m in builtin || m in file && m in dep) return ""
	if (m in file) return "has it, and modules.dep does not list it, so modprobe does not find it"
	if (m in dep) return "has it in modules.dep, and not the file"
	return "has none, built in or loadable"
}

# glob: a pattern of the shell as a regular expression.
function glob(pattern) {
	gsub(/[.+^$()|{}]/, "\\\\&", pattern)
	gsub(/\*/, ".*", pattern)
	return "^" pattern "$"
}

$1 == "file" { file[name($2)] = 1 }
$1 == "builtin" { builtin[name($2)] = 1 }
$1 == "dep" {
	at = index($2, ":")
	dep[name(substr($2, 1, at - 1))] = substr($2, at + 1)
}
$1 == "config" { option[$2] = 1 }
$1 == "firmware" { firmware[$2] = 1 }
$1 == "inside" {
	inside[$2] = 1
	if ($2 ~ /^(\/usr)?\/s?bin\/[^\/]+$/) command[substr($2, match($2, /[^\/]+$/))] = 1
	if ($2 ~ /\/lib\/modules\/[^\/]+\/.*\.ko(\.[a-z0-9]+)?$/) {
		loadable[name($2)] = 1
		v = $2
		sub(/.*\/lib\/modules\//, "", v)
		sub(/\/.*/, "", v)
		versions[v] = 1
	}
}
$1 == "need" {
	if ($2 == "source") source = $3
	else if ($2 == "tool") tool = $3
	else if ($2 == "remedy") remedy = $3
	else if ($2 != "arch") {
		kind[++count] = $2
		names[count] = $3
		why[count] = $4
	}
}

END {
	own = 0
	for (v in versions) if (v == version) own = 1
	else fail("initramfs", "holds modules of the kernel " v ", the kernel is " version "; they must be of one kernel")
	if (!own) fail("initramfs", "holds no modules of the kernel " version)
	left_out = "the step that makes the initramfs with " tool " left it out"
	for (i = 1; i <= count; i++) {
		n = split(names[i], any, " or ")
		reason = "needed for " why[i]
		met = 0
		worst = ""
		for (j = 1; j <= n && !met; j++) {
			x = any[j]
			if (kind[i] == "module") {
				text = ails(x)
				met = text == ""
				if (worst == "" || text !~ /^has none/) worst = text
			} else if (kind[i] == "initramfs-module") {
				text = ails(x)
				if (text == "" && !(x in builtin) && !(x in loadable)) text = "out"
				met = text == ""
				if (worst == "" || text == "out") worst = text
				if (met && x in loadable) {
					m = split(dep[x], deps, " ")
					for (k = 1; k <= m; k++) {
						d = name(deps[k])
						if (!(d in loadable) && !(d in builtin))
							fail("initramfs module " x, "does not load without " d ", which is not inside the initramfs; " reason)
					}
				}
			} else if (kind[i] == "config") met = config == "" || x in option
			else if (kind[i] == "initramfs-command") met = x in command
			else if (kind[i] == "initramfs-file") met = x in inside
			else if (kind[i] == "initramfs-foreign") met = !(x in inside)
			else if (kind[i] == "firmware") {
				pattern = glob(x)
				for (f in firmware) if (f ~ pattern) met = 1
			} else fail("list of needs", "unknown kind " kind[i])
		}
		if (met) continue
		the = "the kernel " version " of " source
		if (kind[i] == "module") fail("kernel module " names[i], the " " worst "; " reason "; " remedy)
		else if (kind[i] == "config") fail("kernel config " names[i], the " is built without it; " reason "; " remedy)
		else if (kind[i] == "firmware") fail("firmware " names[i], "no such file in /lib/firmware; " reason "; " remedy)
		else if (kind[i] == "initramfs-foreign") fail("initramfs " names[i], "is " why[i] " inside an initramfs made with " tool "; one of the two is of another kernel")
		else if (kind[i] == "initramfs-command") fail("initramfs command " names[i], "not inside the initramfs; " reason "; " left_out)
		else if (kind[i] == "initramfs-file") fail("initramfs " names[i], "not inside the initramfs; " reason "; " left_out)
		else if (worst == "out") fail("initramfs module " names[i], the " has it, the initramfs does not; " reason "; " left_out)
		else if (kind[i] == "initramfs-module") fail("kernel module " names[i], the " " worst "; " reason "; " remedy)
	}
	exit failed
}
