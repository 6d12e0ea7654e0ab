package simulator

import (
	"embed"
	"net"
	"net/http"
	"net/url"

	"mooring/internal/simulator/bench"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed index.css
var style []byte

func indexPages() (*bench.Pages, error) { return bench.NewPages(templates, style) }

// indexPage is GET / on the first port.
type indexPage struct {
	bench.Page
	Rooms []indexRoom
}

// indexRoom is one simulator on the page.
type indexRoom struct {
	bench.About
	URL    string
	Active int // faults that are on
}

// index answers on the first port. It shows sample passwords, so that it too answers to this machine's own names only.
func (s *Simulator) index() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /_assets/{file}", s.pages.Assets())
	mux.Handle("GET /{$}", bench.LoopbackHost(http.HandlerFunc(s.showIndex)))
	return mux
}

// showIndex handles "GET /".
func (s *Simulator) showIndex(w http.ResponseWriter, r *http.Request) {
	title := bench.Text{ZH: "总览", EN: "Overview"}
	p := &indexPage{Page: bench.Page{Lang: bench.Language(r), Title: title, Path: r.URL.Path}}
	s.mu.Lock()
	at := s.addresses.Providers
	s.mu.Unlock()
	for _, room := range s.rooms {
		base := sameHost(at[room.slug], r.Host)
		p.Rooms = append(p.Rooms, indexRoom{room.about(base), base, len(room.board.Active())})
	}
	s.pages.Render(http.StatusOK, "index", p).WriteTo(w, r)
}

// sameHost gives an address under the name that the visitor used for this machine, so that one walk through the
// simulators stays under one name and one set of cookies.
func sameHost(address, visited string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := visited
	if h, _, err := net.SplitHostPort(visited); err == nil {
		host = h
	}
	u.Host = net.JoinHostPort(host, u.Port())
	return u.String()
}
