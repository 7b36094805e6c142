#!/usr/bin/awk -f
# Compares what is needed with what is there. The first word of a line says
# what it is:
#   file      a module, below the directory of its kernel
#   dep       a line of modules.dep
#   builtin   a line of modules.builtin
#   config    an option of the kernel
#   firmware  a file, below the directory of firmware
#   inside    a path inside the initramfs
#   need      a line of the list of needs: category, names with " or " between, why,
#             exit code
# Prints a line for each need that is not met, and ends with the exit code of the
# first, which is kernel for modules of more than one kernel.

# The kernel lacks for the initramfs what it lacks for the userland: once will do.
function fail(name, text) {
	text = "check failed: " name ": " text
	if (!(text in said)) print text
	said[text] = 1
	if (!failed) failed = asked + 0 ? asked : 1
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

# lacks: whether something is not as it is needed, and the higher, the nearer it comes. What is wrong is in subject and
# text then.
function lacks(category, x, purpose,    reason, wrong, m, deps, k, d, pattern, f) {
	reason = "needed for " purpose
	if (category == "modules" || category == "initramfs-modules") {
		subject = "kernel module"
		wrong = ails(x)
		text = the " " wrong "; " reason "; " remedy
		if (wrong != "") return wrong ~ /^has none/ ? 1 : 2
		if (category == "modules" || x in builtin) return 0
		if (!(x in loadable)) {
			subject = "initramfs module"
			text = the " has it, the initramfs does not; " reason "; " left_out
			return 3
		}
		m = split(dep[x], deps, " ")
		for (k = 1; k <= m; k++) {
			d = name(deps[k])
			if (!(d in loadable) && !(d in builtin))
				fail("initramfs module " x, "does not load without " d ", which is not inside the initramfs; " reason)
		}
		return 0
	}
	if (category == "config") {
		subject = "kernel config"
		text = the " is built without it; " reason "; " remedy
		return config != "" && !(x in option)
	}
	if (category == "firmware") {
		subject = "firmware"
		text = "no such file in /lib/firmware; " reason "; " remedy
		pattern = glob(x)
		for (f in firmware) if (f ~ pattern) return 0
		return 1
	}
	if (category == "initramfs-commands") {
		subject = "initramfs command"
		text = "not inside the initramfs; " reason "; " left_out
		return !(x in command)
	}
	if (category == "initramfs-files") {
		subject = "initramfs"
		text = "not inside the initramfs; " reason "; " left_out
		return !(x in inside)
	}
	if (category == "initramfs-foreign") {
		subject = "initramfs"
		text = "is " purpose " inside an initramfs made with " tool "; one of the two is of another kernel"
		return x in inside
	}
	fail("list of needs", "unknown category " category)
	return 0
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
	else if ($2 !~ /^(arch|beside|kernel|files)$/) {
		category[++count] = $2
		names[count] = $3
		why[count] = $4
		code[count] = $5
	}
}

END {
	own = failed = 0
	asked = kernel
	for (v in versions) if (v == version) own = 1
	else fail("initramfs", "holds modules of the kernel " v ", the kernel is " version "; they must be of one kernel")
	if (!own) fail("initramfs", "holds no modules of the kernel " version)
	the = "the kernel " version " of " source
	left_out = "the step that makes the initramfs with " tool " left it out"
	for (i = 1; i <= count; i++) {
		n = split(names[i], any, " or ")
		worst = 0
		asked = code[i]
		for (j = 1; j <= n; j++) {
			# Of names that serve as well, the one that comes nearest says what is wrong.
			bad = lacks(category[i], any[j], why[i])
			if (bad >= worst) {
				worst = bad
				about = subject
				says = text
			}
			if (!bad) break
		}
		if (bad) fail(about " " names[i], says)
	}
	exit failed
}
