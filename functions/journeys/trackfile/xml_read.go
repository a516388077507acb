package trackfile

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// Bounds of an XML text. GPX itself needs five levels and short texts.
const (
	maxDepth = 32
	maxToken = 512 << 10 // bytes of one tag, text or comment
	maxText  = 64 << 10  // bytes of one element's text that are kept; more than maxNotes characters
)

// xmlReader reads the elements of an XML text one by one. Its errors name the line.
type xmlReader struct {
	in     *bufio.Reader
	d      *xml.Decoder
	budget *tokenReader
	open   []xml.Name // the elements around the current place
	buffer []byte
}

func newXMLReader(src io.Reader) xmlReader {
	budget := &tokenReader{src: src, left: maxToken}
	in := bufio.NewReaderSize(budget, 32<<10) // the decoder reads from it byte by byte and takes nothing ahead
	d := xml.NewDecoder(in)
	d.Strict = false // leaves an unknown entity as it is written
	return xmlReader{in: in, d: d, budget: budget}
}

// tokenReader fails when more than left bytes are read. Each token sets left anew, which bounds the memory for a token.
type tokenReader struct {
	src  io.Reader
	left int
}

var errLongToken = errors.New("token too long")

// Read implements io.Reader.
func (r *tokenReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongToken
	}
	n, err := r.src.Read(p)
	r.left -= n
	return n, err
}

func (x *xmlReader) place() string {
	line, _ := x.d.InputPos()
	return fmt.Sprintf("line %d", line)
}

func (x *xmlReader) fault(message string) error { return &Fault{Place: x.place(), Message: message} }

// next reads a token. Start and end elements match, and nest at most maxDepth deep.
func (x *xmlReader) next() (xml.Token, error) {
	x.budget.left = maxToken
	token, err := x.d.RawToken()
	if errors.Is(err, errLongToken) {
		return nil, x.fault("expected shorter texts")
	}
	if err != nil { // at the end of the file too: elements are open
		return nil, x.fault("expected well-formed XML")
	}
	switch t := token.(type) {
	case xml.Directive:
		return nil, x.fault("expected no document type")
	case xml.StartElement:
		if len(x.open) == maxDepth {
			return nil, x.fault("expected less nesting")
		}
		x.open = append(x.open, t.Name)
	case xml.EndElement:
		if len(x.open) == 0 || x.open[len(x.open)-1] != t.Name {
			return nil, x.fault("expected well-formed XML")
		}
		x.open = x.open[:len(x.open)-1]
	}
	return token, nil
}

// root reads up to the first element.
func (x *xmlReader) root() (xml.StartElement, error) {
	for {
		token, err := x.next()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return xml.StartElement{}, x.fault("expected well-formed XML")
			}
		}
	}
}

// children reads to the end of the current element. It calls handle with each element inside, which must read to the end of it.
func (x *xmlReader) children(handle func(xml.StartElement) error) error {
	for depth := len(x.open); len(x.open) >= depth; {
		token, err := x.next()
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := handle(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// skip reads to the end of the current element.
func (x *xmlReader) skip() error {
	for depth := len(x.open); len(x.open) >= depth; {
		if _, err := x.next(); err != nil {
			return err
		}
	}
	return nil
}

// text reads to the end of the current element and sets its trimmed text, unless an earlier element has set one.
func (x *xmlReader) text(to *string) error {
	x.buffer = x.buffer[:0]
	for depth := len(x.open); len(x.open) >= depth; {
		token, err := x.next()
		if err != nil {
			return err
		}
		if t, ok := token.(xml.CharData); ok {
			if len(x.buffer) == 0 {
				t = bytes.TrimLeft(t, " \t\n")
			}
			x.buffer = append(x.buffer, t[:min(len(t), maxText-len(x.buffer))]...)
		}
	}
	if *to == "" {
		*to = string(bytes.TrimSpace(x.buffer))
	}
	return nil
}

// end checks that nothing follows the root element but comments, white space and NULs, which some devices fill their files with.
func (x *xmlReader) end() error {
	for {
		x.budget.left = maxToken
		c, err := x.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return x.fault("expected the end of the file")
		case c == 0, c == ' ', c == '\t', c == '\r', c == '\n':
			continue
		}
		if err := x.in.UnreadByte(); err != nil {
			return fmt.Errorf("unread: %w", err)
		}
		token, err := x.d.RawToken()
		if err != nil {
			return x.fault("expected the end of the file")
		}
		switch token.(type) {
		case xml.Comment, xml.ProcInst:
		default:
			return x.fault("expected the end of the file")
		}
	}
}
