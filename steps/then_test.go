package steps

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/evidence"
)

// row is a sentence of a Then, a World in which it holds, and Worlds in which it must not: one for each thing that it compares.
type row struct {
	then  string
	given func(*rig) // what all these Worlds have
	holds func(*rig)
	fails []fault
}

// fault is what makes a World bad, and words of the mismatch that must be found in it.
type fault struct {
	what, expected, actual string
	made                   func(*rig)
}

// rows are those of all Thens.
func rows() []row {
	return slices.Concat(planeRows(), gatewayRows(), seenRows(), secretRows(), unchangedRows(), scorerRows(), alikeRows(), proxyRows(),
		logRows(), guideRows(), tokenRows(), apiRows(), fixRows(), auditRows())
}

// then is a phrase that judges.
type then struct {
	expr *regexp.Regexp
	do   reflect.Value
}

// thens is a Binder that keeps what judges.
type thens []then

func (*thens) Given(any, any) {}
func (*thens) When(any, any)  {}
func (t *thens) Then(expr, do any) {
	*t = append(*t, then{regexp.MustCompile(expr.(string)), reflect.ValueOf(do)})
}

// find is the one phrase that says a sentence.
func (t *thens) find(tb testing.TB, sentence string) then {
	tb.Helper()
	i := slices.IndexFunc(*t, func(one then) bool { return one.expr.MatchString(sentence) })
	require.GreaterOrEqual(tb, i, 0, "no Then says %q", sentence)
	return (*t)[i]
}

// ask says a sentence to a World.
func (one then) ask(r *rig, sentence string) error {
	in := []reflect.Value{reflect.ValueOf(r.Steps), reflect.ValueOf(r.t.Context())}
	for i, word := range one.expr.FindStringSubmatch(sentence)[1:] {
		if one.do.Type().In(2+i).Kind() == reflect.Int {
			number, err := strconv.Atoi(word)
			require.NoError(r.t, err)
			in = append(in, reflect.ValueOf(number))
			continue
		}
		in = append(in, reflect.ValueOf(word))
	}
	err, _ := one.do.Call(in)[0].Interface().(error)
	return err
}

func boundThens() *thens {
	var bound thens
	Bind(&bound)
	return &bound
}

// TestThens: a Then that never fails lets a broken system pass, and one that always fails says nothing either.
func TestThens(t *testing.T) {
	t.Parallel()
	bound := boundThens()
	for _, row := range rows() {
		one := bound.find(t, row.then)
		t.Run(row.then, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, one.ask(row.world(t, row.holds), row.then), "it must hold where all is well")
			require.NotEmpty(t, row.fails)
			for i, bad := range row.fails {
				err := one.ask(row.world(t, bad.made), row.then)
				var found *evidence.Mismatch
				require.ErrorAs(t, err, &found, "%d: %s", i, bad.actual)
				assert.Contains(t, found.What, bad.what, "%d", i)
				assert.Contains(t, found.Expected, bad.expected, "%d", i)
				assert.Contains(t, found.Actual, bad.actual, "%d", i)
				assert.NotEmpty(t, bad.actual, "%d: say what is seen", i)
				assert.NotEqual(t, found.Expected, found.Actual, "%d: a reader is told the same twice", i)
			}
		})
	}
}

func (w row) world(t *testing.T, made func(*rig)) *rig {
	t.Helper()
	r := newRig(t)
	for _, prepare := range []func(*rig){w.given, made} {
		if prepare != nil {
			prepare(r)
		}
	}
	return r
}

// choice is a group of a phrase that offers words, none of which holds a group itself.
var choice = regexp.MustCompile(`\(([^()?][^()]*\|[^()]*)\)`)

// TestEveryThenHasARow asks for one with each word that a phrase offers.
func TestEveryThenHasARow(t *testing.T) {
	t.Parallel()
	bound, all := boundThens(), rows()
	require.NotEmpty(t, *bound)
	for _, one := range *bound {
		var said []string
		for _, row := range all {
			if one.expr.MatchString(row.then) {
				said = append(said, row.then)
			}
		}
		assert.NotEmpty(t, said, "no row shows that this can fail: %s", one.expr)
		source := one.expr.String()
		for _, group := range choice.FindAllStringSubmatchIndex(source, -1) {
			for words := range strings.SplitSeq(source[group[2]:group[3]], "|") {
				only := regexp.MustCompile(source[:group[2]] + words + source[group[3]:])
				assert.True(t, slices.ContainsFunc(said, only.MatchString), "no row says %q in %s", words, source)
			}
		}
	}
	fails := 0
	for _, row := range all {
		fails += len(row.fails)
	}
	t.Logf("%d phrases, %d rows, %d Worlds in which one must fail", len(*bound), len(all), fails)
}

// TestACallIsItsCallers: what another caller was answered says nothing of this one.
func TestACallIsItsCallers(t *testing.T) {
	t.Parallel()
	for _, who := range callers() {
		for _, row := range callerRows(who) {
			one := boundThens().find(t, row.then)
			for _, other := range callers() {
				err := one.ask(row.world(t, func(r *rig) { r.called(other, 200) }), row.then)
				if other != who {
					require.ErrorContains(t, err, "no call of "+who+" was made: the latest is one of "+other, row.then)
					var found *evidence.Mismatch
					require.NotErrorAs(t, err, &found, "nothing was found out: %s", row.then)
				}
			}
		}
	}
}

// TestACallHasItsCaller follows the callers from the sentences that make calls.
func TestACallHasItsCaller(t *testing.T) {
	t.Parallel()
	options := []string{"", `model "other"`, "a wrong Braintrust key", "its Braintrust key as x-api-key", "the answer cache", "the credential cache"}
	for _, who := range callers() {
		r := newRig(t)
		for _, with := range options {
			require.NoError(t, r.run(t.Context(), who, with, "2"))
		}
		require.Len(t, r.World.Probes, 2*len(options))
		seen := map[string]bool{}
		for i, p := range r.World.Probes {
			assert.Equal(t, who, p.Caller)
			p.Nonce = ""
			seen[fmt.Sprintf("%v %v", p.Call, p.Key == r.World.ScorerKey())] = true
			assert.Equal(t, options[i/2] == "the answer cache", r.World.Probes[i].Nonce == r.World.Probes[i/2*2].Nonce && r.World.Probes[i/2*2].Nonce == r.World.Probes[i/2*2+1].Nonce)
		}
		assert.Len(t, seen, len(options), "each option makes another call: %v", seen)
	}
}

// TestANameOfTwoSecretsIsNoRef: "acme" never means one of them silently.
func TestANameOfTwoSecretsIsNoRef(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	org := r.org("acme", "")
	meant, err := r.secret(`"acme"`)
	require.NoError(t, err)
	assert.Same(t, org, meant)
	own := r.project("acme", "")
	_, err = r.secret(`"acme"`)
	require.ErrorContains(t, err, "say whose is meant, the org's or the project's")
	for ref, want := range map[string]any{`the org's "acme"`: org, `the project's "acme"`: own} {
		meant, err = r.secret(ref)
		require.NoError(t, err)
		assert.Same(t, want, meant)
	}
}
