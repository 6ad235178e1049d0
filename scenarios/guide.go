package scenarios

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/itchyny/gojq"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// guideCommands are the guides' commands as printed.
//
//go:embed guide/*.sh
var guideCommands embed.FS

// guideBase is the endpoint that the second guide's command stores and tells its reader to replace.
const guideBase = "https://us.api.openai.com/v1"

// GuideRun is what a command of the guides printed.
type GuideRun struct {
	Answer Answer
	// Shown are the values that the jq filter let through; FilterErr is why it ended early.
	Shown     []any
	FilterErr error
}

// RunGuide runs a command of the guides: the words are those of the page, the placeholders in <> are filled in, $NAMES come from env,
// curl's request is sent with the same method, URL, headers and body, and the jq filter runs unchanged.
func (w *World) RunGuide(ctx context.Context, name string, fill, env map[string]string) (GuideRun, error) {
	text, err := guideCommands.ReadFile("guide/" + name + ".sh")
	if err != nil {
		return GuideRun{}, fmt.Errorf("run guide command %s: there is none of that name", name)
	}
	curl, jq, err := parseCommand(fillIn(string(text), fill), env)
	if err != nil {
		return GuideRun{}, fmt.Errorf("run guide command %s: %w", name, err)
	}
	r, err := curlRequest(ctx, curl)
	if err != nil {
		return GuideRun{}, fmt.Errorf("run guide command %s: %w", name, err)
	}
	var run GuideRun
	if run.Answer, err = w.send(r); err != nil {
		return run, fmt.Errorf("run guide command %s: %w", name, err)
	}
	if jq != nil {
		run.Shown, run.FilterErr = filter(jq, run.Answer.Body)
	}
	return run, nil
}

func fillIn(command string, fill map[string]string) string {
	for placeholder, value := range fill {
		command = strings.ReplaceAll(command, placeholder, value)
	}
	return command
}

// parseCommand reads `curl … | jq …` or `curl …` with a shell's own rules, and returns the words of each.
func parseCommand(command string, env map[string]string) (curl, jq []string, err error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(command), "")
	if err != nil {
		return nil, nil, fmt.Errorf("parse command: %w", err)
	}
	if len(file.Stmts) != 1 {
		return nil, nil, errors.New("parse command: not one command")
	}
	left, right := file.Stmts[0].Cmd, syntax.Command(nil)
	if pipe, ok := left.(*syntax.BinaryCmd); ok && pipe.Op == syntax.Pipe {
		left, right = pipe.X.Cmd, pipe.Y.Cmd
	}
	if curl, err = words(left, "curl", env); err != nil {
		return nil, nil, err
	}
	if right != nil {
		jq, err = words(right, "jq", env)
	}
	return curl, jq, err
}

func words(command syntax.Command, program string, env map[string]string) ([]string, error) {
	call, ok := command.(*syntax.CallExpr)
	if !ok {
		return nil, errors.New("parse command: not a plain call")
	}
	var pairs []string
	for name, value := range env {
		pairs = append(pairs, name+"="+value)
	}
	all, err := expand.Fields(&expand.Config{Env: expand.ListEnviron(pairs...), NoUnset: true}, call.Args...)
	if err != nil {
		return nil, fmt.Errorf("parse command: %w", err)
	}
	if len(all) == 0 || all[0] != program {
		return nil, fmt.Errorf("parse command: %s expected", program)
	}
	return all[1:], nil
}

// curlRequest makes the request that curl would send. The guides use -s, -sS, -i, -X, -H and -d; anything else is an error.
func curlRequest(ctx context.Context, args []string) (*http.Request, error) {
	var method, url, body string
	header := http.Header{"Accept": {"*/*"}}
	for i := 0; i < len(args); i++ {
		switch flag := args[i]; flag {
		case "-s", "-sS", "-i":
		case "-X", "-H", "-d":
			i++
			if i == len(args) {
				return nil, fmt.Errorf("read curl command: %s without a value", flag)
			}
			switch flag {
			case "-X":
				method = args[i]
			case "-d":
				body = args[i]
			case "-H":
				name, value, _ := strings.Cut(args[i], ":")
				header.Set(name, strings.TrimSpace(value))
			}
		default:
			if strings.HasPrefix(flag, "-") || url != "" {
				return nil, fmt.Errorf("read curl command: unexpected %q", flag)
			}
			url = flag
		}
	}
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read curl command: %w", err)
	}
	r.Header = header
	return r, nil
}

// filter runs a jq filter with its --arg variables over one JSON value.
func filter(args []string, input []byte) ([]any, error) {
	var names []string
	var values []any
	for len(args) > 2 && args[0] == "--arg" {
		names, values = append(names, "$"+args[1]), append(values, args[2])
		args = args[3:]
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("read jq command: one filter expected, got %d words", len(args))
	}
	query, err := gojq.Parse(args[0])
	if err != nil {
		return nil, fmt.Errorf("parse jq filter: %w", err)
	}
	code, err := gojq.Compile(query, gojq.WithVariables(names))
	if err != nil {
		return nil, fmt.Errorf("compile jq filter: %w", err)
	}
	var in any
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, fmt.Errorf("read jq input: %w", err)
	}
	var shown []any
	results := code.Run(in, values...)
	for {
		value, more := results.Next()
		if !more {
			return shown, nil
		}
		if err, failed := value.(error); failed {
			return shown, err
		}
		shown = append(shown, value)
	}
}

// GuideFill are the placeholders of the guides' commands for this tenant: the org admin's key, a project, and what else is given.
func (w *World) GuideFill(extra map[string]string) map[string]string {
	fill := map[string]string{
		"<braintrust-api-token>": w.adminKey,
		"<PROJECT_ID>":           w.projects[DefaultProject],
		guideBase:                w.GatewayURL() + "/v1",
	}
	for placeholder, value := range extra {
		fill[placeholder] = value
	}
	return fill
}

// GuideEnv are the variables that the guides' commands read.
func (w *World) GuideEnv(token string) map[string]string {
	return map[string]string{
		"BRAINTRUST_API_URL": w.APIURL(),
		"GENAI_API_BASE":     w.GatewayURL(),
		"GENAI_TOKEN":        token,
	}
}
