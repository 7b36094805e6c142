package testkit

import (
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Git serves files as a Git repository with one commit on the branch main, over HTTP, until the end
// of the test. It returns the URL of the repository.
func Git(t testing.TB, files map[string]string) (url string) {
	t.Helper()
	top := repository(t, files)
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(git(t, "--exec-path"), "git-http-backend"),
		// The repository belongs to the user of the test.
		Env: []string{"GIT_PROJECT_ROOT=" + top, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(server.Close)
	return server.URL + "/" + repositoryName
}

// repositoryName is the name of a repository that is served.
const repositoryName = "system.git"

// repository makes a Git repository with one commit on the branch main, and returns the directory that
// it is in.
func repository(t testing.TB, files map[string]string) (top string) {
	t.Helper()
	Need(t, "git", "run apt-get install git")
	top = t.TempDir()
	work := filepath.Join(top, "work")
	for name, text := range files {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatalf("writing the repository: %v", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatalf("writing the repository: %v", err)
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main", work},
		{"-C", work, "add", "."},
		{"-C", work, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=first"},
		{"clone", "--quiet", "--bare", work, filepath.Join(top, repositoryName)},
	} {
		git(t, args...)
	}
	return top
}

// git runs git and returns its output.
func git(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
