package journeys

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

// allocated is how many bytes f allocates in all. No other test runs meanwhile.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A file of 20 MB is unpacked while it is read.
func TestAFileIsReadInFlatMemory(t *testing.T) {
	raw := bytes.Repeat([]byte(`<trkpt lat="-8.5" lon="125.5"/>`), 20<<20/32)
	form := append(append([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"), raw...), "\r\n--b--\r\n"...)
	for name, in := range map[string]*importInput{
		"packed": {Encoding: "gzip", RawBody: packed(t, raw)},
		"form":   {Encoding: "gzip", ContentType: "multipart/form-data; boundary=b", RawBody: packed(t, form)},
	} {
		var n int64
		bytes := allocated(func() {
			file, err := (&Group{}).openFile(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if n, err = io.Copy(io.Discard, file); err != nil {
				t.Fatal(err)
			}
		})
		if n != int64(len(raw)) || bytes > 1<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d, read %d", name, bytes, len(raw), n)
		}
	}
}

// A file of 100 MB goes to the disk while it is written.
func TestAFileIsWrittenInFlatMemory(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	o := outgoing{write: func(w io.Writer) error {
		for range 100 << 10 {
			if _, err := io.WriteString(w, kilobyte); err != nil {
				return err
			}
		}
		return nil
	}}
	for _, encoding := range []string{"", "gzip"} {
		bytes := allocated(func() {
			if _, err := o.writeTo(file, encoding); err != nil {
				t.Fatal(err)
			}
		})
		if bytes > 4<<20 {
			t.Errorf("%q: %d bytes allocated", encoding, bytes)
		}
	}
}

var kilobyte = strings.Repeat("<trkpt lat=\"-8.5\"/>\n", 52)[:1<<10]
