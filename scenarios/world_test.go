package scenarios

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/leak"
	"github.com/planeproof/planeproof/target"
	"github.com/planeproof/planeproof/target/settings"
)

func TestMetadataEditsOneKeyAndLeavesTheBytes(t *testing.T) {
	t.Parallel()
	got, err := Metadata{{"gpt-4.1", true}, {"a|b#c", 1}}.set([]byte(`{ "b":1.0,"gpt-4.1":  false , "html":"<&>" }`))
	require.NoError(t, err)
	assert.Equal(t, `{ "b":1.0,"gpt-4.1":  true , "html":"<&>" ,"a|b#c":1}`, string(got))
	for _, bad := range []string{"", "7", "[]", `{"a":`, "null"} {
		_, err := Metadata{{"a", 1}}.set([]byte(bad))
		require.ErrorContains(t, err, "metadata is not an object", bad)
	}
}

func TestSameJSON(t *testing.T) {
	t.Parallel()
	assert.True(t, sameJSON(map[string]any{"a": 1, "b": []string{"x"}}, map[string]any{"b": []any{"x"}, "a": 1.0}))
	assert.False(t, sameJSON([]int{1, 2}, []int{2, 1}))
	assert.False(t, sameJSON(map[string]any{"a": nil}, map[string]any{}))
}

// nowhere is a share whose systems give no answer, and that takes all settings but refused ones.
type nowhere struct {
	target.Share
	id      string
	refused error
	applied []target.System
}

func (n *nowhere) Reach() target.Reach {
	return target.Reach{
		API: "http://data-plane:8080/" + n.id, Upstream: "http://gateway:8080/" + n.id, Client: &http.Client{Transport: n},
	}
}

func (n *nowhere) Apply(_ context.Context, to target.System, _ settings.Settings) error {
	n.applied = append(n.applied, to)
	return n.refused
}

func (*nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

// onlyShare is a target that has one share.
type onlyShare struct {
	target.Target
	share *nowhere
}

func (onlyShare) Describe() target.Description { return target.Description{} }

func (o onlyShare) Open(_ context.Context, s target.Scenario) (target.Share, error) {
	o.share.id = s.ID
	return o.share, nil
}

// TestANameOfTwoSecretsIsAmbiguous: neither is meant more than the other.
func TestANameOfTwoSecretsIsAmbiguous(t *testing.T) {
	t.Parallel()
	org, own, elsewhere := &Secret{Name: "acme", Level: Org}, &Secret{Name: "acme", Level: Project}, &Secret{Name: "other", Level: Project}
	w := &World{secrets: []*Secret{org, own, elsewhere}}
	for level, want := range map[Level]*Secret{Org: org, Project: own} {
		got, err := w.Secret("acme", level)
		require.NoError(t, err)
		assert.Same(t, want, got)
	}
	got, err := w.Secret("other", "")
	require.NoError(t, err)
	assert.Same(t, elsewhere, got)
	_, err = w.Secret("acme", "")
	require.ErrorContains(t, err, "has made 2 of that name: say whose is meant")
	_, err = w.Secret("other", Org)
	require.ErrorContains(t, err, "has made none of that name")
	w.secrets = append(w.secrets, &Secret{Name: "other", Level: Project, Project: "beta"})
	_, err = w.Secret("other", Project)
	require.ErrorContains(t, err, "has made 2 of that name")
}

func TestMannersAreSettings(t *testing.T) {
	t.Parallel()
	w, err := Open(t.Context(), onlyShare{share: &nowhere{}}, &evidence.Redactor{}, evidence.NewKey())
	require.NoError(t, err)
	for _, manner := range PlaneManners() {
		require.NoError(t, w.PlaneThat(manner))
		before := w.settings.DataPlane
		w.settings.DataPlane = settings.DataPlane{}
		require.NoError(t, w.PlaneThat(manner))
		assert.NotEqual(t, settings.DataPlane{}, w.settings.DataPlane, "%s changes nothing", manner)
		w.settings.DataPlane = before
	}
	require.ErrorContains(t, w.PlaneThat("flies"), "none flies")
	require.ErrorContains(t, w.GatewayThat(t.Context(), "flies"), "none flies")
}

func TestSettingsAreAppliedOnceWhereTheyAreMet(t *testing.T) {
	t.Parallel()
	n := &nowhere{}
	w, err := Open(t.Context(), onlyShare{share: n}, &evidence.Redactor{}, evidence.NewKey())
	require.NoError(t, err)
	w.ServeModel("one")
	require.NoError(t, w.GatewayThat(t.Context(), "lists its models to anyone"))
	assert.Empty(t, n.applied, "nothing has been asked of a system")
	_, _ = w.API(t.Context(), "key-of-nobody", http.MethodGet, "/v1/project", nil)
	_, _ = w.API(t.Context(), "key-of-nobody", http.MethodGet, "/v1/project", nil)
	assert.Equal(t, []target.System{target.DataPlane}, n.applied, "the control API meets nothing else")
	require.NoError(t, w.Settle(t.Context()))
	assert.Equal(t, []target.System{target.DataPlane, target.Gateway}, n.applied, "there is no legacy proxy on v2")
	require.NoError(t, w.Serve("v1 (legacy-2026-02)"))
	_, _ = w.API(t.Context(), "key-of-nobody", http.MethodPost, "/v1/proxy/chat/completions", nil)
	assert.Equal(t, []target.System{target.DataPlane, target.Gateway, target.DataPlane, target.LegacyProxy}, n.applied)

	n.refused = &target.NotSupported{Reason: "never"}
	require.NoError(t, w.GatewayThat(t.Context(), "lists its models to anyone"))
	var not *target.NotSupported
	require.ErrorAs(t, w.Settle(t.Context()), &not)
	_, err = w.API(t.Context(), "key-of-nobody", http.MethodPost, "/v1/proxy/chat/completions", nil)
	require.ErrorAs(t, err, &not)
}

func TestNoAnswerBreaksAWorldUnlessItMay(t *testing.T) {
	t.Parallel()
	w, err := Open(t.Context(), onlyShare{share: &nowhere{}}, &evidence.Redactor{}, evidence.NewKey())
	require.NoError(t, err)
	_, err = w.API(MayFail(t.Context()), "key-of-nobody", http.MethodGet, "/v1/project", nil)
	require.ErrorContains(t, err, "no route")
	require.NoError(t, w.Broken())
	_, err = w.API(t.Context(), "key-of-nobody", http.MethodGet, "/v1/project?limit=1", nil)
	require.ErrorContains(t, err, "no route")
	require.ErrorContains(t, w.Broken(), "no answer from data-plane:8080: no route")

	kept := w.Exchanges()
	require.Len(t, kept, 2)
	assert.Equal(t, "data-plane/v1/project?limit=1", kept[1].Path, "without the tenant, which says nothing")
	assert.Equal(t, "no route", kept[1].Note)
	assert.Zero(t, kept[1].Status)
	assert.Equal(t, 2, kept[1].Seq)
}

func TestMintHidesWhatItMakes(t *testing.T) {
	t.Parallel()
	w := &World{Redactor: &evidence.Redactor{}, scenario: target.Scenario{Key: evidence.NewKey()}}
	secret := w.Mint("token of acme", "sk-org-")
	assert.Regexp(t, `^sk-org-[a-z0-9]{24}$`, secret)
	assert.Equal(t, "got ‹token of acme "+w.Fingerprint(secret)+"›", w.Redactor.String("got "+secret))
	assert.NotEqual(t, secret, w.Mint("token of acme", "sk-org-"))
}

// TestExcerptIsRedactedBeforeItIsCut: a cut through a token would leave most of it.
func TestExcerptIsRedactedBeforeItIsCut(t *testing.T) {
	t.Parallel()
	w := &World{Redactor: &evidence.Redactor{}, scenario: target.Scenario{Key: evidence.NewKey()}}
	secret := w.Mint("token of acme", "sk-org-")
	for before := 260; before <= 300; before++ {
		body := "somebody else's cut: " + secret[7:19] + "… " + strings.Repeat("x ", before/2-18) + secret
		shown := Answer{Body: []byte(body), redactor: w.Redactor}.Excerpt()
		assert.Empty(t, leak.Find(shown, []string{secret}), shown)
		kept := &Recorded{Exchange: evidence.Exchange{Status: 401}}
		kept.body.WriteString(body)
		w.recorded = []*Recorded{kept}
		assert.Empty(t, leak.Find(w.Exchanges()[0].Note, []string{secret}))
	}
}
