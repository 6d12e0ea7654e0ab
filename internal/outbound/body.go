package outbound

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long a provider can keep us waiting by a header.
const maxRetryAfter = time.Hour

// readBody reads the answer, at most limit bytes of it, before and after decompression: a small body may unpack to
// a large one, and an endless one to nothing at all.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	wire := &bounded{r: resp.Body, left: limit}
	switch encoding := strings.ToLower(strings.Join(resp.Header.Values("Content-Encoding"), ",")); encoding {
	case "", "identity":
		return drain(wire, limit)
	case "gzip", "x-gzip":
		unpacked, err := gzip.NewReader(wire)
		if errors.Is(err, io.EOF) {
			return nil, nil // no body at all, a 204 for example
		}
		if err != nil {
			return nil, unreadable(err)
		}
		body, err := drain(unpacked, limit)
		if err != nil {
			return nil, unreadable(err)
		}
		return body, nil
	default:
		return nil, errUnreadable
	}
}

func drain(r io.Reader, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, errTooLarge
	}
	return buf.Bytes(), nil
}

// unreadable tells bad gzip from a connection that broke while it came.
func unreadable(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return errUnreadable
	}
	return err
}

// bounded is an io.LimitReader that says so when the limit is passed.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// retryAfter reads both forms of the header, never below zero and never above the cap.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		if seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
