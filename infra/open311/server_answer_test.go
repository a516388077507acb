package open311_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
)

func (s *server) refuse(w http.ResponseWriter, status int) {
	e := object{{"code", strconv.Itoa(status)}, {"description", "Not so"}}
	switch {
	case s.faults["errors are pages"]:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, "<html><body>Error</body></html>")
		return
	case s.faults["errors have no code"]:
		e = e[1:]
	case s.faults["errors are one object"] && s.format == "json":
		s.answer(w, status, "errors", e)
		return
	}
	s.answer(w, status, "errors", list{"error", []any{e}})
}

func (s *server) answer(w http.ResponseWriter, status int, root string, v any) {
	if s.format == "json" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		if _, ok := v.(list); ok && s.faults["JSON has a name around it"] && status == 200 {
			v = object{{root, v}}
		}
		_, _ = w.Write(s.json(v))
		return
	}
	media := "text/xml; charset=utf-8"
	if s.faults["application/xml"] {
		media = "application/xml; charset=utf-8"
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	if !s.faults["no declaration"] {
		fmt.Fprint(w, xml.Header)
	}
	s.xml(w, root, v)
}

func (s *server) json(v any) []byte {
	var parts [][]byte
	switch v := v.(type) {
	case list:
		for _, item := range v.items {
			parts = append(parts, s.json(item))
		}
		return fmt.Appendf(nil, "[%s]", bytes.Join(parts, []byte(",")))
	case object:
		for _, f := range v {
			parts = append(parts, fmt.Appendf(nil, "%q:%s", f.name, s.json(f.value)))
		}
		return fmt.Appendf(nil, "{%s}", bytes.Join(parts, []byte(",")))
	case bool:
		if s.faults["booleans are text"] {
			return fmt.Appendf(nil, `"%v"`, v)
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil && s.faults["ids are numbers"] {
			return strconv.AppendInt(nil, int64(n), 10)
		}
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

func (s *server) xml(w http.ResponseWriter, name string, v any) {
	attribute := ""
	if _, ok := v.(list); ok && s.faults["XML has attributes"] {
		attribute = ` type="array"`
	}
	fmt.Fprintf(w, "<%s%s>", name, attribute)
	switch v := v.(type) {
	case list:
		for _, item := range v.items {
			s.xml(w, v.item, item)
		}
	case object:
		for _, f := range v {
			s.xml(w, f.name, f.value)
		}
	case nil:
	default:
		if err := xml.EscapeText(w, []byte(fmt.Sprint(v))); err != nil {
			panic(err)
		}
	}
	fmt.Fprintf(w, "</%s>", name)
}
