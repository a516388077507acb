package report

// Box is a part of a picture that is made black, as fractions of the upright picture: 0, 0 is its upper left corner and 1, 1 its
// lower right one.
type Box struct {
	_      struct{} `schema:"RedactionBox"`
	X      float64  `json:"x" minimum:"0" maximum:"1" example:"0.25"`
	Y      float64  `json:"y" minimum:"0" maximum:"1" example:"0.1"`
	Width  float64  `json:"width" minimum:"0" maximum:"1" example:"0.2"`
	Height float64  `json:"height" minimum:"0" maximum:"1" example:"0.3"`
}

// MaxBoxes is the most boxes of one picture.
const MaxBoxes = 50

// Cut returns the part of b that lies in the picture. It reports false where none does, and for a number that is not from 0 to 1.
func (b Box) Cut() (Box, bool) {
	for _, v := range []float64{b.X, b.Y, b.Width, b.Height} {
		if !(v >= 0 && v <= 1) {
			return Box{}, false
		}
	}
	b.Width, b.Height = min(b.Width, 1-b.X), min(b.Height, 1-b.Y)
	return b, b.Width > 0 && b.Height > 0
}
