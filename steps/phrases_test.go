package steps_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/features"
	"github.com/planeproof/planeproof/steps"
)

var update = flag.Bool("update", false, "write docs/phrases.md anew")

// phrase is one that was bound, and the sentences that it matched, by feature file.
type phrase struct {
	kind    messages.PickleStepType
	expr    *regexp.Regexp
	method  string
	example string
	files   map[string]bool
	used    int
}

// recorder is a Binder that runs nothing.
type recorder struct{ phrases []*phrase }

func (r *recorder) Given(expr, do any) { r.add(messages.PickleStepType_CONTEXT, expr, do) }
func (r *recorder) When(expr, do any)  { r.add(messages.PickleStepType_ACTION, expr, do) }
func (r *recorder) Then(expr, do any)  { r.add(messages.PickleStepType_OUTCOME, expr, do) }

func (r *recorder) add(kind messages.PickleStepType, expr, do any) {
	name := runtime.FuncForPC(reflect.ValueOf(do).Pointer()).Name()
	r.phrases = append(r.phrases, &phrase{
		kind: kind, expr: regexp.MustCompile(expr.(string)), method: name[strings.LastIndex(name, ".")+1:], files: map[string]bool{},
	})
}

// TestEachSentenceMatchesOnePhrase also asks that each phrase is used, and begins and ends with its sentence.
func TestEachSentenceMatchesOnePhrase(t *testing.T) {
	t.Parallel()
	for _, p := range saidBy(t) {
		assert.NotZero(t, p.used, "no scenario says %s", p.expr)
		assert.Regexp(t, `^\^.*\$$`, p.expr.String(), "a phrase is the whole sentence")
	}
}

// saidBy are all phrases, each with the sentences of the features that it says.
func saidBy(t *testing.T) []*phrase {
	t.Helper()
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
						p.files[feature.Uri] = true
						if p.example == "" {
							p.example = step.Text
						}
						matches = append(matches, p.expr.String())
						assert.Equal(t, p.kind, step.Type, "%s: %q is said by a phrase of another kind", feature.Uri, step.Text)
					}
				}
				assert.Len(t, matches, 1, "%s: %q", feature.Uri, step.Text)
			}
		}
	}
	return bound.phrases
}

// methods are the methods of Steps with their comments, by name.
func methods(t *testing.T) map[string]*ast.FuncDecl {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	all := map[string]*ast.FuncDecl{}
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv != nil {
				all[f.Name.Name] = f
			}
		}
	}
	return all
}

// spoken writes an expression as a sentence: ‹name› for each group that is an argument, named as the method names it, `[…]` for what may be
// left out. values are what such a group offers.
func spoken(expr string, names []string) (sentence string, values []string) {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		switch {
		case expr[i] == '\\':
			i++
			b.WriteByte(expr[i])
		case expr[i] != '(':
			b.WriteByte(expr[i])
		default:
			end := closing(expr, i)
			optional := end+1 < len(expr) && expr[end+1] == '?'
			inner, quiet := strings.CutPrefix(expr[i+1:end], "?:")
			said := ""
			if quiet {
				groups := regexp.MustCompile(`\((?:[^?]|$)`).FindAllString(strings.ReplaceAll(inner, `\(`, ""), -1)
				var more []string
				said, more = spoken(inner, names[:len(groups)])
				names, values = names[len(groups):], append(values, more...)
				said = strings.ReplaceAll(said, "|", " or ")
			} else {
				said = "‹" + names[0] + "›"
				switch offered := choices(inner); {
				case strings.Contains(inner, "(?:org|project)") && names[0] != "ref":
					values = append(values, fmt.Sprintf("‹%s›: a provider secret, as ‹ref›", names[0]))
				case len(offered) > 1:
					values = append(values, fmt.Sprintf("‹%s›: `%s`", names[0], strings.Join(offered, "`, `")))
				case len(offered) == 1 && regexp.MustCompile(`^[a-z ]+$`).MatchString(inner):
					said = inner
				}
				names = names[1:]
			}
			if optional {
				said, end = "["+said+"]", end+1
			}
			b.WriteString(said)
			i = end
		}
	}
	return b.String(), values
}

// closing is where the bracket that opens at a place closes.
func closing(expr string, at int) int {
	depth := 0
	for i := at; i < len(expr); i++ {
		switch expr[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(expr)
}

// choices are what a group offers, spelled out: `…` for any words, N for a number.
func choices(group string) []string {
	plain := strings.NewReplacer(`"[^"]*"`, `"…"`, `[a-z0-9-]+`, "…", `\d+`, "N", `.+`, "…", `\(`, "(", `\)`, ")").Replace(group)
	if strings.Contains(plain, "?:") {
		return nil // a ref or a list, which the page explains
	}
	return strings.Split(plain, "|")
}

const preface = `# Phrases

What a sentence of ` + "`features/`" + ` can say. This page is made from ` + "`steps/`" + ` by ` + "`go test ./steps -run Page -update`" + `.

‹…› stands for words, ` + "`[…]`" + ` may be left out. Two things are in many sentences:

* ‹ref› is a provider secret: ` + "`\"acme\"`, `the org's \"acme\"` or `the project's \"acme\"`" + `. A name alone that several secrets have is an error.
* ‹who› is who calls a model. A Then about a caller is about its own call: if the latest call is another's, the scenario is broken.

Every scenario starts with a data plane on v2 and a gateway that accepts Bearer tokens. A Given or When that gives way breaks the scenario; a Then
that finds a mismatch fails it. A remedy that gives way fails it too where the remedy is what is judged.
`

// page writes docs/phrases.md.
func page(t *testing.T) string {
	t.Helper()
	all, declared := saidBy(t), methods(t)
	var b strings.Builder
	b.WriteString(preface)
	for _, kind := range []struct {
		of   messages.PickleStepType
		name string
	}{{messages.PickleStepType_CONTEXT, "Given"}, {messages.PickleStepType_ACTION, "When"}, {messages.PickleStepType_OUTCOME, "Then"}} {
		of := slices.DeleteFunc(slices.Clone(all), func(p *phrase) bool { return p.kind != kind.of })
		fmt.Fprintf(&b, "\n## %s: %d phrases\n", kind.name, len(of))
		for _, p := range of {
			f := declared[p.method]
			require.NotNil(t, f, p.method)
			var names []string
			for _, field := range f.Type.Params.List[1:] {
				for _, name := range field.Names {
					names = append(names, name.Name)
				}
			}
			doc, found := strings.CutPrefix(strings.Join(strings.Fields(f.Doc.Text()), " "), p.method+" ")
			if !assert.True(t, found, "%s has no comment that begins with its name", p.method) {
				continue
			}
			sentence, values := spoken(strings.Trim(p.expr.String(), "^$"), names)
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", sentence, strings.ToUpper(doc[:1])+doc[1:])
			for _, one := range values {
				fmt.Fprintf(&b, "* %s\n", one)
			}
			fmt.Fprintf(&b, "* such as: `%s`\n* in %s\n", p.example, strings.Join(slices.Sorted(maps.Keys(p.files)), ", "))
		}
	}
	return b.String()
}

// TestPageOfPhrases: a page that nobody makes anew is wrong before long.
func TestPageOfPhrases(t *testing.T) {
	t.Parallel()
	const file = "../docs/phrases.md"
	now := page(t)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(now), 0o644))
	}
	there, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(there), now, "run: go test ./steps -run Page -update")
}

func TestSpoken(t *testing.T) {
	t.Parallel()
	sentence, values := spoken(`(a|b \(c\)) sees "([^"]*)"(?: for ((?:the )?"[^"]*"))?( again)?(?:, (\d+) times)?`, []string{"who", "what", "ref", "more", "times"})
	assert.Equal(t, `‹who› sees "‹what›"[ for ‹ref›][ again][, ‹times› times]`, sentence)
	assert.Equal(t, []string{"‹who›: `a`, `b (c)`"}, values)
}
