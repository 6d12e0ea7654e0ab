package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
)

// assets are the files that pages load, in memory, with the content's hash in the path.
type assets struct{ byName map[string]asset }

type asset struct {
	hash        string
	contentType string
	plain       []byte
	zipped      []byte // nil where zipping gains nothing
}

func loadAssets(files fs.FS) (*assets, error) {
	a := &assets{byName: map[string]asset{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		file := asset{hash: hex.EncodeToString(sum[:6]), contentType: mime.TypeByExtension(path.Ext(name)), plain: content}
		if file.contentType == "" {
			return fmt.Errorf("%s: what kind of file is this?", name)
		}
		file.zipped, err = zip(content)
		a.byName[name] = file
		return err
	})
	return a, err
}

func zip(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > len(content)*9/10 {
		return nil, nil
	}
	return out.Bytes(), nil
}

func (a *assets) has(name string) bool { _, ok := a.byName[name]; return ok }

// path gives a file's address. A name that does not exist leads to a 404, which the tests look for.
func (a *assets) path(name string) string { return "/static/" + a.byName[name].hash + "/" + name }

// serve answers "GET /static/:hash/*name". What is asked for by its own hash never changes; a page of the release before
// or after may ask for another one, and gets what there is.
func (a *assets) serve(c *gin.Context) error {
	name := strings.TrimPrefix(c.Param("name"), "/")
	file, ok := a.byName[name]
	if !ok {
		return errs.New(errs.NotFound, "error.not_found")
	}
	h := c.Writer.Header()
	if c.Param("hash") == file.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("ETag", `"`+file.hash+`"`)
	h.Set("Vary", "Accept-Encoding")
	if match := c.GetHeader("If-None-Match"); strings.Contains(match, `"`+file.hash+`"`) {
		c.Status(http.StatusNotModified)
		return nil
	}
	content := file.plain
	if file.zipped != nil && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = file.zipped
	}
	c.Data(http.StatusOK, file.contentType, content)
	return nil
}
