package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/term"

	"mooring/internal/accounts"
	"mooring/internal/config"
	"mooring/internal/errs"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/secret"
)

type adminCmd struct {
	Roles  adminRolesCmd  `cmd:"" help:"Give a member of the staff other roles, as the database's owner."`
	Create adminCreateCmd `cmd:"" help:"Make a member of the platform's staff, as the database's owner. The password is asked for, or read from a file."`
}

type adminCreateCmd struct {
	Email        string             `required:"" help:"Address to sign in with."`
	Roles        []models.StaffRole `help:"What they may do: ${enum}. Without it everything." enum:"reviewer,operator,auditor,security"`
	PasswordFile string             `help:"File that holds the password; its last line break does not count." placeholder:"FILE"`
}

// Run carries out "web admin create".
func (a adminCreateCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Owning)
	if err != nil {
		return err
	}
	password, err := a.password(w)
	if err != nil {
		return err
	}
	err = withOwner(ctx, c, func(owner *pgxpool.Pool) error {
		return accounts.CreateAdmin(ctx, owner, a.Email, password, time.Now(), a.Roles...)
	})
	if err != nil {
		return sentence(err)
	}
	fmt.Fprintln(w.stdout, "The admin was made and can sign in.")
	return nil
}

type adminRolesCmd struct {
	Email string             `required:"" help:"Address of the member of the staff."`
	Roles []models.StaffRole `required:"" help:"What they may do from now on: ${enum}." enum:"reviewer,operator,auditor,security"`
}

// Run carries out "web admin roles".
func (a adminRolesCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Owning)
	if err != nil {
		return err
	}
	err = withOwner(ctx, c, func(owner *pgxpool.Pool) error {
		return accounts.ChangeStaffRoles(ctx, owner, a.Email, a.Roles, time.Now())
	})
	if errs.CodeOf(err) == errs.NotFound {
		return errors.New("nobody of the staff has this address; nothing was changed")
	}
	if err != nil {
		return sentence(err)
	}
	fmt.Fprintln(w.stdout, "The roles were changed.")
	return nil
}

// password reads the new password from the file, or asks for it twice where somebody can answer.
func (a adminCreateCmd) password(w world) (secret.String, error) {
	if a.PasswordFile != "" {
		text, err := os.ReadFile(a.PasswordFile)
		if err != nil {
			return secret.String{}, fmt.Errorf("--password-file: %w", err)
		}
		return secret.New(string(bytes.TrimRight(text, "\r\n"))), nil
	}
	terminal, ok := w.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return secret.String{}, misuse{errors.New("there is no terminal to ask for the password at; give --password-file")}
	}
	first, err := ask(w.stderr, terminal, "Password: ")
	if err != nil {
		return secret.String{}, err
	}
	again, err := ask(w.stderr, terminal, "The same again: ")
	if err != nil {
		return secret.String{}, err
	}
	if first != again {
		return secret.String{}, errors.New("the two passwords differ; nothing was made")
	}
	return secret.New(first), nil
}

// ask reads a line without showing it.
func ask(prompt io.Writer, terminal *os.File, question string) (string, error) {
	fmt.Fprint(prompt, question)
	answer, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(prompt)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(answer), nil
}

// sentence says in English what the pages would say of an error that is meant for a person.
func sentence(err error) error {
	var faults accounts.Faults
	if !errors.As(err, &faults) {
		faults = accounts.Faults{err}
	}
	bundle, bundleErr := i18n.NewBundle()
	if bundleErr != nil {
		return errors.Join(err, bundleErr)
	}
	var texts []string
	for _, fault := range faults {
		e, ok := errors.AsType[*errs.Error](fault)
		if !ok || e.Code == errs.Internal || e.Code == errs.Unavailable {
			return err
		}
		text := bundle.Printer("en").T(e.Key, e.Args)
		if e.Field != "" {
			text = e.Field + ": " + text
		}
		texts = append(texts, text)
	}
	return errors.New(strings.Join(texts, " "))
}
