// Command lists shows what the staff's lists and searches cost with 1,000 merchants and 5,000 connections, and what the same
// pages cost with a hundred times as many.
//
//	go run ./bench/lists
//
// It starts two PostgreSQL servers in folders of its own, fills them with SQL (fill.sql), and asks both for each page in
// turns, through the whole router and signed in as staff, so that whatever else the machine does falls on both. It ends with
// 1 if a page takes more than 1.5 times as long. bench/README.md has the last figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// goal is how much longer a page may take with a hundred times the merchants.
const goal = 1.5

var errMissed = errors.New("a goal was missed")

type options struct {
	small, large, rounds, deep int
	dir                        string
	only                       *regexp.Regexp
}

func main() {
	var o options
	flag.IntVar(&o.small, "small", 1_000, "merchants in the small database; connections are five times as many")
	flag.IntVar(&o.large, "large", 100_000, "merchants in the large database")
	flag.IntVar(&o.rounds, "rounds", 60, "how often each page is asked for, after twelve times that do not count")
	flag.IntVar(&o.deep, "deep", 200, "which page a deep page is; in the small database the last one but one, if that comes sooner")
	flag.StringVar(&o.dir, "dir", "", "keep the databases in this folder and take them up again; empty: make and remove them")
	only := flag.String("only", "", "measure only the lists whose name matches")
	flag.Parse()
	err := func() (err error) {
		if o.only, err = regexp.Compile(*only); err != nil {
			return fmt.Errorf("-only: %w", err)
		}
		return run(o)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lists:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "mooring-bench-"); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(o.dir) }()
	}
	var both [2]*world
	defer func() {
		for _, w := range both {
			if w != nil {
				w.close()
			}
		}
	}()
	for i, size := range []int{o.small, o.large} {
		if both[i], err = openWorld(ctx, o.dir, size); err != nil {
			return err
		}
		fmt.Println(both[i].about(ctx))
	}
	found, err := measureAll(ctx, o, both[0], both[1])
	if err != nil {
		return err
	}
	if !tell(found) {
		return errMissed
	}
	return nil
}
