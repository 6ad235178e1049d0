package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/planeproof/planeproof/evidence"
	"github.com/planeproof/planeproof/internal/file"
	"github.com/planeproof/planeproof/internal/lines"
	"github.com/planeproof/planeproof/internal/usage"
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
	ca, output, legacy      string
	timeout                 time.Duration
	noOpenCheck, sendAnyway bool
}

func newVerifyToken(t terminal, redactor *evidence.Redactor) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "verify-token (--base URL | --secret ID) (--token-env NAME | --token-file FILE)",
		Short: "Try a provider token against its gateway, outside Braintrust",
		Long: `Verify-token asks a gateway for /models and /v1/models with a token as Bearer, from this machine, and says what that proves. The
base is given, or is the api_base of a provider secret: then the verdict is about the URL that the proxy calls with that secret, and its
additionalHeaders are sent as the proxy sends them. The stored token never comes back from the API: give it. Where a path answers
with a model list, a deliberately wrong token is sent to it too, once: if that is accepted, the list proves nothing. Only GET is
sent. The token is never an argument.

Exit codes: 0 verified; 1 refused, not authorized, an open endpoint, not a model list, not a base, not a raw token, a call that goes
elsewhere, or a secret that is not there; 2 usage; 3 unreachable, inconclusive, a call that cannot be judged, or a wrong key: nothing can
be said of the token or of the call; 130 interrupted.`,
		Example: `  GENAI_TOKEN=... planeproof verify-token --base https://gateway.example.com/v1 --token-env GENAI_TOKEN
  planeproof verify-token --base https://gateway.example.com --token-file - --ca-file ca.pem < token.txt
  planeproof verify-token --api-url https://api.example.com --secret 22222222-2222-4222-8222-222222222222 --token-file token.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 { // not repeated: it may be the token
				return fmt.Errorf("%w: verify-token takes no arguments, and a token never is one: use --token-env or --token-file", usage.Err)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := notEmpty(cmd, "legacy"); err != nil {
				return err
			}
			return f.run(cmd.Context(), t, cmd.InOrStdin(), redactor)
		},
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
	flags.StringVar(&f.legacy, "legacy", "", "with --secret: generation of the AI proxy that calls with it: "+generationNames())
	addOutput(cmd, &f.output)
	return cmd
}

// tokenVerdict is the document of --output json (docs/verify-token.md).
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
	if err != nil {
		return err
	}
	redactor.Add("token", token)
	client, err := f.client()
	if err != nil {
		return err
	}
	options := verify.Options{
		Client: client, Timeout: f.timeout, Retries: 2, SkipOpenCheck: f.noOpenCheck, SendAnyway: f.sendAnyway, From: "this machine",
		Generation: provider.Generation(f.legacy),
	}
	base := f.base
	if f.secret != "" {
		if base, err = f.readSecret(ctx, &options, redactor); err != nil {
			return err
		}
	}
	if !f.noOpenCheck {
		_, _ = fmt.Fprintln(t.err, "planeproof: where a path answers with a model list, a deliberately wrong token is sent to it too, once (--no-open-check leaves it out)")
	}
	verdict := tokenVerdict{Schema: "planeproof/verify-token/v1", Secret: f.secret}
	verdict.Result = verify.Token(ctx, options, base, token)
	if ctx.Err() != nil {
		return ctx.Err() // of a check that was left before its end no verdict may be made
	}
	return f.conclude(t, verdict)
}

// check refuses flags that contradict each other or say nothing. The errors do not repeat them: a token may be in the wrong place.
func (f tokenFlags) check() error {
	refuse := func(text string) error { return fmt.Errorf("%w: %s", usage.Err, text) }
	switch {
	case (f.base == "") == (f.secret == ""):
		return refuse("give either --base or --secret")
	case f.env == "" && f.file == "":
		return refuse("no token: give --token-env or --token-file")
	case f.env != "" && f.file != "":
		return refuse("give either --token-env or --token-file")
	case f.legacy != "" && f.secret == "":
		return refuse("--legacy goes with --secret: of a base nobody knows what the proxy calls")
	case f.timeout <= 0:
		return refuse("--timeout is not more than 0")
	}
	if f.base != "" {
		if _, err := verify.ParseBase(f.base); err != nil {
			return fmt.Errorf("%w: --base: %w", usage.Err, err)
		}
	}
	if f.secret != "" {
		if err := checkID("--secret", f.secret); err != nil {
			return err
		}
	}
	if _, err := parseLegacy(f.legacy); err != nil {
		return err
	}
	return checkOutput(f.output)
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
		return "", fmt.Errorf("%w: read --token-file: %w", usage.Err, err)
	}
	token := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if strings.TrimSpace(token) == "" {
		return "", fmt.Errorf("%w: no token: what --token-env or --token-file names is empty or not set", usage.Err)
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
		return nil, fmt.Errorf("%w: read --ca-file: %w", usage.Err, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: read --ca-file: it holds no certificate in PEM", usage.Err)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// readSecret gets an ai_secret or, where there is none of that id, an env_var, for what the proxy makes of it, and returns its api_base.
// What its additionalHeaders hold is told to the redactor.
func (f tokenFlags) readSecret(ctx context.Context, o *verify.Options, redactor *evidence.Redactor) (base string, err error) {
	api, err := f.api.client(redactor, o.Client)
	if err != nil {
		return "", err
	}
	answer, err := api.Get(ctx, "/v1/ai_secret/"+f.secret)
	if control.KindOf(err) == control.NotFound {
		answer, err = api.Get(ctx, "/v1/env_var/"+f.secret)
	}
	var object control.Object
	if err == nil {
		object, err = answer.Object()
	}
	if control.KindOf(err) == control.NotFound {
		return "", fmt.Errorf("read provider secret: %w%w", err, errUnknown)
	}
	if err != nil {
		return "", fmt.Errorf("read provider secret: %w", err)
	}
	secret := provider.Secret{ID: object.ID, Name: object.Name, Type: object.Type, Metadata: object.Metadata}
	metadata := secret.Decode()
	for _, value := range metadata.AdditionalHeaders {
		redactor.Add("additional header", value)
	}
	if metadata.APIBase == "" {
		goes := "nobody knows where"
		if called, ok := provider.CalledURL(provider.Endpoint(provider.Current202608, secret, "")); ok {
			goes = "to " + called
		}
		return "", fmt.Errorf("%w: the secret has no api_base, so that its calls go %s: name the base to try with --base", usage.Err, goes)
	}
	o.Secret, o.Preview = &secret, object.Preview
	return metadata.APIBase, nil
}

func (f tokenFlags) conclude(t terminal, v tokenVerdict) error {
	var err error
	if f.output == "json" {
		err = file.Encode(t.out, v)
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
	text := lines.New(evidence.Printable)
	text.Line("%s: %s", strings.ToUpper(string(v.Verdict)), v.Detail)
	text.Line("  → %s", v.Advice)
	for _, problem := range v.TokenProblems {
		text.Line("  token: %s", problem)
	}
	for _, known := range v.Stored {
		text.Line("  stored: %s", known)
	}
	if v.Call != nil {
		text.Line("  the proxy calls: %s", cmp.Or(v.Call.URL, "nothing"))
		text.Line("    %s", v.Call.Detail)
	}
	for _, p := range v.Paths {
		text.Line("")
		text.Line("%s", p.URL)
		text.Line("  %s: %s", p.Verdict, p.Detail)
		text.Line("  → %s", p.Advice)
		if p.OpenCheck != "" {
			text.Line("  %s", p.OpenCheck)
		}
	}
	text.Line("")
	text.Line("tried from %s; Braintrust may take another way through the network", v.From)
	return text.Write(w)
}
