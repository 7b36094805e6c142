//go:build !unix

package solve

// free cannot tell here.
func free(string) (bytes uint64, ok bool) { return 0, false }

// alive cannot tell here, so nothing is taken for dead.
func alive(int) bool { return true }
