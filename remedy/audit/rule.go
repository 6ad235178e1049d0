package audit

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	// Error is what fails, or is lost, as things are.
	Error Severity = "error"
	// Warning is what fails under a condition that the audit cannot see, or will fail.
	Warning Severity = "warning"
	// Note is what is good to know; it is hidden unless asked for.
	Note Severity = "note"
)

// Severities returns all severities, worst first.
func Severities() []Severity { return []Severity{Error, Warning, Note} }

// Confidence is what a rule rests on.
type Confidence string

// The confidences.
const (
	Seen     Confidence = "seen here" // in this organization's own data
	Recorded Confidence = "recorded"  // by running the open-source proxy
	Guide    Confidence = "guide"     // stated by one of the vendor's two guides
	Assumed  Confidence = "assumed"   // nobody outside knows
)

// Rule is one thing that the audit looks for.
type Rule struct {
	// ID is stable: it is what scripts and waivers name.
	ID    string
	Title string
	// Severity is the worst that the rule gives; a finding may have a lower one.
	Severity   Severity
	Confidence Confidence
	// Source is where the rule comes from.
	Source string
	// Why says what happens and why; Advice what to do.
	Why, Advice string
	// Needs says what would decide a finding, empty where the rule decides by itself.
	Needs string
	// Follows are the rules whose findings cause this one: where those are mended, so is this.
	Follows []string
	// check looks at the secrets of one owner; after, once, at what was gathered of all.
	check, after func(*pass) []match
}

// Rules returns every rule, in the order of the report: within a severity, causes come before their consequences.
func Rules() []Rule {
	var all []Rule
	for _, family := range [][]Rule{authRules(), valueRules(), metadataRules(), endpointRules(), routingRules(), migrationRules()} {
		all = append(all, family...)
	}
	return all
}

// match is one place where a rule applies. Findings of a rule with the same cause, severity and need are one group.
type match struct {
	secret   *secret // nil for the organization as a whole
	severity Severity
	cause    string
	needs    string
	evidence []string
	also     []*SecretRef
	remedy   Remedy
}

// each makes a rule's check of a function that looks at one secret.
func each(check func(*pass, *secret) (match, bool)) func(*pass) []match {
	return func(p *pass) []match {
		var matches []match
		for _, s := range p.secrets {
			if m, found := check(p, s); found {
				m.secret = s
				matches = append(matches, m)
			}
		}
		return matches
	}
}

// refs are the names of secrets.
func refs(secrets []*secret) []*SecretRef {
	var all []*SecretRef
	for _, s := range secrets {
		all = append(all, s.ref)
	}
	return all
}
