package connect_test

import (
	"context"
	"slices"
	"testing"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestWithdraw_EndsTheAccessAndAsksForReconnecting(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	for _, want := range []bool{true, false} { // the second time finds nothing to do
		ended, err := l.service.Withdraw(t.Context(), l.m.again(), l.conn)
		must(t, err)
		if ended != want {
			t.Errorf("ending the access says %v, want %v", ended, want)
		}
	}
	if n := l.count(`SELECT count(*) FROM credentials`); n != 0 {
		t.Error("the credential is still there")
	}
	if err := l.service.RequestSync(t.Context(), l.m.again(), l.conn); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("asking for a sync: %v, want conflict", err)
	}
	must(t, l.m.sync(l.conn)) // one that was on its way in the queue
	if view := l.show(); view.State != models.NeedsYou || view.Reason != models.Withdrawn || !view.Blocks[0].Fetched() {
		t.Errorf("the page shows %s (%s), data %v", view.State, view.Reason, view.Blocks[0].Fetched())
	}
	kinds := l.m.eventKinds()
	if !slices.Contains(kinds, "connection.needs_you") || !slices.Contains(kinds, "connection.withdrawn") {
		t.Errorf("the history tells %v", kinds)
	}
	if n := l.due("revocations", l.service.Revoke); n != 1 || l.fake.Calls(oauthtest.OpRevoke) != 1 {
		t.Errorf("%d revocations fell due, the provider was told %d times", n, l.fake.Calls(oauthtest.OpRevoke))
	}
	if again := l.m.connected("12345"); again.ID != l.conn || again.State != models.Connected {
		t.Errorf("reconnecting gave %v (%s), want %v connected", again.ID, again.State, l.conn)
	}
	must(t, l.m.sync(l.conn))
	if !slices.Contains(l.m.eventKinds(), "connection.recovered") {
		t.Error("nobody is told that it works again")
	}
}

// TestWithdraw_ASyncInFlightDoesNotHideIt withdraws while the provider is being read, and lets it answer then.
func TestWithdraw_ASyncInFlightDoesNotHideIt(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	entered, release := make(chan struct{}), make(chan struct{})
	l.fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (r oauth.Reading[oauth.Merchant], err error) {
			close(entered)
			<-release
			return r, nil
		}
	})
	done := make(chan error, 1)
	go func() { done <- l.m.sync(l.conn) }()
	<-entered
	_, err := l.service.Withdraw(t.Context(), l.m.again(), l.conn)
	must(t, err)
	close(release)
	<-done
	if c := l.m.connection(l.conn); c.State != models.NeedsYou || c.Reason != models.Withdrawn {
		t.Errorf("the connection is %s (%s)", c.State, c.Reason)
	}
}
