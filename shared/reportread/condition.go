package reportread

import "context"

// Condition is the filters of q, and what v may see, as SQL on reports r and its
// arguments: for readers with columns of their own, such as exports.
func (r *Reader) Condition(ctx context.Context, v Viewer, q Query) (string, []any, error) {
	var w where
	v.visible(&w)
	if err := q.filter(ctx, r.municipalities, &w); err != nil {
		return "", nil, err
	}
	return w.sql(), w.args, nil
}
