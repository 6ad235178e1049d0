package proxylog

import (
	"fmt"
	"strings"

	"github.com/planeproof/planeproof/provider"
)

// shown is the issue without what may be a credential.
func (i issue) shown() Issue {
	out := Issue{Code: code(i.code), Path: where(i.path), Keys: names(i.keys), Options: values(i.options)}
	at := out.Path
	if at == "" {
		at = "the secret"
	}
	switch i.code {
	case provider.CodeUnrecognizedKeys:
		out.Text = fmt.Sprintf("%s has keys that the proxy does not know: %s", at, strings.Join(out.Keys, ", "))
	case provider.CodeInvalidEnum:
		out.Received = value(i.received)
		out.Text = fmt.Sprintf("%s is %q, but the proxy knows only %s", at, out.Received, strings.Join(out.Options, ", "))
	case provider.CodeInvalidLiteral:
		out.Received, out.Expected = value(i.received), value(i.expected)
		out.Text = fmt.Sprintf("%s is %q, but the proxy knows only %q", at, out.Received, out.Expected)
	case provider.CodeInvalidType:
		out.Received, out.Expected = value(i.received), kind(i.expected)
		out.Text = fmt.Sprintf("%s is %s, but must be %s", at, out.Received, out.Expected)
		if i.received == "undefined" {
			out.Text = fmt.Sprintf("%s is missing: it must be %s", at, out.Expected)
		}
	case provider.CodeInvalidString:
		out.Expected = value(i.validation)
		out.Text = fmt.Sprintf("%s is no valid %s", at, out.Expected)
	case provider.CodeTooSmall:
		out.Text = at + " is too short"
	case provider.CodeInvalidUnion:
		out.Received = value(i.received)
		out.Text = at + " is nothing that the proxy accepts there"
		if len(i.path) == 0 {
			out.Text = "the proxy does not know the secret's type, or it is no secret at all"
		} else if i.received != "" {
			out.Text = fmt.Sprintf("%s is %s, which the proxy does not accept there", at, out.Received)
		}
	default:
		out.Text = at + " is invalid: " + out.Code
	}
	return out
}

// kind shows what was expected: a type, or the settings that an enum knows.
func kind(expected string) string {
	if settings := strings.Split(expected, " | "); len(settings) > 1 {
		for n, setting := range settings {
			settings[n] = value(setting)
		}
		return strings.Join(settings, " | ")
	}
	return value(expected)
}

// usedInstead follows the warning's own words: "continuing with org secrets only".
const usedInstead = "the organization's credentials, for every secret of the project"

// upgrade is the long-term fix (guide: project-override-on-legacy-proxy).
const upgrade = "upgrade the data plane and its proxy, or use the Gateway: current versions keep keys that they do not know"

// advise says what to do about a cause in that project.
func (c *Cause) advise(p Project, secretID string) {
	scope := "--all-projects"
	if p.ID != "" {
		scope = "--project " + p.ID
	}
	audit := "planeproof audit " + scope
	if legacy := oldest(c.Fits); legacy != "" {
		audit += " --legacy " + string(legacy)
	}
	if len(c.Secrets) == 0 {
		c.Advice = append(c.Advice, "the log does not name the secret; find it: "+audit)
	}
	switch {
	case len(c.Issues) == 0:
		c.Advice = append(c.Advice, "the log does not say what is wrong with it, so the workaround cannot be judged")
	case c.Workaround:
		c.Advice = append(c.Advice, upgrade, workaround(c.Fits, secretID))
	default:
		c.Advice = append(c.Advice, "the workaround of removing keys does not apply: correct what the issues name, in the provider's settings")
		if c.onlyNews() {
			c.Advice = append(c.Advice, "a younger generation can read it as it is: "+upgrade)
		}
	}
}

// workaround is the command that removes what the proxy rejects, until the upgrade.
func workaround(fits []Fit, secretID string) string {
	if secretID == "" {
		secretID = "ENV_VAR_ID"
	}
	legacy := string(oldest(fits))
	if legacy == "" {
		return "no known generation rejects exactly these keys, so no workaround is offered: planeproof fix plan needs to know the generation"
	}
	return fmt.Sprintf("until then, remove only these keys: planeproof fix plan --secret %s --legacy %s --workaround -o plan.json", secretID, legacy)
}

// onlyNews says whether the current generation is none of those that fit, though others do.
func (c *Cause) onlyNews() bool {
	if len(c.Fits) == 0 {
		return false
	}
	for _, fit := range c.Fits {
		for _, g := range fit.Generations {
			if g == provider.Current202608 {
				return false
			}
		}
	}
	return true
}

// advise says what to do about refusals and missing secrets.
func (p *Project) advise() {
	for _, c := range p.Retried {
		if c.What == "401" || c.What == "403" {
			p.Advice = append(p.Advice, "a provider refused its credential ("+c.What+") and the next secret was tried, so the caller may "+
				"see success with another credential: check each token with planeproof verify-token --secret ID --token-env NAME")
			break
		}
	}
	if len(p.NoKeys) > 0 {
		p.Advice = append(p.Advice, "no secret was eligible for the model: look at customModels, models and excludeDefaultModels, "+
			"and whether there is an org secret to fall back on")
	}
}
