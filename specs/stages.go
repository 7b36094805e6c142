package specs

import (
	"slices"
	"strings"
)

// stages are the stages of a cloud-config that a machine runs (contract 1.12; kairos-agent,
// pkg/action and pkg/uki). Each also has .before and .after.
func stages() []string {
	return []string{
		// Of every boot: immucore runs the first two, the others are services.
		"rootfs", "initramfs", "fs", "boot", "network", "reconcile", // bootStages of them
		// Of the agent.
		"kairos-install.pre", "before-install", "after-install-chroot", "after-install", "kairos-install.after",
		"kairos-upgrade.pre", "before-upgrade", "after-upgrade-chroot", "after-upgrade", "kairos-upgrade.after",
		"before-reset", "after-reset-chroot", "after-reset",
		// Of the agent with Trusted Boot.
		"kairos-uki-install.pre", "kairos-uki-install.after",
		"kairos-uki-upgrade.pre", "kairos-uki-upgrade.after",
		"kairos-uki-reset.pre", "kairos-uki-reset.after",
	}
}

// bootStages is the number of stages of every boot.
const bootStages = 6

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
