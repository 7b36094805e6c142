package frontend

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/flavorkit/flavorkit/plan"
	"github.com/flavorkit/flavorkit/specs"
	"github.com/flavorkit/flavorkit/specs/key"
	"github.com/flavorkit/flavorkit/specs/rules"
)

// fileOverCatalog warns about files that releases of the catalog or of a component may change.
func fileOverCatalog(s subject) specs.Diagnostics {
	owners := map[string]string{}
	own := func(path, owner string) { owners[s.plan.Userland.Real(path)] = owner }
	for _, name := range s.plan.System.Overlays {
		for path := range s.catalog.Overlays()[name] {
			if !replaceable(path) {
				own(path, "the catalog")
			}
		}
	}
	for _, l := range s.plan.System.Links {
		own(l.Path, "the catalog")
	}
	for _, c := range s.plan.Components {
		own(c.Install, c.Name)
		for _, l := range c.Links {
			own(l.Path, c.Name)
		}
		for path := range c.Files {
			own(path, c.Name)
		}
	}
	var found specs.Diagnostics
	for i, f := range s.plan.Files {
		if owner, ok := owners[f.Path]; ok {
			found = append(found, s.plan.Origin.Diagnose(rules.FileOverCatalog, key.Files.Item(i).Entry("path"), "use another path, or a setting that changes the file",
				"replaces a file of %s, and misses its changes in later releases", owner))
		}
	}
	return found
}

// replaceable reports whether a file of the catalog is there for users to replace: what people
// read.
func replaceable(path string) bool {
	return path == "/etc/motd" || strings.HasPrefix(path, "/etc/kairos/branding/")
}

// layout is the stage of the catalog that says what an installed machine mounts (contract 1.14).
const layout = "/system/oem/00_rootfs.yaml"

// mounts returns the mount points of the partitions of an installed machine, and the directories
// that are filled from the image only once.
func (s subject) mounts() (partitions, persistent []string) {
	partitions = []string{"/oem"} // immucore mounts it without being told
	for _, name := range s.plan.System.Overlays {
		var config struct {
			Stages map[string][]struct {
				Environment map[string]string `yaml:"environment"`
			} `yaml:"stages"`
		}
		if yaml.Load(s.catalog.Overlays()[name][layout].Data, &config) != nil {
			continue // not a file that this can read
		}
		for _, step := range slices.Concat(config.Stages["rootfs"]) {
			for _, volume := range strings.Fields(step.Environment["VOLUMES"]) {
				partitions = append(partitions, volume[strings.LastIndex(volume, ":")+1:])
			}
			persistent = append(persistent, strings.Fields(step.Environment["PERSISTENT_STATE_PATHS"])...)
		}
	}
	return partitions, persistent
}

// hiddenFile warns about files and layers that an installed machine does not show, or not after an
// upgrade.
func hiddenFile(s subject) specs.Diagnostics {
	partitions, persistent := s.mounts()
	var found specs.Diagnostics
	check := func(k key.Key, file string) {
		if dir, ok := within(file, partitions); ok {
			found = append(found, s.plan.Origin.Diagnose(rules.HiddenFile, k, "put it elsewhere, such as below /usr/lib or /usr/share",
				"an installed machine mounts a partition over %s, which hides it", dir))
		} else if dir, ok := within(file, persistent); ok {
			found = append(found, s.plan.Origin.Diagnose(rules.PersistentFile, k, "put it elsewhere, such as below /usr/lib or /usr/share, or write it from a cloud-config",
				"a machine copies %s from the image only once, so no upgrade changes it", dir))
		}
	}
	for i, f := range s.plan.Files {
		check(key.Files.Item(i).Entry("path"), f.Path)
	}
	for i, l := range s.plan.Layers {
		check(key.Layers.Item(i).Entry("to"), l.To)
	}
	return found
}

// within returns the first of the directories that a file is or is in.
func within(file string, dirs []string) (dir string, ok bool) {
	i := slices.IndexFunc(dirs, func(dir string) bool { return file == dir || strings.HasPrefix(file, dir+"/") })
	if i < 0 {
		return "", false
	}
	return dirs[i], true
}

// mode returns the mode of a file as far as the spec says it.
func mode(f plan.File) (mode uint64, ok bool) {
	text := strings.TrimPrefix(f.Mode, "0o")
	if text == "" && f.Text != "" {
		text = "644" // the default for a text
	}
	mode, err := strconv.ParseUint(text, 8, 16)
	return mode, err == nil
}

// private are the rights that nobody but the owner may have to a file, by a pattern of paths. The
// programs that read these files ignore one with other rights, or everybody can read a secret.
func private(file string) (forbidden uint64, why string) {
	const others, written = 0o007, 0o022
	for _, p := range []struct {
		pattern   string
		forbidden uint64
		why       string
	}{
		{"/etc/shadow", others, "it has the hashes of passwords"},
		{"/etc/gshadow", others, "it has the hashes of passwords"},
		{"/etc/ssh/ssh_host_*_key", 0o077, "sshd ignores such a key"},
		{"/etc/sudoers", written, "sudo ignores such a file"},
		{"/etc/sudoers.d/*", written, "sudo ignores such a file"},
		{"/etc/NetworkManager/system-connections/*", 0o077, "NetworkManager ignores such a file"},
		{"/usr/lib/NetworkManager/system-connections/*", 0o077, "NetworkManager ignores such a file"},
		{"/etc/wireguard/*.conf", others, "it has a private key"},
		{"/etc/ipsec.secrets", others, "it has secrets"},
		{"/etc/ppp/*-secrets", others, "it has passwords"},
		{"/etc/krb5.keytab", others, "it has keys"},
		{"/root/.ssh/id_*", 0o077, "ssh ignores such a key"},
		{"/home/*/.ssh/id_*", 0o077, "ssh ignores such a key"},
		{"/etc/ssl/private/*", others, "it has private keys"},
		{"/etc/pki/tls/private/*", others, "it has private keys"},
	} {
		if ok, _ := path.Match(p.pattern, file); ok && !strings.HasSuffix(file, ".pub") {
			return p.forbidden, p.why
		}
	}
	return 0, ""
}

func looseMode(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for i, f := range s.plan.Files {
		forbidden, why := private(f.Path)
		if mode, ok := mode(f); ok && mode&forbidden != 0 {
			found = append(found, s.plan.Origin.Diagnose(rules.LooseMode, key.Files.Item(i).Mode(), "write mode: "+strconv.Quote("0"+strconv.FormatUint(mode&^forbidden&0o666, 8)),
				"%s has the mode %#o: %s", f.Path, mode, why))
		}
	}
	return found
}

// commandDirs are directories in which the system looks for commands.
func commandDirs() []string {
	return []string{"/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"}
}

// programs are directories whose files the system runs, by name or all of them.
func programs() []string {
	return append(commandDirs(),
		"/etc/init.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
		"/etc/NetworkManager/dispatcher.d", "/usr/lib/NetworkManager/dispatcher.d", "/usr/lib/systemd/system-generators", "/usr/lib/systemd/system-shutdown",
	)
}

// notExecutable warns about scripts that the default mode of a text keeps from being run.
func notExecutable(s subject) specs.Diagnostics {
	var found specs.Diagnostics
	for i, f := range s.plan.Files {
		if mode, ok := mode(f); ok && mode&0o111 == 0 && strings.HasPrefix(f.Text, "#!") && slices.Contains(programs(), path.Dir(f.Path)) {
			found = append(found, s.plan.Origin.Diagnose(rules.NotExecutable, key.Files.Item(i).Mode(), "write mode: \"0755\"", "%s is a script with the mode %#o, which nobody can run", f.Path, mode))
		}
	}
	return found
}
