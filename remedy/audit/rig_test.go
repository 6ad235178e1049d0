package audit_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/audit"
	"github.com/planeproof/planeproof/remedy/inventory"
)

// secret is one of the organization's, of type openai and with a value stored.
func secret(name, metadata string) inventory.Secret {
	return inventory.Secret{
		ID: "id-" + name, Level: inventory.Org, Name: name, Type: "openai", Preview: "sk-***", SecretUpdatedAt: "2026-01-01T00:00:00Z",
		Metadata: json.RawMessage(metadata),
	}
}

// of puts a secret into a project.
func of(project string, s inventory.Secret) inventory.Secret {
	s.Level, s.Project, s.ID = inventory.Project, &inventory.ProjectRef{ID: "p-" + project, Name: project}, s.ID+"-"+project
	return s
}

func typed(typ string, s inventory.Secret) inventory.Secret {
	s.Type = typ
	return s
}

func previewed(preview string, s inventory.Secret) inventory.Secret {
	s.Preview = preview
	return s
}

func take(secrets ...inventory.Secret) inventory.Inventory {
	return inventory.Inventory{
		Schema: inventory.Schema, Tool: "planeproof test", APIURL: "https://api.example", TakenAt: "2026-01-02T03:04:05Z",
		Organization: inventory.Organization{ID: "org", Name: "acme"}, Key: "a key", VisibleProjects: 2,
		Projects: []inventory.ProjectRef{{ID: "p-one", Name: "one"}}, Secrets: secrets,
	}
}

func given(g provider.Generation) audit.Options { return audit.Options{Generation: g} }

// rules are the findings as `severity rule secret`, by secret where there is one.
func rules(r audit.Report) []string {
	all := []string{}
	for _, g := range r.Groups {
		for _, f := range g.Findings {
			name := "-"
			if f.Secret != nil {
				name = f.Secret.ID
			}
			all = append(all, fmt.Sprintf("%s %s %s", g.Severity, g.Rule, name))
		}
	}
	return all
}

// group is the only group of a rule.
func group(t *testing.T, r audit.Report, rule string) audit.Group {
	t.Helper()
	var found []audit.Group
	for _, g := range r.Groups {
		if g.Rule == rule {
			found = append(found, g)
		}
	}
	require.Len(t, found, 1, "groups of %s", rule)
	return found[0]
}

const custom = `"customModels":{"acme-chat":{"format":"openai","flavor":"chat"}}`
