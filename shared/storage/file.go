package storage

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// PutFile stores a file under key without reading it into memory. Encoding is
// its Content-Encoding, such as "gzip"; empty for none.
func (s *Store) PutFile(ctx context.Context, key, contentType, encoding string, file *os.File) error {
	in := &s3.PutObjectInput{Bucket: aws.String(s.bucket), Key: aws.String(key), ContentType: aws.String(contentType), Body: file}
	if encoding != "" {
		in.ContentEncoding = aws.String(encoding)
	}
	out, err := s.s3.PutObject(ctx, in)
	if err == nil {
		err = answered(out.ETag)
	}
	if err != nil {
		return fmt.Errorf("put file: %w", err)
	}
	return nil
}
