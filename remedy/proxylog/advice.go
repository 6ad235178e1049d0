package proxylog

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
)

// maxName is how many characters are shown of what a log has: keys, steps of a path, names of models.
const maxName = 64

// setting is a value as settings are: a word. Other values are not shown, as a value may be a credential.
var setting = regexp.MustCompile(`^[A-Za-z_]{1,32}$`)

// name shows a name that stands in the log.
func name(text string) string { return new(evidence.Redactor).Foreign(text, maxName) }

func names(texts []string) []string {
	shown := []string(nil)
	for _, text := range texts {
		shown = append(shown, name(text))
	}
	return shown
}

// show are the issues as they may be shown.
func show(issues []provider.Issue) []Issue {
	shown := make([]Issue, len(issues))
	for n, i := range issues {
		i.Code, i.Expected, i.Validation, i.Keys, i.Options = name(i.Code), name(i.Expected), name(i.Validation), names(i.Keys), names(i.Options)
		for at, step := range i.Path {
			if key, isKey := step.(string); isKey {
				i.Path[at] = name(key)
			}
		}
		shown[n] = Issue{
			Code: i.Code, Path: i.Where(), Keys: i.Keys, Options: i.Options, Text: i.Explain(),
			Expected: cmp.Or(strings.Trim(i.Expected, `"`), i.Validation),
		}
		if received := strings.Trim(cmp.Or(i.ReceivedType(), i.Received), `"`); setting.MatchString(received) {
			shown[n].Received = name(received)
		}
	}
	return shown
}

// usedInstead follows the warning's own words: "continuing with org secrets only".
const usedInstead = "the organization's credentials, for every secret of the project"

// upgrade is the long-term fix (guide: project-override-on-legacy-proxy).
const upgrade = "upgrade the data plane and its proxy, or use the Gateway: current versions keep keys that they do not know"

// advise says what to do about a cause.
func (c *Cause) advise(p *Project) {
	audit, legacy := auditOf(p), string(oldest(c.Fits))
	if legacy != "" {
		audit += " --legacy " + legacy
	}
	if len(c.Secrets) == 0 {
		c.Advice = append(c.Advice, "the log does not name the secret; find it: "+audit)
	}
	remove := "the audit prints the command"
	if len(c.Secrets) == 1 && c.secretID != "" {
		remove = fmt.Sprintf("planeproof fix plan --secret %s --legacy %s --workaround --save plan.json", c.secretID, legacy)
	}
	isOther := func(i Issue) bool { return i.Code != provider.CodeUnrecognizedKeys }
	isCurrent := func(f Fit) bool { return slices.Contains(f.Generations, provider.Current202608) }
	c.Workaround = c.Why == "" && !slices.ContainsFunc(c.Issues, isOther)
	for _, advice := range []struct {
		applies bool
		text    string
	}{
		{c.Why != "", "the log does not tell all that is wrong with it, so the workaround cannot be judged"},
		{c.Why != "" && len(c.Issues) > 0, "kubectl logs --prefix tells the lines of several pods apart"},
		{c.Workaround, upgrade},
		{c.Workaround && legacy == "",
			"no known generation rejects exactly these keys, so no workaround is offered: planeproof fix plan needs to know the generation"},
		{c.Workaround && legacy != "", "until then, remove only these keys: " + remove},
		{c.Why == "" && !c.Workaround, "the workaround of removing keys does not apply: correct what the issues name, in the provider's settings"},
		{c.Why == "" && !c.Workaround && legacy != "" && !slices.ContainsFunc(c.Fits, isCurrent), "a younger generation can read it as it is: " + upgrade},
	} {
		if advice.applies {
			c.Advice = append(c.Advice, advice.text)
		}
	}
}

func auditOf(p *Project) string {
	if p.ID == "" {
		return "planeproof audit --all-projects"
	}
	return "planeproof audit --project " + p.ID
}

// advise says what to do about refusals and missing secrets.
func (p *Project) advise() {
	const verify = "planeproof verify-token tries one"
	if status := authError(p.Refused); status != "" {
		p.Advice = append(p.Advice,
			"a provider refused the credential as it was sent ("+status+"): where it requires a Bearer token, auth_format api_key is the "+
				"usual cause; find it: "+auditOf(p),
			"where auth_format is right, the token itself may be wrong: "+verify)
	}
	if status := authError(p.Retried); status != "" {
		p.Advice = append(p.Advice, "a provider refused its credential ("+status+") and the next secret was tried, so the caller may see "+
			"success with another credential: check each token; "+verify)
	}
	if len(p.NoKeys) > 0 {
		p.Advice = append(p.Advice, "no secret was eligible for the model: look at customModels, models and excludeDefaultModels, "+
			"and whether there is an org secret to fall back on")
	}
}

// authError is the first status by which a provider says that it does not take the credential; empty without one.
func authError(counts []Count) string {
	if i := slices.IndexFunc(counts, func(c Count) bool { return c.What == "401" || c.What == "403" }); i >= 0 {
		return counts[i].What
	}
	return ""
}

// headline says the verdict; err is what ended the log early.
func (s *Summary) headline(err error) {
	unreadable, named, other, whose := 0, 0, s.Left, ""
	for _, p := range s.Projects {
		unreadable += p.Unreadable
		if p.Unreadable > 0 && p.ID+p.Name == "" {
			whose = "a project that the log does not name"
		} else if p.Unreadable > 0 {
			named++
		}
		for _, c := range slices.Concat(p.Retried, p.NoKeys, p.Refused) {
			other += c.Times
		}
	}
	if whose == "" {
		whose = plural(named, "project")
	} else if named > 0 {
		whose = plural(named, "project") + ", and of one or more that the log does not name,"
	}
	s.Found = unreadable+other > 0
	switch {
	case unreadable > 0:
		s.Headline = fmt.Sprintf("FOUND: the secrets of %s could not be read (%s); the organization's credentials were used instead",
			whose, plural(unreadable, "warning"))
	case s.Found:
		s.Headline = "FOUND: no project's secrets failed to load, but providers refused or were missing (" + plural(other, "warning") + ")"
	case err != nil:
		s.Headline = fmt.Sprintf("CANNOT TELL: the log was not read to its end; nothing was found in the %s before", plural(s.Lines, "line"))
	case s.Empty():
		s.Headline = "NOTHING FOUND: the log is empty"
	default:
		s.Headline = "NOTHING FOUND: no warning about provider secrets in " + plural(s.Lines, "line")
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
