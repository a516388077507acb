package database

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// registerTypes tells the connection how to send values whose type in the statement is not known: the query modes "exec" and
// "simple_protocol" do not ask the server for it.
func registerTypes(conn *pgx.Conn) {
	m := conn.TypeMap()
	m.RegisterDefaultPgType(uuid.UUID{}, "uuid")
	m.RegisterDefaultPgType([]uuid.UUID{}, "_uuid")
	m.TryWrapEncodePlanFuncs = append(m.TryWrapEncodePlanFuncs, wrapUnknown)
}

// wrapUnknown sends a list of words (a named string type) as a list of strings, and a map as JSON. pgx asks it last, for what it
// cannot encode otherwise.
func wrapUnknown(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	t := reflect.TypeOf(value)
	switch {
	case t == nil:
		return nil, nil, false
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String && t.Elem() != reflect.TypeFor[string]():
		return &convertPlan{convert: toStrings}, []string{}, true
	case t.Kind() == reflect.Map:
		return &convertPlan{convert: toJSON}, "", true
	}
	return nil, nil, false
}

// convertPlan encodes a value after a conversion.
type convertPlan struct {
	convert func(any) (any, error)
	next    pgtype.EncodePlan
}

// SetNext implements pgtype.WrappedEncodePlanNextSetter.
func (p *convertPlan) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode implements pgtype.EncodePlan.
func (p *convertPlan) Encode(value any, buf []byte) ([]byte, error) {
	converted, err := p.convert(value)
	if err != nil {
		return nil, err
	}
	return p.next.Encode(converted, buf)
}

func toStrings(value any) (any, error) {
	v := reflect.ValueOf(value)
	out := make([]string, v.Len())
	for i := range out {
		out[i] = v.Index(i).String()
	}
	return out, nil
}

func toJSON(value any) (any, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode an argument as JSON: %w", err)
	}
	return string(raw), nil
}
