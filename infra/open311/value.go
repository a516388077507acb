package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// kind says what a value is in JSON. In XML every value without elements is a text, or null if it is empty.
type kind string

const (
	kindObject  kind = "an object"
	kindList    kind = "a list"
	kindText    kind = "a string"
	kindNumber  kind = "a number"
	kindBoolean kind = "a boolean"
	kindNull    kind = "null"
)

// value is a part of an answer, the same for both formats.
type value struct {
	kind    kind
	text    string
	members []member
	items   []value
}

type member struct {
	name  string
	value value
}

// lists are the elements that hold a list, and the name of their items. JSON has an array with the name of the list.
var lists = map[string]string{
	"services": "service", "attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format", "service_requests": "request",
	"errors": "error", "service_request_updates": "request_update",
}

// get returns the member of an object, and whether it is there.
func (v value) get(name string) (value, bool) {
	i := slices.IndexFunc(v.members, func(m member) bool { return m.name == name })
	if i < 0 {
		return value{kind: kindNull}, false
	}
	return v.members[i].value, true
}

// word returns the text of a member, without white space at its ends. "" if it is absent or null.
func (v value) word(name string) string {
	m, _ := v.get(name)
	return strings.TrimSpace(m.text)
}

// list returns the items of a member that is a list.
func (v value) list(name string) []value {
	m, _ := v.get(name)
	return m.items
}

// document reads an answer whose root element has a name. JSON has no root: an array where root is a list, else an object.
func (a *answer) document(root string) (value, error) {
	if a.root != root {
		a.root = root
		a.read, a.readError = a.readDocument(root)
	}
	return a.read, a.readError
}

func (a *answer) readDocument(root string) (value, error) {
	if a.format == "json" {
		v, err := readJSON(a.body)
		if err != nil {
			return value{}, a.deviates("JSON", "%v: %s", err, a.summary())
		}
		want := kindObject
		if lists[root] != "" {
			want = kindList
		}
		if v.kind != want {
			return value{}, a.deviates(string(want)+" without a name around it", "%s: %s", v.kind, a.summary())
		}
		return v, nil
	}
	n, err := readXML(a.body)
	if err != nil {
		return value{}, a.deviates("well-formed XML", "%v: %s", err, a.summary())
	}
	if n.name != root {
		return value{}, a.deviates("the root element "+root, "%s", n.name)
	}
	v, err := n.value()
	if err != nil {
		return value{}, a.deviates("the elements of the specification", "%v", err)
	}
	return v, nil
}

// maxDepth is how deep values may be nested.
const maxDepth = 64

var errTooDeep = errors.New("values are nested too deep")

func readJSON(body []byte) (value, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := nextJSON(d, 0)
	if err != nil {
		return value{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return value{}, errors.New("something follows the end")
	}
	return v, nil
}

func nextJSON(d *json.Decoder, depth int) (value, error) {
	token, err := d.Token()
	if err != nil {
		return value{}, err
	}
	switch t := token.(type) {
	case string:
		return value{kind: kindText, text: t}, nil
	case json.Number:
		return value{kind: kindNumber, text: t.String()}, nil
	case bool:
		return value{kind: kindBoolean, text: fmt.Sprint(t)}, nil
	case json.Delim:
		if depth == maxDepth {
			return value{}, errTooDeep
		}
		return insideJSON(d, t, depth+1)
	}
	return value{kind: kindNull}, nil
}

func insideJSON(d *json.Decoder, open json.Delim, depth int) (value, error) {
	v := value{kind: kindList}
	if open == '{' {
		v.kind = kindObject
	}
	for d.More() {
		var name string
		if v.kind == kindObject {
			token, err := d.Token()
			if err != nil {
				return value{}, err
			}
			name, _ = token.(string)
		}
		inner, err := nextJSON(d, depth)
		if err != nil {
			return value{}, err
		}
		if v.kind == kindObject {
			v.members = append(v.members, member{name, inner})
		} else {
			v.items = append(v.items, inner)
		}
	}
	_, err := d.Token()
	return v, err
}

// node is an element of XML.
type node struct {
	name       string
	text       string
	attributes []string // with namespaces, as they stand
	children   []*node
}

// readXML reads an element with all in it.
func readXML(body []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := &node{}
	open := []*node{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, errTooDeep
			}
			open = append(open, newNode(top, t))
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("there is no root element")
	}
	return root.children[0], nil
}

func newNode(parent *node, t xml.StartElement) *node {
	n := &node{name: t.Name.Local}
	for _, a := range t.Attr {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = a.Name.Space + ":" + name
		}
		n.attributes = append(n.attributes, fmt.Sprintf("%s=%q", name, a.Value))
	}
	parent.children = append(parent.children, n)
	return n
}

func (n *node) value() (value, error) {
	item, isList := lists[n.name]
	switch {
	case isList:
		v := value{kind: kindList}
		for _, child := range n.children {
			if child.name != item {
				return value{}, fmt.Errorf("%s has an element %s; its elements are called %s", n.name, child.name, item)
			}
			inner, err := child.value()
			if err != nil {
				return value{}, err
			}
			v.items = append(v.items, inner)
		}
		return v, nil
	case len(n.children) > 0:
		v := value{kind: kindObject}
		for _, child := range n.children {
			inner, err := child.value()
			if err != nil {
				return value{}, err
			}
			v.members = append(v.members, member{child.name, inner})
		}
		return v, nil
	case n.text == "":
		return value{kind: kindNull}, nil
	}
	return value{kind: kindText, text: n.text}, nil
}
