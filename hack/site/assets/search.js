// Searches the pages in pages.js, in the browser.
"use strict"

const form = document.getElementById("search")
const input = form.elements.q
const list = document.getElementById("found")
// The site may be below any path: this script is at its top.
const siteRoot = new URL(".", document.currentScript.src)
const most = 12

// score is how well a page fits all words, or 0.
function score(page, words) {
  let sum = 0
  for (const word of words) {
    const inTitle = page.title.toLowerCase().includes(word)
    const inHeadings = page.headings.filter(h => h.toLowerCase().includes(word)).length
    const inText = page.text.toLowerCase().split(word).length - 1
    if (!inTitle && !inHeadings && !inText) return 0
    sum += 100 * inTitle + 20 * inHeadings + Math.min(inText, 15)
  }
  return sum
}

// excerpt is the text around the first of the words.
function excerpt(text, words) {
  const at = Math.min(...words.map(w => text.toLowerCase().indexOf(w)).filter(i => i >= 0), text.length)
  return at === text.length ? "" : "…" + text.slice(Math.max(0, at - 50), at + 110).replace(/\s+/g, " ") + "…"
}

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  list.replaceChildren()
  if (!words.length) return
  const found = pages.map(page => ({page, score: score(page, words)})).filter(f => f.score).sort((a, b) => b.score - a.score)
  for (const {page} of found.slice(0, most)) {
    const item = document.createElement("li")
    const link = document.createElement("a")
    link.href = new URL(page.url, siteRoot)
    link.textContent = page.title
    const text = document.createElement("span")
    text.textContent = excerpt(page.text, words)
    item.append(link, text)
    list.append(item)
  }
  if (!found.length) list.append(Object.assign(document.createElement("li"), {textContent: "Nothing found"}))
}

input.addEventListener("input", search)
form.addEventListener("submit", event => {
  event.preventDefault()
  list.querySelector("a")?.click()
})
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault()
    input.focus()
  } else if (event.key === "Escape") {
    input.value = ""
    search()
  }
})
form.hidden = false
