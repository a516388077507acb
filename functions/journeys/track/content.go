package track

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"
)

// Degrees are stored as whole ten-millionths (1 cm on the ground), elevations as whole centimetres.
const perDegree = 1e7

// Rounded returns the point as it is stored.
func (p Point) Rounded() Point {
	lon, lat := p.Ints()
	p.Lon, p.Lat = float64(lon)/perDegree, float64(lat)/perDegree
	p.Elevation = float32(math.Round(float64(p.Elevation)*100) / 100)
	return p
}

// Round makes all points those that are stored.
func (t *Track) Round() {
	for _, s := range t.Segments {
		for i := range s {
			s[i] = s[i].Rounded()
		}
	}
}

// Ints returns longitude and latitude in ten-millionths of a degree.
func (p Point) Ints() (int32, int32) {
	return int32(math.Round(p.Lon * perDegree)), int32(math.Round(p.Lat * perDegree))
}

// PointOf returns the point at a place in ten-millionths of a degree, without elevation and time.
func PointOf(lon, lat int32) Point {
	return Point{Lon: float64(lon) / perDegree, Lat: float64(lat) / perDegree, Elevation: float32(math.NaN()), Time: NoTime}
}

// Hash returns the SHA-256 of the points as they are stored. Two tracks with the same points are the same track.
func (t *Track) Hash() [sha256.Size]byte {
	h := sha256.New()
	var b [20]byte
	for _, s := range t.Segments {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		for _, p := range s {
			lon, lat := p.Ints()
			binary.LittleEndian.PutUint32(b[0:], uint32(lon))
			binary.LittleEndian.PutUint32(b[4:], uint32(lat))
			binary.LittleEndian.PutUint32(b[8:], uint32(centimetres(p.Elevation)))
			binary.LittleEndian.PutUint64(b[12:], uint64(p.Time))
			h.Write(b[:])
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// centimetres is an elevation for Hash; the smallest number stands for an unknown one.
func centimetres(elevation float32) int32 {
	if math.IsNaN(float64(elevation)) {
		return math.MinInt32
	}
	return int32(math.Max(math.MinInt32+1, math.Min(math.MaxInt32, math.Round(float64(elevation)*100))))
}

// Times returns the first and the last time of the points from one to another, both included; nil when none has one.
func (t *Track) Times(r Range) (*time.Time, *time.Time) {
	var first, last *time.Time
	for _, p := range t.all()[r.From : r.To+1] {
		if p.Time == NoTime {
			continue
		}
		at := time.UnixMilli(p.Time).UTC()
		if first == nil || at.Before(*first) {
			first = &at
		}
		if last == nil || at.After(*last) {
			last = &at
		}
	}
	return first, last
}
