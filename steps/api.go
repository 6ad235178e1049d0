package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/target"
)

func bindAPI(b Binder) {
	b.When(`^an org admin lists (ai_secret|env_var|project) with "([^"]*)"$`, (*Steps).list)
	b.When(`^an org admin sends ([A-Z]+) "([^"]*)" with (no body|body .+|a body of 10 MiB)$`, (*Steps).send)
	b.When(`^every listing and every object is read with every key$`, (*Steps).readEverything)
	b.When(`^requests with the token of `+ref+` in their body are refused$`, (*Steps).refusedWithToken)
	b.Then(`^the listing is (.+)$`, (*Steps).listingIs)
	b.Then(`^the API refuses with status (\d+) and says "([^"]*)"$`, (*Steps).apiRefuses)
	b.Then(`^nothing at all has changed$`, (*Steps).nothingChanged)
	b.Then(`^no answer of the API, no log and no output holds a stored value$`, (*Steps).noValueAnywhere)
}

// list reads a listing of the control API; the query is that of the URL, with {name} for the id of what has that name.
func (s *Steps) list(ctx context.Context, collection, query string) error {
	path := "/v1/" + collection
	if query != "" {
		path += "?" + s.World.Expand(query)
	}
	answer, err := s.World.API(ctx, s.World.AdminKey(), http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	s.World.Answer = answer
	if s.listing = nil; gjson.GetBytes(answer.Body, "objects").IsArray() {
		s.listing = []string{}
	}
	for _, name := range gjson.GetBytes(answer.Body, "objects.#.name").Array() {
		s.listing = append(s.listing, name.String())
	}
	return nil
}

// listingIs compares names in order; `none` is an empty listing, which is an answer of 200 with `objects` too.
func (s *Steps) listingIs(_ context.Context, list string) error {
	if err := equal("the status of the listing", http.StatusOK, s.World.Answer.Status); err != nil {
		return err
	}
	if s.listing == nil {
		return differs("the listing", "an array of objects", s.World.Answer.Excerpt())
	}
	return equal("the names listed", append([]string{}, names(list)...), s.listing)
}

// send keeps what the API lists before, so that a refusal can be shown to have changed nothing.
func (s *Steps) send(ctx context.Context, method, path, with string) error {
	var err error
	if s.before, err = s.everything(ctx); err != nil {
		return err
	}
	var body []byte
	switch text, isText := strings.CutPrefix(with, "body "); {
	case isText:
		body = []byte(text)
	case with == "a body of 10 MiB":
		body = []byte(`{"name":"` + strings.Repeat("x", 10<<20) + `"}`)
	}
	return s.World.Change(ctx, "an org admin", method, s.World.Expand(path), body)
}

// everything is what the control API lists to an org admin.
func (s *Steps) everything(ctx context.Context) (string, error) {
	var all strings.Builder
	for _, path := range []string{"/v1/organization", "/v1/project", "/v1/ai_secret", "/v1/env_var"} {
		answer, err := s.World.API(ctx, s.World.AdminKey(), http.MethodGet, path, nil)
		if err != nil {
			return "", err
		}
		if answer.Status != http.StatusOK {
			return "", fmt.Errorf("list %s: answered %d: %s", path, answer.Status, answer.Excerpt())
		}
		fmt.Fprintf(&all, "%s %s\n", path, answer.Body)
	}
	return all.String(), nil
}

// apiRefuses asks for the status and for words of the latest answer, in upper or lower case.
func (s *Steps) apiRefuses(_ context.Context, status int, words string) error {
	answer := s.World.Answer
	if answer.Status != status || !strings.Contains(strings.ToLower(string(answer.Body)), strings.ToLower(words)) {
		return differs("the API's answer", fmt.Sprintf("status %d with %q", status, words),
			fmt.Sprintf("status %d: %s", answer.Status, answer.Excerpt()))
	}
	return nil
}

// nothingChanged compares all that the control API lists with what it listed before the latest request.
func (s *Steps) nothingChanged(ctx context.Context) error {
	after, err := s.everything(ctx)
	if err != nil {
		return err
	}
	return equal("what the control API lists", s.before, after)
}

// readEverything reads as org admin and as member, so that a value that comes back is in an answer.
func (s *Steps) readEverything(ctx context.Context) error {
	paths := []string{"/v1/organization", "/v1/project", "/v1/ai_secret", "/v1/env_var"}
	for _, secret := range s.World.Secrets() {
		paths = append(paths, secret.Path())
	}
	for _, path := range paths {
		for _, key := range []string{s.World.AdminKey(), s.World.ScorerKey()} {
			answer, err := s.World.API(ctx, key, http.MethodGet, path, nil)
			if err != nil {
				return err
			}
			if answer.Status != http.StatusOK {
				return fmt.Errorf("read %s: answered %d: %s", path, answer.Status, answer.Excerpt())
			}
		}
	}
	return nil
}

// refusedWithToken sends bodies that hold a token where it does not belong: their errors could echo it.
func (s *Steps) refusedWithToken(ctx context.Context, ref string) error {
	secret, err := s.secret(ref)
	if err != nil {
		return err
	}
	quotedToken, err := json.Marshal(secret.Token)
	if err != nil {
		return err
	}
	for _, body := range []string{
		fmt.Sprintf(`{"name":7,"value":%s}`, quotedToken),
		fmt.Sprintf(`{"value":[%s]}`, quotedToken),
		fmt.Sprintf(`{"metadata":%s}`, quotedToken),
		fmt.Sprintf(`{"value":%s`, quotedToken),
	} {
		if err := s.World.Change(ctx, "an org admin", http.MethodPatch, secret.Path(), []byte(body)); err != nil {
			return err
		}
		if status := s.World.Answer.Status; status < 400 || status > 499 {
			return fmt.Errorf("send a body that must be refused: answered %d", status)
		}
	}
	return nil
}

// noValueAnywhere looks for each stored value, in every form in which text can hold it, where the systems could have left it.
func (s *Steps) noValueAnywhere(ctx context.Context) error {
	places, err := s.places(ctx)
	if err != nil {
		return err
	}
	for _, secret := range s.World.Secrets() {
		var values evidence.Redactor
		values.Add("stored value", secret.Token)
		for place, text := range places {
			if values.String(text) != text {
				return differs("where the stored value of "+secret.Name+" appears", "nowhere", place)
			}
		}
	}
	return nil
}

func (s *Steps) places(ctx context.Context) (map[string]string, error) {
	places := map[string]string{}
	for _, kept := range s.World.Recorded() {
		e := kept.Exchange
		places[fmt.Sprintf("the answer to %s %s (exchange %d)", e.Method, e.Path, e.Seq)] = kept.Body()
	}
	for _, system := range target.Systems() {
		kept, err := s.World.Kept(ctx, system)
		if err != nil {
			return nil, err
		}
		for _, line := range kept.Logs {
			places["the log of "+string(system)] += line.Text + "\n"
		}
		printed, err := s.World.Printed(ctx, system)
		if err != nil {
			return nil, fmt.Errorf("read output of %s: %w", system, err)
		}
		places["the output of "+string(system)] = printed
	}
	return places, nil
}
