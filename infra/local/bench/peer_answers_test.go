package bench

import "testing"

// An empty list or object is not null: the peer must not save itself the work of making it.
func TestDifferenceFindsNullForNothing(t *testing.T) {
	t.Parallel()
	for _, ours := range []any{[]any{}, map[string]any{}} {
		if difference("images", ours, nil, nil) == "" {
			t.Errorf("%v and null are the same", ours)
		}
		if what := difference("images", ours, ours, nil); what != "" {
			t.Error(what)
		}
	}
}
