package cardwallet

import (
	"strconv"
	"strings"

	"mooring/internal/simulator/bench"
)

// About is what the index page says of this simulator. base is the address it answers at.
func (s *Simulator) About(base string) bench.About {
	paths := s.Paths()
	about := bench.About{
		Slug: Slug, Title: title(),
		Summary: bench.Text{
			ZH: "粘贴 client_id 和 client_secret；令牌 60 秒有效；读取商户、钱包和流水；可发送六种回调（/_callbacks）。",
			EN: "Paste client_id and client_secret; tokens live for 60 seconds; reads merchant, wallet and movements; sends the six callbacks (/_callbacks).",
		},
		Settings: []bench.Field{
			{Label: bench.Text{ZH: "接口地址", EN: "Base address"}, Value: base},
			{Label: bench.Text{ZH: "商户详情路径", EN: "Path of the merchant's detail"}, Value: paths.Merchant},
			{Label: bench.Text{ZH: "钱包信息路径", EN: "Path of the wallet"}, Value: paths.Wallet},
			{Label: bench.Text{ZH: "钱包流水路径", EN: "Path of the movements"}, Value: paths.Flow},
		},
		Endpoints: []bench.Endpoint{
			{Method: "POST", Path: tokenPath, Note: bench.Text{ZH: "获取令牌（参数在查询串）", EN: "token (parameters in the query)"}},
			{Method: "POST", Path: paths.Merchant, Note: bench.Text{ZH: "商户详情", EN: "merchant"}},
			{Method: "POST", Path: paths.Wallet, Note: bench.Text{ZH: "钱包信息", EN: "wallet"}},
			{Method: "POST", Path: paths.Flow, Note: bench.Text{ZH: "钱包流水", EN: "movements"}},
			{Method: "GET", Path: "/_callbacks", Note: bench.Text{ZH: "发送回调", EN: "send callbacks"}},
		},
	}
	for i, c := range s.Clients() {
		m := s.people[i]
		var currencies []string
		for _, w := range m.Wallets {
			currencies = append(currencies, w.Currency)
		}
		about.Accounts = append(about.Accounts, bench.Account{Business: m.Name, Note: m.About, Fields: []bench.Field{
			{Label: bench.Text{ZH: "client_id", EN: "client_id"}, Value: c.ClientID},
			{Label: bench.Text{ZH: "client_secret", EN: "client_secret"}, Value: c.ClientSecret},
			{Label: bench.Text{ZH: "商户编号", EN: "Merchant id"}, Value: strconv.FormatInt(m.ID, 10)},
			{Label: bench.Text{ZH: "钱包", EN: "Wallets"}, Value: strings.Join(append(currencies, "–")[:max(1, len(currencies))], " · ")},
		}})
	}
	return about
}
