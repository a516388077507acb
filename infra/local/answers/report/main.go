// Command report lists the error codes that the document has and that no test got; `make answers` runs it. Its argument is the
// directory of the record.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/openapi"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// common is how many operations document a code that the rules of shared/httpapi imply. Such a code is listed only if no operation
// answered it.
const common = 30

func run(dir string) error {
	seen, err := answers.Recorded(dir)
	if err != nil {
		return err
	}
	answered := make(map[string]bool) // codes, of any operation
	for line := range seen {
		answered[codeOf(line)] = true
	}
	lines := documented()
	operations := make(map[string]int) // by code
	for line := range lines {
		operations[codeOf(line)]++
	}
	got, listed := 0, 0
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		code := codeOf(line)
		switch {
		case seen[line]:
			got++
		case operations[code] < common || !answered[code]:
			fmt.Println(line)
			listed++
		}
	}
	fmt.Printf("%d of %d documented codes of operations were answered; the %d above were not\n", got, len(lines), listed)
	return nil
}

// documented has a line for each code of each operation.
func documented() map[string]bool {
	out := make(map[string]bool)
	for path, item := range openapi.API().Paths {
		for method, op := range httpapi.Operations(item) {
			codes, _ := op.Extensions[httpapi.ProblemCodes].(map[string][]string)
			for status, all := range codes {
				n, _ := strconv.Atoi(status) // the document writes numbers
				for _, code := range all {
					out[answers.Line(method+" "+path, n, code)] = true
				}
			}
		}
	}
	return out
}

// codeOf is the last word of a line.
func codeOf(line string) string { return line[strings.LastIndexByte(line, ' ')+1:] }
