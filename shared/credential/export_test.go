package credential

import "context"

// Occupy takes a slot until the returned function is called.
func Occupy(h *Hasher) func() {
	if err := h.enter(context.Background()); err != nil {
		return func() {}
	}
	return h.leave
}
