package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// content is what the test's mirrors serve: long enough not to arrive in one piece, and hard to compress.
var content = func() []byte {
	var b []byte
	for i := range 8000 {
		sum := sha256.Sum256(fmt.Append(nil, i))
		b = append(b, sum[:]...)
	}
	return b
}()

func contentFile() knownFile {
	sum := sha256.Sum256(content)
	return knownFile{"train-images-idx3-ubyte.gz", hex.EncodeToString(sum[:]), int64(len(content))}
}

// whole serves a file as ordinary servers do, ranges included.
func whole(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(body)))
	}
}

// cut breaks the connection after some bytes, as often as it is asked.
func cut(body []byte, after int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := 0
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
			w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
			w.WriteHeader(http.StatusPartialContent)
		} else {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		w.Write(body[from:min(len(body), from+after)])
		w.(http.Flusher).Flush()
		if from+after < len(body) {
			panic(http.ErrAbortHandler)
		}
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

// fetch downloads contentFile from mirrors with the given handlers and returns what lies in the folder afterwards, and how
// many requests each mirror had.
func fetch(t *testing.T, dir string, idle time.Duration, handlers ...http.HandlerFunc) (names []string, requests []int64, last Progress, err error) {
	t.Helper()
	counts := make([]atomic.Int64, len(handlers))
	var mirrors []string
	for i, h := range handlers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			counts[i].Add(1)
			h(w, r)
		}))
		defer server.Close()
		mirrors = append(mirrors, server.URL+"/")
	}
	d := downloader{http: &http.Client{}, idle: idle, progress: func(p Progress) { last = p }}
	err = d.file(context.Background(), mirrors, dir, contentFile())
	entries, readErr := os.ReadDir(dir)
	if readErr != nil {
		t.Fatal(readErr)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	for i := range counts {
		requests = append(requests, counts[i].Load())
	}
	return names, requests, last, err
}

func TestDownload(t *testing.T) {
	body := gzipped(t, content)
	other := append(gzipped(t, content[:100]), gzipped(t, content[100:])...) // the same content, compressed differently
	wrong := gzipped(t, content[1:])
	huge := make([]byte, 2*len(content)+1<<17)
	for name, c := range map[string]struct {
		part     []byte // left by an earlier call
		mirrors  []http.HandlerFunc
		requests []int64
	}{
		"at once":                        {nil, []http.HandlerFunc{whole(body)}, []int64{1}},
		"compressed differently":         {nil, []http.HandlerFunc{whole(other)}, []int64{1}},
		"first mirror fails":             {nil, []http.HandlerFunc{status(404), status(503), whole(body)}, []int64{1, 1, 1}},
		"cut connections resume":         {nil, []http.HandlerFunc{cut(body, len(body)/3+1)}, []int64{3}},
		"earlier part resumes":           {body[:1000], []http.HandlerFunc{cut(body, len(body))}, []int64{1}},
		"earlier part is complete":       {body, []http.HandlerFunc{whole(body)}, []int64{1}},
		"earlier part of another mirror": {other[:1000], []http.HandlerFunc{whole(body)}, []int64{2}},
		"earlier part is too long":       {append(slices.Clone(body), 1, 2, 3), []http.HandlerFunc{whole(body)}, []int64{2}},
		"wrong content at first mirror":  {nil, []http.HandlerFunc{whole(wrong), whole(body)}, []int64{1, 1}},
		"no gzip at first mirror":        {nil, []http.HandlerFunc{whole([]byte("<html>sign in</html>")), whole(body)}, []int64{1, 1}},
		"endless at first mirror":        {nil, []http.HandlerFunc{whole(huge), whole(body)}, []int64{1, 2}},
		"rest comes from another mirror": {nil, []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(500)
				return
			}
			cut(body, 5000)(w, r)
		}, whole(body)}, []int64{2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.part != nil {
				write(t, c.part, dir, contentFile().name+".part")
			}
			names, requests, last, err := fetch(t, dir, time.Minute, c.mirrors...)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(names, []string{contentFile().name}) {
				t.Errorf("files %q, expected only %s", names, contentFile().name)
			}
			if !slices.Equal(requests, c.requests) {
				t.Errorf("requests %d, expected %d", requests, c.requests)
			}
			if err := verify(context.Background(), filepath.Join(dir, names[0]), contentFile()); err != nil {
				t.Error(err)
			}
			if len(c.part) < len(body) && last.Done != last.Total {
				t.Errorf("progress ended at %d of %d", last.Done, last.Total)
			}
		})
	}
}

func TestDownloadRefuses(t *testing.T) {
	t.Run("wrong checksum", func(t *testing.T) {
		names, _, _, err := fetch(t, t.TempDir(), time.Minute, whole(gzipped(t, content[1:])))
		wantError(t, err, "train-images", "127.0.0.1", "SHA-256", contentFile().sha256, "the file was removed")
		if len(names) != 0 {
			t.Errorf("files %q are left, expected none", names)
		}
	})
	t.Run("every mirror fails", func(t *testing.T) {
		_, _, _, err := fetch(t, t.TempDir(), time.Minute, status(404), status(500))
		wantError(t, err, "404", "500")
	})
	t.Run("nothing comes", func(t *testing.T) {
		body := gzipped(t, content)
		stall := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
		_, _, _, err := fetch(t, t.TempDir(), 50*time.Millisecond, stall)
		wantError(t, err, "brought nothing for too long")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		body := gzipped(t, content)
		server := httptest.NewServer(whole(body))
		defer server.Close()
		dir := t.TempDir()
		d := downloader{http: &http.Client{}, idle: time.Minute, progress: func(Progress) { cancel() }}
		if err := d.file(ctx, []string{server.URL + "/"}, dir, contentFile()); err != context.Canceled {
			t.Errorf("cancelled download: %v", err)
		}
		if info, err := os.Stat(filepath.Join(dir, contentFile().name+".part")); err != nil || info.Size() == 0 {
			t.Errorf("the part that came is not kept (%v)", err)
		}
	})
}

// unreachable replaces the mirrors of a known set for one test by an address where nothing listens.
func unreachable(t *testing.T, name string) {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for i := range knownSets {
		if knownSets[i].Name == name {
			old := knownSets[i].mirrors
			knownSets[i].mirrors = []string{server.URL + "/"}
			t.Cleanup(func() { knownSets[i].mirrors = old })
		}
	}
}

// TestNoNetwork: one line that says where to put the files.
func TestNoNetwork(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LIKELY_DATA", dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	unreachable(t, "mnist")
	_, err := Open(context.Background(), "mnist", Options{})
	wantError(t, err, "mnist", "cannot download train-images-idx3-ubyte.gz", filepath.Join(dir, "mnist"), "LIKELY_DATA")
}
