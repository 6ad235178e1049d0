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

func onLegacyProxy(plane DataPlane) Condition {
	c := Condition{Name: "the legacy AI proxy on an older data plane"}
	major, version, told := inventory.MajorVersion(plane.Version)
	switch {
	case told && major >= 2:
		c.Judged = "the data plane says that it is " + version + ", where no legacy schema is used: not applicable on v2 and on the Gateway"
	case plane.Generation == "":
		c.Judged = "no generation was given: name it with --legacy"
	case !plane.strict():
		c.Judged = fmt.Sprintf("%s keeps unknown keys: not applicable there, on v2 and on the Gateway", plane.Generation)
	default:
		c.Holds = true
		c.Judged = fmt.Sprintf("--legacy %s was given", plane.Generation)
		if told {
			c.Judged += ", and the data plane says that it is " + version
		} else {
			c.Judged += "; the data plane does not tell its version"
		}
	}
	return c
}

// projectUnused derives from the schema what is used instead: nobody outside sees which credential the proxy takes.
func projectUnused(secret inventory.Secret, found []provider.Issue, plane DataPlane) Condition {
	c := Condition{Name: "project-level credentials are not used"}
	decoded := routed(secret).Decode()
	switch {
	case secret.Level != inventory.Project:
		c.Judged = "the secret belongs to the org, which the self-hosted proxy does not check"
	case decoded.ExcludeDefaultModels && len(decoded.CustomModels) == 0:
		c.Judged = "it serves no model, readable or not: excludeDefaultModels is true and there are no customModels"
	case plane.Generation == "":
		c.Judged = "without a generation it cannot be told whether the project secret is read"
	case len(found) == 0:
		c.Judged = fmt.Sprintf("%s can read the project secret", plane.Generation)
	default:
		c.Holds = true
		c.Judged = fmt.Sprintf("derived: %s cannot read the project secret, so %s", plane.Generation, fallback(secret, plane.Org))
	}
	return c
}

// fallback says what a project gets instead of its own secret (facts: one-spoils-all; behaviours: OVERRIDE-5).
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

func keysUnrecognized(secret inventory.Secret, found []provider.Issue, plane DataPlane) Condition {
	c := Condition{Name: "unrecognized_keys in the proxy's log"}
	keys := unrecognized(found)
	list := strings.Join(printable(keys), ", ")
	other := slices.ContainsFunc(found, func(i provider.Issue) bool { return i.Code != provider.CodeUnrecognizedKeys })
	switch {
	case plane.Generation == "":
		c.Judged = "without a generation the schema cannot say which keys it rejects"
	case other:
		c.Judged = "it is unreadable for another reason: " + causes(found)
	case len(keys) == 0:
		c.Judged = fmt.Sprintf("%s knows all keys of %s", plane.Generation, evidence.Printable(secret.Name))
	case plane.Log == nil:
		c.Holds = true
		c.Judged = fmt.Sprintf("no log was given; derived from the schema of %s: it rejects %s", plane.Generation, list)
	default:
		c.Holds, c.Judged = loggedKeys(*plane.Log, secret, keys)
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
