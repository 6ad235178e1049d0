package evidence

import "fmt"

// Mismatch is the error of a check that compared expected with actual and found them to differ: what was looked at, what it should
// have been, and what it was. Any other error of a check means that the check could not be made.
type Mismatch struct {
	What     string `json:"what"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
}

func (m *Mismatch) Error() string {
	return fmt.Sprintf("%s: expected %s, actual %s", m.What, m.Expected, m.Actual)
}
