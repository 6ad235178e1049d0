package steps_test

import (
	"regexp"
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/features"
	"github.com/planeproof/planeproof/steps"
)

// phrase is one that was bound, and how many sentences it matched.
type phrase struct {
	kind messages.PickleStepType
	expr *regexp.Regexp
	used int
}

// recorder is a Binder that runs nothing.
type recorder struct{ phrases []*phrase }

func (r *recorder) Given(expr, _ any) { r.add(messages.PickleStepType_CONTEXT, expr) }
func (r *recorder) When(expr, _ any)  { r.add(messages.PickleStepType_ACTION, expr) }
func (r *recorder) Then(expr, _ any)  { r.add(messages.PickleStepType_OUTCOME, expr) }

func (r *recorder) add(kind messages.PickleStepType, expr any) {
	r.phrases = append(r.phrases, &phrase{kind: kind, expr: regexp.MustCompile(expr.(string))})
}

// TestEachSentenceMatchesOnePhrase also asks that each phrase is used, and begins and ends with its sentence.
func TestEachSentenceMatchesOnePhrase(t *testing.T) {
	t.Parallel()
	var bound recorder
	steps.Bind(&bound)
	suite := godog.TestSuite{Options: &godog.Options{FS: features.FS, Paths: []string{"."}}}
	parsed, err := suite.RetrieveFeatures()
	require.NoError(t, err)
	for _, feature := range parsed {
		for _, pickle := range feature.Pickles {
			for _, step := range pickle.Steps {
				var matches []string
				for _, p := range bound.phrases {
					if p.expr.MatchString(step.Text) {
						p.used++
						matches = append(matches, p.expr.String())
						assert.Equal(t, p.kind, step.Type, "%s: %q is said by a phrase of another kind", feature.Uri, step.Text)
					}
				}
				assert.Len(t, matches, 1, "%s: %q", feature.Uri, step.Text)
			}
		}
	}
	for _, p := range bound.phrases {
		assert.NotZero(t, p.used, "no scenario says %s", p.expr)
		assert.Regexp(t, `^\^.*\$$`, p.expr.String(), "a phrase is the whole sentence")
	}
}
