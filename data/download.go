package data

import (
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Get makes sure that the files of a known set are on this machine and returns their folder, which is empty for a set that
// is embedded. What is not found where Find looks is downloaded to NAME in LIKELY_DATA, or else in the user's cache: from
// the first mirror that answers, resuming what an earlier call left unfinished, checked by SHA-256, and put in place by
// renaming, so that a file that is there is whole. progress may be nil.
func Get(ctx context.Context, name string, progress func(Progress)) (dir string, err error) {
	k, ok := knownByName(name)
	if !ok {
		return "", unknownName(name)
	}
	if k.Embedded() {
		return "", nil
	}
	if dir, ok := k.Find(); ok {
		return dir, nil
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	dir = k.folders()[0]
	d := downloader{http: &http.Client{Transport: patientTransport()}, idle: idleLimit, progress: progress}
	for _, f := range k.files {
		if err := d.file(ctx, k.mirrors, dir, f); err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			return "", fmt.Errorf("%s: %w; put its %d files into %s, or set LIKELY_DATA to the folder that holds %s/",
				k.Name, err, len(k.files), dir, k.Name)
		}
	}
	return dir, nil
}

const (
	idleLimit = 30 * time.Second // a connection that brings no byte for this long is given up
	tries     = 4                // connections to one mirror, as long as each brings something
)

// patientTransport is the default transport with a bound on the time to the first byte of an answer.
func patientTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = idleLimit
	return t
}

type downloader struct {
	http     *http.Client
	idle     time.Duration
	progress func(Progress)
}

// file brings f into dir from the first of the mirrors that has it right.
func (d *downloader) file(ctx context.Context, mirrors []string, dir string, f knownFile) error {
	path := filepath.Join(dir, f.name)
	if isFile(path) {
		return nil // renamed into place, so it was whole and right
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	part := path + ".part"
	var failures []string
	for _, mirror := range mirrors {
		err := d.fromMirror(ctx, mirror+f.name, part, f)
		if err == nil {
			return os.Rename(part, path)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures = append(failures, fmt.Sprintf("%s: %v", host(mirror), plainly(err)))
	}
	return fmt.Errorf("cannot download %s (%s)", f.name, strings.Join(failures, "; "))
}

// plainly leaves out of a network's error what says nothing beside the host: the address of the name server, the protocol.
func plainly(err error) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return errors.New(lookup.Err)
	}
	return err
}

// fromMirror completes part from one address and checks it. A part that proves wrong is removed, and fetched once more
// where it began as the remains of an earlier call, which may have come from a mirror that compresses differently.
func (d *downloader) fromMirror(ctx context.Context, address, part string, f knownFile) error {
	resumed := isFile(part)
	for range 2 {
		if err := d.complete(ctx, address, part, f); err != nil {
			return err
		}
		err := verify(ctx, part, f)
		if err == nil || ctx.Err() != nil {
			return cmp.Or(ctx.Err(), err)
		}
		if removeErr := os.Remove(part); removeErr != nil {
			return removeErr
		}
		if !resumed {
			return err
		}
		resumed = false
	}
	return nil
}

// complete fetches what part lacks, over several connections if they break.
func (d *downloader) complete(ctx context.Context, address, part string, f knownFile) (err error) {
	for range tries {
		var got int64
		got, err = d.connection(ctx, address, part, f)
		if err == nil || got == 0 || ctx.Err() != nil {
			return err
		}
	}
	return err
}

var errIdle = errors.New("the connection brought nothing for too long")

// connection asks for the bytes from the end of part on, appends what comes, and returns how many came.
func (d *downloader) connection(ctx context.Context, address, part string, f knownFile) (got int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = cmp.Or(err, out.Close()) }()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := d.http.Do(request)
	if err != nil {
		return 0, plainError(ctx, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK: // the whole file, whatever was asked for
		if err := out.Truncate(0); err != nil {
			return 0, err
		}
		if have, err = out.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
	case http.StatusPartialContent:
		if at := response.Header.Get("Content-Range"); !strings.HasPrefix(at, fmt.Sprintf("bytes %d-", have)) {
			return 0, fmt.Errorf("answered with range %q, expected one from byte %d", at, have)
		}
	case http.StatusRequestedRangeNotSatisfiable: // part is already as long as the file, or longer: the checksum decides
		return 0, nil
	default:
		return 0, fmt.Errorf("answered %s", response.Status)
	}
	total := int64(0)
	if response.ContentLength >= 0 {
		total = have + response.ContentLength
	}
	// A compressed file is never much longer than its content, so more than that is something else.
	limit := f.size + f.size/100 + 1<<16
	idle := time.AfterFunc(d.idle, func() { cancel(errIdle) })
	defer idle.Stop()
	buf := make([]byte, 1<<16)
	for {
		n, readErr := response.Body.Read(buf)
		idle.Reset(d.idle)
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return got, err
			}
			got += int64(n)
			have += int64(n)
			d.progress(Progress{"downloading " + f.name, have, total, "bytes"})
		}
		switch {
		case have > limit:
			return 0, fmt.Errorf("sent more than %d bytes, expected a file that decompresses to %d", limit, f.size)
		case readErr == io.EOF:
			return got, out.Sync()
		case readErr != nil:
			return got, plainError(ctx, readErr)
		}
	}
}

// plainError takes the address out of a client's error, as the message names the mirror already.
func plainError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}

// verify decompresses the file at path and compares the content with f.
func verify(ctx context.Context, path string, f knownFile) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(contextReader{ctx, in})
	if err != nil {
		return fmt.Errorf("sent no gzip file (%w)", err)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(z, f.size+1))
	if err != nil {
		return fmt.Errorf("sent a damaged gzip file (%w)", err)
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != f.sha256 {
		return fmt.Errorf("sent %d bytes with SHA-256 %s, expected %d bytes with %s; the file was removed", n, sum, f.size, f.sha256)
	}
	return nil
}
