//go:build !unix

package solve

// alive cannot tell here, so nothing is taken for dead.
func alive(int) bool { return true }
