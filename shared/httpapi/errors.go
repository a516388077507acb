package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// present turns a handler's error into a problem document. It logs the causes that
// the document does not tell.
func (a *API) present(ctx context.Context, err error) *problem.Document {
	var e *problem.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		// The client hung up. This is not an error of the server, and nobody reads the answer.
		err = problem.New(statusClientClosed, "client_closed_request").Because(err)
	case database.Unavailable(err):
		err = errUnavailable.Because(err)
	default:
		err = errInternal.Because(err)
	}
	d := problem.DocumentOf(err, locale.FromContext(ctx), telemetry.RequestID(ctx), Origin(ctx))
	if d.Status >= http.StatusInternalServerError {
		a.deps.Log.ErrorContext(ctx, "request failed", "code", d.Code, "error", err)
		a.deps.Metrics.Add(catalog.ServerErrors)
	}
	return d
}

// After how long a client may ask again.
const (
	unavailableRetry = 2 * time.Second
	inProgressRetry  = time.Second
)

// statusClientClosed is the customary status of a request whose client went away.
const statusClientClosed problem.Kind = 499

// refuse answers a request outside of its operation.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.present(r.Context(), err).Write(w)
}

// documentOfHuma makes the document for input that does not fit the operation's
// schema, as huma reports it.
func documentOfHuma(hc huma.Context, status int, message string, errs ...error) huma.StatusError {
	if status == 0 { // huma asks for the type of errors, with each operation
		return &problem.Document{}
	}
	e := problem.New(problem.Kind(status), "")
	e.Err = errors.New(message)
	switch status {
	case http.StatusBadRequest: // huma answers so to a body that it cannot parse
		e.Kind, e.Code, errs = problem.Invalid, "malformed_body", withoutDetails(errs)
	case http.StatusUnprocessableEntity:
		e.Code = "invalid_input"
	case http.StatusRequestEntityTooLarge:
		e.Code = "too_large"
	case http.StatusUnsupportedMediaType:
		e.Code = "unsupported_media_type"
	case http.StatusRequestTimeout:
		e.Kind, e.Code = problem.Invalid, "malformed_body"
	case http.StatusInternalServerError:
		e.Code = "internal"
	default:
		e.Code = strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	}
	for _, err := range errs {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			e.Kind, e.Code, e.Fields = problem.TooLarge, "too_large", nil
			break
		}
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) { // its Value is dropped: input is never echoed
			e.Fields = append(e.Fields, FieldOf(detail))
		} else if err != nil && len(e.Fields) == 0 && e.Code == "invalid_input" {
			e.Code = "malformed_body"
		}
	}
	ctx, fault := context.Background(), error(e)
	if hc != nil {
		ctx, fault = hc.Context(), asFaultOf(hc.Operation().Path, e)
	}
	return problem.DocumentOf(fault, locale.FromContext(ctx), telemetry.RequestID(ctx), Origin(ctx))
}

// withoutDetails drops the texts of a parser, because they quote the input.
func withoutDetails(errs []error) []error {
	return slices.DeleteFunc(errs, func(err error) bool {
		var detail *huma.ErrorDetail
		return errors.As(err, &detail)
	})
}

// FieldOf is a fault huma found as the client reads it, without the rejected value. A member that is missing is itself
// the field, not the object that lacks it.
func FieldOf(d *huma.ErrorDetail) problem.Field {
	name := fieldName(d.Location)
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if rest, ok := strings.CutPrefix(d.Message, before); ok {
		if missing, ok := strings.CutSuffix(rest, after); ok {
			if name == "body" {
				name = ""
			}
			name = strings.TrimPrefix(name+"."+missing, ".")
		}
	}
	return problem.Field{Name: name, Message: plainMessage(d.Message)}
}

// Messages of huma about a value of a query, a path or a form that it cannot read. They are not in its package validation.
const (
	unreadableText = "invalid value: " // then the error of the type
	unreadableTime = "invalid date/time for format "
)

// plainMessage is huma's message in plain words where it names a specification or quotes a parser. Parsers quote the input. The
// catalog has each result in three languages.
func plainMessage(message string) string {
	if fault, ok := strings.CutPrefix(message, unreadableText); ok {
		return plainFault(fault)
	}
	if strings.HasPrefix(message, unreadableTime) {
		return validation.MsgExpectedRFC3339DateTime
	}
	switch message {
	case "invalid integer":
		return validation.MsgExpectedInteger
	case "invalid float", "invalid floating value":
		return validation.MsgExpectedNumber
	case "invalid boolean":
		return validation.MsgExpectedBoolean
	}
	for format, plain := range map[string]string{
		validation.MsgExpectedRFC4122UUID:  "expected a UUID",
		validation.MsgExpectedRFC5322Email: "expected an e-mail address",
		validation.MsgExpectedRFC3986URI:   "expected an address (URI)",
	} {
		if start, _, _ := strings.Cut(format, "%v"); strings.HasPrefix(message, start) {
			return plain
		}
	}
	return message
}

// plainFault is the error of a type that reads text, in plain words.
func plainFault(fault string) string {
	switch fault {
	case timestamp.NoTime:
		return validation.MsgExpectedRFC3339DateTime
	case timestamp.NoDate:
		return "expected YYYY-MM-DD or an RFC 3339 date-time"
	}
	return "expected a UUID" // of the types that operations take, only this one is left
}

// fieldName strips the place of the field from its name: "body.email" is "email" to the client.
func fieldName(location string) string {
	for _, prefix := range []string{"body.", "query.", "path.", "header.", "form."} {
		if name, ok := strings.CutPrefix(location, prefix); ok {
			return name
		}
	}
	return location
}
