package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"mooring/internal/config"
	"mooring/internal/vault"
)

// composition is what docker-compose.yml says, as far as it must fit the program.
type composition struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
}

type service struct {
	Image       string
	Command     []string
	Environment map[string]string
	Secrets     []string
	Deploy      struct{ Replicas int }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

func readComposition(t *testing.T) composition {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c composition
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return c
}

// setUp runs deploy/setup, but for the keyset, which it would ask an engine for.
func setUp(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	keyset, err := vault.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keyset"), keyset, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time keeps everything
		before := read(t, dir, "owner_password")
		if out, err := exec.CommandContext(t.Context(), "../../deploy/setup", dir).CombinedOutput(); err != nil {
			t.Fatalf("deploy/setup: %v\n%s", err, out)
		}
		if after := read(t, dir, "owner_password"); len(after) != 64 || before != "" && before != after {
			t.Errorf("deploy/setup made the password %q of %q", after, before)
		}
	}
	return dir
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// loadAs reads a service's environment as the program in its container would.
func (c composition) loadAs(t *testing.T, name, secrets string, purpose config.Purpose) (config.Config, error) {
	t.Helper()
	s := c.Services[name]
	readable := map[string]string{}
	for _, secret := range s.Secrets {
		if c.Secrets[secret].File != "deploy/secrets/"+secret {
			t.Errorf("the secret %s has no file of its name", secret)
		}
		readable["/run/secrets/"+secret] = read(t, secrets, secret)
	}
	defaults := regexp.MustCompile(`\$\{\w+:-([^}]*)\}`)
	return config.Load(config.Env{
		Lookup: func(name string) (string, bool) {
			value, set := s.Environment[name]
			return defaults.ReplaceAllString(value, "$1"), set
		},
		ReadFile: func(path string) ([]byte, error) {
			text, ok := readable[path]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
		CheckKeyset: checkKeyset,
	}, purpose, descriptors(factories()))
}

func TestDeploy_TheCompositionFitsTheProgram(t *testing.T) {
	t.Parallel()
	c, secrets := readComposition(t), setUp(t)

	web, err := c.loadAs(t, "web", secrets, config.Serving)
	if err != nil {
		t.Errorf("web: %v", err)
	}
	if !web.Database.Owner.IsEmpty() || web.Database.Private() || len(web.TrustedProxies) != 1 || !web.Providers[0].Offered() {
		t.Error("web: the owner's address, no database, no proxy or no provider")
	}
	if n := c.Services["web"].Deploy.Replicas; n != 2 {
		t.Errorf("%d replicas", n)
	}
	migrate, err := c.loadAs(t, "migrate", secrets, config.Owning)
	if err != nil || migrate.Database.Owner.IsEmpty() {
		t.Errorf("migrate: %v", err)
	}
	if _, err := c.loadAs(t, "simulate", secrets, config.Simulating); err != nil {
		t.Errorf("simulate: %v", err)
	}
	if on := c.Services["web"].DependsOn["migrate"].Condition; on != "service_completed_successfully" {
		t.Errorf("web does not wait for the migration: %q", on)
	}
}

func TestDeploy_ImagesHaveUsualNames(t *testing.T) {
	t.Parallel()
	names := map[string]string{}
	for name, s := range readComposition(t).Services {
		names["service "+name] = s.Image
	}
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(dockerfile), -1) {
		names["Dockerfile"+from[1]] = from[1]
	}
	if len(names) < 7 {
		t.Errorf("only %d images found", len(names))
	}
	for where, image := range names {
		if strings.Contains(image, "/") || strings.HasSuffix(image, ":latest") || image == "" {
			t.Errorf("%s uses the image %q", where, image)
		}
	}
}
