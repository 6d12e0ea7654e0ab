package cardwallet

import (
	"errors"
	"net/http"
	"strings"

	"mooring/internal/simulator/bench"
)

// callbackPage is GET /_callbacks.
type callbackPage struct {
	bench.Page
	Problem    string
	Clients    []Client
	Topics     []Topic
	Manners    []Manner
	Deliveries []Delivery
}

// showCallbacks handles "GET /_callbacks".
func (s *Simulator) showCallbacks(w http.ResponseWriter, r *http.Request) {
	s.writeCallbacks(w, r, http.StatusOK, nil)
}

func (s *Simulator) writeCallbacks(w http.ResponseWriter, r *http.Request, status int, problem error) {
	p := &callbackPage{
		Page:    s.Page(r, bench.Text{ZH: "发送回调", EN: "Send callbacks"}),
		Clients: s.Clients(), Topics: Topics(), Manners: Manners(),
	}
	s.mu.Lock()
	p.Deliveries = append(p.Deliveries, s.deliveries...)
	s.mu.Unlock()
	if problem != nil {
		p.Problem = problem.Error()
	}
	s.Pages.Render(status, "callbacks", p).WriteTo(w, r)
}

// postCallback handles "POST /_callbacks": the address is kept, and a callback sent if a topic is chosen.
func (s *Simulator) postCallback(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.writeCallbacks(w, r, http.StatusUnprocessableEntity, errors.New("the form is not understood"))
		return
	}
	client := r.PostForm.Get("client_id")
	err := s.SetCallback(client, strings.TrimSpace(r.PostForm.Get("url")))
	if topic := r.PostForm.Get("topic"); err == nil && topic != "" {
		_, err = s.Send(r.Context(), Callback{ClientID: client, Topic: topic, Manner: r.PostForm.Get("manner")})
	}
	if err != nil {
		s.writeCallbacks(w, r, http.StatusUnprocessableEntity, err)
		return
	}
	bench.Redirect("/_callbacks#c"+client).WriteTo(w, r) // SetCallback knew the client: nothing but digits
}
