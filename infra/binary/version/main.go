// Command version prints the version of the working tree. With -ldflags it prints the linker flag that builds it in.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/lafaekstreet/backend/infra/binary"
)

func main() {
	flags := flag.Bool("ldflags", false, "print the linker flag")
	flag.Parse()
	version, err := read()
	if err != nil {
		fmt.Fprintln(os.Stderr, "version:", err)
		os.Exit(1)
	}
	if *flags {
		version = binary.VersionFlag(version)
	}
	fmt.Println(version)
}

func read() (string, error) {
	root, err := binary.Root()
	if err != nil {
		return "", err
	}
	return binary.Version(context.Background(), root)
}
