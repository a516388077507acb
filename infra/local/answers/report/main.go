// Command report lists the error codes that the document has and that no test got; `make answers` runs it. Its argument is the
// directory of the record.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

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

func run(dir string) error {
	seen, err := answers.Recorded(dir)
	if err != nil {
		return err
	}
	document, got := openapi.API(), 0
	var missed []string
	for path, item := range document.Paths {
		for method, op := range httpapi.Operations(item) {
			codes, _ := op.Extensions[httpapi.ProblemCodes].(map[string][]string)
			for status, all := range codes {
				n, _ := strconv.Atoi(status) // the document writes numbers
				for _, code := range all {
					if line := answers.Line(method+" "+path, n, code); seen[line] {
						got++
					} else {
						missed = append(missed, line)
					}
				}
			}
		}
	}
	slices.Sort(missed)
	for _, line := range missed {
		fmt.Println(line)
	}
	fmt.Printf("%d documented codes of operations were answered, %d were not\n", got, len(missed))
	neverAnywhere(seen, missed)
	return nil
}

// neverAnywhere lists the codes that no operation answered.
func neverAnywhere(seen map[string]bool, missed []string) {
	dead := make(map[string]bool)
	for _, line := range missed {
		dead[codeOf(line)] = true
	}
	for line := range seen {
		delete(dead, codeOf(line))
	}
	fmt.Println("never answered by any operation:", slices.Sorted(maps.Keys(dead)))
}

func codeOf(line string) string {
	for i := len(line) - 1; i >= 0; i-- {
		if line[i] == ' ' {
			return line[i+1:]
		}
	}
	return line
}
