package zhiyun

import (
	"slices"
	"time"

	"mooring/internal/simulator/bench"
)

// user is somebody with an account of the desktop software.
type user struct {
	Username, Password string
	RealName, Phone    string
	Sex                string // 1 or 3, the default: not told
	Admin              bool   // of the enterprise
	Created            time.Time
	Masked             bool // the provider shows parts of their data only
	Company            *company
	About              bench.Text
}

// company is the enterprise of a user.
type company struct {
	Name, Type, TaxNumber, Address string
	LegalPerson, LegalPhone        string
	Created                        time.Time
}

// users are the sample accounts. Names, numbers and addresses are invented; the passwords are no secrets: the login page
// offers them.
func users() []user {
	day := func(year int, month time.Month, d int) time.Time {
		return time.Date(year, month, d, 9, 30, 5, 0, zone())
	}
	whale := &company{
		Name: "深圳市蓝鲸科技有限公司", Type: "1", TaxNumber: "91440300SIM000017X", Address: "深圳市南山区模拟路 17 号 3 栋 / 1201",
		LegalPerson: "王海岚", LegalPhone: "13300000170", Created: day(2021, 4, 12),
	}
	kapok := &company{
		Name: "杭州木棉服饰有限公司", Type: "3", TaxNumber: "91330100SIM0000282", Address: "杭州市西湖区样例街 8 号",
		LegalPerson: "林木棉", LegalPhone: "13300000280", Created: day(2019, 11, 3),
	}
	return []user{
		{
			Username: "lanjing", Password: "zhiyun-lanjing", RealName: "王海岚", Phone: "13300000170", Sex: "1", Admin: true,
			Created: day(2021, 4, 12), Company: whale, About: bench.Text{ZH: "企业管理员，资料完整", EN: "Administers an enterprise; everything is filled in"},
		},
		{
			Username: "mumian", Password: "zhiyun-mumian", RealName: "周小禾", Phone: "13300000281", Sex: "3",
			Created: day(2022, 8, 30), Company: kapok, About: bench.Text{ZH: "企业员工，不是管理员", EN: "An employee, not the administrator"},
		},
		{
			Username: "chenmo", Password: "zhiyun-chenmo", RealName: "陈默", Phone: "13300000355", Sex: "1", Admin: true,
			Created: day(2023, 2, 14), Company: kapok, Masked: true,
			About: bench.Text{ZH: "个人信息总是打码", EN: "Personal data always masked by the provider"},
		},
		{
			Username: "ziyou", Password: "zhiyun-ziyou", RealName: "何自由", Phone: "13300000499", Sex: "3",
			Created: day(2024, 6, 1), About: bench.Text{ZH: "没有公司（905）", EN: "No company (905)"},
		},
	}
}

func (s *Simulator) find(username string) (user, bool) {
	i := slices.IndexFunc(s.people, func(u user) bool { return u.Username == username })
	if i < 0 {
		return user{}, false
	}
	return s.people[i], true
}
