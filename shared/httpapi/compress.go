package httpapi

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressMin is the size in bytes from which an answer is compressed.
const compressMin = 1024

func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressMin), gzhttp.CompressionLevel(5))
	if err != nil {
		return next // only for options out of range, which these are not
	}
	return wrap(next)
}
