package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Item is one of several things in a body, as it was sent. Any JSON value is one, so that a faulty item is an error of its own and
// not of the request. The document describes it as T. ItemReader reads it.
type Item[T any] struct{ Raw json.RawMessage }

// UnmarshalJSON implements json.Unmarshaler.
func (i *Item[T]) UnmarshalJSON(raw []byte) error {
	i.Raw = bytes.Clone(raw)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (i Item[T]) MarshalJSON() ([]byte, error) { return i.Raw, nil }

// Schema implements huma.SchemaProvider.
func (Item[T]) Schema(r huma.Registry) *huma.Schema {
	described := r.Schema(reflect.TypeFor[T](), true, "")
	return &huma.Schema{AnyOf: []*huma.Schema{described, {Description: AnyItem}}}
}

// AnyItem describes the schema that any item fits, so that a faulty one reaches ItemReader.
const AnyItem = "Anything else is an error of this item alone"

// ItemReader reads items by the schema of T. It is not safe for concurrent use.
type ItemReader[T any] struct {
	registry huma.Registry
	schema   *huma.Schema
}

// NewItemReader makes a reader.
func NewItemReader[T any]() *ItemReader[T] {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return &ItemReader[T]{registry: registry, schema: registry.Schema(reflect.TypeFor[T](), false, "Item")}
}

// Parse returns the JSON value of an item. It fails with 422 "malformed_body" for what is no JSON.
func (r *ItemReader[T]) Parse(raw json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errMalformedBody.Because(err)
	}
	return value, nil
}

// Respell writes the members and words of a value as the schema has them; see Respell.
func (r *ItemReader[T]) Respell(value any) { Respell(r.registry, r.schema, value) }

// Decode makes a T of a value that fits the schema. It fails with 422 for one that does not, with the faulty members.
func (r *ItemReader[T]) Decode(value any) (T, error) {
	var out T
	result := &huma.ValidateResult{}
	huma.Validate(r.registry, r.schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, value, result)
	if len(result.Errors) > 0 {
		fault := problem.New(problem.Invalid, "invalid_input")
		for _, err := range result.Errors {
			var detail *huma.ErrorDetail
			if errors.As(err, &detail) { // without its value: input is never echoed
				fault.Fields = append(fault.Fields, FieldOf(detail))
			}
		}
		return out, fault
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return out, errMalformedBody
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, errMalformedBody.Because(err)
	}
	return out, nil
}

// Tolerate is Lenient.Tolerate of a value by the schema.
func (r *ItemReader[T]) Tolerate(l *Lenient, value any, w *warning.Collector) {
	l.Tolerate(r.registry, r.schema, value, w)
}
