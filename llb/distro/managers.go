package distro

// manager is what a package manager needs here beside its scripts: NAME.sh installs packages,
// NAME-resolve.sh asks what would be installed, and NAME-index.sh lists the repositories.
type manager struct {
	repositories configuration
	resolve      reader
	index        indexReader
}

// managers are those of all package managers of the catalog (catalog.Managers), which says what each
// can do.
func managers() map[string]manager {
	return map[string]manager{
		"apk": {
			repositories: configuration{dir: "/etc/apk", keys: "/etc/apk/keys", files: apkFiles},
			resolve:      reader{[]string{"resolved", "said", "index", "policy"}, readAPK},
			index:        indexReader{[]string{"index"}, indexAPK},
		},
		"apt": {
			repositories: configuration{dir: "/etc/apt", keys: "/etc/apt/keyrings", files: aptFiles},
			resolve:      reader{[]string{"resolved", "said", "uris", "names", "versions"}, readAPT},
			index:        indexReader{[]string{"names", "provides", "files", "unread"}, indexAPT},
		},
		"dnf": {
			repositories: configuration{dir: "/etc/yum.repos.d", keys: "/etc/pki/rpm-gpg", files: dnfFiles},
			resolve:      reader{[]string{"resolved", "available", "beside"}, readDNF},
			index:        indexReader{[]string{"names", "provides", "files"}, indexDNF},
		},
		"zypper": {
			repositories: configuration{dir: "/etc/zypp/repos.d", keys: "/etc/pki/rpm-gpg", files: zypperFiles},
			resolve:      reader{[]string{"resolved", "available", "beside"}, readZypper},
			index:        indexReader{[]string{"available", "provides", "files"}, indexZypper},
		},
	}
}
