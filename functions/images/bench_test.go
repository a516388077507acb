package images

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"
)

// photo is a picture with the statistics of a photograph: gradients, edges and
// some noise. The same seed makes the same picture.
func photo(w, h int, seed uint64) *image.YCbCr {
	r := rand.New(rand.NewPCG(seed, 1))
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	type wave struct{ fx, fy, phase, amp float64 }
	waves := make([]wave, 8)
	for i := range waves {
		waves[i] = wave{r.Float64() * 12 / float64(w), r.Float64() * 12 / float64(h), r.Float64() * 6, 60 / float64(i+1)}
	}
	for y := range h {
		for x := range w {
			v := 128.0
			for _, k := range waves {
				v += k.amp * math.Sin(k.fx*float64(x)+k.fy*float64(y)+k.phase)
			}
			if (x/97+y/61)%5 == 0 {
				v -= 30
			}
			img.Y[y*img.YStride+x] = uint8(max(0, min(255, v+r.NormFloat64()*4)))
		}
	}
	for i := range img.Cb {
		c := color.YCbCr{Cb: uint8(110 + i%1000/50), Cr: uint8(140 - i%700/50)}
		img.Cb[i], img.Cr[i] = c.Cb, c.Cr
	}
	return img
}

var phone = sync.OnceValue(func() []byte {
	return asJPEG(&testing.B{}, photo(4000, 3000, 7), 90)
})

// BenchmarkPhonePicture renders a 12 MP phone picture and, in turns, only decodes it,
// so that other load on the machine affects both.
func BenchmarkPhonePicture(b *testing.B) {
	file := phone()
	var alone, whole cost
	for b.Loop() {
		alone.add(b, func() error {
			_, _, err := image.Decode(bytes.NewReader(file))
			return err
		})
		whole.add(b, func() error {
			_, err := render(file)
			return err
		})
	}
	b.ReportMetric(alone.cpu.Seconds()*1000/float64(b.N), "decode-cpu-ms")
	b.ReportMetric(whole.cpu.Seconds()*1000/float64(b.N), "whole-cpu-ms")
	b.ReportMetric(whole.cpu.Seconds()/alone.cpu.Seconds(), "x-decode")
	b.ReportMetric(float64(alone.peak)/(1<<20), "decode-peak-MB")
	b.ReportMetric(float64(whole.peak)/(1<<20), "whole-peak-MB")
}

// cost is what runs of a function took: the processor time of all cores together,
// which does not depend on other load, and the largest heap, sampled every millisecond.
type cost struct {
	cpu  time.Duration
	peak uint64
}

func (c *cost) add(b *testing.B, f func() error) {
	b.Helper()
	runtime.GC()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() { done <- watch(stop) }()
	before := processorTime(b)
	err := f()
	c.cpu += processorTime(b) - before
	close(stop)
	c.peak = max(c.peak, <-done)
	if err != nil {
		b.Fatal(err)
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func watch(stop <-chan struct{}) uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	peak := uint64(0)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		metrics.Read(sample)
		peak = max(peak, sample[0].Value.Uint64()+sample[1].Value.Uint64())
		select {
		case <-stop:
			return peak
		case <-tick.C:
		}
	}
}
