package specs

import (
	"slices"
	"strings"
)

// bootStages are the stages of every boot, in their order (contract 1.12): immucore runs the first
// two, the others are services.
func bootStages() []string {
	return []string{"rootfs", "initramfs", "fs", "boot", "network", "reconcile"}
}

// stages are the stages of a cloud-config that a machine runs: those of every boot, and those of the
// agent (kairos-agent, pkg/action and pkg/uki). Each also has .before and .after.
func stages() []string {
	return append(bootStages(),
		"kairos-install.pre", "before-install", "after-install-chroot", "after-install", "kairos-install.after",
		"kairos-upgrade.pre", "before-upgrade", "after-upgrade-chroot", "after-upgrade", "kairos-upgrade.after",
		"before-reset", "after-reset-chroot", "after-reset",
		// With Trusted Boot.
		"kairos-uki-install.pre", "kairos-uki-install.after",
		"kairos-uki-upgrade.pre", "kairos-uki-upgrade.after",
		"kairos-uki-reset.pre", "kairos-uki-reset.after",
	)
}

// providerStages begin the stages of the Kairos provider, which end with the role of the node.
func providerStages() []string {
	return []string{"provider-kairos.bootstrap.before.", "provider-kairos.bootstrap.after."}
}

// RunsStage reports whether a machine runs a stage of a cloud-config: one of every agent, or one of
// more. If not, hint has a stage that was probably meant.
func RunsStage(name string, more ...string) (runs bool, hint string) {
	main := strings.TrimSuffix(name, ".after")
	if main == name {
		main = strings.TrimSuffix(name, ".before")
	}
	known := append(stages(), more...)
	if slices.Contains(known, name) || slices.Contains(known, main) ||
		slices.ContainsFunc(providerStages(), func(begin string) bool { return strings.HasPrefix(name, begin) }) {
		return true, ""
	}
	return false, Suggest(name, known)
}
