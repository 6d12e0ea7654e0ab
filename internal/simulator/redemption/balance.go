package redemption

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"mooring/internal/simulator/bench"
)

// funds is the documented data of a balance's answer. The amounts are numbers, and exact.
type funds struct {
	MerchantID string      `json:"merchantId"`
	BusinessID string      `json:"businessId"`
	CreditLine json.Number `json:"creditLine"`
	Amount     json.Number `json:"amount"`
}

// fundsText is the same with texts for the amounts.
type fundsText struct {
	MerchantID string `json:"merchantId"`
	BusinessID string `json:"businessId"`
	CreditLine string `json:"creditLine"`
	Amount     string `json:"amount"`
}

// balance handles "POST /v1/openapi/merchant/business/balance".
func (s *Simulator) balance(c *bench.Call) bench.Answer {
	m, _, no := s.admit(c, []string{"merchantId", "businessId"}, nil)
	if no.refused() {
		return refuse(c, no)
	}
	if answer, instead := insteadOf(c, m); instead {
		return answer
	}
	f := funds{m.MerchantID, m.BusinessID, yuan(m.CreditLine), yuan(m.at(c.Now))}
	if _, on := c.Fault(faultExact); on {
		f.Amount = "9007199254740993.01" // no float64 holds it
	}
	c.Outcome("balance_told")
	if _, on := c.Fault(variantTextAmounts); on {
		return bench.JSON(http.StatusOK, reply{statusOK, statusText(statusOK), fundsText{f.MerchantID, f.BusinessID, f.CreditLine.String(), f.Amount.String()}})
	}
	return bench.JSON(http.StatusOK, reply{statusOK, statusText(statusOK), f})
}

// at is the merchant's balance at a time: it spends through the day and is topped up at midnight in Beijing, so that two
// looks on one day see it move and next month sees the same picture.
func (m merchant) at(now time.Time) int64 {
	local := now.In(time.FixedZone("Asia/Shanghai", 8*3600))
	minutes := int64(local.Hour()*60 + local.Minute())
	return m.Balance - m.Daily*minutes/(24*60)
}

// yuan writes fen as a decimal number.
func yuan(fen int64) json.Number {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return json.Number(fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100))
}
