package fix

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// workaround is the second guide's: it removes from a project secret what the legacy proxy rejects, or, literally, all but the guide's
// three keys. It is offered only where the guide's three conditions hold (behaviours: OVERRIDE 12, 13, 22).
func (s *Step) workaround(secret inventory.Secret, before map[string]any, in Situation) error {
	issues := read(in.Generation, secret, secret.Metadata)
	s.Conditions = []Condition{onLegacyProxy(in), projectUnused(secret, issues, in), keysUnrecognized(secret, issues, in)}
	var missing []string
	for _, c := range s.Conditions {
		if !c.Holds {
			missing = append(missing, c.Name+" ("+c.Judged+")")
		}
	}
	if len(missing) > 0 {
		return s.refuse("the workaround does not apply: missing is: "+strings.Join(missing, "; "), s.Conditions)
	}
	minimal := literal(before)
	if s.Remedy == Literal {
		if secret.Type != "openai" {
			return s.refuse(fmt.Sprintf("the guide's literal form makes it type openai, and it is %q", secret.Type), s.Conditions)
		}
		s.Edit, s.Costs = minimal, costs(before, minimal)
	} else {
		s.Edit.Remove = unrecognized(issues)
		s.Alternative = alternative(secret, before, minimal)
	}
	edited, err := s.Edit.Apply(secret.Metadata)
	if err != nil {
		return s.refuse(err.Error(), s.Conditions)
	}
	if left := read(in.Generation, secret, edited); len(left) > 0 {
		return s.refuse(fmt.Sprintf("%s could not read the result either: %s", in.Generation, causes(left)), s.Conditions)
	}
	if before["auth_format"] == "api_key" {
		s.note("after an upgrade a gateway that requires Api-Key needs auth_format api_key back: keep the backup")
	}
	s.note("this is temporary: the fix that lasts is an upgrade of the data plane")
	return nil
}

func onLegacyProxy(in Situation) Condition {
	c := Condition{Name: "the legacy AI proxy on an older data plane"}
	major, version, told := in.major()
	switch {
	case told && major >= 2:
		c.Judged = "the data plane says that it is " + version + ", where no legacy schema is used: not applicable on v2 and on the Gateway"
	case in.Generation == "":
		c.Judged = "no generation was given: name it with --legacy"
	case !in.strict():
		c.Judged = fmt.Sprintf("%s keeps unknown keys: not applicable there, on v2 and on the Gateway", in.Generation)
	default:
		c.Holds = true
		c.Judged = fmt.Sprintf("--legacy %s was given", in.Generation)
		if told {
			c.Judged += ", and the data plane says that it is " + version
		} else {
			c.Judged += "; the data plane does not tell its version"
		}
	}
	return c
}

// projectUnused derives from the schema what is used instead: nobody outside sees which credential the proxy takes.
func projectUnused(secret inventory.Secret, issues []provider.Issue, in Situation) Condition {
	c := Condition{Name: "project-level credentials are not used"}
	routed := provider.Secret{Name: secret.Name, Type: secret.Type, Metadata: secret.Metadata}.Decode()
	switch {
	case secret.Level != inventory.Project:
		c.Judged = "the secret belongs to the org, which the self-hosted proxy does not check"
	case routed.ExcludeDefaultModels && len(routed.CustomModels) == 0:
		c.Judged = "it serves no model, readable or not: excludeDefaultModels is true and there are no customModels"
	case in.Generation == "":
		c.Judged = "without a generation it cannot be told whether the project secret is read"
	case len(issues) == 0:
		c.Judged = fmt.Sprintf("%s can read the project secret", in.Generation)
	default:
		c.Holds = true
		c.Judged = fmt.Sprintf("derived: %s cannot read the project secret, so %s", in.Generation, fallback(secret, in.Org))
	}
	return c
}

// fallback says what a project gets instead of its own secret (facts: an unreadable project secret; behaviours: OVERRIDE-5).
func fallback(secret inventory.Secret, org []inventory.Secret) string {
	var names []string
	for _, o := range org {
		switch {
		case o.Name == secret.Name:
			return fmt.Sprintf("the org's secret of the same name %q is used", evidence.Printable(o.Name))
		case o.Type == secret.Type:
			names = append(names, fmt.Sprintf("%q", evidence.Printable(o.Name)))
		}
	}
	if len(names) == 0 {
		return "there is nothing to fall back on: the proxy finds no API keys"
	}
	return "org secrets of its type are used: " + strings.Join(names, ", ")
}

func keysUnrecognized(secret inventory.Secret, issues []provider.Issue, in Situation) Condition {
	c := Condition{Name: "unrecognized_keys in the proxy's log"}
	keys := unrecognized(issues)
	list := strings.Join(printable(keys), ", ")
	other := slices.ContainsFunc(issues, func(i provider.Issue) bool { return i.Code != provider.CodeUnrecognizedKeys })
	switch {
	case in.Generation == "":
		c.Judged = "without a generation the schema cannot say which keys it rejects"
	case other:
		c.Judged = "it is unreadable for another reason: " + causes(issues)
	case len(keys) == 0:
		c.Judged = fmt.Sprintf("%s knows all keys of %s", in.Generation, evidence.Printable(secret.Name))
	case in.Log == nil:
		c.Holds = true
		c.Judged = fmt.Sprintf("no log was given; derived from the schema of %s: it rejects %s", in.Generation, list)
	default:
		c.Holds, c.Judged = loggedKeys(*in.Log, secret, keys)
	}
	return c
}

// loggedKeys looks in the log for failures of the secret's project, and those of which the log does not say whose they are.
func loggedKeys(log proxylog.Summary, secret inventory.Secret, rejected []string) (holds bool, judged string) {
	failures, named := 0, []string{}
	for _, p := range log.Projects {
		if !isOf(p, secret.Project) {
			continue
		}
		failures += p.Unreadable
		for _, cause := range p.Causes {
			for _, issue := range cause.Issues {
				named = append(named, issue.Keys...)
			}
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	seen := func(key string) bool { return slices.Contains(named, evidence.Printable(key)) }
	switch {
	case failures == 0:
		return false, "the log given has no failure to load the secrets of this project"
	case !slices.ContainsFunc(rejected, seen):
		return false, "the log given has failures of this project, but names none of the keys that the schema rejects: " +
			strings.Join(printable(rejected), ", ")
	}
	return true, fmt.Sprintf("the log given tells %d times that the project's secrets could not be loaded, and names %s",
		failures, strings.Join(named, ", "))
}

func isOf(p proxylog.Project, project *inventory.ProjectRef) bool {
	switch {
	case p.ID == "" && p.Name == "":
		return true
	case project == nil:
		return false
	case p.ID != "":
		return strings.EqualFold(p.ID, project.ID)
	}
	return p.Name == project.Name
}

// read asks whether a generation could read the secret with that metadata. Its value is not known, and is taken for a text.
func read(g provider.Generation, secret inventory.Secret, metadata []byte) []provider.Issue {
	raw, err := json.Marshal(map[string]any{
		"name": secret.Name, "type": secret.Type, "secret": "unknown", "metadata": json.RawMessage(metadata),
	})
	if err != nil || g == "" {
		return nil
	}
	_, issues := provider.Read(g, raw)
	return issues
}

// unrecognized are the metadata keys that the issues name as unknown.
func unrecognized(issues []provider.Issue) []string {
	var keys []string
	for _, i := range issues {
		if i.Code == provider.CodeUnrecognizedKeys {
			keys = append(keys, i.Keys...)
		}
	}
	return keys
}

// causes says in words why a secret cannot be read. Issue messages quote values, so they are not used.
func causes(issues []provider.Issue) string {
	var all []string
	for _, i := range issues {
		path := make([]string, len(i.Path))
		for n, step := range i.Path {
			path[n] = fmt.Sprint(step)
		}
		at := evidence.Printable(strings.Join(path, "."))
		switch i.Code {
		case provider.CodeUnrecognizedKeys:
			all = append(all, "unknown keys "+strings.Join(printable(i.Keys), ", "))
		case provider.CodeInvalidType:
			all = append(all, fmt.Sprintf("%s has the wrong type: %s instead of %s", at, i.Received, i.Expected))
		case provider.CodeInvalidEnum, provider.CodeInvalidLiteral:
			all = append(all, at+" has a value that it does not know")
		case provider.CodeInvalidString:
			all = append(all, at+" is not a valid "+i.Validation)
		case provider.CodeTooSmall, provider.CodeTooBig:
			all = append(all, at+" is too short or too long")
		default:
			if at == "" {
				at = "the provider type"
			}
			all = append(all, at+" is not one that it knows")
		}
	}
	return strings.Join(all, "; ")
}

// literal is the metadata of the guide's command, with the secret's own api_base as the endpoint that is intended.
func literal(before map[string]any) Edit {
	e := Edit{Set: []Entry{
		{"excludeDefaultModels", json.RawMessage("false")}, {"supportsStreaming", json.RawMessage("true")},
	}}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if key != "excludeDefaultModels" && key != "supportsStreaming" && key != "api_base" {
			e.Remove = append(e.Remove, key)
		}
	}
	return e
}

// costs says what the literal form loses (behaviours: OVERRIDE-21).
func costs(before map[string]any, e Edit) []string {
	var all []string
	for _, key := range e.Remove {
		cost := evidence.Printable(key) + " is lost"
		if models, isObject := before[key].(map[string]any); key == "customModels" && isObject && len(models) > 0 {
			cost += ": " + strings.Join(printable(slices.Sorted(maps.Keys(models))), ", ") + " no longer route to the project"
		}
		all = append(all, cost)
	}
	if before["excludeDefaultModels"] == true {
		all = append(all, "excludeDefaultModels becomes false: default models route to the project")
	}
	if before["supportsStreaming"] == false {
		all = append(all, "supportsStreaming becomes true")
	}
	return all
}

func alternative(secret inventory.Secret, before map[string]any, minimal Edit) string {
	if secret.Type != "openai" {
		return ""
	}
	return "the guide's literal form (--literal) instead: " + strings.Join(costs(before, minimal), "; ")
}

func printable(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = evidence.Printable(text)
	}
	return out
}
