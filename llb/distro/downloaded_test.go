package distro

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadDownloaded has addresses and checksums of archives that were downloaded for a lock. dnf 4
// and zypper were run for the files.
func TestReadDownloaded(t *testing.T) {
	rpms := map[string]Package{
		"alpha": {Version: "2:1.0-1+x^y", URL: "http://rpm.example/oss/sub/alpha-1.0-1+x%5Ey.noarch.rpm", SHA256: "21dd87de923ca96fed98cbe4e5e354335e3137d13d160ed59fdfb5f318ee27ef"},
		"beta":  {Version: "1.0-1+x^y", URL: "http://rpm.example/oss/sub/beta-1.0-1+x%5Ey.noarch.rpm", SHA256: "d3b1352e900c7b57b3635fe5ccfe92dcb866fd18f823e0361a04877fabc1bab2"},
		"gam_ma": {
			Version: "1.0-1+x^y", URL: "http://rpm.example/oss/sub/gam_ma-1.0-1+x%5Ey.noarch.rpm",
			SHA256: "8cff96d413a813b0b10a08bf3c64c8e807cc225067ebbc504fd69069bbec35e4",
		},
	}
	asTold := maps.Clone(rpms) // dnf does not escape
	for name, p := range asTold {
		p.URL = strings.ReplaceAll(p.URL, "%5E", "^")
		asTold[name] = p
	}
	for manager, want := range map[string]map[string]Package{
		"apk": {
			"busybox":     {Version: "1.37.0-r14"}, // of a directory
			"htop":        {Version: "3.3.0-r0", URL: "https://dl-cdn.alpinelinux.org/alpine/v3.21/main/x86_64/htop-3.3.0-r0.apk", SHA256: "d3b1352e900c7b57b3635fe5ccfe92dcb866fd18f823e0361a04877fabc1bab2"},
			"libncursesw": {Version: "6.5_p20241006-r3", URL: "https://dl-cdn.alpinelinux.org/alpine/v3.21/main/x86_64/libncursesw-6.5_p20241006-r3.apk", SHA256: "8cff96d413a813b0b10a08bf3c64c8e807cc225067ebbc504fd69069bbec35e4"},
		},
		"dnf":    asTold,
		"zypper": rpms,
	} {
		t.Run(manager, func(t *testing.T) {
			r, err := Read(install(manager, "alpha"), in("testdata/lock-"+manager))
			require.NoError(t, err)
			found := map[string]Package{}
			for _, p := range r.Packages {
				found[p.Name] = Package{Version: p.Version, URL: p.URL, SHA256: p.SHA256}
			}
			assert.Equal(t, want, found)

			files := in("testdata/lock-" + manager)
			_, err = Read(install(manager, "alpha"), func(name string) ([]byte, error) {
				if name == "archives" {
					return []byte("<html>\n"), nil
				}
				return files(name)
			})
			assert.ErrorContains(t, err, `"<html>\n" is no archive`)
		})
	}
}

// TestSameName takes the archive of the repository that the package manager chose.
func TestSameName(t *testing.T) {
	r := &Resolution{Packages: []Package{{Name: "a", Version: "1-1", Arch: "noarch", Repository: "updates"}}}
	urls := "fedora\thttps://a.example/a.rpm\nupdates\thttps://b.example/a.rpm\nzz\thttps://c.example/a.rpm\n"
	require.NoError(t, r.locate("1\ta\t0:1-1\tnoarch\tfedora-12/packages/a.rpm\n2\ta\t0:1-1\tnoarch\tupdates-34/packages/a.rpm\n3\ta\t0:1-1\tnoarch\tzz-56/packages/a.rpm\n", dnfAddress(urls)))
	assert.Equal(t, "https://b.example/a.rpm", r.Packages[0].URL)
	assert.Equal(t, "2", r.Packages[0].SHA256)
}

// TestLockedScripts runs the scripts with the archives of a lock: no repository is read.
func TestLockedScripts(t *testing.T) {
	for manager, c := range map[string]struct {
		programs map[string]string
		want     string
	}{
		"apk": {
			map[string]string{"apk": ""},
			"--no-network --allow-untrusted add htop\n",
		},
		"dnf": {
			map[string]string{"dnf": "echo dnf5 version 5.2", "rpm": "printf 'htop\\nlibncurses\\n'"},
			"mark dependency htop libncurses\n",
		},
		"zypper": {
			map[string]string{"zypper": "", "rpm": ""},
			"--no-refresh install --no-recommends -- htop\n",
		},
	} {
		t.Run(manager, func(t *testing.T) {
			programs := maps.Clone(c.programs)
			programs["userdel"] = ""
			i := newImage(t, programs)
			i.write("etc/apk/arch", "x86_64\n")
			i.write("etc/zypp/repos.d/oss.repo", "[repo-oss]\n")
			said, called, err := i.run(manager, "FLAVORKIT_ARCHIVES="+i.dir+"/archives")
			require.NoError(t, err, said)
			assert.Contains(t, called, c.want)
			assert.NotContains(t, called, "--refresh")
			assert.NotContains(t, called, "update")
		})
	}
}

// TestKeptMirrors has the mirrors that stay in an image that was made from the archives of a lock.
func TestKeptMirrors(t *testing.T) {
	i := newImage(t, map[string]string{"dnf": "", "rpm": "", "userdel": ""})
	i.write("etc/yum.repos.d/fedora.repo", "[fedora]\nmetalink=https://lists.example/\n#baseurl=http://download.example/pub/fedora/linux/x\n")
	env := i.repositoriesOf("dnf", nil)
	said, called, err := i.run("dnf", append(env[2:], "FLAVORKIT_ARCHIVES="+i.dir+"/archives", "FLAVORKIT_KEEP_MIRRORS=1",
		"FLAVORKIT_MIRRORS=download.example/pub/fedora/linux https://mirror.example/fedora 193")...)
	require.NoError(t, err, said)
	assert.Equal(t, "[fedora]\nbaseurl=https://mirror.example/fedora/x\n", i.read("root/etc/yum.repos.d/fedora.repo"))
	assert.NotContains(t, called, "--refresh", "nothing is read")
}
