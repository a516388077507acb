package cost

import (
	"os"
	"strings"
	"testing"
)

// The decision and the README have the tables that `make cost` prints. When one is wrong, put the text of this test there.
func TestDocumentsHaveTheFiguresOfTheModel(t *testing.T) {
	t.Parallel()
	m := read(t)
	table, err := m.Table()
	if err != nil {
		t.Fatal(err)
	}
	items, err := m.Items(Managed, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := m.Summary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, text string }{
		{"../decisions/0014-cost.md", table}, {"../decisions/0014-cost.md", items}, {"../decisions/0014-cost.md", m.Assumptions()}, {"../../README.md", summary},
	} {
		raw, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), "\n"+c.text+"\n") {
			t.Errorf("%s does not have this table:\n%s", c.file, c.text)
		}
	}
}
