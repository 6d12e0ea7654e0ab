package chainup

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"mooring/internal/simulator/bench"
)

// id is a parameter that may come as a string or as a number of digits.
type id string

// UnmarshalJSON implements json.Unmarshaler.
func (i *id) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		*i = id(text)
		return nil
	}
	var n int64
	err := json.Unmarshal(b, &n)
	*i = id(strconv.FormatInt(n, 10))
	return err
}

// coin is one entry of allCoinMap. Amounts are strings and numbers mixed, as in the documents' samples.
type coin struct {
	CoinName      string      `json:"coinName"`
	NormalBalance string      `json:"normal_balance"`
	LockBalance   json.Number `json:"lock_balance"`
	TotalBalance  string      `json:"total_balance"`
	AllBalance    json.Number `json:"allBalance"`
	BTCValuation  string      `json:"btcValuatin"` // the documents' spelling
	DepositOpen   int         `json:"depositOpen"`
	WithdrawOpen  int         `json:"withdrawOpen"`
	IsFiat        bool        `json:"isFiat"`
}

// accountBalance handles "POST …/user/accountBalance". Of several ids, openId wins.
func (s *Simulator) accountBalance(c *bench.Call, app application, p []byte) (any, refusal) {
	var in struct {
		OpenID       string `json:"openId"`
		UserID       id     `json:"userId"`
		MobileNumber string `json:"mobileNumber"`
		Email        string `json:"email"`
	}
	if decodeStrictly(p, &in) != nil {
		return nil, refusal{"wrong_parameter", 10020}
	}
	u, no := s.asked(c, app, in.OpenID, string(in.UserID), in.MobileNumber, in.Email)
	if no.refused() {
		return nil, no
	}
	all := map[string]coin{}
	for _, h := range u.holdings(c.Now) {
		all[h.Symbol] = coin{
			CoinName: h.Symbol, NormalBalance: h.Normal.text(), LockBalance: json.Number(h.Frozen.text()),
			TotalBalance: h.total().text(), AllBalance: json.Number(h.total().text()), BTCValuation: h.inBTC().text(),
			DepositOpen: 1, WithdrawOpen: 1, IsFiat: h.Fiat,
		}
	}
	c.Outcome("listed")
	return struct {
		TotalBalance       string          `json:"totalBalance"`
		TotalBalanceSymbol string          `json:"totalBalanceSymbol"`
		AllCoinMap         map[string]coin `json:"allCoinMap"`
	}{u.worth(c.Now).text(), "BTC", all}, refusal{}
}

// account is one row of userAccounts.
type account struct {
	UID        int64  `json:"uid"`
	Balance    any    `json:"balance"`
	Type       string `json:"type"`
	CoinSymbol string `json:"coinSymbol"`
	ShowName   string `json:"showName"`
}

// userAccounts handles "POST …/ouser/v2/userAccounts". coinSymbols is required; coins that nobody lists are left out.
func (s *Simulator) userAccounts(c *bench.Call, app application, p []byte) (any, refusal) {
	var in struct {
		OpenID      string `json:"openId"`
		UserID      id     `json:"userId"`
		CoinSymbols string `json:"coinSymbols"`
	}
	if decodeStrictly(p, &in) != nil || in.CoinSymbols == "" {
		return nil, refusal{"wrong_parameter", 10020}
	}
	u, no := s.asked(c, app, in.OpenID, string(in.UserID))
	if no.refused() {
		return nil, no
	}
	wanted := strings.Split(in.CoinSymbols, ",")
	rows := []account{}
	for _, h := range u.holdings(c.Now) {
		if !slices.Contains(wanted, h.Symbol) {
			continue
		}
		rows = append(rows,
			account{u.number(), h.Normal.text(), "201", h.Symbol, h.Symbol},
			account{u.number(), json.Number(h.Frozen.text()), "202", h.Symbol, h.Symbol})
		if h.Locked > 0 {
			rows = append(rows, account{u.number(), h.Locked.text(), "207", h.Symbol, h.Symbol})
		}
	}
	c.Outcome("listed")
	return struct {
		Accounts []account `json:"accounts"`
	}{rows}, refusal{}
}

// userSuperior handles "POST …/user/user_superior". Of several ids, uid wins.
func (s *Simulator) userSuperior(c *bench.Call, app application, p []byte) (any, refusal) {
	var in struct {
		UID          id     `json:"uid"`
		OpenID       string `json:"openId"`
		EmailOrPhone string `json:"emailOrPhone"`
	}
	if decodeStrictly(p, &in) != nil {
		return nil, refusal{"wrong_parameter", 10020}
	}
	openID := in.OpenID
	if in.UID != "" {
		openID = ""
	}
	u, no := s.asked(c, app, openID, string(in.UID), in.EmailOrPhone)
	if no.refused() {
		return nil, no
	}
	type superior struct {
		UID         int64  `json:"uid"`
		InviteCode  string `json:"inviteCode"`
		InvitedCode string `json:"invitedCode"`
		InvitedUID  any    `json:"invitedUid"`
	}
	out := superior{UID: u.number(), InviteCode: u.Invite}
	if above, ok := s.find(u.InvitedBy); ok {
		out.InvitedCode, out.InvitedUID = above.Invite, above.number()
	}
	c.Outcome("read")
	return struct {
		User superior `json:"user"`
	}{out}, refusal{}
}

// inquireUser handles "POST …/user/inquire_user".
func (s *Simulator) inquireUser(c *bench.Call, app application, p []byte) (any, refusal) {
	var in struct {
		UID id `json:"uid"`
	}
	if decodeStrictly(p, &in) != nil {
		return nil, refusal{"wrong_parameter", 10020}
	}
	u, no := s.asked(c, app, "", string(in.UID))
	if no.refused() {
		return nil, no
	}
	c.Outcome("read")
	return struct {
		ID           int64  `json:"id"`
		CountryCode  string `json:"countryCode"`
		MobileNumber string `json:"mobileNumber"`
		Email        string `json:"email"`
		NickName     string `json:"nickName"`
		AuthType     int    `json:"authType"`
		AuthLevel    int    `json:"authLevel"`
		CTime        int64  `json:"ctime"` // milliseconds
	}{u.number(), u.Country, u.Mobile, u.Email, u.Nick, u.AuthType, u.AuthLevel, u.Since.UnixMilli()}, refusal{}
}

// asked finds whose data is meant. An openId must be one that this application was given; the other ids are any user's,
// since it is the application that is trusted here.
func (s *Simulator) asked(c *bench.Call, app application, openID string, others ...string) (user, refusal) {
	if _, on := c.Fault(faultOpenIDDead); on {
		return user{}, refusal{"fault_" + faultOpenIDDead, 60004}
	}
	if openID != "" {
		s.mu.Lock()
		who, ok := s.state.OpenIDs[openID]
		s.mu.Unlock()
		u, known := s.find(who.UID)
		if !ok || who.AppID != app.ID || !known {
			return user{}, refusal{"open_id_unknown", 60004}
		}
		c.Account(u.UID)
		if _, on := c.Fault(faultTokenNeeded); on && !s.alive(openID) {
			return user{}, refusal{"token_over", 60002}
		}
		return u, refusal{}
	}
	for _, other := range others {
		if other == "" {
			continue
		}
		u, ok := s.find(other)
		if !ok {
			return user{}, refusal{"user_unknown", 50006}
		}
		c.Account(u.UID)
		return u, refusal{}
	}
	return user{}, refusal{"wrong_parameter", 10020}
}
