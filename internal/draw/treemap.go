package draw

import (
	"cmp"
	"io"
	"math"
	"slices"
)

// Area is a part of a treemap.
type Area struct {
	Name string
	// Note is its size for people.
	Note string
	// Size decides how large it is.
	Size int64
}

type area struct {
	X, Y, Width, Height int
	Title               string
	Lines               []areaLine
}

type areaLine struct {
	X, Y int
	Text string
}

// Sizes of a treemap in pixels.
const (
	mapWidth   = 960
	mapHeight  = 420
	lineHeight = 14
)

// Treemap writes sizes as rectangles that fill a picture, in SVG.
func Treemap(w io.Writer, label string, areas []Area) error {
	areas = slices.DeleteFunc(slices.Clone(areas), func(a Area) bool { return a.Size <= 0 })
	slices.SortStableFunc(areas, func(a, b Area) int { return cmp.Compare(b.Size, a.Size) })
	p := picture{Label: Clean(label), Width: mapWidth, Height: mapHeight}
	for i, r := range squarify(areas, rect{0, 0, mapWidth, mapHeight}) {
		a := areas[i]
		drawn := area{
			X: int(math.Round(r.x)), Y: int(math.Round(r.y)),
			Title: Clean(a.Name) + " (" + Clean(a.Note) + ")",
		}
		drawn.Width, drawn.Height = int(math.Round(r.x+r.width))-drawn.X, int(math.Round(r.y+r.height))-drawn.Y
		chars, lines := (drawn.Width-12)*100/charWidth, (drawn.Height-8)/lineHeight
		if chars >= 6 && lines >= 1 {
			text := []string{cut(Clean(a.Note), chars)}
			if lines > 1 {
				text = append(wrap(Clean(a.Name), chars, min(4, lines-1)), text...)
			}
			for n, line := range text {
				drawn.Lines = append(drawn.Lines, areaLine{drawn.X + 6, drawn.Y + 3 + (n+1)*lineHeight, line})
			}
		}
		p.Areas = append(p.Areas, drawn)
	}
	return write(w, "treemap", p)
}

type rect struct{ x, y, width, height float64 }

// squarify divides a rectangle by the sizes of areas, the largest first, into parts that are as
// square as they get when each row is filled as long as that makes them squarer (M. Bruls and
// others, Squarified Treemaps, 2000).
func squarify(areas []Area, r rect) []rect {
	total := 0.0
	for _, a := range areas {
		total += float64(a.Size)
	}
	var all []rect
	for len(areas) > 0 {
		side, length := min(r.width, r.height), max(r.width, r.height)
		count, sum := 0, 0.0
		for worst := math.Inf(1); count < len(areas); count++ {
			more := sum + float64(areas[count].Size)
			thick := more / total * length
			// The first of a row is its longest part, the last its shortest.
			ratio := max(thick/(float64(areas[count].Size)/more*side), float64(areas[0].Size)/more*side/thick)
			if ratio > worst {
				break
			}
			worst, sum = ratio, more
		}
		thick, along := sum/total*length, 0.0
		for _, a := range areas[:count] {
			part := float64(a.Size) / sum * side
			if r.width >= r.height {
				all = append(all, rect{r.x, r.y + along, thick, part})
			} else {
				all = append(all, rect{r.x + along, r.y, part, thick})
			}
			along += part
		}
		if r.width >= r.height {
			r.x, r.width = r.x+thick, r.width-thick
		} else {
			r.y, r.height = r.y+thick, r.height-thick
		}
		areas, total = areas[count:], total-sum
	}
	return all
}
