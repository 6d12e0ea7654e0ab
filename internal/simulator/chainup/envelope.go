package chainup

import (
	"bytes"
	"crypto"
	"crypto/md5" //nolint:gosec // the documents' own
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mooring/internal/simulator/bench"
)

const (
	cipherBlock = keyBits / 8
	plainBlock  = cipherBlock - 11
	// window is how far time may be off. The documents name two codes for it and no number.
	window = 5 * time.Minute
)

// envelope is the body of every call.
type envelope struct {
	AppID string          `json:"app_id"`
	Time  json.RawMessage `json:"time"`
	Data  string          `json:"data"`
	Sign  string          `json:"sign"`
}

// reply is the body of every answer.
type reply struct {
	Code any    `json:"code"`
	Msg  string `json:"msg"`
	Data any    `json:"data"`
	Sign string `json:"sign"`
}

// endpoint is a documented call behind its envelope: p is its business parameters.
type endpoint func(c *bench.Call, app application, p []byte) (any, refusal)

// application is who calls, by the key that proved it.
type application struct {
	ID  string
	key *rsa.PublicKey
}

// enveloped opens the call, lets the endpoint answer, and closes the answer. Refusals carry neither data nor sign, and
// their status is 200 like that of every other answer.
func (s *Simulator) enveloped(ok string, do endpoint) bench.Handler {
	return func(c *bench.Call) bench.Answer {
		if code, on := c.Fault(faultRefuse); on {
			return refuse(c, refusal{"fault_" + faultRefuse, code})
		}
		app, p, no := s.open(c)
		if no.refused() {
			return refuse(c, no)
		}
		data, no := do(c, app, p)
		if no.refused() {
			return refuse(c, no)
		}
		return s.close(c, app, ok, data)
	}
}

func refuse(c *bench.Call, no refusal) bench.Answer {
	c.Outcome(no.Outcome)
	return bench.JSON(http.StatusOK, reply{Code: strconv.Itoa(no.Code), Msg: messageOf(no.Code), Data: ""})
}

// open checks everything that all calls share, in this order: form, application, time, data and sign.
func (s *Simulator) open(c *bench.Call) (application, []byte, refusal) {
	e, no := readEnvelope(c)
	if no.refused() {
		return application{}, nil, no
	}
	if e.AppID == "" {
		return application{}, nil, refusal{"missing_app_id", 50004}
	}
	c.Client(e.AppID)
	s.mu.Lock()
	app := application{e.AppID, s.clients[e.AppID]}
	s.mu.Unlock()
	if app.key == nil {
		return application{}, nil, refusal{"unknown_app", 50001}
	}
	if no := checkTime(c, string(e.Time)); no.refused() {
		return application{}, nil, no
	}
	p, ok := decrypt(s.key, e.Data)
	if !ok || !verify(app.key, p, e.Sign) { // one refusal for both, so that nobody learns which
		return application{}, nil, refusal{"signature_refused", 50005}
	}
	if !utf8.Valid(p) {
		return application{}, nil, refusal{"data_not_utf8", 10020}
	}
	return app, p, refusal{}
}

// readEnvelope reads the body to the letter: POST, JSON, the four documented fields and no other.
func readEnvelope(c *bench.Call) (envelope, refusal) {
	r := c.Request
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || err != nil || kind != "application/json" || !strings.Contains(r.Header.Get("Accept"), "application/json") {
		return envelope{}, refusal{"not_json", 50000}
	}
	var e envelope
	if r.URL.RawQuery != "" || decodeStrictly(c.Body, &e) != nil {
		return envelope{}, refusal{"malformed_envelope", 10020}
	}
	return e, refusal{}
}

// decodeStrictly reads one JSON object with no field that v does not name.
func decodeStrictly(body []byte, v any) error {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("not an object")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// checkTime takes milliseconds, as the documents' program sends them: a number, or the String of the documents' table.
// The other page's seconds are a switch.
func checkTime(c *bench.Call, text string) refusal {
	unit, digits := time.Millisecond, 13
	if _, on := c.Fault(variantSeconds); on {
		unit, digits = time.Second, 10
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || len(text) != digits {
		return refusal{"time_malformed", 50010}
	}
	at := time.UnixMilli(n * int64(unit/time.Millisecond))
	switch gap := c.Now.Sub(at); {
	case gap > window:
		return refusal{"time_too_old", 50009}
	case gap < -window:
		return refusal{"time_ahead", 50010}
	}
	return refusal{}
}

// decrypt opens data: Base64 with the URL's alphabet and no padding, blocks of 256 bytes, each of 245 but the last.
func decrypt(key *rsa.PrivateKey, data string) ([]byte, bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(data)
	if err != nil || len(sealed) == 0 || len(sealed)%cipherBlock != 0 || strings.ContainsAny(data, "\r\n") {
		return nil, false
	}
	var plain []byte
	for from := 0; from < len(sealed); from += cipherBlock {
		chunk, err := rsa.DecryptPKCS1v15(nil, key, sealed[from:from+cipherBlock]) //nolint:staticcheck // the documents' own
		if err != nil || (from+cipherBlock < len(sealed) && len(chunk) != plainBlock) {
			return nil, false
		}
		plain = append(plain, chunk...)
	}
	return plain, true
}

// digest is what a signature is made of: the lower-case hexadecimal MD5, hashed once more.
func digest(plain []byte) []byte {
	sum := md5.Sum(plain) //nolint:gosec // the documents' own
	message := sha256.Sum256([]byte(hex.EncodeToString(sum[:])))
	return message[:]
}

func verify(key *rsa.PublicKey, plain []byte, sign string) bool {
	signature, err := base64.RawURLEncoding.Strict().DecodeString(sign)
	return err == nil && !strings.ContainsAny(sign, "\r\n") && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest(plain), signature) == nil
}

func encrypt(key *rsa.PublicKey, plain []byte) ([]byte, error) {
	var sealed []byte
	for from := 0; from < len(plain); from += plainBlock {
		chunk, err := rsa.EncryptPKCS1v15(rand.Reader, key, plain[from:min(from+plainBlock, len(plain))]) //nolint:staticcheck // the documents' own
		if err != nil {
			return nil, err
		}
		sealed = append(sealed, chunk...)
	}
	return sealed, nil
}

// close encrypts an answer for the application and signs it, unless a fault has it otherwise.
func (s *Simulator) close(c *bench.Call, app application, ok string, data any) bench.Answer {
	answer := reply{Code: ok, Msg: "suc"}
	if ok == codeInquired {
		answer.Code, answer.Msg = json.Number(ok), "success"
	}
	if _, on := c.Fault(variantNumberCode); on {
		answer.Code = json.Number(codeOK)
	}
	if _, on := c.Fault(faultPlainData); on {
		answer.Data = data
		return bench.JSON(http.StatusOK, answer)
	}
	plain, err := compact(data)
	if err != nil {
		return refuse(c, refusal{"answer_failed", 10001})
	}
	sealed, signature, err := s.sealed(c, app.key, plain)
	if err != nil {
		return refuse(c, refusal{"answer_failed", 10001})
	}
	write := base64.RawURLEncoding.EncodeToString
	if _, on := c.Fault(variantStdBase64); on {
		write = base64.StdEncoding.EncodeToString
	}
	answer.Data, answer.Sign = write(sealed), write(signature)
	if _, on := c.Fault(faultNoSign); on {
		answer.Sign = ""
	}
	return bench.JSON(http.StatusOK, answer)
}

// sealed gives data and sign as bytes.
func (s *Simulator) sealed(c *bench.Call, to *rsa.PublicKey, plain []byte) (data, signature []byte, err error) {
	by, signed := s.key, plain
	if _, on := c.Fault(faultWrongSign); on {
		signed = append([]byte(" "), plain...)
	}
	if _, on := c.Fault(faultSignKey); on {
		if by, err = s.foreign(); err != nil {
			return nil, nil, err
		}
	}
	if _, on := c.Fault(faultDataKey); on {
		foreign, err := s.foreign()
		if err != nil {
			return nil, nil, err
		}
		to = &foreign.PublicKey
	}
	if data, err = encrypt(to, plain); err != nil {
		return nil, nil, err
	}
	if _, on := c.Fault(faultTampered); on {
		data[len(data)-1] ^= 1
	}
	signature, err = rsa.SignPKCS1v15(rand.Reader, by, crypto.SHA256, digest(signed))
	return data, signature, err
}

// compact writes JSON as the documents' program does: no white space, nothing escaped for HTML.
func compact(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}
