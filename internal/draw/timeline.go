package draw

import (
	"io"
	"math"
)

// Bar is a span of time, with a name.
type Bar struct {
	Name string
	Note string
	Look Look
	// Spans are pairs of seconds since the beginning: from, to.
	Spans [][2]float64
}

type bar struct {
	Y, Text           int
	Name, Note, Title string
	Look              Look
	Spans             []span
	NoteX             int
}

type span struct{ X, Width int }

type tick struct {
	X    int
	Text string
}

// Sizes of a timeline in pixels.
const (
	nameChars  = 52
	nameWidth  = nameChars*charWidth/100 + 12
	timeWidth  = 560
	noteWidth  = 64
	barHeight  = 22
	axisHeight = 24
)

// Timeline writes bars below each other over one axis of time, in SVG. seconds is its length.
func Timeline(w io.Writer, label string, seconds float64, format func(seconds float64) string, bars []Bar) error {
	p := picture{Label: Clean(label), Width: nameWidth + timeWidth + noteWidth, Height: axisHeight + len(bars)*barHeight + margin}
	x := func(s float64) int {
		if seconds <= 0 {
			return nameWidth
		}
		return nameWidth + int(min(1, max(0, s/seconds))*timeWidth)
	}
	for _, s := range ticks(seconds) {
		p.Ticks = append(p.Ticks, tick{x(s), Clean(format(s))})
	}
	for i, b := range bars {
		y := axisHeight + i*barHeight
		drawn := bar{Y: y + 4, Text: y + 15, Look: b.Look, Name: cut(Clean(b.Name), nameChars), Note: Clean(b.Note), Title: Clean(b.Name) + " (" + Clean(b.Note) + ")", NoteX: nameWidth}
		for _, s := range b.Spans {
			from, to := x(s[0]), x(s[1])
			drawn.Spans = append(drawn.Spans, span{from, max(2, to-from)})
			drawn.NoteX = max(drawn.NoteX, to+6)
		}
		p.Bars = append(p.Bars, drawn)
	}
	return write(w, "timeline", p)
}

// ticks are round numbers of seconds, at most eight.
func ticks(seconds float64) []float64 {
	if seconds <= 0 {
		return []float64{0}
	}
	step := math.Pow(10, math.Floor(math.Log10(seconds/7)))
	for _, times := range []float64{1, 2, 5, 10} {
		if seconds/(step*times) <= 7 {
			step *= times
			break
		}
	}
	var all []float64
	for i := 0; float64(i)*step <= seconds; i++ {
		all = append(all, float64(i)*step)
	}
	return all
}
