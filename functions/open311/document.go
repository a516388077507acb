package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strconv"
)

// document is an answer in either format. In XML root is the name of the first element; JSON has the value alone.
type document struct {
	root  string
	value any // an object, a list, or what a member may be
}

// object is an XML element with a child for each member, and a JSON object. The members keep their order.
type object []member

// member is a value with its name. The value is nil, a string, bool, int, float64, object or list. nil is an empty element in
// XML, and null in JSON.
type member struct {
	name  string
	value any
}

// list is an XML element whose children all have the name item, and a JSON array.
type list struct {
	item   string
	values []any
}

// encode writes the document in a format.
func (d document) encode(f Format) []byte {
	e := encoder{}
	if f == JSON {
		e.json(d.value)
	} else {
		e.out.WriteString(xml.Header)
		e.element(d.root, d.value)
	}
	e.out.WriteByte('\n')
	return e.out.Bytes()
}

// encoder writes values. Writing to its buffer cannot fail.
type encoder struct {
	out bytes.Buffer
}

// element writes a value as XML, without namespace and attributes. Characters that XML does not have become U+FFFD.
func (e *encoder) element(name string, value any) {
	e.out.WriteByte('<')
	e.out.WriteString(name)
	e.out.WriteByte('>')
	switch v := value.(type) {
	case object:
		for _, m := range v {
			e.element(m.name, m.value)
		}
	case list:
		for _, each := range v.values {
			e.element(v.item, each)
		}
	case string:
		if plain(v) {
			e.out.WriteString(v)
			break
		}
		_ = xml.EscapeText(&e.out, []byte(v))
	default:
		e.scalar(v, "")
	}
	e.out.WriteString("</")
	e.out.WriteString(name)
	e.out.WriteByte('>')
}

// json writes a value as JSON.
func (e *encoder) json(value any) {
	switch v := value.(type) {
	case object:
		separator := byte('{')
		for _, m := range v {
			e.out.WriteByte(separator)
			e.text(m.name)
			e.out.WriteByte(':')
			e.json(m.value)
			separator = ','
		}
		if len(v) == 0 {
			e.out.WriteByte('{')
		}
		e.out.WriteByte('}')
	case list:
		e.out.WriteByte('[')
		for i, each := range v.values {
			if i > 0 {
				e.out.WriteByte(',')
			}
			e.json(each)
		}
		e.out.WriteByte(']')
	case string:
		e.text(v)
	default:
		e.scalar(v, "null")
	}
}

// text writes a JSON string.
func (e *encoder) text(s string) {
	if plain(s) {
		e.out.WriteByte('"')
		e.out.WriteString(s)
		e.out.WriteByte('"')
		return
	}
	raw, _ := json.Marshal(s) // a string can always be written
	e.out.Write(raw)
}

// plain reports whether both formats write a text as it is. Most texts are; to escape them takes most of the time of a long list.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '<' || c == '>' || c == '&' || c == '"' || c == '\\' || c == '\'' {
			return false
		}
	}
	return true
}

// scalar writes what both formats write the same, and empty for nil.
func (e *encoder) scalar(value any, empty string) {
	switch v := value.(type) {
	case bool:
		e.out.WriteString(strconv.FormatBool(v))
	case int:
		e.out.WriteString(strconv.Itoa(v))
	case float64:
		e.out.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
	default:
		e.out.WriteString(empty)
	}
}

// orNull is nil for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
