package web

// option is an option of a select.
func option(value, label string, chosen bool) fragment {
	if chosen {
		return markup(`<option value="%s" selected>%s</option>`, text(value), text(label))
	}
	return markup(`<option value="%s">%s</option>`, text(value), text(label))
}

// choices are the options of a select, with one chosen.
func choices[T ~string](v view, kind string, values []T, chosen string) fragment {
	var out []fragment
	for _, value := range values {
		out = append(out, option(string(value), v.label(kind, string(value)), string(value) == chosen))
	}
	return joined(out)
}
