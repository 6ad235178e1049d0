package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/conformance"
	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/provider"
	"github.com/planeproof/planeproof/remedy/control"
	"github.com/planeproof/planeproof/remedy/verify"
)

// maxToken is the longest token read, in bytes.
const maxToken = 64 << 10

// tokenFlags are the flags of `planeproof verify-token`.
type tokenFlags struct {
	api                     apiFlags
	base, secret            string
	env, file               string
	ca, format              string
	timeout                 time.Duration
	noOpenCheck, sendAnyway bool
}

func newVerifyToken(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "verify-token (--base URL | --secret ID) (--token-env NAME | --token-file FILE)",
		Short: "Try a provider token against its gateway, outside Braintrust",
		Long: `Verify-token asks a gateway for /models and /v1/models with a token as Bearer, from this machine, and says what that proves. The
base is given, or is the api_base of a provider secret. Where a path answers with a model list, a deliberately wrong token
is sent to it too, once: if that is accepted, the list proves nothing. Only GET is sent. The token is never an argument.

Exit codes: 0 verified; 1 refused, not authorized, an open endpoint, not a model list, not a base, not a raw token; 2 usage;
3 unreachable or inconclusive: nothing can be said of the token.`,
		Example: `  GENAI_TOKEN=... planeproof verify-token --base https://gateway.example.com/v1 --token-env GENAI_TOKEN
  planeproof verify-token --base https://gateway.example.com --token-file - --ca-file ca.pem < token.txt
  planeproof verify-token --api-url https://api.example.com --secret 22222222-2222-4222-8222-222222222222 --token-file token.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 { // not repeated: it may be the token
				return fmt.Errorf("%w: verify-token takes no arguments, and a token never is one: use --token-env or --token-file", conformance.ErrUsage)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t, cmd.InOrStdin(), redactor) },
	}
	f.api.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "the gateway's base URL, with or without /v1")
	flags.StringVar(&f.secret, "secret", "", "id of the ai_secret or env_var whose api_base is the base")
	flags.StringVar(&f.env, "token-env", "", "environment variable that holds the token")
	flags.StringVar(&f.file, "token-file", "", "file that holds the token, or - for standard input")
	flags.StringVar(&f.ca, "ca-file", "", "PEM file of certificate authorities to trust beside the system's")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for each answer")
	flags.BoolVar(&f.noOpenCheck, "no-open-check", false, "send no deliberately wrong token")
	flags.BoolVar(&f.sendAnyway, "send-anyway", false, "send a token that is not raw, to see what the gateway says")
	flags.StringVar(&f.format, "format", "table", "what to print: table or json (docs/logs.md)")
	return cmd
}

// tokenVerdict is the document of --format json.
type tokenVerdict struct {
	Schema string `json:"schema"`
	// Secret is the provider secret whose api_base was used.
	Secret string `json:"secret,omitempty"`
	verify.Result
}

func (f tokenFlags) run(ctx context.Context, t terminal, in io.Reader, redactor *evidence.Redactor) error {
	if err := f.check(); err != nil {
		return err
	}
	token, err := f.token(interruptible(ctx, in))
	if ctx.Err() != nil {
		return interrupted(t)
	}
	if err != nil {
		return err
	}
	for _, word := range append(strings.Fields(token), token) {
		if !strings.EqualFold(word, "Bearer") {
			redactor.Add("token", word)
		}
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	base := f.base
	if f.secret != "" {
		base, err = f.baseOfSecret(ctx, client, redactor)
		if ctx.Err() != nil {
			return interrupted(t)
		}
		if err != nil {
			return err
		}
	}
	if !f.noOpenCheck {
		_, _ = fmt.Fprintln(t.err, "planeproof: where a path answers with a model list, a deliberately wrong token is sent to it too, once (--no-open-check leaves it out)")
	}
	verdict := tokenVerdict{Schema: "planeproof/verify-token/v1", Secret: f.secret}
	verdict.Result = verify.Token(ctx, verify.Options{
		Client: client, Timeout: f.timeout, Retries: 2, SkipOpenCheck: f.noOpenCheck, SendAnyway: f.sendAnyway, From: "this machine",
	}, base, token)
	if ctx.Err() != nil {
		return interrupted(t)
	}
	return f.conclude(t, verdict)
}

// interrupted tells that a check was left before its end, of which no verdict may be made.
func interrupted(t terminal) error {
	_, _ = fmt.Fprintln(t.err, "planeproof: interrupted")
	return exitCode(exitInterrupted)
}

// check refuses flags that contradict each other or say nothing. The errors do not repeat them: a token may be in the wrong place.
func (f tokenFlags) check() error {
	usage := func(text string) error { return fmt.Errorf("%w: %s", conformance.ErrUsage, text) }
	switch {
	case (f.base == "") == (f.secret == ""):
		return usage("give either --base or --secret")
	case f.env == "" && f.file == "":
		return usage("no token: give --token-env or --token-file")
	case f.env != "" && f.file != "":
		return usage("give either --token-env or --token-file")
	case f.timeout <= 0:
		return usage("--timeout is not more than 0")
	}
	if f.base != "" {
		if _, err := verify.ParseBase(f.base); err != nil {
			return fmt.Errorf("%w: --base: %w", conformance.ErrUsage, err)
		}
	}
	return checkFormat(f.format)
}

// token reads the token as it is, but for the line's end: white space around it is something to be told.
func (f tokenFlags) token(in io.Reader) (string, error) {
	var raw []byte
	var err error
	switch f.file {
	case "":
		raw = []byte(os.Getenv(f.env))
	case "-":
		raw, err = io.ReadAll(io.LimitReader(in, maxToken))
	default:
		raw, err = readFile(f.file)
	}
	if err != nil {
		return "", fmt.Errorf("%w: read --token-file: %w", conformance.ErrUsage, err)
	}
	token := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if strings.TrimSpace(token) == "" {
		return "", fmt.Errorf("%w: no token: what --token-env or --token-file names is empty or not set", conformance.ErrUsage)
	}
	return token, nil
}

// readFile reads a file; its errors do not repeat the name, which may be a token that was given by mistake.
func readFile(name string) ([]byte, error) {
	raw, err := os.ReadFile(name)
	if inPath := (*fs.PathError)(nil); errors.As(err, &inPath) {
		err = inPath.Err
	}
	return raw, err
}

// client trusts the system's authorities and those of --ca-file.
func (f tokenFlags) client() (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if f.ca == "" {
		return &http.Client{Transport: transport}, nil
	}
	pem, err := readFile(f.ca)
	if err != nil {
		return nil, fmt.Errorf("%w: read --ca-file: %w", conformance.ErrUsage, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: read --ca-file: it holds no certificate in PEM", conformance.ErrUsage)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// baseOfSecret gets the api_base of an ai_secret or, where there is none of that id, of an env_var.
func (f tokenFlags) baseOfSecret(ctx context.Context, client *http.Client, redactor *evidence.Redactor) (string, error) {
	apiURL, key, err := f.api.resolve(redactor)
	if err != nil {
		return "", err
	}
	api := control.New(apiURL, key, client)
	answer, err := api.Get(ctx, "/v1/ai_secret/"+url.PathEscape(f.secret))
	if control.KindOf(err) == control.NotFound {
		answer, err = api.Get(ctx, "/v1/env_var/"+url.PathEscape(f.secret))
	}
	if err != nil {
		return "", infrastructure(fmt.Errorf("read provider secret: %w", err))
	}
	object, err := answer.Object()
	if err != nil {
		return "", infrastructure(fmt.Errorf("read provider secret: %w", err))
	}
	base := provider.Secret{Metadata: object.Metadata}.Decode().APIBase
	if base == "" {
		return "", fmt.Errorf("%w: the secret has no api_base: give the gateway's URL with --base", conformance.ErrUsage)
	}
	return base, nil
}

func (f tokenFlags) conclude(t terminal, v tokenVerdict) error {
	var err error
	if f.format == "json" {
		err = writeJSON(t.out, v)
	} else {
		err = writeVerdict(t.out, v)
	}
	if err != nil {
		return infrastructure(fmt.Errorf("write verdict: %w", err))
	}
	if code := v.Verdict.ExitCode(); code != 0 {
		return exitCode(code)
	}
	return nil
}

// writeVerdict writes a verdict for people, the verdict first.
func writeVerdict(w io.Writer, v tokenVerdict) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(v.Verdict)), v.Detail)
	fmt.Fprintf(&b, "  → %s\n", v.Advice)
	for _, problem := range v.TokenProblems {
		fmt.Fprintf(&b, "  token: %s\n", problem)
	}
	for _, p := range v.Paths {
		fmt.Fprintf(&b, "\n%s\n  %s: %s\n  → %s\n", p.URL, p.Verdict, p.Detail, p.Advice)
		if p.OpenCheck != "" {
			fmt.Fprintf(&b, "  %s\n", p.OpenCheck)
		}
	}
	fmt.Fprintf(&b, "\nlooked from %s; Braintrust may take another way through the network\n", v.From)
	_, err := io.WriteString(w, b.String())
	return err
}
