package trace

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pkg/errors"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// Names of the attributes of a step.
const (
	attrDigest = "flavorkit.step.digest"
	attrState  = "flavorkit.step.state"
	attrBytes  = "flavorkit.step.bytes"
)

// OTLP returns the record as traces of OpenTelemetry, in one line of OTLP's JSON, as in a file of
// its file exporter (https://opentelemetry.io/docs/specs/otel/protocol/file-exporter). The build is
// a span, with a span for each run of a step. A span links to those of its inputs.
func (r Record) OTLP() ([]byte, error) {
	build := r.id("build")
	root := &tracepb.Span{TraceId: r.traceID(), SpanId: build, Name: valid(r.Name), Kind: tracepb.Span_SPAN_KIND_INTERNAL}
	root.StartTimeUnixNano, root.EndTimeUnixNano = nanos(r.Began), nanos(r.Ended)
	root.Status = status(r.Error)
	spans := []*tracepb.Span{root}
	inputs := r.Inputs()
	for n, s := range r.Steps {
		for i, run := range s.Runs {
			span := &tracepb.Span{TraceId: r.traceID(), SpanId: r.run(n, i), ParentSpanId: build, Name: valid(s.Name), Kind: tracepb.Span_SPAN_KIND_INTERNAL}
			span.StartTimeUnixNano, span.EndTimeUnixNano = nanos(run.Start), nanos(run.End)
			span.Attributes = []*commonpb.KeyValue{text(attrDigest, s.Digest.String()), text(attrState, string(s.State()))}
			if s.Bytes > 0 {
				span.Attributes = append(span.Attributes, &commonpb.KeyValue{Key: attrBytes, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: s.Bytes}}})
			}
			for _, in := range inputs[n] {
				if runs := r.Steps[in].Runs; len(runs) > 0 {
					span.Links = append(span.Links, &tracepb.Span_Link{TraceId: r.traceID(), SpanId: r.run(in, len(runs)-1)})
				}
			}
			if i == len(s.Runs)-1 {
				span.Status = status(s.Error)
			}
			spans = append(spans, span)
		}
	}
	const product = "flavorkit"
	data, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", product)}},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &commonpb.InstrumentationScope{Name: product}, Spans: spans}},
	}}})
	if err != nil {
		return nil, errors.Wrap(err, "write the trace")
	}
	return hexIDs(data)
}

// hexIDs writes ids in hexadecimal, as OTLP's JSON differs from that of protobuf
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). Spaces, which protobuf's
// differ in, are left out.
func hexIDs(data []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var all any
	if err := decoder.Decode(&all); err != nil {
		return nil, errors.Wrap(err, "read the trace")
	}
	var walk func(any) error
	walk = func(v any) error {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				if err := walk(item); err != nil {
					return err
				}
			}
		case map[string]any:
			for key, value := range v {
				id, isText := value.(string)
				if !isText || !strings.HasSuffix(key, "Id") {
					if err := walk(value); err != nil {
						return err
					}
					continue
				}
				raw, err := base64.StdEncoding.DecodeString(id)
				if err != nil {
					return errors.Wrapf(err, "read %s of the trace", key)
				}
				v[key] = hex.EncodeToString(raw)
			}
		}
		return nil
	}
	if err := walk(all); err != nil {
		return nil, err
	}
	out, err := json.Marshal(all)
	return append(out, '\n'), err
}

// traceID is the same whenever the record is written.
func (r Record) traceID() []byte {
	sum := sha256.Sum256([]byte(r.Began.UTC().Format(time.RFC3339Nano) + " " + r.Name))
	return sum[:16]
}

// id is the id of a span.
func (r Record) id(what string) []byte {
	sum := sha256.Sum256(append(r.traceID(), what...))
	return sum[:8]
}

// run is the id of the span of a run.
func (r Record) run(step, run int) []byte {
	return r.id(fmt.Sprintf("%s %d", r.Steps[step].Digest, run))
}

// nanos is the time in OTLP; zero for none.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: valid(value)}}}
}

func status(failure string) *tracepb.Status {
	if failure == "" {
		return nil
	}
	return &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: valid(failure)}
}

// valid is text that protobuf accepts.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
