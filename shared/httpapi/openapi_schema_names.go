package httpapi

import (
	"path"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
)

// schemaNames names the schemas of a document: a type by its own name, and a
// type of the same name in another package with the package's name before it.
func schemaNames() func(t reflect.Type, hint string) string {
	taken := map[string]reflect.Type{"Problem": reflect.TypeFor[problem.Document]()}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t == taken["Problem"] {
			return "Problem"
		}
		plain := huma.DefaultSchemaNamer(t, hint)
		name := plain
		for n := 1; ; n++ {
			if owner, is := taken[name]; !is || owner == t {
				taken[name] = t
				return name
			}
			if pkg := path.Base(t.PkgPath()); n == 1 && t.PkgPath() != "" {
				name = strings.ToUpper(pkg[:1]) + pkg[1:] + plain
			} else {
				name = plain + strconv.Itoa(n)
			}
		}
	}
}
