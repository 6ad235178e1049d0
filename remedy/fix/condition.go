package fix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/inventory"
	"github.com/planeproof/planeproof/remedy/proxylog"
)

// Condition is something that must hold before a remedy is offered, and how it was judged.
type Condition struct {
	Name   string `json:"condition"`
	Holds  bool   `json:"holds"`
	Judged string `json:"judged"`
}

// judge fills in the three conditions of the second guide and returns those that do not hold (behaviours: OVERRIDE 12, 13, 22).
func (s *Step) judge(secret inventory.Secret, plane DataPlane) (missing []string) {
	found := issues(plane.Generation, secret)
	condition := func(name string, holds bool, judged string) {
		s.Conditions = append(s.Conditions, Condition{name, holds, judged})
		if !holds {
			missing = append(missing, name+" ("+judged+")")
		}
	}
	holds, judged := onLegacyProxy(plane)
	condition("the legacy AI proxy on an older data plane", holds, judged)
	holds, judged = projectUnused(secret, found, plane)
	condition("project-level credentials are not used", holds, judged)
	holds, judged = keysUnrecognized(secret, found, plane)
	condition("unrecognized_keys in the proxy's log", holds, judged)
	return missing
}

func onLegacyProxy(plane DataPlane) (holds bool, judged string) {
	major, version, told := inventory.MajorVersion(plane.Version)
	switch {
	case told && major >= 2:
		return false, "the data plane says that it is " + version + ", where no legacy schema is used: not applicable on v2 and on the Gateway"
	case plane.Generation == "":
		return false, "no generation was given: name it with --legacy"
	case !plane.Generation.Strict():
		return false, fmt.Sprintf("%s keeps unknown keys: not applicable there, on v2 and on the Gateway", plane.Generation)
	case told:
		return true, fmt.Sprintf("--legacy %s was given, and the data plane says that it is %s", plane.Generation, version)
	}
	return true, fmt.Sprintf("--legacy %s was given; the data plane does not tell its version", plane.Generation)
}

// projectUnused derives from the schema what is used instead: nobody outside sees which credential the proxy takes.
func projectUnused(secret inventory.Secret, found []provider.Issue, plane DataPlane) (holds bool, judged string) {
	decoded := secret.Provider().Decode()
	switch {
	case secret.Level != inventory.Project:
		return false, "the secret belongs to the org, which the self-hosted proxy does not check"
	case decoded.ExcludeDefaultModels && len(decoded.CustomModels) == 0:
		return false, "it serves no model, readable or not: excludeDefaultModels is true and there are no customModels"
	case plane.Generation == "":
		return false, "without a generation it cannot be told whether the project secret is read"
	case len(found) == 0:
		return false, fmt.Sprintf("%s can read the project secret", plane.Generation)
	}
	return true, fmt.Sprintf("derived: %s cannot read the project secret, so %s", plane.Generation, fallback(secret, plane.Org))
}

// fallback says what a project gets instead of its own secret (facts: one-spoils-all; behaviours: OVERRIDE-5).
func fallback(secret inventory.Secret, org []inventory.Secret) string {
	var names []string
	for _, o := range org {
		switch name := fmt.Sprintf("%q", evidence.Printable(o.Name)); {
		case o.Name == secret.Name:
			return "the org's secret of the same name " + name + " is used"
		case o.Type == secret.Type:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "there is nothing to fall back on: the proxy finds no API keys"
	}
	return "org secrets of its type are used: " + strings.Join(names, ", ")
}

func keysUnrecognized(secret inventory.Secret, found []provider.Issue, plane DataPlane) (holds bool, judged string) {
	keys := unrecognized(found)
	switch {
	case plane.Generation == "":
		return false, "without a generation the schema cannot say which keys it rejects"
	case slices.ContainsFunc(found, func(i provider.Issue) bool { return i.Code != provider.CodeUnrecognizedKeys }):
		return false, "it is unreadable for another reason: " + causes(found)
	case len(keys) == 0:
		return false, fmt.Sprintf("%s knows all keys of %s", plane.Generation, evidence.Printable(secret.Name))
	case plane.Log == nil:
		return true, fmt.Sprintf("no log was given; derived from the schema of %s: it rejects %s", plane.Generation, list(keys))
	}
	return loggedKeys(*plane.Log, secret.Project, keys)
}

// loggedKeys looks in the log for failures of the secret's project, and those of which the log does not say whose they are.
func loggedKeys(log proxylog.Summary, project *inventory.ProjectRef, rejected []string) (holds bool, judged string) {
	failures, named := 0, []string{}
	for _, p := range log.Projects {
		untold := p.ID == "" && p.Name == ""
		if !untold && (project == nil || !strings.EqualFold(p.ID, project.ID) && (p.ID != "" || p.Name != project.Name)) {
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
	switch {
	case failures == 0:
		return false, "the log given has no failure to load the secrets of this project"
	case !slices.ContainsFunc(printable(rejected), func(key string) bool { return slices.Contains(named, key) }):
		return false, "the log given has failures of this project, but names none of the keys that the schema rejects: " + list(rejected)
	}
	return true, fmt.Sprintf("the log given tells %d times that the project's secrets could not be loaded, and names %s",
		failures, strings.Join(named, ", "))
}
