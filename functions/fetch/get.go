package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/lafaekstreet/backend/shared/outbound"
	"github.com/lafaekstreet/backend/shared/upload"
)

// userAgent names this system to those whose servers it calls.
const userAgent = "LafaekStreet/1.0 (pictures of reports that came over Open311)"

// get fetches a file of at most upload.MaxBytes. The error is an *upload.Refusal where another try would not help; any other error
// may go away, and the message comes back.
func (w *Worker) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, upload.Refuse(upload.Unreachable, outbound.ErrMalformed.Error())
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "image/jpeg, image/png, image/webp")
	answer, err := w.client.Do(req, upload.MaxBytes)
	switch {
	case final(err):
		return nil, upload.Refuse(upload.Unreachable, err.Error())
	case err != nil:
		return nil, fmt.Errorf("fetch picture: %w", err)
	case mayChange(answer.Status):
		return nil, fmt.Errorf("fetch picture: status %d", answer.Status)
	case answer.Status != http.StatusOK:
		return nil, upload.Refuse(upload.Unreachable, fmt.Sprintf("status %d", answer.Status))
	case !answer.Whole:
		return nil, upload.Refuse(upload.TooLarge, "more than is allowed")
	}
	return answer.Body, nil
}

// final reports whether the fault lies in the address itself.
func final(err error) bool {
	for _, fault := range []error{outbound.ErrNotPublic, outbound.ErrLong, outbound.ErrMalformed, outbound.ErrScheme, outbound.ErrPort, outbound.ErrUserInfo} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}

// mayChange reports whether a server that gave this status may give another one later.
func mayChange(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError
}
