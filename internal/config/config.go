// Package config owns the way from the environment to values: it is the only reader of the environment, and it reports
// every fault at once.
//
// A fault names the variable and what is expected there, never the value, because half of these values are secrets and
// the other half may be a secret pasted into the wrong line. What a provider needs is not written here: its descriptor
// says it, so a sixth provider changes nothing in this room. Opening databases, keys and listeners belongs to cmd/web.
package config

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// Config is everything the program was told, checked. It is a plain value and never changes.
type Config struct {
	Database Database

	ListenAddr    string
	MetricsAddr   string // empty: metrics are off
	SimulatorAddr string // the first of six addresses with consecutive ports
	PublicURL     string // scheme://host[:port], the only source of absolute addresses
	Secure        bool   // PublicURL is https

	DataDir    string
	AuditDir   string // where the heads of the audit chains are kept, outside the database
	Keyset     secret.String
	KeysetFile string // where Keyset came from, if from a file

	TrustedProxies []netip.Prefix
	OutboundAllow  []string // CIDRs or host:port; outbound parses them again

	RefreshAhead time.Duration // before its end a token is renewed, a third of its life at most

	SMTPURL  secret.String // empty: there is no mail
	MailFrom string

	LogLevel  slog.Level
	LogFormat string // "json" or "text"

	Providers []Provider // one per descriptor, in their order
}

// Database says where PostgreSQL is. Every address carries a password.
type Database struct {
	App      secret.String // the plain serving role; empty: a private PostgreSQL in DataDir
	Platform secret.String // the admins' role
	Owner    secret.String // the owner, who may migrate; empty: serve only checks the version
}

// Private says whether the program starts a PostgreSQL of its own.
func (d Database) Private() bool { return d.App.IsEmpty() }

// Provider is what the environment says about one provider.
type Provider struct {
	Slug        string
	Environment oauth.Environment
	Settings    oauth.Settings
	Missing     []string // names of required variables that are not set; a provider that misses one is not offered
}

// Offered says whether every required setting is there.
func (p Provider) Offered() bool { return len(p.Missing) == 0 }

// Purpose is what the configuration is for. It decides which variables must be there; a variable that is there must
// be right whatever the purpose.
type Purpose int

// The purposes, one per group of commands.
const (
	Serving    Purpose = iota // everything
	Owning                    // a database and its owner: migrations, making admins
	Auditing                  // a database and its platform role: reading the history
	Simulating                // nothing
)

// Env is the world that Load reads.
type Env struct {
	Lookup   func(name string) (value string, set bool)
	ReadFile func(path string) ([]byte, error)

	// What other rooms know better. nil: anything goes; the errors are not shown.
	CheckKeyset   func(text []byte) error
	CheckOutbound func(entries []string) error
	CheckMail     func(url secret.String, from string) error
}

// Load reads the configuration. Its error is a Faults with all that is wrong; the Config beside it holds what was right,
// so that doctor can go on.
func Load(env Env, purpose Purpose, descriptors []oauth.Descriptor) (Config, error) {
	r := &reader{env: env}
	c := Config{
		ListenAddr:    r.addr("LISTEN_ADDR", "127.0.0.1:8080"),
		MetricsAddr:   r.metricsAddr(),
		SimulatorAddr: r.simulatorAddr(),
		DataDir:       r.text("DATA_DIR", "./data"),
	}
	c.AuditDir = r.text("AUDIT_CHECKPOINTS", filepath.Join(c.DataDir, "audit"))
	c.PublicURL, c.Secure = r.publicURL(purpose)
	c.Database = r.database(purpose)
	c.Keyset, c.KeysetFile = r.keyset(purpose)
	c.TrustedProxies = r.prefixes("TRUSTED_PROXIES")
	c.OutboundAllow = r.allowlist("OUTBOUND_ALLOW")
	c.RefreshAhead = r.duration("REFRESH_AHEAD", 5*time.Minute, time.Second, 24*time.Hour)
	c.SMTPURL, c.MailFrom = r.mail()
	c.LogLevel, c.LogFormat = r.log()
	for _, d := range descriptors {
		c.Providers = append(c.Providers, r.provider(d))
	}
	return c, r.faults.orNil()
}
