package trackfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

// longGPX returns a GPX file with one track of this many points in segments of 10,000, with elevations and times. Each
// twentieth point has extensions as Garmin writes them.
func longGPX(points int) string {
	var b strings.Builder
	b.WriteString(declared + `<gpx xmlns:ns3="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"><trk><trkseg>`)
	for i := range points {
		if i > 0 && i%10_000 == 0 {
			b.WriteString("</trkseg><trkseg>")
		}
		fmt.Fprintf(&b, "\n<trkpt lat=\"%.5f\" lon=\"%.5f\"><ele>%.1f</ele><time>2026-10-%02dT%02d:%02d:%02dZ</time>",
			-9+float64(i)*1e-5, 124+float64(i%1000)*1e-5, 100+float64(i%500), 1+i/86400, i/3600%24, i/60%60, i%60)
		if i%20 == 0 {
			b.WriteString("<extensions><ns3:TrackPointExtension><ns3:atemp>28.0</ns3:atemp><ns3:hr>121</ns3:hr><ns3:cad>74</ns3:cad></ns3:TrackPointExtension></extensions>")
		}
		b.WriteString("</trkpt>")
	}
	b.WriteString("</trkseg></trk></gpx>")
	return b.String()
}

// heapFor reads a text and returns by how many bytes the heap grew.
func heapFor(t *testing.T, text string) (*File, int64) {
	t.Helper()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	watch := &heapWatch{src: strings.NewReader(text), most: before.HeapAlloc}
	f, err := Read(watch, now(), nil)
	if err != nil {
		var fault *Fault
		if !errors.As(err, &fault) {
			t.Fatal(err)
		}
	}
	return f, int64(watch.most) - int64(before.HeapAlloc)
}

// Not parallel: other tests would count.
func TestALongGPXFileIsReadInFlatMemory(t *testing.T) {
	text := longGPX(track.MaxPoints)
	if len(text) > MaxBytes || len(text) < MaxBytes*9/10 {
		t.Fatalf("the file has %d bytes", len(text))
	}
	f, used := heapFor(t, text)
	if f.Points() != track.MaxPoints || f.Tracks[0].Kind != track.Recorded || len(f.Tracks[0].Segments) != 20 {
		t.Fatalf("%d points", f.Points())
	}
	const points = track.MaxPoints * 32 // bytes
	t.Logf("reading %d MB needs %d MB, the points have %d MB", len(text)>>20, used>>20, points>>20)
	if used > 40<<20+points {
		t.Error("that is more than 40 MB beside the points")
	}
}

// Not parallel: other tests would count.
func TestNoGPXFileNeedsMuchMemory(t *testing.T) {
	for name, c := range map[string][3]string{
		"empty segments":    {"<gpx>" + wpt + "<trk>", "<trkseg/>", "</trk></gpx>"},
		"attributes":        {"<gpx ", "a='' ", "/>"},
		"one attribute":     {"<gpx a='", "abcdefgh", "'/>"},
		"texts of one name": {"<gpx><wpt lat='1' lon='2'><name>", "<![CDATA[" + strings.Repeat("a", 1<<18) + "]]>", "</name></wpt></gpx>"},
	} {
		text := c[0] + strings.Repeat(c[1], (MaxBytes-100)/len(c[1])) + c[2]
		_, used := heapFor(t, text)
		if t.Logf("%s: %d MB", name, used>>20); used > 40<<20 {
			t.Errorf("%s: more than 40 MB", name)
		}
	}
}

func BenchmarkReadGPX(b *testing.B) {
	text := longGPX(track.MaxPoints)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(strings.NewReader(text), now(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Any file is refused, or gives a file that the database can hold.
func FuzzReadGPX(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/gpx/*.gpx")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, name := range fixtures {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("\xff\xfe<\x00g\x00p\x00x\x00/\x00>\x00\x00\x00"))
	f.Add([]byte(`<?xml version="1.0" encoding="windows-1251"?><gpx><wpt lat="1,5" lon="2"><name>` + "\xe9&#x1F;&nbsp;<![CDATA[<]]></name><time>null</time></wpt></gpx>\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Read(bytes.NewReader(raw), now(), nil)
		if err != nil {
			var fault *Fault
			if file != nil || !errors.As(err, &fault) && !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrUnknownFormat) && !errors.Is(err, ErrTooManyPoints) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		checkFile(t, file)
	})
}
