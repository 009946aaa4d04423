package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// blob is the bytes of a file, at any offset, after gzip decompression. A plain file stays on disk. A compressed one
// cannot be read at an offset, so it is decoded once: into memory, or, where it is larger than the limit, into a file
// in the user's cache.
type blob struct {
	name string // the file as the user named it, for messages
	path string // the file to read, or empty where the content is in memory
	mem  []byte // the content in memory
	size int64
}

// openBlob finds out what path is. limit bounds the bytes kept in memory.
func openBlob(ctx context.Context, path string, limit int64) (*blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: is a folder, expected a file", path)
	}
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if magic != [2]byte{0x1f, 0x8b} {
		return &blob{name: path, path: path, size: info.Size()}, nil
	}
	return decodeBlob(ctx, f, info, path, limit)
}

// decodeBlob decompresses f.
func decodeBlob(ctx context.Context, f *os.File, info os.FileInfo, path string, limit int64) (*blob, error) {
	spill, err := spillPath(path, info, "")
	if err != nil {
		return nil, err
	}
	if done, err := os.Stat(spill); err == nil {
		return &blob{name: path, path: spill, size: done.Size()}, nil
	}
	z, err := gzip.NewReader(contextReader{ctx, f})
	if err != nil {
		return nil, gzipError(path, 0, err)
	}
	var head bytes.Buffer
	n, err := io.Copy(&head, io.LimitReader(z, limit))
	if err != nil {
		return nil, gzipError(path, n, err)
	}
	if n < limit {
		return &blob{name: path, mem: head.Bytes(), size: n}, nil
	}
	size := n
	err = writeAtomic(spill, func(w io.Writer) error {
		if _, err := head.WriteTo(w); err != nil {
			return err
		}
		rest, err := io.Copy(w, z)
		size += rest
		if err != nil {
			return gzipError(path, size, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &blob{name: path, path: spill, size: size}, nil
}

func gzipError(path string, at int64, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: damaged gzip file after %d decoded bytes (%w); fetch it again", path, at, err)
}

// spillPath is where the decoded content of a file goes: a name that changes with the file and with how it is decoded.
func spillPath(path string, info os.FileInfo, how string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s %d %d%s", abs, info.Size(), info.ModTime().UnixNano(), how))
	return filepath.Join(cacheFolder(), "decoded", fmt.Sprintf("%x", key[:16])), nil
}

// writeAtomic writes a file so that path holds either all of it or what it held before.
func writeAtomic(path string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// open returns the content for reading. A file on disk is opened for each use, so that a Set holds no descriptor that
// somebody must close.
func (b *blob) open() (r io.ReaderAt, close func(), err error) {
	if b.path == "" {
		return bytes.NewReader(b.mem), func() {}, nil
	}
	f, err := os.Open(b.path)
	if err != nil {
		return nil, nil, err
	}
	if info, err := f.Stat(); err != nil || info.Size() != b.size {
		f.Close()
		if err == nil {
			err = fmt.Errorf("%s: now %d bytes, expected %d as when it was opened; do not change data while it is in use", b.name, info.Size(), b.size)
		}
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil
}

// contextReader fails with the context's error as soon as it is cancelled.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
