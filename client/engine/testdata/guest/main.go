// Command guest is the only program in the containers of the engine's tests. They have no registry
// for a real image, so they build this program, statically linked, and put it into an empty root
// filesystem.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch args[0] {
	case "write": // write FILE TEXT
		return os.WriteFile(args[1], []byte(args[2]), 0o644)
	case "copy": // copy FROM TO
		b, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		return os.WriteFile(args[2], b, 0o644)
	case "interfaces": // interfaces FILE: the names of the network interfaces, one a line
		ifs, err := net.Interfaces()
		if err != nil {
			return err
		}
		var names []string
		for _, i := range ifs {
			names = append(names, i.Name)
		}
		return os.WriteFile(args[1], []byte(strings.Join(names, "\n")), 0o644)
	case "sleep": // sleep MARKER: the marker makes the process recognisable from outside
		time.Sleep(time.Hour)
	case "complain": // complain TEXT
		return fmt.Errorf("%s", args[1])
	}
	return nil
}
