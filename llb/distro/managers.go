package distro

// manager is what a package manager needs here beside its scripts: NAME.sh installs packages,
// NAME-resolve.sh asks what would be installed, and NAME-index.sh lists the repositories.
type manager struct {
	repositories configuration
	resolve      reader
	index        indexReader
	// archive is the name of the file of a package in its repository, for a package manager that looks
	// for it; nil for those that find any file.
	archive func(name, version string) string
	// certificates is the package that the script adds for repositories with https, in an image that
	// trusts nobody.
	certificates string
}

// managers are those of all package managers of the catalog (catalog.Managers), which says what each
// can do.
func managers() map[string]manager {
	return map[string]manager{
		"apk": {
			repositories: configuration{dir: "/etc/apk", keys: "/etc/apk/keys", files: apkFiles},
			resolve:      reader{[]string{"resolved", "said", "index", "policy", "archives"}, readAPK},
			index:        indexReader{[]string{"index"}, indexAPK},
			archive:      apkFile,
		},
		"apt": {
			repositories: configuration{dir: "/etc/apt", keys: "/etc/apt/keyrings", files: aptFiles},
			resolve:      reader{[]string{"resolved", "said", "uris", "names", "versions"}, readAPT},
			index:        indexReader{[]string{"names", "provides", "files", "unread"}, indexAPT},
			certificates: "ca-certificates",
		},
		"dnf": {
			repositories: configuration{dir: "/etc/yum.repos.d", keys: "/etc/pki/rpm-gpg", files: dnfFiles},
			resolve:      reader{[]string{"resolved", "available", "beside", "archives", "urls"}, readDNF},
			index:        indexReader{[]string{"names", "provides", "files"}, indexDNF},
		},
		"zypper": {
			repositories: configuration{dir: "/etc/zypp/repos.d", keys: "/etc/pki/rpm-gpg", files: zypperFiles},
			resolve:      reader{[]string{"resolved", "available", "beside", "archives", "repositories"}, readZypper},
			index:        indexReader{[]string{"available", "provides", "files"}, indexZypper},
		},
	}
}
