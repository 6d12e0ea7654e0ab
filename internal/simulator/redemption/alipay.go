package redemption

import (
	"fmt"
	"net/http"
	"net/url"

	"mooring/internal/simulator/bench"
)

// alipayPage is the page that plays Alipay: a choice before the answer, a sentence after it.
type alipayPage struct {
	bench.Page
	Link    string
	Done    string // the answer, once there is one
	Gone    bool   // there is no such link, or no longer
	Asker   bench.Text
	Persons []person
}

// showAlipay handles "GET /alipay/authorize".
func (s *Simulator) showAlipay(c *bench.Call) bench.Answer {
	id := c.Request.URL.Query().Get("auth")
	p := &alipayPage{Page: c.Shell(bench.Text{ZH: "支付宝授权（模拟）", EN: "Alipay authorisation (simulated)"}), Link: id, Persons: persons()}
	l, ok := s.visited(id)
	if !ok || c.Now.Sub(l.Made) > linkLife {
		c.Outcome("link_over")
		p.Gone = true
		return s.Pages.Render(http.StatusGone, "alipay", p)
	}
	m, _ := s.business(l.BusinessID)
	c.Client(l.BusinessID)
	c.RequestID(l.SerialNo)
	p.Asker, p.Done = m.Name, l.Answer
	c.Outcome("link_opened")
	return s.Pages.Render(http.StatusOK, "alipay", p)
}

// decideAlipay handles "POST /alipay/authorize". Whoever has the link may answer, once: it may be opened on any phone.
func (s *Simulator) decideAlipay(c *bench.Call) bench.Answer {
	form, err := url.ParseQuery(string(c.Body))
	id := form.Get("auth")
	l, ok := s.visited(id)
	if err != nil || !ok || c.Now.Sub(l.Made) > linkLife {
		c.Outcome("link_over")
		return bench.Redirect(alipayPath)
	}
	c.Client(l.BusinessID)
	c.RequestID(l.SerialNo)
	back := bench.Redirect(alipayPath + "?auth=" + url.QueryEscape(id))
	who, known := findPerson(form.Get("person"))
	_, deny := c.Fault(faultDeny)
	switch {
	case deny || form.Get("decision") != "agree":
		_, _, err = s.answer(l.SerialNo, refused, "") // no document knows a callback for it: the merchant hears nothing
		c.Outcome("refused")
	case !known:
		c.Outcome("nobody_chosen")
	default:
		err = s.agree(c, l, who)
	}
	if err != nil {
		c.Outcome("state_not_saved")
		return refuseWith(http.StatusInternalServerError, 99, "")
	}
	return back
}

// agree writes the consent down and sends the callback, as the faults of this call demand.
func (s *Simulator) agree(c *bench.Call, l link, who person) error {
	l, first, err := s.answer(l.SerialNo, agreed, openID(l.MerchantID, who.ID))
	if err != nil {
		return err
	}
	c.Outcome("answered_again")
	if first {
		c.Outcome("agreed")
		s.dispatch(missionOf(c, l))
	}
	return nil
}

// Agree gives a person's consent to a link without a browser, for the program that sets up sample connections. link is
// the address that the link call gave; the callback follows at once. Faults do not touch it. person is a sample's id
// (Persons), "" the first.
func (s *Simulator) Agree(linkAddress, personID string) error {
	u, err := url.Parse(linkAddress)
	if err != nil {
		return fmt.Errorf("simulator: the link does not parse")
	}
	l, ok := s.visited(u.Query().Get("auth"))
	if !ok {
		return fmt.Errorf("simulator: there is no such link")
	}
	who := persons()[0]
	if personID != "" {
		if who, ok = findPerson(personID); !ok {
			return fmt.Errorf("simulator: there is nobody called %q", personID)
		}
	}
	l, first, err := s.answer(l.SerialNo, agreed, openID(l.MerchantID, who.ID))
	if err == nil && first {
		s.dispatch(mission{link: l, copies: 1})
	}
	return err
}

// Persons are the ids of those who can agree.
func (s *Simulator) Persons() []string {
	var ids []string
	for _, p := range persons() {
		ids = append(ids, p.ID)
	}
	return ids
}
