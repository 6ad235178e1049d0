package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	tagexpressions "github.com/cucumber/tag-expressions/go/v6"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/nearest"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/report"
	"github.com/planeproof/planeproof/target"
)

// catalog reads every scenario of the feature files, each row of an outline by itself, in the order of the files. godog reads the chosen
// files once more when it runs: it takes files or their bytes, never what it has parsed (godog.TestSuite.RetrieveFeatures).
func catalog(features fs.FS) ([]*record, error) {
	suite := godog.TestSuite{Options: &godog.Options{FS: features, Paths: []string{"."}}}
	parsed, err := suite.RetrieveFeatures()
	if err != nil {
		return nil, fmt.Errorf("read features: %w", err)
	}
	var all []*record
	for _, feature := range parsed {
		for _, pickle := range feature.Pickles {
			r, err := newRecord(feature.FindScenario(pickle.AstNodeIds[0]), pickle)
			if err != nil {
				return nil, fmt.Errorf("read features: %s: %w", feature.Uri, err)
			}
			for _, step := range pickle.Steps { // those of a Background are not in the scenario's source
				r.keywords = append(r.keywords, strings.TrimSpace(feature.FindStep(step.AstNodeIds[0]).Keyword))
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// behaviourTag is the tag of a behaviour: the family in capitals and a number.
var behaviourTag = regexp.MustCompile(`^@([A-Z]+)-\d+$`)

// newRecord reads what a scenario's source says about it. The id is the behaviour id, `/`, the slug of the title, and the columns of
// an outline's row.
func newRecord(source *messages.Scenario, pickle *messages.Pickle) (*record, error) {
	r := &record{pickle: pickle, Scenario: report.Scenario{
		Title: pickle.Name, File: "features/" + pickle.Uri, Line: int(source.Location.Line),
	}}
	for _, tag := range pickle.Tags {
		r.Tags = append(r.Tags, tag.Name)
		if m := behaviourTag.FindStringSubmatch(tag.Name); m != nil {
			if r.Behaviour != "" {
				return nil, fmt.Errorf("scenario %q has two behaviour ids", source.Name)
			}
			r.Behaviour, r.Family = strings.TrimPrefix(tag.Name, "@"), strings.ToLower(m[1])
		}
	}
	if r.Behaviour == "" {
		return nil, fmt.Errorf("scenario %q has no behaviour id", source.Name)
	}
	r.ID = r.Behaviour + "/" + slug(source.Name)
	if len(pickle.AstNodeIds) > 1 {
		columns, line := row(source, pickle.AstNodeIds[1])
		r.ID += "[" + columns + "]"
		r.Line = line
	}
	r.Reproduction = slices.Contains(r.Tags, "@reproduction")
	return r, errors.Join(r.readNeeds(), r.readJudges(), r.readFails())
}

// readJudges reads what a failure of the scenario would condemn; a tag with a spelling mistake must not judge nothing.
func (r *record) readJudges() error {
	for _, tag := range r.Tags {
		judge, ok := strings.CutPrefix(tag, "@judges-")
		switch {
		case !ok:
		case !slices.Contains(report.Judges(), judge):
			return fmt.Errorf("scenario %q judges %q, which is none of %s", r.Title, judge, strings.Join(report.Judges(), ", "))
		default:
			r.Judges = append(r.Judges, judge)
		}
	}
	return nil
}

// readNeeds reads the capabilities that the tags ask for; a tag with a spelling mistake must not ask for nothing.
func (r *record) readNeeds() error {
	for _, tag := range r.Tags {
		name, isNeed := strings.CutPrefix(tag, "@needs-")
		if !isNeed {
			continue
		}
		if !slices.Contains(target.Capabilities(), target.Capability(name)) {
			return fmt.Errorf("scenario %q needs %q, which is no capability", r.Title, name)
		}
		r.needs = append(r.needs, target.Capability(name))
	}
	return nil
}

// failsOn begins the tag of a generation on which the scenario is known to fail (facts: strict-schema).
const failsOn = "@fails-on-"

// readFails refuses a generation that is none: a tag with a spelling mistake must not excuse nothing.
func (r *record) readFails() error {
	for _, tag := range r.Tags {
		if name, ok := strings.CutPrefix(tag, failsOn); ok {
			if _, err := provider.ParseGeneration(name); err != nil {
				return fmt.Errorf("scenario %q: %w", r.Title, err)
			}
		}
	}
	return nil
}

// row names the columns of an outline's row as `column=value,…`, and its line.
func row(source *messages.Scenario, id string) (string, int) {
	for _, examples := range source.Examples {
		for _, body := range examples.TableBody {
			if body.Id != id {
				continue
			}
			var columns []string
			for i, cell := range body.Cells {
				columns = append(columns, examples.TableHeader.Cells[i].Value+"="+cell.Value)
			}
			return strings.Join(columns, ","), int(body.Location.Line)
		}
	}
	return "", int(source.Location.Line)
}

var notSlug = regexp.MustCompile(`[^a-z0-9_]+`)

// slug writes a title in lower case with hyphens.
func slug(title string) string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(title), "-"), "-")
}

// idForm is how an id begins that is one of nothing else, and least of all a credential.
var idForm = regexp.MustCompile(`^[A-Z]+-\d{1,3}(/[a-z-]*)?$`)

// unknownID is an id that no scenario has. Its text names the nearest there are, and may be shown as it is.
type unknownID struct{ text string }

func (e unknownID) Error() string { return e.text }

// Is makes it ErrUnknownID.
func (unknownID) Is(target error) bool { return target == ErrUnknownID }

// withIDs returns the scenarios that have one of the ids; without ids all. An id is a scenario's, that of an outline with all its rows, or
// a behaviour's.
func withIDs(all []*record, ids []string) ([]*record, error) {
	if len(ids) == 0 {
		return all, nil
	}
	var known []string
	for _, r := range all {
		for _, id := range r.ids() {
			if !slices.Contains(known, id) {
				known = append(known, id)
			}
		}
	}
	for _, id := range ids {
		if slices.Contains(known, id) {
			continue
		}
		var near []string
		for _, i := range nearest.Of(id, known) {
			near = append(near, known[i])
		}
		shown := id
		if !idForm.MatchString(id) {
			shown = evidence.Mask(id) // whatever was given in its place
		}
		text := "no scenario is called " + shown
		if len(near) > 0 {
			text += ": did you mean " + strings.Join(near, " or ") + "?"
		}
		return nil, unknownID{text}
	}
	return slices.DeleteFunc(slices.Clone(all), func(r *record) bool {
		return !slices.ContainsFunc(r.ids(), func(id string) bool { return slices.Contains(ids, id) })
	}), nil
}

// ids are all by which the scenario can be chosen.
func (r *record) ids() []string {
	outline, _, _ := strings.Cut(r.ID, "[")
	return []string{r.Behaviour, outline, r.ID}
}

// selected returns the scenarios for which the tag expression holds; an empty expression selects all.
func selected(all []*record, expression string) ([]*record, error) {
	if strings.TrimSpace(expression) == "" {
		return all, nil
	}
	tags, err := parseTags(expression)
	if err != nil {
		return nil, fmt.Errorf("%w: tag expression %q: %w", ErrUsage, expression, err)
	}
	var chosen []*record
	for _, r := range all {
		if tags.Evaluate(r.Tags) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

// parseTags parses a Cucumber tag expression. The library panics where an operand is missing, as in `@a and`.
func parseTags(expression string) (tags tagexpressions.Evaluatable, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("an operand is missing")
		}
	}()
	return tagexpressions.Parse(expression)
}
