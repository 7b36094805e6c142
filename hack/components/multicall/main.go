// Command multicall is a stand-in for the one program of Kairos (from v4.3.0 on), whose releases and
// source cannot be reached. It starts one of the real separate programs that are embedded in it, by
// the name that it is called by.
package main

import (
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// own is the name of the program that this stands in for.
const own = "kairos"

var (
	version string // set with -X

	// programs are put there for the build (hack/components.sh).
	//
	//go:embed programs
	programs embed.FS
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintf(os.Stderr, "%s %s, stand-in of flavorkit: %v\n", own, version, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	name := filepath.Base(args[0])
	if name == own && len(args) > 1 {
		name, args = args[1], args[1:]
	}
	if program, err := programs.ReadFile(path.Join("programs", name)); err == nil {
		return start(name, program, args)
	}
	switch name {
	case "kcrypt-discovery-challenger":
		// The agent calls its plugins with an event and reads a JSON response.
		fmt.Println("{}")
		return nil
	case "--version", "version":
		fmt.Printf("%s %s (stand-in of flavorkit, not the real program)\n", own, version)
		return nil
	}
	return errors.Errorf("it has no program %q", name)
}

// start replaces the process with a program, which is in memory only: the root is read-only.
func start(name string, program []byte, args []string) error {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return errors.Wrap(err, "get memory for the program")
	}
	file := os.NewFile(uintptr(fd), name)
	if _, err := file.Write(program); err != nil {
		return errors.Wrap(err, "write the program")
	}
	return errors.Wrap(unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), args, os.Environ()), "start the program")
}
