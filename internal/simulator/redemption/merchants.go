package redemption

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"mooring/internal/simulator/bench"
)

// merchant is a business with an account here. It signs with an MD5 key or with RSA, as it was set up.
type merchant struct {
	BusinessID, MerchantID string
	Name, About            bench.Text
	MD5Key                 string // empty: MD5 is refused
	RSA                    bool   // whether its public key is with the platform
	Balance, CreditLine    int64  // in fen
	Daily                  int64  // what it spends on an ordinary day, in fen
}

// merchants are the sample merchants; their names are invented.
func merchants() []merchant {
	return []merchant{
		{
			BusinessID: "820260101001", MerchantID: "M10086021", RSA: true, Balance: 12_864_055, CreditLine: 5_000_000, Daily: 38_600,
			Name:  bench.Text{ZH: "深圳市松果文化传播有限公司", EN: "Shenzhen Pinecone Culture Co., Ltd."},
			About: bench.Text{ZH: "RSA 签名；余额充足", EN: "Signs with RSA; a comfortable balance"},
		},
		{
			BusinessID: "820260101002", MerchantID: "M10086022", MD5Key: "lantern-and-leaf-5f2c7d", Balance: 310_020, Daily: 9_900,
			Name:  bench.Text{ZH: "Lantern & Leaf Rewards", EN: "Lantern & Leaf Rewards"},
			About: bench.Text{ZH: "MD5 签名；没有授信额度", EN: "Signs with MD5; no credit line"},
		},
		{
			BusinessID: "820260101003", MerchantID: "M10086023", RSA: true, MD5Key: "qinghe-life-0b81e6", Balance: -845_510, CreditLine: 20_000_000, Daily: 120_400,
			Name:  bench.Text{ZH: "杭州青禾生活服务有限公司", EN: "Hangzhou Greengrain Services Co., Ltd."},
			About: bench.Text{ZH: "RSA 或 MD5；余额为负，正在使用授信额度", EN: "RSA or MD5; below zero, living on its credit line"},
		},
	}
}

// person is somebody with an Alipay account.
type person struct {
	ID    string
	Name  bench.Text
	Login string
}

func persons() []person {
	return []person{
		{"xiaohe", bench.Text{ZH: "王小禾", EN: "Wang Xiaohe"}, "138****0101"},
		{"amei", bench.Text{ZH: "陈阿梅", EN: "Chen Amei"}, "139****0202"},
		{"daniel", bench.Text{ZH: "Daniel Reed", EN: "Daniel Reed"}, "dan***@example.com"},
	}
}

func findPerson(id string) (person, bool) {
	i := slices.IndexFunc(persons(), func(p person) bool { return p.ID == id })
	if i < 0 {
		return person{}, false
	}
	return persons()[i], true
}

// openID is Alipay's name for a person towards one merchant: always the same, and another one for every merchant.
func openID(merchantID, personID string) string {
	sum := sha256.Sum256([]byte(merchantID + "|" + personID))
	return "0" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// business finds a merchant by its businessId.
func (s *Simulator) business(id string) (merchant, bool) {
	i := slices.IndexFunc(s.people, func(m merchant) bool { return m.BusinessID == id })
	if i < 0 {
		return merchant{}, false
	}
	return s.people[i], true
}

// another is some other merchant than this one, always the same.
func (s *Simulator) another(than string) merchant {
	i := slices.IndexFunc(s.people, func(m merchant) bool { return m.BusinessID == than })
	return s.people[(i+1)%len(s.people)]
}

// Sample is what the platform issues to a merchant, for the program that connects it.
type Sample struct {
	Name, BusinessID, MerchantID string
	SignType                     string // SHA256RSA or MD5: the one to use
	MD5Key                       string // empty: not set up
	PrivateKeyPEM                string // PKCS #8; empty: not set up
	PrivateKey                   string // the same as Base64 DER on one line
}

// Samples are the sample merchants with their keys.
func (s *Simulator) Samples() ([]Sample, error) {
	list := make([]Sample, 0, len(s.people))
	for _, m := range s.people {
		sample := Sample{Name: m.Name.EN, BusinessID: m.BusinessID, MerchantID: m.MerchantID, SignType: MD5, MD5Key: m.MD5Key}
		if m.RSA {
			var err error
			sample.SignType = SHA256RSA
			if sample.PrivateKey, err = s.privateText(m.BusinessID); err != nil {
				return nil, err
			}
			if sample.PrivateKeyPEM, err = armour("PRIVATE KEY", sample.PrivateKey); err != nil {
				return nil, err
			}
		}
		list = append(list, sample)
	}
	return list, nil
}

// PlatformKeyPEM is the platform's public key, by which RSA callbacks are verified.
func (s *Simulator) PlatformKeyPEM() (string, error) {
	key, err := s.publicText(platformOwner)
	if err != nil {
		return "", err
	}
	return armour("PUBLIC KEY", key)
}
